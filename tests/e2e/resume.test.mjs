/**
 * A claimant whose download stops in the middle loses nothing, and nobody else can take it meanwhile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { digestOfFile } from "./lib/content.mjs";
import { follow, hold, holdOpen, press, reach, send } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
const MB = 1_000_000;

const stage = await Stage.open();
after(() => stage.close());

for (const [from, to] of stage.directions) {
  test(`${from.name} → ${to.name}: a download that was stopped goes on with the same claim`, LIMIT, () =>
    stage.scene(async (visit) => {
      const file = await stage.content.random("large.bin", 12 * MB);
      const sender = await visit(from);
      const link = await send(sender.page, stage.origin, { files: [file.path] });
      const opener = await visit(to);
      await follow(opener.page, link, ["ready"]);
      stage.proxy.holdBodiesAfter(4 * MB);
      await hold(opener.page, 1000);
      await reach(opener.page, ["opening"]);
      await until("a part of the body", () => stage.proxy.isHolding);

      const other = await visit(from);
      other.watch.expectStatus(410);
      await follow(other.page, link, ["claimed"]);

      // What stopping means: the request ends, and Firefox also says so of the download that it was for.
      opener.watch.expect(/^request failed: GET .*\/body \((net::ERR_ABORTED|NS_BINDING_ABORTED)\)$/);
      opener.watch.expect(/^thrown: Failed to load .* A ServiceWorker intercepted the request/);
      await press(opener.page, "#stop");
      await reach(opener.page, ["ready"]);
      stage.proxy.release();
      await to.clear();
      await holdOpen(opener.page);
      const [saved] = await to.saved([file.len]);
      assert.equal(await digestOfFile(saved.path), file.digest);
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
