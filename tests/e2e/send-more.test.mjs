/**
 * What else a sender can do: whole folders, picked and dropped, pasted pictures, passphrases that are made up, the link as a
 * picture; that the only copy of a link is not lost unasked; and that none of it leaves the browser but sealed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";

import { follow, holdOpen, offerPassphrase, compose, press, reach, send, sendComposed, wordsOf } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };

const stage = await Stage.open([], { isWhole: true });
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
      assert.match(await wordsOf(page, "#careful"), /the link and the passphrase/);
      assert.deepEqual(await fieldOf(page, "#sent-passphrase"), { value: passphrase, type: "password" });
      await press(page, "#sent-passphrase-field secret-field button");
      assert.deepEqual(await fieldOf(page, "#sent-passphrase"), { value: passphrase, type: "text" });
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
      const secrets = ["link", "receipt", "sent-passphrase"];
      assert.deepEqual(await page.evaluate((secrets) => secrets.map((name) => document.getElementById(name).value), secrets), ["", "", ""]);
      assert.equal(await page.evaluate(() => document.querySelectorAll("#qr *").length), 0);
    }));
}

for (const browser of stage.browsers) {
  test(`${browser.name}: leaving the only copy of the link warns, until the link is somewhere else`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      const { page } = sender;
      // The next transfer's worker may still be on its way when the page is left.
      sender.watch.expect(/^request failed: GET .*\/assets\/.* \((net::ERR_ABORTED|NS_BINDING_ABORTED)\)$/);
      await page.evaluateOnNewDocument(() => {
        // The system's own panel, which no driver can press.
        Object.defineProperty(navigator, "share", { value: async ({ url }) => void (globalThis.shared = url) });
      });
      await send(page, stage.origin, { text: "left behind" });
      await leaveByName(page);
      assert.equal(sender.warnings, 1);
      const ways = {
        copy: () => press(page, "#copy"),
        keys: () => copyByKeys(page),
        picture: () => press(page, "#qr-fold summary"),
        share: () => press(page, "#share"),
      };
      for (const [name, take] of Object.entries(ways)) {
        await send(page, stage.origin, { text: name });
        await page.bringToFront();
        await take();
        await leaveByName(page);
        assert.equal(sender.warnings, 1, name);
      }
    }));

  test(`${browser.name}: sending another asks before it drops a link that nobody has`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      const link = await send(page, stage.origin, { text: "one" });
      await press(page, "#another");
      assert.equal(await page.evaluate(() => document.activeElement.dataset.part), "no");
      await press(page, "#another-step [data-part=no]");
      assert.equal(await page.evaluate(() => document.querySelector("#link").value), link);
      await press(page, "#another");
      await press(page, "#another-step [data-part=yes]");
      await reach(page, ["start"]);
      await send(page, stage.origin, { text: "two" });
      await press(page, "#qr-fold summary");
      await until("the picture", () => isShown(page, "#qr svg"));
      await press(page, "#another");
      await reach(page, ["start"]);
    }));

  test(`${browser.name}: files dropped anywhere on the page are added`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await compose(page, stage.origin, {});
      const files = [await stage.content.file("dropped.txt", "one"), await stage.content.file("日本.txt", "two")];
      const drag = await dragOver(page, files.map(({ path }) => path), ".site-header");
      await until("the hint", () => isShown(page, "drop-zone .drop-hint"));
      await drag.leave();
      await until("the hint to go", async () => !(await isShown(page, "drop-zone .drop-hint")));
      await (await dragOver(page, files.map(({ path }) => path), ".site-footer")).drop();
      await until("the rows", async () => (await rowsOf(page)).length === 2);
      assert.deepEqual(await rowsOf(page), ["dropped.txt", "日本.txt"]);
      assert.equal(await isShown(page, "drop-zone .drop-hint"), false);
    }));
}

// Firefox's automation brings no file of the system to a page but by a picker, so a folder cannot be dropped there.
for (const browser of stage.browsers.filter(({ name }) => name === "chromium")) {
  test(`${browser.name}: a dropped folder keeps its paths`, LIMIT, () =>
    stage.scene(async (visit) => {
      const folder = await makeFolder();
      const { page } = await visit(browser);
      await compose(page, stage.origin, {});
      await (await dragOver(page, [folder], "body")).drop();
      await until("the rows", async () => (await rowsOf(page)).length === 3);
      assert.deepEqual(await rowsOf(page), ["photos/a.txt", "photos/trip/a.txt", "photos/trip/day 1/b.txt"]);
      await rm(folder, { recursive: true });
    }));
}

/**
 * Drags files from outside of the browser over a place of the page. In Chromium by its own input, as from the system, but for
 * leaving again, which it does not play; in Firefox, which has no such input, by events that carry a DataTransfer of the page's
 * own making.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string[]} paths
 * @param {string} selector
 */
async function dragOver(page, paths, selector) {
  const { x, y } = await page.evaluate((selector) => {
    const place = document.querySelector(selector);
    place.scrollIntoView({ block: "center", behavior: "instant" });
    const { left, top, width, height } = place.getBoundingClientRect();
    return { x: left + width / 2, y: Math.min(top + height / 2, innerHeight - 10) };
  }, selector);
  const isChromium = (await page.browser().version()).startsWith("Chrome");
  const made = madeDrag(page, paths, selector);
  const act = isChromium ? await realDrag(page, paths, x, y) : made;
  await act("dragEnter");
  await act("dragOver");
  return { drop: () => act("drop"), leave: () => made("dragLeave") };
}

/** @param {import("puppeteer-core").Page} page @param {string[]} files @param {number} x @param {number} y */
async function realDrag(page, files, x, y) {
  const tools = await page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  return (/** @type {string} */ type) => tools.send("Input.dispatchDragEvent", { type, x, y, data });
}

/** @param {import("puppeteer-core").Page} page @param {string[]} paths @param {string} selector */
function madeDrag(page, paths, selector) {
  const names = paths.map((path) => basename(path));
  return (/** @type {string} */ type) => page.evaluate(dispatchDrag, type.toLowerCase(), selector, names);
}

/** Runs in the page. @param {string} type @param {string} selector @param {string[]} names */
function dispatchDrag(type, selector, names) {
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(["made"], name));
  document.querySelector(selector).dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
}

/** Follows the link in the header, away from what is shown. @param {import("puppeteer-core").Page} page */
async function leaveByName(page) {
  await Promise.all([page.waitForNavigation(), press(page, ".site-name")]);
  await reach(page, ["start"]);
}

/** By the keys for it, in the field. @param {import("puppeteer-core").Page} page */
async function copyByKeys(page) {
  await page.focus("#link");
  await page.keyboard.down("Control");
  await page.keyboard.press("c");
  await page.keyboard.up("Control");
}

/** @param {import("puppeteer-core").Page} page @param {string} selector */
function fieldOf(page, selector) {
  return page.evaluate((selector) => {
    const { value, type } = document.querySelector(selector);
    return { value, type };
  }, selector);
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
