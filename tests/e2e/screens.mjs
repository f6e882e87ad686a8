/**
 * Takes the screenshots of docs/screens: every state a person meets, light and dark, wide and narrow. Called with the folder
 * to write into; it judges nothing.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";

import { compose, follow, holdOpen, send, sendComposed } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { sleep } from "./lib/wait.mjs";

/** More than this, in bytes, and the pictures weigh on everybody who clones. */
const LEN_MAX = 65_536;
const WIDTHS = [1280, 320];
const THEMES = ["light", "dark"];
const TEXT = "postgres://orders:wF7-qk2v-Hs90@db.example.org/orders\n";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("name the folder for the pictures");

const stage = await Stage.open();
try {
  const files = [
    await stage.content.random("contract-signed.pdf", 1_840_000),
    await stage.content.random("見積書.xlsx", 48_200),
    await stage.content.random("site-photo.jpg", 3_300_000),
  ].map((file) => file.path);
  for (const width of WIDTHS) for (const theme of THEMES) await takeAll(files, width, theme);
} finally {
  await stage.close();
}

/**
 * @param {string[]} files
 * @param {number} width CSS pixels.
 * @param {string} theme
 */
function takeAll(files, width, theme) {
  const [browser] = stage.browsers;
  return stage.scene(async (visit) => {
    const fresh = async () => {
      const { page, watch } = await visit(browser);
      watch.expectStatus(410);
      await page.setViewport({ width, height: width > 600 ? 860 : 640 });
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: theme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ]);
      return page;
    };
    const take = (page, name) => shoot(page, `${name}-${theme}-${width}`);

    const sender = await fresh();
    await compose(sender, stage.origin, {});
    await take(sender, "send");
    await compose(sender, stage.origin, { files });
    await take(sender, "send-files");
    const link = await sendComposed(sender);
    await take(sender, "send-done");

    const opener = await fresh();
    await follow(opener, link, ["ready"]);
    await take(opener, "open");
    await holdOpen(opener);
    await take(opener, "open-done-files");

    const reader = await fresh();
    await follow(reader, await send(await fresh(), stage.origin, { text: TEXT }), ["ready"]);
    await holdOpen(reader);
    await take(reader, "open-done-text");

    const late = await fresh();
    await follow(late, link, ["gone"]);
    await take(late, "gone");
    const unlucky = await fresh();
    await follow(unlucky, link.slice(0, -1), ["damaged"]);
    await take(unlucky, "damaged");
  });
}

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} name
 */
async function shoot(page, name) {
  // The last words of a page come after its state, and fonts after the words.
  await sleep(400);
  await page.evaluate(() => document.fonts.ready.then(() => scrollTo(0, 0)));
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true, captureBeyondViewport: true });
  const { size } = await stat(path);
  if (size > LEN_MAX) console.warn(`${name}.png has ${size} bytes, more than ${LEN_MAX}`);
}
