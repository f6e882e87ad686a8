/**
 * Passphrases: made of words drawn evenly, and a rough estimate of how many guesses a given one takes. Pure but for the
 * browser's randomness; keeps nothing.
 *
 * @module
 */

import { SHORT_WORDS } from "../vendor/eff/short-words.js";

/** Words of a passphrase that is made here: 5 of 1296 are 51.7 bits. */
const WORD_COUNT = 5;
/** Bits below which a passphrase is weak, and from which it is strong. Between, it holds against those who need the server. */
const WEAK_BITS = 28;
const STRONG_BITS = 50;
/** What a word counts that is not on our list: as one of the 16 000 that people use most. */
const OTHER_WORD_BITS = 14;
/** What a guesser tries first, whatever is appended. */
const COMMON =
  /^(?:pass(?:word|wort|w0rd|phrase)?|p[a@]ssw[o0]rd|admin|letmein|welcome|secret|iloveyou|monkey|dragon|master|login|hello|qwert[yz]\w*|asdf\w*|abc(?:123)?|football|baseball|sunshine|princess|shadow|superman|batman|trustno1|changeme|test|hallo|schatz|geheim)$/;
/** Kinds of letters, and how many there are to choose from. */
const KINDS = [
  { kind: /[a-z]/, count: 26 },
  { kind: /[A-Z]/, count: 26 },
  { kind: /[0-9]/, count: 10 },
  { kind: /[ -/:-@[-`{-~]/, count: 33 },
  { kind: /[^ -~]/, count: 100 },
];

export const WORDS = SHORT_WORDS.trim().split(/\s+/);

/**
 * @typedef {"weak" | "fair" | "strong"} Strength
 */

/**
 * A passphrase of different words, each as likely as any other.
 *
 * @param {(numbers: Uint16Array<ArrayBuffer>) => void} [fill] Fills with random numbers; replaced by tests.
 * @returns {string}
 */
export function generatePassphrase(fill = (numbers) => crypto.getRandomValues(numbers)) {
  const words = new Set();
  while (words.size < WORD_COUNT) words.add(WORDS[drawBelow(WORDS.length, fill)]);
  return [...words].join("-");
}

/**
 * A number from 0 to `bound` - 1. Numbers from the last, incomplete run of `bound` are thrown away, because a remainder of
 * those would come up more often.
 *
 * @param {number} bound At most 65 536.
 * @param {(numbers: Uint16Array<ArrayBuffer>) => void} fill
 */
function drawBelow(bound, fill) {
  const whole = 65_536 - (65_536 % bound);
  const numbers = new Uint16Array(1);
  for (;;) {
    fill(numbers);
    const [number = 0] = numbers;
    if (number < whole) return number % bound;
  }
}

/**
 * Roughly how many bits a guesser who knows people has to get through: the least of what its letters and its words come to.
 *
 * @param {string} passphrase
 * @returns {number} 0 for none.
 */
export function guessBits(passphrase) {
  if (passphrase === "") return 0;
  return Math.min(bitsOfLetters(passphrase), bitsOfWords(passphrase));
}

/**
 * @param {string} passphrase
 * @returns {Strength}
 */
export function strengthOf(passphrase) {
  const bits = guessBits(passphrase);
  if (bits < WEAK_BITS) return "weak";
  return bits < STRONG_BITS ? "fair" : "strong";
}

/** Letters chosen one by one; a repeated or the next letter of a row adds hardly anything. @param {string} passphrase */
function bitsOfLetters(passphrase) {
  const letters = [...passphrase];
  const pool = KINDS.reduce((sum, { kind, count }) => sum + (kind.test(passphrase) ? count : 0), 0);
  const each = Math.log2(Math.max(pool, 2));
  return letters.reduce((bits, letter, index) => bits + (isForeseen(letters, index, letter) ? 1 : each), 0);
}

/** @param {string[]} letters @param {number} index @param {string} letter */
function isForeseen(letters, index, letter) {
  const before = letters[index - 1];
  return before !== undefined && Math.abs((letter.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0)) <= 1;
}

/** Words, numbers and what is between them; what is no word counts by its letters. @param {string} passphrase */
function bitsOfWords(passphrase) {
  const runs = passphrase.match(/\p{L}+|\p{N}+|[^\p{L}\p{N}]+/gu) ?? [];
  const folded = passphrase.toLowerCase().replace(/[^a-z]+$/, "");
  if (COMMON.test(folded) || COMMON.test(passphrase.toLowerCase())) return Math.min(14, 6 + passphrase.length - folded.length);
  const seen = new Set();
  return runs.reduce((bits, run) => {
    const word = run.toLowerCase();
    // What stands between words is the same each time, and a convention.
    if (/^[ \-_.]$/.test(word)) return bits;
    if (seen.has(word)) return bits + 1;
    seen.add(word);
    return bits + bitsOfRun(run, word);
  }, 0);
}

/** @param {string} run @param {string} word The same in small letters. */
function bitsOfRun(run, word) {
  const letters = bitsOfLetters(run);
  if (!/^\p{L}+$/u.test(run)) return /^(?:19|20)\d\d$/.test(run) ? Math.min(letters, 7) : letters;
  const capitals = run === word ? 0 : 1;
  if (COMMON.test(word)) return 6 + capitals;
  if (WORDS.includes(word)) return Math.log2(WORDS.length) + capitals;
  return Math.min(letters, OTHER_WORD_BITS + capitals + Math.max(0, word.length - 9) * 2);
}
