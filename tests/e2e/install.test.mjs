/**
 * Chromium finds nothing that stands in the way of installing the pages. It installs nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { reach } from "./lib/pages.mjs";
import { BROWSERS, Stage } from "./lib/stage.mjs";

const LIMIT = { timeout: 60_000, skip: !BROWSERS.includes("chromium") && "only Chromium says what it would install" };

let stage;
before(async () => {
  stage = await Stage.open([], { names: BROWSERS.filter((name) => name === "chromium"), isWhole: true });
});
after(() => stage?.close());

test("chromium: the pages can be installed", LIMIT, () =>
  stage.scene(async (visit) => {
    const { page } = await visit(stage.browsers.find((browser) => browser.name === "chromium"));
    await page.goto(`${stage.origin}/`);
    await reach(page, ["start"]);
    const session = await page.createCDPSession();
    const { url, errors, data } = await session.send("Page.getAppManifest");
    assert.deepEqual([url, errors], [`${stage.origin}/manifest.webmanifest`, []]);
    for (const { src, type } of JSON.parse(data).icons) {
      const icon = await fetch(`${stage.origin}${src}`);
      assert.deepEqual([icon.status, icon.headers.get("content-type")], [200, type], src);
    }
    // A visit's profile keeps nothing, and nothing is installed from such a one; there must be no other reason.
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId), ["in-incognito"]);
  }));

test("chromium: the colour around the page follows the theme that was chosen", LIMIT, () =>
  stage.scene(async (visit) => {
    const { page } = await visit(stage.browsers.find((browser) => browser.name === "chromium"));
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    await page.goto(`${stage.origin}/`);
    await reach(page, ["start"]);
    const colours = () =>
      page.evaluate(() => {
        const metas = [...document.querySelectorAll('meta[name="theme-color"]')].filter((meta) => matchMedia(meta.media).matches);
        return metas.map((meta) => meta.content);
      });
    assert.deepEqual(await colours(), ["#f0f2f5"]);
    await page.click("#theme");
    assert.deepEqual(await colours(), ["#161616"]);
    await page.reload();
    await reach(page, ["start"]);
    assert.deepEqual(await colours(), ["#161616"]);
  }));
