/**
 * Saves each file of a transfer as a download of its own while it arrives, in constant memory. No file appears under its
 * name before the whole transfer has verified: each is held open until then.
 *
 * @module
 */

import { saveName } from "../entries.js";
import { StreamFile, startServiceWorker } from "./stream-file.js";

/**
 * @typedef {import("../entries.js").Entry} Entry
 * @typedef {import("../save.js").FileStatus} FileStatus
 */

/** A sink into downloads. */
export class StreamSaver {
  #worker;
  #entries;
  #onfile;
  /** @type {Map<number, StreamFile>} */
  #files = new Map();
  /** Bytes written, by file. @type {number[]} */
  #written;

  /**
   * @param {ServiceWorker} worker
   * @param {Entry[]} entries
   * @param {(index: number, status: FileStatus, written: number) => void} onfile
   */
  constructor(worker, entries, onfile) {
    this.#worker = worker;
    this.#entries = entries;
    this.#onfile = onfile;
    this.#written = entries.map(() => 0);
  }

  /** Nothing to choose: downloads go where the browser puts them. A worker that was replaced since answers nothing any more. */
  async prepare() {
    if (this.#worker.state === "redundant") this.#worker = (await startServiceWorker()) ?? this.#worker;
  }

  /**
   * @param {number} index
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} ends
   */
  async write(index, bytes, ends) {
    const file = this.#file(index);
    const len = bytes.length;
    await file.write(bytes);
    if (ends) await file.taken();
    this.#note(index, len, ends ? "held" : "saving");
  }

  /** Ends every file, in order. */
  async finish() {
    for (const [index, file] of this.#files) {
      await file.close();
      this.#note(index, 0, "saved");
    }
  }

  abort() {
    for (const file of this.#files.values()) file.abort();
  }

  /**
   * Asks the browser for a file again that it has not begun to take; call it from a gesture.
   *
   * @param {number} index
   */
  again(index) {
    this.#files.get(index)?.request();
  }

  /** @param {number} index */
  #file(index) {
    const open = this.#files.get(index);
    if (open) return open;
    const { name, size } = /** @type {Entry} */ (this.#entries[index]);
    const file = new StreamFile(this.#worker, saveName(name), size, (waiting) => {
      const begun = (this.#written[index] ?? 0) > 0;
      this.#note(index, 0, !waiting ? "saving" : begun ? "stalled" : "waiting");
    });
    this.#files.set(index, file);
    return file;
  }

  /**
   * @param {number} index
   * @param {number} len
   * @param {FileStatus} status
   */
  #note(index, len, status) {
    const written = (this.#written[index] ?? 0) + len;
    this.#written[index] = written;
    this.#onfile(index, status, written);
  }
}
