/**
 * What is there before the pages' own modules: the words, in the theme that was chosen, and a form that loses nothing of what is
 * done to it meanwhile. None of those modules is asked for before something has been painted, nor kept waiting where nothing is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { TEXT } from "./lib/content.mjs";
import { Faults } from "./lib/fault.mjs";
import { follow, reach, sendComposed, stateOf, wordsOf } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
/** The modules that are there before the paint. */
const FIRST = /\/js\/(start|theme)\.js$/;
const SCRIPT = { "Content-Type": "text/javascript" };
/** In form what the module exports, in bytes not what the page names. */
const CHANGED = "export const toBase64url = () => ''; export const fromBase64url = () => new Uint8Array();";

/** A page whose modules are held back may not have loaded: on a busy machine they are asked for before the rest has come. */
const UNFINISHED = { waitUntil: "domcontentloaded" };

const stage = await Stage.open();
after(() => stage.close());

/** Each page with the heading that is seen first, and where it comes to. */
const PAGES = [
  { address: async () => "/", heading: "Share it. Once.", state: "start" },
  { address: async () => (await sent()).link, heading: "Sent to you.", state: "ready" },
  { address: receiptOf, heading: "What became of it.", state: "shown" },
  { address: async () => "/manage", heading: "What you sent.", state: "list" },
];

for (const browser of stage.browsers) {
  for (const { address, heading, state } of PAGES) {
    test(`${browser.name}: "${heading}" is read before the page has started`, LIMIT, () =>
      stage.scene(async (visit) => {
        const { page } = await visit(browser);
        // Firefox makes an empty page first, which has no storage.
        await page.evaluateOnNewDocument(() => location.protocol === "http:" && localStorage.setItem("onetimeshare.theme", "dark"));
        const release = holdModules();
        await page.goto(new URL(await address(), stage.origin).href, UNFINISHED);
        await until("a paint", () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length > 0));
        const { written, ...seen } = await page.evaluate(lookAround);
        assert.deepEqual(seen, { state: "loading", theme: "dark", headings: [heading], silent: [] });
        assert.ok(written > 5, `only ${written} sentences are shown`);
        release();
        await reach(page, [state]);
        assert.deepEqual(await page.evaluate(lookAtModules, FIRST.source), { early: [], unlinked: [] });
        assert.deepEqual((await page.evaluate(lookAround)).headings, [heading]);
      }));
  }

  test(`${browser.name}: what is written and picked before the page has started is sent`, LIMIT, () =>
    stage.scene(async (visit) => {
      const file = await stage.content.file("early\u202e.txt", "picked early");
      const sender = await visit(browser);
      const release = holdModules();
      await sender.page.goto(`${stage.origin}/`, UNFINISHED);
      await sender.page.evaluate((text) => {
        document.querySelector("#text").value = text;
        document.querySelector("#passphrase").value = "early";
      }, TEXT);
      await (await sender.page.$("#files")).uploadFile(file.path);
      release();
      await reach(sender.page, ["start"]);
      await until("the name to be cleaned", async () => /will be called/.test(await wordsOf(sender.page, "#file-list ul")));
      assert.match(await wordsOf(sender.page, "#strength"), /guesses/);
      const link = await sendComposed(sender.page);
      const opener = await visit(browser);
      await follow(opener.page, link, ["passphrase"]);
    }));

  test(`${browser.name}: a module that was changed on its way starts nothing`, LIMIT, async () => {
    const faults = await Faults.start(stage.server.port);
    const { page, watch, leave } = await browser.visit(faults.origin);
    try {
      faults.plan = (_, path) => (path.endsWith("/js/base64url.js") ? { status: 200, headers: SCRIPT, body: CHANGED } : null);
      await page.goto(`${faults.origin}/`);
      for (const refusal of [/integrity/, /dynamically imported module/]) {
        await until(`${refusal}`, () => watch.faults.some((fault) => refusal.test(fault)));
      }
      assert.equal(await stateOf(page), "loading");
    } finally {
      await leave();
      await faults.stop();
    }
  });

  test(`${browser.name}: a page is by itself, and runs no script that it has no hash of`, LIMIT, async () => {
    const { page, leave } = await browser.visit(stage.origin);
    try {
      await follow(page, `${stage.origin}/manage`, ["list"]);
      assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true);
      const tried = (path) => page.evaluate((address) => import(address).then(() => "ran", () => "refused"), path);
      // The one script of this origin that the import map does not name.
      assert.equal(await tried("/sw.js"), "refused");
      const named = await page.evaluate(() => document.querySelector('script[src$="/theme.js"]').src);
      assert.equal(await tried(named), "ran");
    } finally {
      await leave();
    }
  });

  test(`${browser.name}: a page that nobody looks at starts, and one that never hears of a paint`, LIMIT, () =>
    stage.scene(async (visit) => {
      const hidden = await visit(browser);
      await hidden.page.evaluateOnNewDocument(() => {
        Object.defineProperty(Document.prototype, "visibilityState", { value: "hidden" });
        PerformanceObserver.prototype.observe = () => undefined;
        globalThis.setTimeout = () => 0;
      });
      await follow(hidden.page, `${stage.origin}/manage`, ["list"]);
      const untold = await visit(browser);
      await untold.page.evaluateOnNewDocument(() => {
        PerformanceObserver.prototype.observe = () => undefined;
      });
      await follow(untold.page, `${stage.origin}/manage`, ["list"]);
    }));
}

