/**
 * Passphrases are drawn evenly, and what is called strong is not what people guess first.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { WORDS, generatePassphrase, guessBits, strengthOf } from "../js/passphrase.js";

/** Fills with these numbers, one after the other. @param {number[]} numbers */
const filling = (...numbers) => (/** @type {Uint16Array<ArrayBuffer>} */ into) => {
  into[0] = numbers.shift() ?? 0;
};

test("the list is whole: 1296 words, each once", () => {
  assert.equal(WORDS.length, 1296);
  assert.equal(new Set(WORDS).size, 1296);
  assert.ok(WORDS.every((word) => /^[a-z-]{3,5}$/.test(word)));
});

test("a passphrase is five words, and each number has its word", () => {
  assert.equal(generatePassphrase(filling(0, 1, 1295, 1298, 64_798)), [0, 1, 1295, 2, 1294].map((index) => WORDS[index]).join("-"));
  // A word that is there already is drawn anew.
  assert.equal(generatePassphrase(filling(3, 3, 4, 5, 4, 6, 7)), [3, 4, 5, 6, 7].map((index) => WORDS[index]).join("-"));
});

test("numbers from the last, incomplete run are drawn again: else the first words came more often", () => {
  assert.equal(generatePassphrase(filling(64_800, 65_535, 5, 0, 1, 2, 3)).split("-")[0], WORDS[5]);
});

test("every word comes up about as often as any other", () => {
  const counts = new Map(WORDS.map((word) => [word, 0]));
  const draws = 40_000;
  for (let round = 0; round < draws; round += 1) {
    const made = generatePassphrase();
    // One word has a hyphen of its own.
    const first = made.startsWith("yo-yo-") ? "yo-yo" : (made.split("-")[0] ?? "");
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  assert.equal(counts.size, 1296);
  // About 31 each, with a deviation of 5.6: seven of those are out of reach of chance.
  const expected = draws / 1296;
  for (const [word, count] of counts) assert.ok(Math.abs(count - expected) < 7 * Math.sqrt(expected), `${word}: ${count}`);
});

test("made passphrases count what they are: about 52 bits", () => {
  for (let round = 0; round < 50; round += 1) {
    const bits = guessBits(generatePassphrase());
    assert.ok(bits > 50 && bits < 53, String(bits));
  }
  assert.equal(strengthOf("acid-boxer-lemon-tulip-zebra"), "strong");
});

test("what is guessed first is weak, however it is dressed", () => {
  const weak = ["", "a", "password", "Password1!", "P@ssw0rd2024", "qwertz123", "12345678901234567890", "aaaaaaaaaaaaaaaaaaaa"];
  for (const one of [...weak, "abcdefghijklmnop", "letmein", "summer", "changeme"]) assert.equal(strengthOf(one), "weak", one);
});

test("strength grows with what is hard to guess", () => {
  assert.equal(strengthOf("tulip zebra lemon"), "fair");
  assert.equal(strengthOf("kV9#x2Lq"), "fair");
  assert.equal(strengthOf("kV9#x2Lq!mW4"), "strong");
  assert.ok(guessBits("tulip tulip tulip tulip tulip") < 20);
});
