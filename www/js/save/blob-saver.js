/**
 * Saves small files out of memory, where nothing better is to be had; also one text. Nothing is offered before the whole
 * transfer has verified, and nothing counts as saved before the person says so: no browser tells a page whether it kept, refused or
 * dropped what was handed over, and until then the bytes are in this page alone.
 *
 * @module
 */

import { saveName } from "../entries.js";

/**
 * @typedef {import("../entries.js").Entry} Entry
 * @typedef {import("../save.js").FileStatus} FileStatus
 */

/** Browsers drop downloads that are asked for all at once. */
const BETWEEN_MS = 400;
/** Long enough for any browser to have taken the bytes over. */
const KEEP_MS = 60_000;

/** Pieces are handed over to the browser's own storage in runs of this many bytes. */
const RUN_LEN = 4 * 1024 * 1024;

/** A sink into memory. */
export class BlobSaver {
  #entries;
  #onfile;
  #onhanded;
  /** What has come of each file, in order. @type {{ done: Blob[], run: Uint8Array<ArrayBuffer>[], run_len: number, len: number }[]} */
  #parts;

  /**
   * @param {Entry[]} entries
   * @param {(index: number, status: FileStatus, written: number) => void} onfile
   * @param {(confirm: () => void) => void} onhanded Told when the browser has been given everything; `confirm` says that it is saved.
   */
  constructor(entries, onfile, onhanded) {
    this.#entries = entries;
    this.#onfile = onfile;
    this.#onhanded = onhanded;
    this.#parts = entries.map(() => ({ done: [], run: [], run_len: 0, len: 0 }));
  }

  /** Nothing to choose. */
  async prepare() {}

  /**
   * @param {number} index
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} ends
   */
  async write(index, bytes, ends) {
    const part = this.#parts[index];
    if (!part) return;
    part.run.push(bytes);
    part.run_len += bytes.length;
    part.len += bytes.length;
    if (ends || part.run_len >= RUN_LEN) {
      part.done.push(new Blob(part.run));
      Object.assign(part, { run: [], run_len: 0 });
    }
    this.#onfile(index, ends ? "held" : "saving", part.len);
  }

  /** Hands every file to the browser, and waits until the person has found them. */
  async finish() {
    for (const [index, { len }] of this.#parts.entries()) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      this.again(index);
      this.#onfile(index, "given", len);
    }
    await new Promise((/** @type {(value: void) => void} */ resolve) => this.#onhanded(resolve));
    for (const [index, { len }] of this.#parts.entries()) this.#onfile(index, "saved", len);
  }

  abort() {
    this.#parts = [];
  }

  /**
   * Saves a file once more.
   *
   * @param {number} index
   */
  again(index) {
    const part = this.#parts[index];
    if (part) saveBlob(new Blob(part.done), saveName(this.#entries[index]?.name ?? ""));
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_MS);
}
