/**
 * With the colours of a system that forces its own, as a high-contrast theme does: what is told by colour elsewhere is told by
 * lines, icons and words, and all of it is seen. In Chromium, which can pretend to be on such a system.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { STATES, Scenery } from "./lib/states.mjs";
import { BROWSERS } from "./lib/stage.mjs";

const LIMIT = { timeout: 120_000 };
/** States that between them have every kind of control, sign and badge. */
const LOOKED_AT = ["send-passphrase", "send-working", "send-done-qr", "manage-list", "manage-confirm", "manage-locked", "open-files", "open-damaged"];

if (BROWSERS.includes("chromium")) {
  const scenery = await Scenery.open();
  after(() => scenery.close());

  for (const state of STATES.filter(({ name }) => LOOKED_AT.includes(name))) {
    test(`${state.name}: ${state.what}`, LIMIT, () =>
      scenery.play(state, async (page) => {
        const tools = await page.createCDPSession();
        const features = [{ name: "forced-colors", value: "active" }, { name: "prefers-reduced-motion", value: "reduce" }];
        await tools.send("Emulation.setEmulatedMedia", { features });
        assert.equal(await page.evaluate(() => matchMedia("(forced-colors: active)").matches), true);
        const { seen, faults } = await page.evaluate(lookAtAll);
        assert.deepEqual(faults, []);
        assert.ok(seen >= 5, `only ${seen} things were looked at`);
        for (let stop = 0; stop < 4; stop += 1) {
          await page.keyboard.press("Tab");
          assert.deepEqual(await page.evaluate(ringOf), [], `stop ${stop}`);
        }
      }));
  }
  test("every state that is to be looked at is there", () => {
    assert.equal(STATES.filter(({ name }) => LOOKED_AT.includes(name)).length, LOOKED_AT.length);
  });
}

/** Looks at each control, sign and badge that is shown; runs in the page. */
function lookAtAll() {
  const faults = [];
  let seen = 0;
  const note = (element, fault) => faults.push(`<${element.localName} id="${element.id}" class="${element.getAttribute("class")}"> ${fault}`);
  const floorOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) return backgroundColor;
    }
    return "";
  };
  const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility() && !one.closest(".visually-hidden"));
  for (const box of all(".button, input:not(.visually-hidden), select, textarea, .badge, .notice-icon, .card, progress")) {
    seen += 1;
    const { borderTopStyle, borderTopWidth, borderTopColor, color } = getComputedStyle(box);
    const hasOwn = box.matches("progress, [type=radio]");
    if (!hasOwn && (borderTopStyle === "none" || borderTopWidth === "0px" || borderTopColor === floorOf(box.parentElement))) note(box, "has no edge");
    if (!hasOwn && color === floorOf(box)) note(box, "has words that are not seen");
  }
  for (const icon of all("svg.icon")) {
    seen += 1;
    const { stroke, color } = getComputedStyle(icon);
    if (stroke === floorOf(icon)) note(icon, "is drawn in the colour of its floor");
    if (color !== getComputedStyle(icon.parentElement).color) note(icon, "has a colour that the system did not choose");
  }
  for (const line of all(".trouble, .strength, .timeline li:not(:last-child)")) {
    seen += 1;
    const { borderInlineStartColor } = getComputedStyle(line, line.matches("li") ? "::before" : undefined);
    if (borderInlineStartColor === floorOf(line)) note(line, "has a line that is not seen");
  }
  for (const knob of all(".switch input")) {
    if (getComputedStyle(knob, "::before").backgroundColor === floorOf(knob)) note(knob, "has a knob that is not seen");
  }
  return { seen, faults };
}

/** What is wrong with the ring of what has the focus; runs in the page. */
function ringOf() {
  const stop = document.activeElement ?? document.body;
  // Behind the last stop comes the browser itself.
  if (stop === document.body) return [];
  const shown = stop.matches("label input.visually-hidden") ? stop.closest("label") : stop;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(shown);
  const floor = getComputedStyle(document.documentElement).backgroundColor;
  const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && outlineColor !== floor;
  return isSeen ? [] : [`${stop.localName}#${stop.id}: ${outlineWidth} ${outlineStyle} ${outlineColor}`];
}
