/**
 * The sender's receipt: it follows what becomes of a transfer, unlocks it, burns it, and stays in a browser only when asked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { follow, holdOpen, offerPassphrase, press, reach, send, wordsOf } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: a receipt tells waiting from delivered, and its address does not stay in the bar`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link, receipt } = await sent(await visit(browser), { text: "once" });
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      assert.equal(page.url(), `${stage.origin}/manage`);
      assert.deepEqual(await stepsOf(page), ["created", "waiting"]);
      assert.match(await wordsOf(page, "#left"), /1 of 1 open left/);

      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      await until("the server to have deleted it", async () => (await wordsOf(opener.page, "#deleted")).includes("has deleted"));
      await press(page, "#refresh");
      await reach(page, ["gone"]);
      assert.deepEqual(await stepsOf(page), ["created", "opened", "delivered", "deleted"]);
      assert.match(await wordsOf(page, "#receipt-head"), /Delivered/);
      assert.deepEqual(stage.proxy.holding(new URL(receipt).hash.slice(1)), []);
      assert.equal(stage.server.log.includes(new URL(receipt).hash.slice(1)), false);
    }));

  test(`${browser.name}: a page that is looked at again is up to date by itself`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link, receipt } = await sent(await visit(browser), { text: "once" });
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      await page.bringToFront();
      await until("the receipt to follow", async () => {
        await page.evaluate(() => dispatchEvent(new Event("focus")));
        return (await stepsOf(page)).includes("delivered");
      });
    }));

  test(`${browser.name}: what wrong passphrases locked, the receipt unlocks`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link, receipt } = await sent(await visit(browser), { text: "locked", passphrase: "right one" });
      const opener = await visit(browser);
      opener.watch.expectStatus(403);
      opener.watch.expectStatus(423);
      await follow(opener.page, link, ["passphrase"]);
      for (let left = 4; left >= 0; left -= 1) {
        await offerPassphrase(opener.page, `wrong ${left}`);
        await until(`${left} tries to be left`, async () =>
          left === 0 ? reach(opener.page, ["locked"]) : (await wordsOf(opener.page, "#attempts")).startsWith(`${left} `));
      }
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      assert.deepEqual(await stepsOf(page), ["created", "locked"]);
      await press(page, "#unlock");
      await until("it to be unlocked", async () => (await stepsOf(page)).includes("waiting"));
      const again = await visit(browser);
      await follow(again.page, link, ["passphrase"]);
      await offerPassphrase(again.page, "right one");
      await reach(again.page, ["ready"]);
    }));

  test(`${browser.name}: burning takes two steps, and then nobody opens it`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link, receipt } = await sent(await visit(browser), { text: "burnt" });
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      await press(page, "#burn [data-part=ask]");
      assert.equal(await page.evaluate(() => document.activeElement.dataset.part), "no");
      await press(page, "#burn [data-part=no]");
      await press(page, "#burn [data-part=ask]");
      assert.deepEqual(stage.proxy.calls().filter((call) => call.startsWith("DELETE")), []);
      await press(page, "#burn [data-part=yes]");
      await reach(page, ["gone"]);
      assert.deepEqual(await stepsOf(page), ["created", "burnt"]);
      const late = await visit(browser);
      late.watch.expectStatus(410);
      await follow(late.page, link, ["gone"]);
      assert.match(await wordsOf(late.page, "#notice-title"), /took this back/);
    }));

  test(`${browser.name}: a damaged receipt asks nothing, an unknown one says so`, LIMIT, () =>
    stage.scene(async (visit) => {
      const damaged = await visit(browser);
      await follow(damaged.page, `${stage.origin}/manage#${"A".repeat(63)}`, ["damaged"]);
      assert.deepEqual(stage.proxy.calls().filter((call) => call.includes("transfers")), []);
      const unknown = await visit(browser);
      unknown.watch.expectStatus(404);
      await follow(unknown.page, `${stage.origin}/manage#${"A".repeat(64)}`, ["unknown"]);
    }));

  test(`${browser.name}: a receipt stays in the browser only when asked, and goes when told`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await send(page, stage.origin, { text: "kept" });
      assert.equal(await page.evaluate(() => localStorage.getItem("onetimeshare.receipts")), null);
      await press(page, "#keep-receipt");
      await until("the note", async () => (await wordsOf(page, "#keep-note")) !== "");
      await page.goto(`${stage.origin}/manage`);
      await reach(page, ["list"]);
      assert.equal(await countOf(page, "#receipt-list li"), 1);
      await press(page, "#receipt-list li a");
      await reach(page, ["shown"]);
      assert.equal(page.url(), `${stage.origin}/manage`);
      await page.goto(`${stage.origin}/manage`);
      await reach(page, ["list"]);
      await press(page, "#forget-all [data-part=ask]");
      await press(page, "#forget-all [data-part=yes]");
      await until("the list to be empty", async () => (await countOf(page, "#receipt-list li")) === 0);
      assert.equal(await page.evaluate(() => localStorage.getItem("onetimeshare.receipts")), null);
    }));
}

/**
 * @param {Awaited<ReturnType<import("./lib/browser.mjs").Browser["visit"]>>} sender
 * @param {{ text: string, passphrase?: string }} what
 */
async function sent({ page }, what) {
  const link = await send(page, stage.origin, what);
  return { link, receipt: await page.evaluate(() => document.querySelector("#receipt").value) };
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} What the line of events says, in order. */
function stepsOf(page) {
  return page.evaluate(() => Array.from(document.querySelectorAll("#timeline li"), (item) => item.dataset.step));
}

/** @param {import("puppeteer-core").Page} page @param {string} selector @returns {Promise<number>} */
function countOf(page, selector) {
  return page.evaluate((selector) => document.querySelectorAll(selector).length, selector);
}
