/**
 * Brings a text whole into memory, to be shown; texts too long for that are saved like a file. Shows nothing itself.
 *
 * @module
 */

import { Problem } from "../problem.js";

/** The longest text that is shown, in bytes; a field with more makes browsers stall. */
export const SHOWN_MAX = 1024 * 1024;

/** A sink into one string. */
export class TextSink {
  #bytes;
  #len = 0;
  #onshow;

  /**
   * @param {number} size Bytes.
   * @param {(shown: string) => void} onshow Called once, when the whole transfer has verified.
   */
  constructor(size, onshow) {
    this.#bytes = new Uint8Array(size);
    this.#onshow = onshow;
  }

  /** Nothing to choose. */
  async prepare() {}

  /**
   * @param {number} _index
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  async write(_index, bytes) {
    this.#bytes.set(bytes, this.#len);
    this.#len += bytes.length;
  }

  /** Shows the text. */
  async finish() {
    try {
      // A byte order mark is part of what was sent.
      this.#onshow(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#bytes));
    } catch (thrown) {
      throw new Problem("body.open", { cause: thrown });
    } finally {
      this.abort();
    }
  }

  abort() {
    this.#bytes.fill(0);
  }

  /** A text is shown once; there is nothing to ask for again. */
  again() {}
}
