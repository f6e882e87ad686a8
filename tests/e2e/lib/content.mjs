/**
 * What the tests send: files of every awkward kind in a folder of their own, and the digests by which they are known again.
 * Random bytes are drawn anew each time.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A text with what is easily lost: letters beyond the first plane, markup, blanks at the end, no line end. */
export const TEXT = 'first line\n\tsecond 日本語 🎉 e\u0301\n<b onclick="alert(1)">not bold</b> &amp; </textarea>\n  end  ';

/** A name with what a disk or a header may not keep as it is. */
export const AWKWARD_NAME = '日本 "x".txt';

/** A folder with files to send. */
export class Content {
  #folder;

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  static async make() {
    return new Content(await mkdtemp(join(tmpdir(), "onetimeshare-e2e-content-")));
  }

  /**
   * @param {string} name
   * @param {Uint8Array | string} bytes
   * @returns {Promise<SentFile>}
   *
   * @typedef {{ name: string, path: string, len: number, digest: string }} SentFile
   */
  async file(name, bytes) {
    const path = join(this.#folder, name);
    await writeFile(path, bytes);
    return { name, path, len: Buffer.byteLength(bytes), digest: digestOf(bytes) };
  }

  /**
   * @param {string} name
   * @param {number} len Bytes.
   */
  random(name, len) {
    return this.file(name, randomBytes(len));
  }

  async remove() {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** @param {Uint8Array | string} bytes @returns {string} SHA-256, in hex. */
export function digestOf(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @param {string} path @returns {Promise<string>} SHA-256, in hex. */
export async function digestOfFile(path) {
  return digestOf(await readFile(path));
}
