/**
 * The receipts that a person chose to keep in this browser. Nothing comes in here unasked.
 *
 * @module
 */

import { readReceipt } from "./receipt.js";

const KEY = "onetimeshare.receipts";
/** The most that are kept; the oldest go first. */
const COUNT_MAX = 100;

/**
 * How much longer one is kept than the server remembers it at least, in seconds: a lease may outlive the expiry by a day, and
 * this browser's clock may be wrong by more.
 */
const AFTER_S = 30 * 86_400;

/**
 * @typedef {object} KeptReceipt
 * @property {string} fragment
 * @property {number} sent_at Unix seconds.
 * @property {number} expires_at
 * @property {number} forgotten_at When the server may have forgotten it.
 * @property {number} file_count 0 for a text.
 */

/** @returns {KeptReceipt[]} The newest first. */
export function keptReceipts() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.map(completed).filter(isKept).filter(isFresh) : [];
  } catch {
    // No storage here, or not our writing in it: then nothing is kept.
    return [];
  }
}

/**
 * Whose receipt of that transfer is kept here.
 *
 * @param {string} id Of the transfer.
 * @returns {import("./receipt.js").Owner | null}
 */
export function keptOwner(id) {
  const owners = keptReceipts().map(({ fragment }) => readReceipt(fragment));
  return owners.find((owner) => owner?.id === id) ?? null;
}

/** Takes what is no longer of use, or was never ours, out of the storage itself. */
export function pruneReceipts() {
  write(keptReceipts());
}

/**
 * @param {KeptReceipt} receipt
 * @returns {boolean} Whether this browser could.
 */
export function keepReceipt(receipt) {
  const others = keptReceipts().filter(({ fragment }) => fragment !== receipt.fragment);
  return write([receipt, ...others].slice(0, COUNT_MAX));
}

/** @param {string} fragment */
export function forgetReceipt(fragment) {
  write(keptReceipts().filter((receipt) => receipt.fragment !== fragment));
}

export function forgetAllReceipts() {
  write([]);
}

/** @param {KeptReceipt[]} list */
function write(list) {
  try {
    if (list.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(list));
    return true;
  } catch {
    // Storage is switched off or full; the page says so.
    return false;
  }
}

/** What was stored before it was known when the server forgets is taken to be forgotten as soon as it expires. @param {any} one */
function completed(one) {
  return typeof one === "object" && one !== null ? { ...one, forgotten_at: one.forgotten_at ?? one.expires_at } : one;
}

/** @param {any} one Whatever was stored. */
function isKept(one) {
  const numbers = [one?.sent_at, one?.expires_at, one?.forgotten_at, one?.file_count];
  return typeof one?.fragment === "string" && readReceipt(one.fragment) !== null && numbers.every(Number.isFinite);
}

/** @param {KeptReceipt} receipt */
function isFresh({ forgotten_at }) {
  return forgotten_at + AFTER_S > Date.now() / 1000;
}
