/**
 * A server that gives each client little: pages wait as long as it says, tell so, and go on by themselves.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { digestOfFile } from "./lib/content.mjs";
import { compose, follow, holdOpen, press, reach, wordsOf } from "./lib/pages.mjs";
import { BROWSERS, Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 180_000 };

// Sixteen parts at once, and one more every 3.75 s: all of them for each browser, on a server of its own.
const SETTINGS = ["--part-size", "64 KiB", "--rate-upload", "1 MiB/1m"];

for (const name of BROWSERS) {
  test(`${name}: an upload that is too fast for the server waits and arrives`, LIMIT, async (context) => {
    const stage = await Stage.open(SETTINGS, { names: [name] });
    context.after(() => stage.close());
    const [browser] = stage.browsers;
    await stage.scene(async (visit) => {
      const file = await stage.content.random("large.bin", 1_150_000);
      const sender = await visit(browser);
      const { page } = sender;
      sender.watch.expectStatus(429);
      await compose(page, stage.origin, { files: [file.path] });
      await until("the send button", () => page.evaluate(() => !document.querySelector("#send").disabled));
      await press(page, "#send");
      await until("the wait", async () => /asked too much from your address\. It goes on by itself in/.test(await wordsOf(page, "#progress")));
      await reach(page, ["done"], 120_000);
      const refused = stage.proxy.seen.filter((one) => one.status === 429);
      assert.ok(refused.length > 0 && refused.every((one) => one.method === "PUT"));
      const link = await page.evaluate(() => document.querySelector("#link").value);
      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      const [saved] = await browser.saved([file.len]);
      assert.equal(await digestOfFile(saved.path), file.digest);
    });
  });
}
