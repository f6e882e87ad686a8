/**
 * Draws the icons of the pages again from their two SVG files, into `www`. It is run by hand, after a drawing has changed:
 * `node icons.mjs`.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";

import { Browser } from "./lib/browser.mjs";

const WWW = new URL("../../www/", import.meta.url);

/** Each picture: what it is drawn from, and its width and height in pixels. */
const PICTURES = [
  { name: "icons/icon-192.png", drawing: "favicon.svg", size: 192 },
  { name: "icons/icon-512.png", drawing: "favicon.svg", size: 512 },
  { name: "icons/maskable-512.png", drawing: "icons/maskable.svg", size: 512 },
  { name: "icons/apple-touch-180.png", drawing: "icons/maskable.svg", size: 180 },
];

/** The sizes inside `favicon.ico`, in pixels. */
const FAVICON_SIZES = [16, 32, 48];

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} drawing
 * @param {number} size Pixels.
 * @returns {Promise<Buffer>} A PNG.
 */
async function draw(page, drawing, size) {
  const svg = await readFile(new URL(drawing, WWW));
  await page.setViewport({ width: size, height: size });
  await page.goto(`data:image/svg+xml;base64,${svg.toString("base64")}`);
  return Buffer.from(await page.screenshot({ omitBackground: true }));
}

/**
 * PNGs in the container of `.ico` files: a header, an entry of 16 bytes for each picture, the pictures.
 *
 * @param {{ size: number, png: Buffer }[]} pictures
 * @returns {Buffer}
 */
function icoOf(pictures) {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let at = head.length;
  for (const [index, { size, png }] of pictures.entries()) {
    const entry = 6 + 16 * index;
    head.writeUInt8(size, entry);
    head.writeUInt8(size, entry + 1);
    head.writeUInt16LE(1, entry + 4);
    head.writeUInt16LE(32, entry + 6);
    head.writeUInt32LE(png.length, entry + 8);
    head.writeUInt32LE(at, entry + 12);
    at += png.length;
  }
  return Buffer.concat([head, ...pictures.map(({ png }) => png)]);
}

const browser = await Browser.launch("chromium");
const { page } = await browser.visit("about:blank");
for (const { name, drawing, size } of PICTURES) await writeFile(new URL(name, WWW), await draw(page, drawing, size));
const favicons = [];
for (const size of FAVICON_SIZES) favicons.push({ size, png: await draw(page, "favicon.svg", size) });
await writeFile(new URL("favicon.ico", WWW), icoOf(favicons));
await browser.close();
