/**
 * Saves one file where the person chose, by the browser's own file picker. The file appears only when it is whole.
 *
 * @module
 */

import { saveName } from "../entries.js";
import { Problem } from "../problem.js";

/**
 * @typedef {import("../entries.js").Entry} Entry
 * @typedef {import("../save.js").FileStatus} FileStatus
 * @typedef {{ createWritable(): Promise<FileSystemWritableFileStream> }} FileTarget
 * @typedef {(options: { suggestedName: string }) => Promise<FileTarget>} SavePicker
 */

/** Whether this browser lets a page ask where to save. */
export function hasPicker() {
  return typeof Reflect.get(globalThis, "showSaveFilePicker") === "function";
}

/** A sink into a file that the person picked. */
export class PickerSaver {
  #entry;
  #onfile;
  /** @type {FileSystemWritableFileStream | null} */
  #file = null;
  #written = 0;

  /**
   * @param {Entry} entry
   * @param {(index: number, status: FileStatus, written: number) => void} onfile
   */
  constructor(entry, onfile) {
    this.#entry = entry;
    this.#onfile = onfile;
  }

  /** Asks where to save; call it from a gesture, before anything is claimed. */
  async prepare() {
    /** @type {SavePicker} */
    const pick = Reflect.get(globalThis, "showSaveFilePicker");
    const target = await pick.call(globalThis, { suggestedName: saveName(this.#entry.name) });
    this.#file = await target.createWritable();
  }

  /**
   * @param {number} index
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} ends
   */
  async write(index, bytes, ends) {
    await this.#file?.write(bytes).catch((thrown) => Promise.reject(new Problem("save.failed", { cause: thrown })));
    this.#written += bytes.length;
    this.#onfile(index, ends ? "held" : "saving", this.#written);
  }

  /** Puts the file in its place. */
  async finish() {
    await this.#file?.close().catch((thrown) => Promise.reject(new Problem("save.failed", { cause: thrown })));
    this.#onfile(0, "saved", this.#written);
  }

  abort() {
    void this.#file?.abort().catch(() => undefined);
  }

  /** A picked file is written once; there is nothing to ask for again. */
  again() {}
}