/** Keeps the pages' own modules back. @returns {() => void} Lets them through. */
function holdModules() {
  let release = () => {};
  const released = new Promise((resolve) => {
    release = resolve;
  });
  stage.proxy.late = (_, path) => (path.includes("/js/") && !FIRST.test(path) ? released : null);
  return () => {
    stage.proxy.late = null;
    release();
  };
}

/** What a person has before them; runs in the page. */
function lookAround() {
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const places = [...document.querySelectorAll("[data-text], [data-label], [data-placeholder], [data-title]")].filter(isShown);
  const wordsOf = (place) => [
    ["text", place.textContent],
    ["label", place.getAttribute("aria-label")],
    ["placeholder", place.getAttribute("placeholder")],
    ["title", place.getAttribute("title")],
  ].filter(([mark]) => mark in place.dataset);
  const sentences = places.flatMap((place) => wordsOf(place).map(([mark, words]) => ({ key: place.dataset[mark], words })));
  return {
    state: document.documentElement.dataset.state,
    theme: document.documentElement.dataset.theme,
    headings: [...document.querySelectorAll("h1")].filter(isShown).map((one) => one.textContent),
    silent: sentences.filter(({ words }) => !words?.trim()).map(({ key }) => key),
    written: sentences.length,
  };
}

/**
 * The pages' own modules that were asked for before anything was painted, and those that were found only in another one; runs
 * in the page.
 *
 * @param {string} first What the others do not match.
 */
function lookAtModules(first) {
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  const linked = new Set([...document.querySelectorAll("link[rel=modulepreload]")].map(({ href }) => href));
  // The worker and what it imports are its own.
  const isModule = (name) => name.endsWith(".js") && !/\.worker\.js$|\/wasm\//.test(name) && !new RegExp(first).test(name);
  const asked = performance.getEntriesByType("resource").filter(({ name }) => isModule(name));
  if (asked.length < 20) throw new Error(`only ${asked.length} modules were asked for`);
  return {
    early: asked.filter(({ startTime }) => startTime < painted.startTime).map(({ name }) => name),
    unlinked: asked.filter(({ name }) => !linked.has(name)).map(({ name }) => name),
  };
}

/** A text that was sent. */
function sent() {
  return sealAndSend(stage.origin, [{ name: "", bytes: Buffer.from("read once") }]);
}

async function receiptOf() {
  const { id, owner_token } = await sent();
  return `/manage#${Buffer.concat([id, owner_token].map((part) => Buffer.from(part, "base64url"))).toString("base64url")}`;
}
