/**
 * A claimant whose download stops in the middle loses nothing, and nobody else can take it meanwhile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { digestOf, digestOfFile } from "./lib/content.mjs";
import { follow, hold, holdOpen, press, reach } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
const MB = 1_000_000;

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: a download that was stopped goes on with the same claim`, LIMIT, () =>
    stage.scene(async (visit) => {
      const bytes = randomBytes(12 * MB);
      const { link } = await sealAndSend(stage.origin, [{ name: "large.bin", bytes }]);
      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      stage.proxy.holdBodiesAfter(4 * MB);
      await hold(opener.page, 1000);
      await reach(opener.page, ["opening"]);
      await until("a part of the body", () => stage.proxy.isHolding);

      const other = await visit(browser);
      other.watch.expectStatus(410);
      await follow(other.page, link, ["claimed"]);

      // What stopping means: the request ends, and Firefox also says so of the download that it was for.
      opener.watch.expect(/^request failed: GET .*\/body \((net::ERR_ABORTED|NS_BINDING_ABORTED)\)$/);
      opener.watch.expect(/^thrown: Failed to load .* A ServiceWorker intercepted the request/);
      await press(opener.page, "#stop");
      await reach(opener.page, ["ready"]);
      stage.proxy.release();
      await browser.clear();
      await holdOpen(opener.page);
      const [saved] = await browser.saved([bytes.length]);
      assert.equal(await digestOfFile(saved.path), digestOf(bytes));
      const claims = stage.proxy.seen.filter((one) => one.path.endsWith("/claim"));
      assert.equal(new Set(claims.map((one) => tokenOf(one.head))).size, 1);
    }));
}

/** The claim token of a request. @param {string} head */
function tokenOf(head) {
  const token = /Bearer ([\w-]{43})/.exec(head)?.[1];
  assert.ok(token, head);
  return token;
}
