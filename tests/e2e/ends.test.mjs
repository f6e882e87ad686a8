/**
 * How transfers end on servers that are set to end them soon: the fifth of five opens, expiry, and bodies that are given
 * once, on the real server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { follow, holdOpen, reach, wordsOf } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";
import { LET_GO } from "./lib/watch.mjs";

const LIMIT = { timeout: 120_000 };
const text = [{ name: "", bytes: Buffer.from(TEXT) }];

const stage = await Stage.open(["--min-ttl", "1s"]);
const strict = await Stage.open(["--lease", "0"]);
after(async () => {
  await stage.close();
  await strict.close();
});

for (const browser of stage.browsers) {
  test(`${browser.name}: five opens are five, and the sixth says so`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, text, { claims_max: 5 });
      for (let open = 1; open <= 5; open += 1) {
        const { page } = await visit(browser);
        await follow(page, link, ["ready"]);
        await holdOpen(page);
        assert.equal(await page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
        await until("the page to say what is left", async () => /deletes it|deleted it/.test(await wordsOf(page, "#deleted")));
        assert.equal(/The server has deleted it/.test(await wordsOf(page, "#deleted")), open === 5, `${open}`);
        if (open !== 1) continue;
        await page.reload();
        await reach(page, ["reloaded"]);
        assert.match(await wordsOf(page, "#notice-title"), /You have opened this/);
        assert.match(await wordsOf(page, "#notice-todo"), /takes a further open, if there is one left/);
      }
      const sixth = await visit(browser);
      sixth.watch.expectStatus(410);
      await follow(sixth.page, link, ["gone"]);
    }));

  test(`${browser.name}: what has expired says so`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, text, { ttl_s: 1 });
      await new Promise((done) => setTimeout(done, 2100));
      const { page, watch } = await visit(browser);
      watch.expectStatus(410);
      await follow(page, link, ["gone"]);
      assert.match(await wordsOf(page, "#notice-why"), /expired/);
    }));
}

for (const browser of strict.browsers) {
  test(`${browser.name}: a body that is given once arrives whole`, LIMIT, () =>
    strict.scene(async (visit) => {
      const bytes = randomBytes(3_000_000);
      for (const items of [text, [{ name: "once.bin", bytes }]]) {
        const { link, id } = await sealAndSend(strict.origin, items);
        const { page, watch } = await visit(browser);
        watch.expect(LET_GO);
        await follow(page, link, ["ready"]);
        await holdOpen(page);
        await until("the server to keep nothing", async () => {
          const files = await strict.server.files();
          return !files.some((file) => file.path.includes(id));
        });
      }
      const [saved] = await browser.saved([bytes.length]);
      assert.equal(await digestOfFile(saved.path), digestOf(bytes));
    }));
}
