/**
 * What cannot be opened says why, and what is only looked at is not used up.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { TEXT } from "./lib/content.mjs";
import { follow, hold, holdOpen, offerPassphrase, reach, send, stateOf, wordsOf } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { sleep, until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
/** Time enough for a page that would claim by itself to have done so. */
const IDLE_MS = 1500;
/** The text as it is sealed: an item without a name. */
const TEXT_ITEM = { name: "", bytes: Buffer.from(TEXT) };

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: the second open says when it was opened`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      const first = await visit(browser);
      await follow(first.page, link, ["ready"]);
      const since = Date.now();
      await holdOpen(first.page);
      await until("delivered", () => stage.proxy.calls().includes("POST transfers/ID/delivered"));
      const second = await visit(browser);
      second.watch.expectStatus(410);
      await follow(second.page, link, ["gone"]);
      assert.match(await wordsOf(second.page, "#notice-title"), /opened already/);
      const why = await wordsOf(second.page, "#notice-why");
      const moments = momentsBetween(since, Date.now());
      assert.ok(moments.some((moment) => why.includes(moment)), `${why}, not ${moments.join(" or ")}`);
    }));

  test(`${browser.name}: a link with one character changed is damaged, and costs nothing`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      stage.proxy.forget();
      for (const place of [0, 20, 47]) {
        const visitor = await visit(browser);
        await follow(visitor.page, altered(link, place), ["damaged"]);
      }
      const cut = await visit(browser);
      await follow(cut.page, link.slice(0, -1), ["damaged"]);
      assert.deepEqual(stage.proxy.calls().filter((call) => call.includes("transfers")), []);
      await openWhole(visit, browser, link);
    }));

  test(`${browser.name}: a link to nothing is unknown, and a page without a link says so`, LIMIT, () =>
    stage.scene(async (visit) => {
      const visitor = await visit(browser);
      visitor.watch.expectStatus(404);
      await follow(visitor.page, `${stage.origin}/open#${unknownFragment()}`, ["unknown"]);
      const lost = await visit(browser);
      await follow(lost.page, `${stage.origin}/open`, ["missing"]);
    }));

  test(`${browser.name}: a passphrase, wrong and right`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      const link = await send(sender.page, stage.origin, { text: TEXT, passphrase: "correct hörse" });
      const opener = await visit(browser);
      opener.watch.expectStatus(403);
      await follow(opener.page, link, ["passphrase"]);
      assert.equal(await opener.page.evaluate(() => document.querySelectorAll("#entries li").length), 0);
      await offerPassphrase(opener.page, "wrong");
      await until("the trouble to be named", () => opener.page.evaluate(() => !document.querySelector("#passphrase-trouble").hidden));
      assert.equal(await stateOf(opener.page), "passphrase");
      assert.match(await wordsOf(opener.page, "#attempts"), /4/);
      // The same letters composed otherwise are the same passphrase.
      await offerPassphrase(opener.page, "correct ho\u0308rse");
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await opener.page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
      assert.deepEqual(stage.proxy.holding("correct"), []);
    }));

  test(`${browser.name}: a page without the gesture claims nothing`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      const looker = await visit(browser);
      await follow(looker.page, link, ["ready"]);
      await sleep(IDLE_MS);
      await hold(looker.page, 200);
      await looker.page.mouse.click(5, 5);
      await sleep(IDLE_MS);
      assert.equal(await stateOf(looker.page), "ready");
      await looker.page.close();
      assert.deepEqual(claims(), []);
      await openWhole(visit, browser, link);
    }));

  test(`${browser.name}: a page that is hidden or left in the middle of the gesture claims nothing`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      const looker = await visit(browser);
      await follow(looker.page, link, ["ready"]);
      await looker.page.mouse.move(1, 1);
      await pressOnly(looker.page);
      const other = await looker.page.browserContext().newPage();
      await sleep(IDLE_MS);
      await other.close();
      assert.deepEqual(claims(), []);
      await looker.page.goto(`${stage.origin}/`);
      await sleep(IDLE_MS);
      assert.deepEqual(claims(), []);
      await openWhole(visit, browser, link);
    }));
}

/** What was not used up can still be opened, whole. */
async function openWhole(visit, browser, link) {
  const opener = await visit(browser);
  await follow(opener.page, link, ["ready"]);
  await holdOpen(opener.page);
  assert.equal(await opener.page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
  assert.deepEqual(claims(), ["POST transfers/ID/claim"]);
}

/** The pointer goes down on the open button, and stays down. @param {import("puppeteer-core").Page} page */
async function pressOnly(page) {
  const box = await (await page.$("#open")).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
}

function claims() {
  return stage.proxy.calls().filter((call) => call.endsWith("/claim"));
}

/**
 * Each minute of a span as an English clock shows it, with the day.
 *
 * @param {number} since_ms
 * @param {number} until_ms
 * @returns {string[]}
 */
function momentsBetween(since_ms, until_ms) {
  const format = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
  const moments = [];
  for (let at = since_ms; at < until_ms + 60_000; at += 60_000) moments.push(format.format(Math.min(at, until_ms)));
  return moments;
}

/**
 * The link with one character of its fragment changed.
 *
 * @param {string} link
 * @param {number} place
 */
function altered(link, place) {
  const start = link.indexOf("#") + 1 + place;
  const letter = link[start] === "A" ? "B" : "A";
  return link.slice(0, start) + letter + link.slice(start + 1);
}

/** A well-formed fragment of a link that nobody made. */
function unknownFragment() {
  const key = Buffer.concat([Buffer.of(1), randomBytes(32)]);
  const check = createHash("sha256").update("onetimeshare check").update(key).digest().subarray(0, 3);
  return Buffer.concat([key, check]).toString("base64url");
}
