/**
 * A reporter for programs: the test files in which something failed, a line each.
 *
 * @module
 */

import { basename } from "node:path";

/** @param {AsyncIterable<{ type: string, data: { file?: string } }>} events Of Node's test runner. */
export default async function* failed(events) {
  const files = new Set();
  for await (const { type, data } of events) {
    if (type === "test:fail" && data.file) files.add(basename(data.file));
  }
  for (const file of files) yield `${file}\n`;
}
