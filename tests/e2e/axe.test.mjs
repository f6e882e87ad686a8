/**
 * Every state of the three pages, in both themes and both widths (two of the four combinations, which alternate from state to state):
 * axe finds nothing in it, and nothing is wider than the screen, not with text of double size either. In Chromium; what axe looks at is
 * the same in every browser.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, test } from "node:test";

import { STATES, Scenery, THEMES, WIDTHS, showAs } from "./lib/states.mjs";
import { BROWSERS } from "./lib/stage.mjs";

const LIMIT = { timeout: 120_000 };
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

if (BROWSERS.includes("chromium")) {
  const scenery = await Scenery.open();
  after(() => scenery.close());

  for (const [index, state] of STATES.entries()) {
    test(`${state.name}: ${state.what}`, LIMIT, () =>
      scenery.play(state, async (page) => {
        // Evaluated by the browser's tools, which the pages' own policy does not bind.
        await page.evaluate(AXE);
        for (const [place, width] of WIDTHS.entries()) {
          // Each theme in one of the widths, and in the other for the next state: a look takes half a second.
          const theme = THEMES[(index + place) % THEMES.length];
          await showAs(page, theme, width);
          assert.deepEqual(await violationsOf(page), [], `${theme}, ${width}`);
          assert.deepEqual(await tooWide(page), [], `wider than ${width}`);
          if (!state.main) continue;
          await enlargeText(page, "200%");
          assert.deepEqual(await tooWide(page), [], `wider than ${width} with text of double size`);
          await enlargeText(page, "");
        }
      }));
  }
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} A line for each that axe finds. */
function violationsOf(page) {
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run({ resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary}`));
  });
}

/** @param {import("puppeteer-core").Page} page @param {string} size Of the page's root. */
function enlargeText(page, size) {
  return page.evaluate((size) => {
    document.documentElement.style.fontSize = size;
  }, size);
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} What sticks out; nothing when the page does not scroll sideways. */
function tooWide(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const all = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > clientWidth + 0.5);
    return [`${scrollWidth} > ${clientWidth}`, ...all.map((one) => `<${one.localName} id="${one.id}" class="${one.getAttribute("class")}">`)];
  });
}
