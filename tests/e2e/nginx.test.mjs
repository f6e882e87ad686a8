/**
 * Behind a real nginx whose body size was left at its default of 1 MiB, the page says what to set; with the recipe as it is, the
 * same file arrives.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { digestOfFile } from "./lib/content.mjs";
import { Nginx } from "./lib/nginx.mjs";
import { compose, follow, holdOpen, press, reach, send, wordsOf } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";

const LIMIT = { timeout: 120_000 };
/** More than the default of nginx, and less than a part. */
const LEN = 2_000_000;

const stage = await Stage.open();
const bare = await Nginx.start(stage.server.port, /^\s*client_max_body_size .*;\n/m);
const whole = await Nginx.start(stage.server.port);
after(async () => {
  await bare.stop();
  await whole.stop();
  await stage.close();
});

for (const browser of stage.browsers) {
  test(`${browser.name}: the default limit of nginx is named with the setting to look for`, LIMIT, () =>
    visited(browser, bare.origin, async ({ page, watch }) => {
      watch.expectStatus(413);
      const file = await stage.content.random("large.bin", LEN);
      await compose(page, bare.origin, { files: [file.path] });
      await press(page, "#send");
      await reach(page, ["failed"]);
      assert.match(await wordsOf(page, "#notice-why"), /a proxy .* too large \(413\).*client_max_body_size in nginx/);
    }));

  test(`${browser.name}: with the recipe the same file arrives`, LIMIT, () =>
    visited(browser, whole.origin, async ({ page }) => {
      const file = await stage.content.random("large.bin", LEN);
      const link = await send(page, whole.origin, { files: [file.path] });
      await browser.clear();
      await follow(page, link, ["ready"]);
      await holdOpen(page);
      const [saved] = await browser.saved([file.len]);
      assert.equal(await digestOfFile(saved.path), file.digest);
    }));
}

/** Plays a scene in front of one of the two. */
async function visited(browser, origin, play) {
  const visit = await browser.visit(origin);
  try {
    await play(visit);
    assert.deepEqual(visit.watch.faults, []);
  } finally {
    await visit.leave();
  }
}
