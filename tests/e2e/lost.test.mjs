/**
 * What gets lost on the way costs no one anything: an answer, a save, a line end. The same link in the same browser brings
 * exactly the bytes that were sent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { compose, follow, hold, holdOpen, offerPassphrase, press, reach } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
const HOLD_MS = 1000;
/** The text as it is sealed: an item without a name. */
const TEXT_ITEM = { name: "", bytes: Buffer.from(TEXT) };

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: a claim whose answer was lost is gone on with after the page was closed`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      const opener = await visit(browser);
      expectNoAnswer(opener);
      await loseClaim(opener, link, ["ready"]);
      await reopen(opener, link);
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await shownText(opener.page), TEXT);
    }));

  test(`${browser.name}: so is one behind a passphrase`, LIMIT, () =>
    stage.scene(async (visit) => {
      const passphrase = "correct horse";
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM], { passphrase });
      const opener = await visit(browser);
      expectNoAnswer(opener);
      await follow(opener.page, link, ["passphrase"]);
      await offerPassphrase(opener.page, passphrase);
      await loseClaim(opener, null, ["ready"]);
      await reopen(opener, link);
      await reach(opener.page, ["passphrase"]);
      await offerPassphrase(opener.page, passphrase);
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await shownText(opener.page), TEXT);
    }));

  test(`${browser.name}: a token whose claim never arrived takes nothing from the one who did open it`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [TEXT_ITEM]);
      const late = await visit(browser);
      expectNoAnswer(late);
      stage.proxy.cut = (method, path) => path.endsWith("/claim") && "request";
      await follow(late.page, link, ["ready"]);
      await hold(late.page, HOLD_MS);
      await until("a claim that does not arrive", () => stage.proxy.calls().includes("POST transfers/ID/claim"));
      await leave(late);
      const other = await visit(browser);
      await follow(other.page, link, ["ready"]);
      await holdOpen(other.page);
      await until("delivered", () => stage.proxy.calls().includes("POST transfers/ID/delivered"));
      late.watch.expectStatus(410);
      await reopen(late, link);
      await reach(late.page, ["gone"]);
    }));

  test(`${browser.name}: a clock that is an hour ahead does not forget the claim`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [{ name: "ahead.bin", bytes: randomBytes(500_000) }]);
      const opener = await visit(browser);
      await opener.page.evaluateOnNewDocument(setClockAhead);
      opener.watch.expect(/^request failed: GET .*\/body /);
      opener.watch.expect(/^thrown: Failed to load .* A ServiceWorker intercepted the request/);
      await follow(opener.page, link, ["ready"]);
      stage.proxy.holdBodiesAfter(100_000);
      await hold(opener.page, HOLD_MS);
      await until("a part of the body", () => stage.proxy.isHolding);
      await press(opener.page, "#stop");
      await reach(opener.page, ["ready"]);
      await leave(opener);
      stage.proxy.release();
      await opener.page.evaluateOnNewDocument(setClockAhead);
      await browser.clear();
      await reopen(opener, link);
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      await browser.saved([500_000]);
    }));

  test(`${browser.name}: a text keeps its line ends when it is copied and saved`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sent = "one\r\ntwo\rthree\nfour\r\n";
      // A field cannot hold such a text; other clients can send it.
      const { link } = await sealAndSend(stage.origin, [{ name: "", bytes: Buffer.from(sent) }]);
      const opener = await visit(browser);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      await opener.page.evaluate(() => {
        Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => void (globalThis.copied = text) } });
      });
      await press(opener.page, "#copy-text");
      assert.equal(await until("a copy", () => opener.page.evaluate(() => globalThis.copied)), sent);
      await press(opener.page, "#save-text");
      const [saved] = await browser.saved([Buffer.byteLength(sent)]);
      assert.equal(await digestOfFile(saved.path), digestOf(sent));
    }));

  test(`${browser.name}: a cancel that overtakes its create leaves nothing`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      sender.watch.expectStatus(404);
      const { promise: released, resolve: release } = deferred();
      stage.proxy.late = (method, path) => (method === "POST" && path === "/api/v1/transfers" ? released : null);
      await compose(sender.page, stage.origin, { text: TEXT });
      await press(sender.page, "#send");
      await until("a create on its way", () => stage.proxy.calls().includes("POST transfers"));
      await press(sender.page, "#cancel");
      await reach(sender.page, ["start"]);
      await until("a burn that finds nothing", () => burns().join() === "404");
      stage.proxy.late = null;
      release();
      await until("a burn of what was created", () => burns().join() === "404,204");
      assert.equal(stage.proxy.seen.find((one) => one.path === "/api/v1/transfers")?.status, 201);
    }));

  test(`${browser.name}: a save that fails at its end is done again`, LIMIT, () =>
    stage.scene(async (visit) => {
      const bytes = randomBytes(100_000);
      const { link } = await sealAndSend(stage.origin, [{ name: "once.bin", bytes }]);
      const opener = await visit(browser);
      await opener.page.evaluateOnNewDocument(pickFileThatFailsOnce);
      // Both bodies are read to their ends; the connection is let go before the browser has written that down.
      opener.watch.expect(/^request failed: GET .*\/body \((net::ERR_ABORTED|NS_BINDING_ABORTED)\)$/);
      await follow(opener.page, link, ["ready"]);
      await hold(opener.page, HOLD_MS);
      await reach(opener.page, ["failed"]);
      await press(opener.page, "#retry");
      await reach(opener.page, ["ready"]);
      await holdOpen(opener.page);
      const saved = await opener.page.evaluate(() => globalThis.savedFiles.map((bytes) => Array.from(bytes)));
      assert.equal(saved.length, 1);
      assert.equal(digestOf(Uint8Array.from(saved[0])), digestOf(bytes));
    }));
}

/** Opens as far as a claim that the server grants and whose answer does not arrive, then closes the page. */
async function loseClaim(visit, link, states) {
  stage.proxy.cut = (method, path) => path.endsWith("/claim") && "answer";
  if (link) await follow(visit.page, link, states);
  else await reach(visit.page, states);
  await hold(visit.page, HOLD_MS);
  await until("a claim that was granted", () => stage.proxy.seen.some((one) => one.path.endsWith("/claim") && one.status === 200));
  await leave(visit);
}

/** Closes the page and lets everything through again. */
async function leave(visit) {
  const next = await visit.page.browserContext().newPage();
  await visit.watch.attach(next);
  await visit.page.close({ runBeforeUnload: false });
  stage.proxy.cut = null;
  visit.page = next;
}

/** How the server answered each burn. @returns {number[]} */
function burns() {
  return stage.proxy.seen.filter((one) => one.method === "DELETE").map((one) => one.status);
}

/** A promise that the test fulfils; Node.js 20 has none of its own. */
function deferred() {
  let resolve = () => {};
  const promise = new Promise((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

/** The same link in the same profile; refusals of a look are part of it. */
async function reopen(visit, link) {
  visit.watch.expectStatus(410);
  await visit.page.goto(link);
}

/** Puts this document's clock an hour ahead of the server's. */
function setClockAhead() {
  const now = Date.now.bind(Date);
  Date.now = () => now() + 3_600_000;
}

/** A file picker whose first file cannot be put in its place, in a browser without a service worker. */
function pickFileThatFailsOnce() {
  delete Navigator.prototype.serviceWorker;
  let fails = true;
  globalThis.savedFiles = [];
  globalThis.showSaveFilePicker = async () => ({
    createWritable: async () => {
      const pieces = [];
      return {
        write: async (bytes) => void pieces.push(bytes.slice()),
        abort: async () => {},
        close: async () => {
          if (fails) {
            fails = false;
            throw new DOMException("full", "QuotaExceededError");
          }
          globalThis.savedFiles.push(new Uint8Array(await new Blob(pieces).arrayBuffer()));
        },
      };
    },
  });
}

/** What browsers say of a request without an answer. */
function expectNoAnswer(visit) {
  visit.watch.expect(/^console: Failed to load resource: net::ERR_/);
  visit.watch.expect(/^request failed: POST .*\/claim /);
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string>} */
function shownText(page) {
  return page.evaluate(() => document.querySelector("#text-shown").value);
}
