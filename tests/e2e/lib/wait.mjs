/**
 * Waits for what comes about by itself, by looking again and again. It never lets a page evaluate a string, which the
 * pages' own policy refuses.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";

/** How often is looked. */
const LOOK_MS = 40;

/**
 * Looks until there is something, and returns it; fails with a sentence when it takes too long.
 *
 * @template T
 * @param {string} what What is waited for, for the sentence.
 * @param {() => T | Promise<T>} look Something truthy when it has come about.
 * @param {number} [limit_ms]
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, look, limit_ms = 15_000) {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${limit_ms} ms in vain: ${what}`);
    await sleep(LOOK_MS);
  }
}

export { sleep };
