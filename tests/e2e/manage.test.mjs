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
      assert.doesNotMatch(await wordsOf(page, "#left"), /tr(y|ies)/);

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
      const { page } = await visit(browser);
      for (let left = 4; left >= 0; left -= 1) {
        await offerPassphrase(opener.page, `wrong ${left}`);
        await until(`${left} tries to be left`, async () =>
          left === 0 ? reach(opener.page, ["locked"]) : (await wordsOf(opener.page, "#attempts")).startsWith(`${left} `));
        if (left !== 4) continue;
        await follow(page, receipt, ["shown"]);
        assert.match(await wordsOf(page, "#left"), /4 tries left, after wrong passphrases/);
      }
      await press(page, "#refresh");
      await until("it to be locked", async () => (await stepsOf(page)).includes("locked"));
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
      assert.match(await wordsOf(page, "#forgets"), /remembers this until \w{3}, \w{3} \d/);
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

  test(`${browser.name}: what was asked about one receipt is not asked about the next`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      const { receipt: first } = await sent(sender, { text: "first" });
      const { receipt: second } = await sent(sender, { text: "second" });
      const { page } = await visit(browser);
      await follow(page, first, ["shown"]);
      await press(page, "#burn [data-part=ask]");
      await paste(page, second);
      assert.equal(await isShown(page, "#burn [data-part=sure]"), false);
      assert.equal(await isShown(page, "#burn [data-part=ask]"), true);
    }));

  test(`${browser.name}: a receipt's page that is loaded again asks for the link, not for patience`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { receipt } = await sent(await visit(browser), { text: "reloaded" });
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      await page.reload();
      await reach(page, ["reloaded"]);
      assert.match(await wordsOf(page, "#notice-todo"), /link again/);
      await paste(page, receipt);
    }));

  test(`${browser.name}: a receipt stays in the browser only when asked, and goes when told`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await send(page, stage.origin, { text: "kept" });
      assert.equal(await storedIn(page, "receipts"), null);
      await press(page, "#keep-receipt");
      await until("the note", async () => (await wordsOf(page, "#keep-note")) !== "");
      await page.goto(`${stage.origin}/manage`);
      await reach(page, ["list"]);
      assert.match(await wordsOf(page, ".headline:not([hidden])"), /What you sent/);
      assert.equal(await countOf(page, "#receipt-list li"), 1);
      assert.notEqual(await storedIn(page, "own"), null);
      await press(page, "#forget-all [data-part=ask]");
      await press(page, "#forget-all [data-part=yes]");
      await until("the list to be empty", async () => (await countOf(page, "#receipt-list li")) === 0);
      assert.deepEqual([await storedIn(page, "receipts"), await storedIn(page, "own")], [null, null]);
    }));

  test(`${browser.name}: a kept receipt is looked at, gone back from and loaded again, and no address ever has it`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      const addresses = addressesOf(page);
      const { receipt } = await sent({ page }, { text: "kept" });
      const token = receipt.slice(-40);
      await press(page, "#keep-receipt");
      // By the button on the sending page, in a tab of its own.
      await press(page, "#look-receipt");
      const tab = await until("the new tab", async () => (await page.browserContext().pages()).find((one) => one !== page));
      const inTab = addressesOf(tab);
      await reach(tab, ["shown"]);
      assert.equal(tab.url(), `${stage.origin}/manage`);
      await tab.close();

      await page.bringToFront();
      await page.goto(`${stage.origin}/manage`);
      await reach(page, ["list"]);
      await page.focus("#receipt-list [data-part=choose]");
      await page.keyboard.press("Enter");
      await reach(page, ["shown"]);
      await page.reload();
      await reach(page, ["shown"]);
      await page.evaluate(() => history.back());
      await reach(page, ["list"]);
      await page.evaluate(() => history.forward());
      await reach(page, ["shown"]);
      const own = await page.evaluate(() => JSON.stringify([history.state, performance.getEntries().map(({ name }) => name)]));
      const all = [...addresses, ...inTab, ...(await entriesOf(page)), own];
      assert.ok(all.length > 5);
      assert.deepEqual(all.filter((one) => one.includes(token)), []);
      await page.evaluate(() => history.back());
      await reach(page, ["list"]);
      await press(page, "#receipt-list [data-part=forget]");
      await until("the list to be empty", async () => (await countOf(page, "#receipt-list li")) === 0);
      assert.deepEqual([await storedIn(page, "receipts"), await storedIn(page, "own")], [null, null]);
    }));
}

/** Every address that a page goes to from now on. @param {import("puppeteer-core").Page} page @returns {string[]} */
function addressesOf(page) {
  const addresses = [page.url()];
  page.on("framenavigated", (frame) => addresses.push(frame.url()));
  return addresses;
}

/**
 * What the browser itself has in its history of this tab; Firefox shows it to no driver.
 *
 * @param {import("puppeteer-core").Page} page
 */
async function entriesOf(page) {
  if (!(await page.browser().version()).startsWith("Chrome")) return [];
  const tools = await page.createCDPSession();
  const { entries } = await tools.send("Page.getNavigationHistory");
  return entries.flatMap(({ url, userTypedURL }) => [url, userTypedURL]);
}

/** Another receipt's link in the address of the same tab. @param {import("puppeteer-core").Page} page @param {string} receipt */
async function paste(page, receipt) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, new URL(receipt).hash);
  await until("the receipt", async () => page.url() === `${stage.origin}/manage` && reach(page, ["shown"]));
}

/** @param {import("puppeteer-core").Page} page @param {string} name */
function storedIn(page, name) {
  return page.evaluate((name) => localStorage.getItem(`onetimeshare.${name}`), name);
}

/** @param {import("puppeteer-core").Page} page @param {string} selector @returns {Promise<boolean>} */
function isShown(page, selector) {
  return page.evaluate((selector) => document.querySelector(selector)?.checkVisibility() ?? false, selector);
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
