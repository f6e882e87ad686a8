/**
 * The entries of a transfer: names that differ, where one entry ends in the content and the next begins, and the name a
 * file is saved under. Pure: reads no file and touches no page.
 *
 * @module
 */

import { fold, numbered } from "./names.js";

/**
 * @typedef {object} Entry One text or file as the sealed manifest describes it.
 * @property {string} name Empty only for a text.
 * @property {string} type Media type; shown, never trusted.
 * @property {number} size Bytes.
 */

/**
 * @typedef {object} Cut A run of content bytes that belongs to one entry.
 * @property {number} index The entry.
 * @property {Uint8Array<ArrayBuffer>} bytes May be empty, for an empty entry.
 * @property {boolean} ends Whether the entry is complete with these bytes.
 */

/** What a text is called when it goes along with files or is saved. */
export const TEXT_NAME = "message.txt";

/** Splits the content, which is the entries' bytes in order, back into entries. */
export class EntrySplitter {
  /** @type {number[]} */
  #sizes;
  #index = 0;
  #left;

  /** @param {number[]} sizes */
  constructor(sizes) {
    this.#sizes = sizes;
    this.#left = sizes[0] ?? 0;
  }

  /** Whether every entry has all its bytes. */
  get complete() {
    return this.#index >= this.#sizes.length;
  }

  /**
   * Cuts the next content bytes. An empty entry comes out as soon as the one before it is complete; call once with no
   * bytes to bring out empty entries at the head.
   *
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Cut[]}
   */
  split(bytes) {
    /** @type {Cut[]} */
    const cuts = [];
    let at = 0;
    while (!this.complete && (this.#left === 0 || at < bytes.length)) {
      const len = Math.min(this.#left, bytes.length - at);
      this.#left -= len;
      cuts.push({ index: this.#index, bytes: bytes.subarray(at, at + len), ends: this.#left === 0 });
      at += len;
      if (this.#left === 0) {
        this.#index += 1;
        this.#left = this.#sizes[this.#index] ?? 0;
      }
    }
    if (at < bytes.length) throw new RangeError("content is longer than its entries");
    return cuts;
  }
}

/**
 * The same names, made to differ as a person and a case-blind disk see them: "a.txt", "a (2).txt".
 *
 * @param {string[]} names
 * @returns {string[]}
 */
export function distinctNames(names) {
  const taken = new Set(names.map(fold));
  /** @type {Set<string>} */
  const used = new Set();
  return names.map((name) => {
    let free = name;
    for (let number = 2; used.has(fold(free)); number += 1) {
      const next = numbered(name, number);
      free = taken.has(fold(next)) ? free : next;
    }
    used.add(fold(free));
    return free;
  });
}

/**
 * The name an entry is saved under: its last component, or that of a text. The browser replaces what the platform
 * reserves and numbers what exists already.
 *
 * @param {string} name
 * @returns {string}
 */
export function saveName(name) {
  return name.slice(name.lastIndexOf("/") + 1) || TEXT_NAME;
}

/**
 * A Content-Disposition field that saves under this name (RFC 6266, encoded by RFC 8187).
 *
 * @param {string} name
 * @returns {string}
 */
export function contentDisposition(name) {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*!]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${encoded}`;
}
