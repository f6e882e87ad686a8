/**
 * The end of a file that the service worker answers: only the worker's word that it ended counts as saved, and one that the
 * worker can no longer answer fails.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { StreamFile } from "../js/save/stream-file.js";

/** A worker that answers the file's messages by `answer`. @param {(kind: string, port: MessagePort) => void} answer */
function fileOn(answer) {
  /** @type {MessagePort[]} */
  const ports = [];
  const worker = Object.assign(new EventTarget(), {
    state: "activated",
    postMessage(/** @type {unknown} */ _, /** @type {MessagePort[]} */ [port]) {
      if (!port) return;
      ports.push(port);
      port.onmessage = ({ data }) => answer(data.kind, port);
      port.postMessage({ kind: "pull", piece: 0 });
    },
  });
  const file = new StreamFile(/** @type {any} */ (worker), "a.bin", 3, () => undefined);
  const replace = () => {
    worker.state = "redundant";
    worker.dispatchEvent(new Event("statechange"));
  };
  return { file, replace, done: () => ports.forEach((port) => port.close()) };
}

test("a file is saved when the worker says that it ended", async () => {
  const { file, done } = fileOn((kind, port) => kind === "close" && port.postMessage({ kind: "ended" }));
  await file.close();
  done();
});

test("a file that the browser gave up at its end is not saved", async () => {
  const { file, done } = fileOn((kind, port) => kind === "close" && port.postMessage({ kind: "cancel" }));
  await assert.rejects(file.close(), { code: "save.cancelled" });
  done();
});

test("a late request for more is no word that it ended, nor is silence", async () => {
  const { file, done } = fileOn((kind, port) => kind === "close" && port.postMessage({ kind: "pull", piece: 0 }));
  await assert.rejects(file.close(), { code: "save.failed" });
  done();
});

test("a file whose worker was replaced fails, waiting or not, and can be opened again", async () => {
  for (const isWaiting of [true, false]) {
    const { file, replace, done } = fileOn(() => undefined);
    await file.write(new Uint8Array([1]));
    if (!isWaiting) replace();
    const writing = assert.rejects(file.write(new Uint8Array([2])), { code: "save.lost" });
    if (isWaiting) replace();
    await writing;
    file.abort();
    done();
  }
});
