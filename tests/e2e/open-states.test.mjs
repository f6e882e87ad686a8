/**
 * Every way in which opening can be refused or fail has a state of its own, says so, and goes on by itself where that can
 * help; nothing broken is left behind as if it were whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { Faults, lanAddress } from "./lib/fault.mjs";
import { follow, hold, holdOpen, offerPassphrase, press, reach, wordsOf } from "./lib/pages.mjs";
import { burn, sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { sleep, until } from "./lib/wait.mjs";

const run = promisify(execFile);
const LIMIT = { timeout: 120_000 };
const MB = 1_000_000;
const ANSWERS = [
  [502, /502/],
  [503, /503/],
  [504, /504/],
];

const stage = await Stage.open();
const faults = await Faults.start(stage.server.port);
const lan = await Faults.start(stage.server.port, lanAddress());
after(async () => {
  await faults.stop();
  await lan.stop();
  await stage.close();
});

for (const browser of stage.browsers) {
  test(`${browser.name}: a proxy's own answers are named, and the page goes on when they are over`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sendText(faults);
      for (const [status, title] of ANSWERS) {
        faults.plan = (_, path) => (path.endsWith("/peek") ? { status } : null);
        await page.goto("about:blank");
        await follow(page, link, ["refused"]);
        assert.match(await wordsOf(page, "#notice-title"), title);
        assert.match(await wordsOf(page, "#notice-todo"), /Nothing was used up/);
        await until("the countdown", async () => /Trying again/.test(await wordsOf(page, "#again")));
        faults.plan = () => null;
        await reach(page, ["ready"]);
      }
      // Too large is what no waiting mends.
      faults.plan = (_, path) => (path.endsWith("/peek") ? { status: 413 } : null);
      await page.goto("about:blank");
      await follow(page, link, ["refused"]);
      assert.match(await wordsOf(page, "#notice-title"), /413/);
      assert.equal(await page.evaluate(() => document.querySelector("#again").checkVisibility()), false);
      faults.plan = () => null;
      await press(page, "#retry");
      await reach(page, ["ready"]);
    }));

  test(`${browser.name}: a device that is offline goes on as soon as it is not`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sendText(faults);
      await page.evaluateOnNewDocument(() => Object.defineProperty(navigator, "onLine", { value: false }));
      let looks = 0;
      faults.plan = (_, path) => (path.endsWith("/peek") ? { cut: (looks += 1) > 0 } : null);
      await follow(page, link, ["offline"]);
      assert.match(await wordsOf(page, "#notice-title"), /You are offline/);
      await until("a look that failed", () => looks > 0);
      faults.plan = () => null;
      const since = Date.now();
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await reach(page, ["ready"]);
      assert.ok(Date.now() - since < 1500, "it does not wait for its countdown");
    }));

  test(`${browser.name}: too many requests count down as long as the server asks`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sendText(faults);
      const answer = { status: 429, headers: { "Content-Type": "application/json", "Retry-After": "4" }, body: '{"code":"request.rate_limited","message":"m"}' };
      faults.plan = (_, path) => (path.endsWith("/peek") ? answer : null);
      const since = Date.now();
      await follow(page, link, ["refused"]);
      assert.match(await wordsOf(page, "#notice-title"), /429/);
      assert.match(await wordsOf(page, "#again"), /[45] seconds/);
      faults.plan = () => null;
      await reach(page, ["ready"]);
      assert.ok(Date.now() - since > 3500);
    }));

  test(`${browser.name}: a server that is being restarted is waited for`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sendText(faults);
      faults.plan = (_, path) => (path.endsWith("/peek") ? { cut: true } : null);
      await follow(page, link, ["offline"]);
      assert.match(await wordsOf(page, "#notice-title"), /does not answer/);
      faults.plan = () => null;
      await reach(page, ["ready"]);
      await holdOpen(page);
    }));

  test(`${browser.name}: a download that is cut again and again goes on without being asked`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      await browser.clear();
      const bytes = randomBytes(12 * MB);
      const { link } = await sealAndSend(faults.origin, [{ name: "large.bin", bytes }]);
      let requests = 0;
      faults.plan = (_, path) => {
        if (!path.endsWith("/body")) return null;
        requests += 1;
        return requests < 4 ? { cut_after: 3 * MB } : null;
      };
      await follow(page, link, ["ready"]);
      // By keyboard alone, at that.
      await page.focus("#open");
      await page.keyboard.down("Enter");
      await sleep(1000);
      await page.keyboard.up("Enter");
      await reach(page, ["done"], 60_000);
      const [saved] = await browser.saved([bytes.length]);
      assert.equal(await digestOfFile(saved.path), digestOf(bytes));
      assert.equal(requests, 4);
    }));

  test(`${browser.name}: a browser that is too old is told so, before anything is used up`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sendText(faults);
      await page.evaluateOnNewDocument(() => Reflect.deleteProperty(AbortSignal, "any"));
      await follow(page, link, ["outdated"]);
      assert.match(await wordsOf(page, "#notice-todo"), /Firefox/);
    }));

  test(`${browser.name}: a page whose modules do not load says what to do`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      faults.plan = (_, path) => (path.endsWith("/js/open.js") ? { status: 404 } : null);
      await page.goto(`${faults.origin}/open`);
      const isShown = () => page.evaluate(() => document.querySelector("#too-old")?.checkVisibility({ visibilityProperty: true }) ?? false);
      assert.equal(await isShown(), false);
      await until("the plain words", isShown);
      faults.plan = () => null;
      await page.reload();
      await reach(page, ["missing", "reloaded"]);
      assert.equal(await isShown(), false);
    }));

  test(`${browser.name}: an archive that was changed on its way is not kept as one`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      await browser.clear();
      const items = [1, 2, 3, 4, 5, 6].map((index) => ({ name: `folder/${index}.bin`, bytes: randomBytes(MB) }));
      const { link } = await sealAndSend(faults.origin, items);
      const flip = (bytes, at) => {
        const copy = Buffer.from(bytes);
        // Almost at the end, when all but a piece of the last file has gone to disk.
        if (at + copy.length > 6_000_000 && at <= 6_000_000) copy[6_000_000 - at] ^= 1;
        return copy;
      };
      faults.plan = (_, path) => (path.endsWith("/body") ? { change: flip } : null);
      await follow(page, link, ["ready"]);
      await hold(page, 1000);
      await reach(page, ["failed"], 40_000);
      assert.match(await wordsOf(page, "#notice-title"), /changed on its way/);
      await sleep(1000);
      // Firefox keeps what it has of a broken download beside a placeholder; neither may pass for an archive.
      for (const name of await readdir(browser.folder)) {
        await assert.rejects(run("unzip", ["-t", join(browser.folder, name)]), name);
      }
      faults.plan = () => null;
    }));

  test(`${browser.name}: a server that hands out once says so before, or nothing can be opened`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const { link } = await sealAndSend(faults.origin, [{ name: "large.bin", bytes: randomBytes(3 * MB) }]);
      const limits = await (await fetch(`${faults.origin}/api/v1/config`)).json();
      const answer = { status: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...limits, lease_s: 0 }) };
      faults.plan = (_, path) => (path.endsWith("/config") ? { status: 502 } : null);
      await follow(page, link, ["refused"]);
      faults.plan = (_, path) => (path.endsWith("/config") ? answer : path.endsWith("/body") ? { stall_after: MB } : null);
      await reach(page, ["ready"]);
      assert.equal(await page.evaluate(() => document.querySelector("#strict").checkVisibility()), true);
      await hold(page, 1000);
      await reach(page, ["opening"]);
      assert.match(await wordsOf(page, "#stop"), /lose it/);
      await press(page, "#stop");
      await reach(page, ["failed"]);
      assert.equal(await page.evaluate(() => document.querySelector("#retry").checkVisibility()), false);
      assert.match(await wordsOf(page, "#notice-title"), /You stopped this/);
      page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
      await page.reload();
      await reach(page, ["reloaded"]);
      assert.match(await wordsOf(page, "#notice-why"), /is lost/);
    }));

  test(`${browser.name}: taken back, and locked`, LIMIT, () =>
    visited(browser, faults, async ({ page }) => {
      const burnt = await sendText(faults);
      await burn(faults.origin, burnt);
      await follow(page, burnt.link, ["gone"]);
      assert.match(await wordsOf(page, "#notice-title"), /took this back/);
      const { link } = await sealAndSend(faults.origin, text(), { passphrase: "right" });
      await page.goto("about:blank");
      await follow(page, link, ["passphrase"]);
      for (const left of [4, 3, 2, 1]) {
        await offerPassphrase(page, `wrong ${left}`);
        await until(`${left} left`, async () => new RegExp(`\\b${left} (try|tries)`).test(await wordsOf(page, "#passphrase-trouble")));
      }
      await offerPassphrase(page, "wrong again");
      await reach(page, ["locked"]);
    }));

  test(`${browser.name}: over plain http on another address, texts and small files still work`, LIMIT, () =>
    visited(browser, lan, async ({ page }) => {
      const { link } = await sendText(lan);
      await follow(page, link, ["ready"]);
      assert.equal(await page.evaluate(() => isSecureContext), false);
      assert.equal(await page.evaluate(() => document.querySelector("#insecure").checkVisibility()), true);
      await holdOpen(page);
      assert.equal(await page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
      await browser.clear();
      const items = Array.from({ length: 7 }, (_, index) => ({ name: `small/${index}.bin`, bytes: randomBytes(1000) }));
      const files = await sealAndSend(lan.origin, items);
      await page.goto("about:blank");
      await follow(page, files.link, ["ready"]);
      const calls = [];
      lan.plan = (method, path) => void calls.push(`${method} ${path.split("/").pop()}`) ?? null;
      await hold(page, 1000);
      await reach(page, ["handed"]);
      const isThere = async () => (await readdir(browser.folder)).join() === "small.zip";
      await until("the archive", isThere);
      await browser.clear();
      await press(page, "#archive li button");
      await until("the archive once more", isThere);
      // Leaving would lose what the browser may not have kept, and nobody has said yet that it did.
      assert.equal(await page.evaluate(() => dispatchEvent(new Event("beforeunload", { cancelable: true }))), false);
      assert.deepEqual(calls.filter((call) => /delivered/.test(call)), []);
      await press(page, "#confirm-saved");
      await until("what became of it", async () => /server has deleted it/.test(await wordsOf(page, "#deleted")));
      assert.deepEqual(calls.filter((call) => /delivered/.test(call)), ["POST delivered"]);
      assert.equal(await page.evaluate(() => dispatchEvent(new Event("beforeunload", { cancelable: true }))), true);
    }));
}

/**
 * A visit whose refused requests are meant, so that its console is not judged.
 *
 * @param {import("./lib/browser.mjs").Browser} browser
 * @param {Faults} by
 * @param {(visit: { page: import("puppeteer-core").Page }) => Promise<void>} play
 */
async function visited(browser, by, play) {
  const visit = await browser.visit(by.origin);
  try {
    await play(visit);
    assert.deepEqual(visit.watch.faults.filter((fault) => /policy violated|another host/.test(fault)), []);
  } finally {
    by.plan = () => null;
    await visit.leave();
  }
}

/** @param {Faults} by */
function sendText(by) {
  return sealAndSend(by.origin, text());
}

function text() {
  return [{ name: "", bytes: Buffer.from(TEXT) }];
}
