/**
 * What browsers install the pages by: the web manifest, its icons, and the colours that the browser draws around the page.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const PAGES = ["index.html", "open.html", "manage.html"];
const read = (/** @type {string} */ name) => readFileSync(new URL(`../${name}`, import.meta.url));
const manifest = JSON.parse(read("manifest.webmanifest").toString());
const tokens = read("css/tokens.css").toString();

/**
 * @param {Buffer} picture
 * @returns {string} Width and height in pixels, of a PNG; of an ICO, those of each picture in it.
 */
function sizesOf(picture) {
  if (picture.readUInt32BE(0) === 0x89504e47) return `${picture.readUInt32BE(16)}x${picture.readUInt32BE(20)}`;
  assert.equal(picture.readUInt32LE(0), 0x10000, "neither a PNG nor an ICO");
  const sizes = Array.from({ length: picture.readUInt16LE(4) }, (_, index) => {
    const [len, at] = [picture.readUInt32LE(6 + 16 * index + 8), picture.readUInt32LE(6 + 16 * index + 12)];
    return sizesOf(picture.subarray(at, at + len));
  });
  return sizes.join(" ");
}

/** @param {string} name @param {"light" | "dark"} scheme @returns {string} */
function token(name, scheme) {
  const [, light, dark] = tokens.match(new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`)) ?? [];
  return (scheme === "light" ? light : dark) ?? assert.fail(name);
}

test("the manifest has what browsers ask for before they install", () => {
  const { name, short_name, id, start_url, scope, display } = manifest;
  assert.deepEqual({ name, short_name }, { name: "onetimeshare", short_name: "onetimeshare" });
  assert.deepEqual({ id, start_url, scope, display }, { id: "/", start_url: "/", scope: "/", display: "standalone" });
  const sizes = manifest.icons.map((/** @type {any} */ icon) => `${icon.sizes} ${icon.purpose}`);
  assert.deepEqual(sizes, ["any any", "192x192 any", "512x512 any", "512x512 maskable"]);
});

test("every icon is there, in the size that is stated", () => {
  for (const { src, sizes, type } of manifest.icons) {
    assert.match(src, /^\/assets\/[a-z0-9/.-]+$/);
    const picture = read(src.replace("/assets/", ""));
    assert.ok(picture.length < 8192, `${src} is heavy`);
    if (type === "image/svg+xml") assert.match(picture.toString(), /^<svg xmlns="[^"]+" viewBox="0 0 32 32">/);
    else assert.equal(sizesOf(picture), sizes, src);
  }
  assert.equal(sizesOf(read("icons/apple-touch-180.png")), "180x180");
  assert.equal(sizesOf(read("favicon.ico")), "16x16 32x32 48x48");
});

test("the colours around the pages are those of the pages", () => {
  assert.equal(manifest.theme_color, token("floor", "dark"));
  assert.equal(manifest.background_color, token("floor", "dark"));
  for (const page of PAGES) {
    const html = read(page).toString();
    for (const scheme of /** @type {const} */ (["light", "dark"])) {
      const meta = `<meta name="theme-color" data-scheme="${scheme}" media="(prefers-color-scheme: ${scheme})"`;
      assert.ok(html.includes(`${meta} content="${token("floor", scheme)}">`), `${page}, ${scheme}`);
    }
    assert.ok(html.includes('<link rel="manifest" href="/manifest.webmanifest">'), page);
    assert.ok(html.includes('<link rel="apple-touch-icon" href="/assets/icons/apple-touch-180.png">'), page);
  }
});
