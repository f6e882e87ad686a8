/**
 * What else a sender can do: whole folders, pasted pictures, passphrases that are made up, the link as a picture; and that
 * none of it leaves the browser but sealed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { follow, holdOpen, offerPassphrase, compose, press, reach, send, sendComposed, wordsOf } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };

const stage = await Stage.open();
after(() => stage.close());

// Firefox's automation cannot pick a folder; what is done with its files is the same in both.
for (const browser of stage.browsers.filter(({ name }) => name === "chromium")) {
  test(`${browser.name}: a picked folder keeps its paths`, LIMIT, () =>
    stage.scene(async (visit) => {
      const folder = await makeFolder();
      const { page } = await visit(browser);
      await compose(page, stage.origin, {});
      await (await page.$("#folder")).uploadFile(folder);
      const paths = ["photos/a.txt", "photos/trip/a.txt", "photos/trip/day 1/b.txt"];
      await until("the rows", async () => (await rowsOf(page)).length === paths.length);
      assert.deepEqual((await rowsOf(page)).sort(), paths);
      const link = await sendComposed(page);
      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      assert.deepEqual((await entriesOf(opener.page)).sort(), paths);
      await rm(folder, { recursive: true });
    }));
}

for (const browser of stage.browsers) {
  test(`${browser.name}: pasted pictures become files with names that differ, pasted text becomes text`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await compose(page, stage.origin, {});
      await paste(page, { picture: "image.png" });
      await paste(page, { picture: "image.png" });
      await paste(page, { text: "a secret" });
      assert.deepEqual(await rowsOf(page), ["image.png", "image.png"]);
      await until("the second to be renamed", async () => (await wordsOf(page, "#file-list ul")).includes("image (2).png"));
      assert.equal(await page.evaluate(() => document.querySelector("#text").value), "a secret");
      await press(page, "#remove-all");
      assert.deepEqual(await rowsOf(page), []);
    }));

  test(`${browser.name}: a made-up passphrase is five words, strong, and opens`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await compose(page, stage.origin, { text: "behind words" });
      await press(page, "#suggest");
      const { passphrase, type, strength } = await page.evaluate(() => {
        const field = document.querySelector("#passphrase");
        return { passphrase: field.value, type: field.type, strength: document.querySelector("#strength").dataset.strength };
      });
      assert.match(passphrase, /^([a-z]{3,5}|yo-yo)(-([a-z]{3,5}|yo-yo)){4}$/);
      assert.deepEqual({ type, strength }, { type: "text", strength: "strong" });
      const link = await sendComposed(page);
      assert.equal(await isShown(page, "#protected"), true);
      const opener = await visit(browser);
      await follow(opener.page, link, ["passphrase"]);
      await offerPassphrase(opener.page, passphrase);
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await opener.page.evaluate(() => document.querySelector("#text-shown").value), "behind words");
      assert.deepEqual(stage.proxy.holding(passphrase), []);
    }));

  test(`${browser.name}: the link as a picture, the receipt apart, and neither in a request`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      const link = await send(page, stage.origin, { text: "x" });
      assert.equal(await isShown(page, "#protected"), false);
      await press(page, "#qr-fold summary");
      await until("the picture", () => isShown(page, "#qr svg[role=img][aria-label] path"));
      const receipt = await page.evaluate(() => document.querySelector("#receipt").value);
      assert.match(receipt, /\/manage#[\w-]{64}$/);
      assert.deepEqual(stage.proxy.holding(new URL(link).hash.slice(1)), []);
      assert.deepEqual(stage.proxy.holding(new URL(receipt).hash.slice(1)), []);
      // The browser remembers which transfer it made, and nothing that opens or manages it.
      const kept = await page.evaluate(() => Object.entries(localStorage));
      assert.deepEqual(kept.map(([key]) => key), ["onetimeshare.own"]);
      assert.match(kept[0][1], /^\[\["[\w-]{22}",\d+\]\]$/);
      await press(page, "#another");
      await reach(page, ["start"]);
      assert.deepEqual(await page.evaluate(() => ["link", "receipt"].map((name) => document.getElementById(name).value)), ["", ""]);
      assert.equal(await page.evaluate(() => document.querySelectorAll("#qr *").length), 0);
    }));
}

/** A folder with folders in it. */
async function makeFolder() {
  const folder = join(await mkdtemp(join(tmpdir(), "onetimeshare-e2e-folder-")), "photos");
  await mkdir(join(folder, "trip", "day 1"), { recursive: true });
  await writeFile(join(folder, "a.txt"), "one");
  await writeFile(join(folder, "trip", "a.txt"), "another");
  await writeFile(join(folder, "trip", "day 1", "b.txt"), "third");
  return folder;
}

/**
 * Pastes into the page, outside of any field.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {{ text?: string, picture?: string }} what
 */
function paste(page, what) {
  return page.evaluate(({ text, picture }) => {
    const clipboardData = new DataTransfer();
    if (text !== undefined) clipboardData.setData("text/plain", text);
    if (picture !== undefined) clipboardData.items.add(new File([new Uint8Array(9)], picture, { type: "image/png" }));
    const event = new Event("paste", { bubbles: true, cancelable: true });
    // Firefox does not let a page make a paste with content by the constructor.
    document.body.dispatchEvent(Object.assign(event, { clipboardData }));
  }, what);
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} */
function rowsOf(page) {
  return page.evaluate(() => Array.from(document.querySelectorAll("#file-list bdi"), (name) => name.textContent));
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} */
function entriesOf(page) {
  return page.evaluate(() => Array.from(document.querySelectorAll("#entries bdi"), (name) => name.textContent));
}

/** @param {import("puppeteer-core").Page} page @param {string} selector @returns {Promise<boolean>} */
function isShown(page, selector) {
  return page.evaluate((selector) => document.querySelector(selector)?.checkVisibility() ?? false, selector);
}
