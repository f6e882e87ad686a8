/**
 * Saving out of memory: what a browser was handed is not saved before the person says so, and can be handed over again.
 *
 * @module
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { openSaver } from "../js/save.js";

/** The names of the files that the browser was handed. @type {string[]} */
const handed = [];
const entries = ["a.bin", "b.bin"].map((name) => ({ name, type: "", size: 2 }));

const setTimer = globalThis.setTimeout;

beforeEach(() => {
  handed.length = 0;
  const createElement = () => {
    const link = { href: "", download: "", click: () => void handed.push(link.download) };
    return link;
  };
  // What is cleared away after a minute keeps no test waiting.
  Object.assign(globalThis, { setTimeout: (/** @type {() => void} */ call, /** @type {number} */ wait_ms) => (wait_ms > 5000 ? 0 : setTimer(call, wait_ms)) });
  Object.defineProperty(globalThis, "document", { value: { createElement }, configurable: true });
  URL.createObjectURL = () => "blob:x";
});

/** @param {import("../js/save.js").Form} form */
async function filled(form) {
  /** @type {string[]} */
  const noted = [];
  const note = (/** @type {string} */ of) => (/** @type {number} */ index, /** @type {string} */ status) => void noted.push(`${of}${index} ${status}`);
  /** @type {(confirm: () => void) => void} */
  let onhanded = () => {};
  const confirmed = new Promise((/** @type {(confirm: () => void) => void} */ resolve) => (onhanded = resolve));
  const plan = /** @type {const} */ ({ way: "blob" });
  const saver = openSaver({ each: plan, zip: plan, form }, form, entries, { onfile: note(""), onarchive: note("archive "), onhanded });
  await saver.prepare();
  for (const index of entries.keys()) await saver.write(index, new Uint8Array(2), true);
  return { saver, noted, confirmed };
}

for (const [form, given, saved] of /** @type {const} */ ([
  ["each", ["0 given", "1 given"], ["0 saved", "1 saved"]],
  ["zip", ["archive 0 given"], ["archive 0 saved", "0 saved", "1 saved"]],
])) {
  test(`files in memory are saved when somebody has found them (${form})`, async () => {
    const { saver, noted, confirmed } = await filled(form);
    let isFinished = false;
    const finished = saver.finish().then(() => (isFinished = true));
    const confirm = await confirmed;
    assert.deepEqual(noted.slice(-given.length), given);
    const names = form === "zip" ? ["onetimeshare.zip"] : ["a.bin", "b.bin"];
    assert.deepEqual(handed, names);
    saver.again(0);
    assert.deepEqual(handed, [...names, names[0]], "it can be had once more");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isFinished, false, "nobody has confirmed it");
    confirm();
    await finished;
    assert.deepEqual(noted.slice(-saved.length), saved);
    saver.again(0);
    assert.equal(handed.length, names.length + 2, "afterwards, too");
  });
}
