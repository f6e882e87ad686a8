/**
 * By keyboard alone, with Tab, Enter and the space bar: a text is sent, opened elsewhere, and another one is taken back. No
 * pointer, and no script that puts the focus anywhere.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { follow, reach } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { sleep } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
/** A little more than the page asks for, in ms. */
const HOLD_MS = 1000;
/** More stops than any page has. */
const STOPS_MAX = 40;
const TEXT = "typed, not pasted";

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: a text is sent and opened by keyboard`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      const { link } = await sendByKeys(sender.page);
      const { page } = await visit(browser);
      await follow(page, link, ["ready"]);
      await page.bringToFront();
      await tabTo(page, "#open");
      await page.keyboard.down("Enter");
      await sleep(HOLD_MS);
      await page.keyboard.up("Enter");
      await reach(page, ["done"]);
      await tabTo(page, "#show-text");
      await page.keyboard.press(" ");
      assert.equal(await page.evaluate(() => document.querySelector("#text-shown").checkVisibility()), true);
      assert.equal(await page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
    }));

  test(`${browser.name}: a text is taken back by keyboard`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(browser);
      const { link, receipt } = await sendByKeys(sender.page);
      const { page } = await visit(browser);
      await follow(page, receipt, ["shown"]);
      await page.bringToFront();
      await tabTo(page, "#burn [data-part=ask]");
      await page.keyboard.press("Enter");
      // The focus waits on the answer that does nothing; the other one is before it.
      await tabTo(page, "#burn [data-part=yes]", "back");
      await page.keyboard.press(" ");
      await reach(page, ["gone"]);
      const late = await visit(browser);
      late.watch.expectStatus(410);
      await follow(late.page, link, ["gone"]);
    }));
}

/** @param {import("puppeteer-core").Page} page */
async function sendByKeys(page) {
  await page.goto(`${stage.origin}/`);
  await reach(page, ["start"]);
  await page.bringToFront();
  await tabTo(page, "#text");
  await page.keyboard.type(TEXT);
  await tabTo(page, "#send");
  await page.keyboard.press("Enter");
  await reach(page, ["done"]);
  await tabTo(page, "#copy");
  return page.evaluate(() => ({ link: document.querySelector("#link").value, receipt: document.querySelector("#receipt").value }));
}

/**
 * Presses Tab until that has the focus; every stop on the way must be seen.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} selector
 * @param {"on" | "back"} [way]
 */
async function tabTo(page, selector, way = "on") {
  const stops = [];
  while (stops.length < STOPS_MAX) {
    if (way === "back") await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    if (way === "back") await page.keyboard.up("Shift");
    const stop = await page.evaluate(stopAt, selector);
    stops.push(stop.name);
    assert.equal(stop.isSeen, true, `${stop.name} has the focus, and nothing shows it`);
    if (stop.isThere) return;
  }
  throw new Error(`Tab never comes to ${selector}, only to ${stops.join(", ")}`);
}

/**
 * What has the focus; runs in the page. An input that is out of sight is shown by its label.
 *
 * @param {string} selector
 */
function stopAt(selector) {
  const stop = document.activeElement ?? document.body;
  const shown = stop.matches("label input.visually-hidden") ? stop.closest("label") : stop;
  const isNowhere = stop === document.body || stop === document.documentElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  return {
    name: `${stop.localName}#${stop.id}`,
    isThere: stop.matches(selector),
    isSeen: isNowhere || (outlineStyle !== "none" && outlineWidth !== "0px"),
  };
}
