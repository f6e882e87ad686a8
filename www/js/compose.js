/**
 * What the person put together, as a manifest and its content: a text alone, or files, with the text among them as one more.
 * Reads no file: the content is a Blob that points at them.
 *
 * @module
 */

import { TEXT_NAME, distinctNames } from "./entries.js";

/** The most entries of a transfer (FORMAT section 3). */
export const ENTRIES_MAX = 10_000;
/** The most bytes of a passphrase after NFC (FORMAT section 2). */
export const PASSPHRASE_MAX = 1024;
/** The choices offered, as far as the server's limits allow. */
const LIVES_S = [300, 3600, 18_000, 86_400, 259_200, 604_800];
const OPENS = [1, 2, 3, 5, 10, 20, 50, 100];

/**
 * @typedef {import("./crypto.messages.js").Manifest} Manifest
 * @typedef {import("./api.js").Limits} Limits
 *
 * @typedef {object} Draft
 * @property {Manifest} manifest
 * @property {Blob} content The entries' bytes, in order.
 * @property {number} total Bytes.
 */

/**
 * @param {string} text
 * @param {File[]} files
 * @param {string[]} names What the files, and after them the text, will be called.
 * @returns {Draft | null} Null when there is nothing.
 */
export function compose(text, files, names) {
  if (text === "" && files.length === 0) return null;
  const written = new Blob([text], { type: "text/plain" });
  if (files.length === 0) {
    const entries = [{ name: "", type: "text/plain", size: written.size }];
    return { manifest: { kind: "text", entries }, content: written, total: written.size };
  }
  const sources = text === "" ? files : [...files, written];
  const entries = sources.map((source, index) => ({ name: names[index] ?? TEXT_NAME, type: source.type, size: source.size }));
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  return { manifest: { kind: "files", entries }, content: new Blob(sources), total };
}

/**
 * The names files and text go under: cleaned by the worker, and made to differ.
 *
 * @param {string[]} cleaned Of the files.
 * @param {boolean} with_text
 * @returns {string[]}
 */
export function sentNames(cleaned, with_text) {
  return distinctNames(with_text ? [...cleaned, TEXT_NAME] : cleaned);
}

/**
 * @param {Limits} limits
 * @returns {{ lives_s: number[], life_s: number, opens: number[] }} What is offered, and the life offered first.
 */
export function choices(limits) {
  const { ttl_s_min, ttl_s_max, ttl_s_default, claims_max } = limits;
  const inside = LIVES_S.filter((life_s) => life_s >= ttl_s_min && life_s <= ttl_s_max);
  const lives_s = [...new Set([...inside, ttl_s_default])].sort((one, other) => one - other);
  return { lives_s, life_s: ttl_s_default, opens: OPENS.filter((count) => count <= claims_max) };
}

/**
 * Whether a passphrase is longer than the format takes.
 *
 * @param {string} passphrase
 */
export function isPassphraseTooLong(passphrase) {
  return new TextEncoder().encode(passphrase.normalize("NFC")).length > PASSPHRASE_MAX;
}

/**
 * Whether something can be sent within limits that were not known when it was put together.
 *
 * @param {{ draft: Draft, ttl_s: number, claims_max: number }} composed
 * @param {Limits} limits
 */
export function isWithin({ draft, ttl_s, claims_max }, limits) {
  return draft.total <= limits.transfer_size_max && ttl_s <= limits.ttl_s_max && ttl_s >= limits.ttl_s_min && claims_max <= limits.claims_max;
}
