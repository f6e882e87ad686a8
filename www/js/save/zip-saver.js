/**
 * Saves all files as one zip archive while they arrive, in constant memory: an uncompressed zip64 stream into another sink.
 * The archive gets its directory, without which it is none, only when the whole transfer has verified.
 *
 * @module
 */

import { makeZip, predictLength } from "../../vendor/client-zip.js";
import { archiveName, archiveNames } from "../names.js";

/**
 * @typedef {import("../entries.js").Entry} Entry
 * @typedef {import("../save.js").FileStatus} FileStatus
 * @typedef {import("../save.js").OnFile} OnFile
 * @typedef {import("../save.js").Saver} Saver
 * @typedef {import("../save.js").SavePlan} SavePlan
 * @typedef {{ input: ReadableStream<Uint8Array<ArrayBuffer>>, name: string, size: number, lastModified: Date }} ZipEntry
 */

/** Headers are short and many; pieces below this many bytes are put together, because each costs a round trip. */
const RUN_LEN = 64 * 1024;

/**
 * The archive itself, as the one entry it is for the sink.
 *
 * @param {Entry[]} entries
 * @returns {Entry}
 */
export function archiveOf(entries) {
  const named = archiveNames(entries.map((entry) => entry.name)).map((name, index) => ({ name, size: entries[index]?.size ?? 0 }));
  return { name: archiveName(entries.map((entry) => entry.name)), type: "application/zip", size: Number(predictLength(named)) };
}

/** A sink into one archive. */
export class ZipSaver {
  #inner;
  #entries;
  #names;
  #onfile;
  /** Bytes that have come, by file. @type {number[]} */
  #written;
  /** Which file is open. */
  #index = -1;
  /** @type {WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null} */
  #writer = null;
  /** @type {ReadableStreamDefaultController<ZipEntry> | null} */
  #coming = null;
  /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */
  #reader = null;
  /** Resolves when the archive is written; rejects when the sink takes no more. @type {Promise<void>} */
  #pumped = Promise.resolve();
  /** Why the sink takes no more. @type {unknown} */
  #failed = null;
  /** Tells the write under way that nobody reads any more. @type {((reason: unknown) => void) | null} */
  #wake = null;

  /**
   * @param {Entry[]} entries
   * @param {Saver} inner A sink for {@link archiveOf}.
   * @param {OnFile} onfile
   */
  constructor(entries, inner, onfile) {
    this.#entries = entries;
    this.#names = archiveNames(entries.map((entry) => entry.name));
    this.#inner = inner;
    this.#onfile = onfile;
    this.#written = entries.map(() => 0);
  }

  /** Lets the sink ask where to save; the archive begins with it. */
  async prepare() {
    await this.#inner.prepare();
    this.#pumped = this.#pump();
    this.#pumped.catch((thrown) => {
      this.#failed = thrown;
      this.#wake?.(thrown);
    });
  }

  /**
   * @param {number} index
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} ends
   */
  async write(index, bytes, ends) {
    if (index !== this.#index) this.#open(index);
    const len = bytes.length;
    if (len > 0) await this.#whilePumping(this.#writer?.write(bytes));
    if (ends) await this.#whilePumping(this.#writer?.close());
    const written = (this.#written[index] ?? 0) + len;
    this.#written[index] = written;
    this.#onfile(index, ends ? "held" : "saving", written);
  }

  /** Writes the directory, and puts the archive in its place. */
  async finish() {
    this.#coming?.close();
    await this.#pumped;
    await this.#inner.finish();
    for (const [index, written] of this.#written.entries()) this.#onfile(index, "saved", written);
  }

  abort() {
    this.#inner.abort();
    void this.#reader?.cancel().catch(() => undefined);
  }

  /** Asks for the archive again. */
  again() {
    this.#inner.again(0);
  }

  /** @param {number} index */
  #open(index) {
    this.#index = index;
    const { readable, writable } = new TransformStream(undefined, undefined, { highWaterMark: 0 });
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => undefined);
    const entry = { input: readable, name: this.#names[index] ?? "_", size: this.#entries[index]?.size ?? 0, lastModified: new Date() };
    this.#coming?.enqueue(entry);
  }

  async #pump() {
    const coming = new ReadableStream({ start: (controller) => void (this.#coming = controller) });
    this.#reader = makeZip(eachOf(coming.getReader())).getReader();
    const run = new Run((bytes) => this.#inner.write(0, bytes, false));
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      await run.add(value);
    }
    await run.flush();
    await this.#inner.write(0, new Uint8Array(), true);
  }

  /**
   * The archive ends only in finish(): before that, the pump ends by failing, and then nobody reads what is written.
   *
   * @param {Promise<void> | undefined} writing
   * @returns {Promise<void>}
   */
  #whilePumping(writing) {
    return new Promise((resolve, reject) => {
      if (this.#failed) reject(this.#failed);
      this.#wake = reject;
      writing?.then(resolve, reject);
    });
  }
}

/**
 * @param {ReadableStreamDefaultReader<ZipEntry>} reader
 * @returns {AsyncGenerator<ZipEntry>}
 */
async function* eachOf(reader) {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Puts short pieces together. */
class Run {
  #bytes = new Uint8Array(RUN_LEN);
  #len = 0;
  #write;

  /** @param {(bytes: Uint8Array<ArrayBuffer>) => Promise<void>} write */
  constructor(write) {
    this.#write = write;
  }

  /** @param {Uint8Array} bytes */
  async add(bytes) {
    if (this.#len + bytes.length > RUN_LEN) await this.flush();
    if (bytes.length > RUN_LEN / 2) {
      await this.flush();
      await this.#write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      return;
    }
    this.#bytes.set(bytes, this.#len);
    this.#len += bytes.length;
  }

  async flush() {
    if (this.#len === 0) return;
    const bytes = this.#bytes.slice(0, this.#len);
    this.#len = 0;
    await this.#write(bytes);
  }
}
