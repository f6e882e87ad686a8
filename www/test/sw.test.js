/**
 * The service worker and the file that it answers, against each other: a file has one reader at a time, and nobody is left
 * waiting.
 *
 * @module
 */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { StreamFile } from "../js/save/stream-file.js";
import { SERVICE_WORKER } from "../js/trusted.js";

/** @type {Record<string, (event: any) => void>} */
const listeners = {};
Object.assign(globalThis, {
  self: { addEventListener: (/** @type {string} */ type, /** @type {(event: any) => void} */ listener) => void (listeners[type] = listener) },
});
await import("../sw.js");

const worker = /** @type {any} */ ({
  addEventListener: () => undefined,
  postMessage: (/** @type {object} */ data, /** @type {MessagePort[]} */ ports = []) => listeners["message"]?.({ data, ports }),
});
// Frames are cleared away after half a minute, which nobody here waits for.
mock.timers.enable({ apis: ["setTimeout"] });
/** The addresses that a page has asked for, which the browser then fetches or not. @type {string[]} */
const asked = [];

beforeEach(() => {
  asked.length = 0;
  const createElement = () => ({ remove: () => undefined });
  const append = (/** @type {{ src: string }} */ frame) => void asked.push(frame.src);
  Object.defineProperty(globalThis, "document", { value: { createElement, body: { append } }, configurable: true });
});

/** What the browser gets when it fetches an address. @param {string} address @returns {Response} */
function fetched(address) {
  /** @type {Response | null} */
  let answer = null;
  const respondWith = (/** @type {Response} */ response) => void (answer = response);
  listeners["fetch"]?.({ request: { url: `https://a.example${address}` }, respondWith });
  return /** @type {any} */ (answer);
}

/** A file that is offered and asked for, with its address. */
async function offered() {
  const file = new StreamFile(worker, "a.bin", 4, () => undefined);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return { file, address: asked[0] ?? "" };
}

/** @param {Response} response */
function readerOf(response) {
  assert.equal(response.status, 200);
  return /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
}

/** Everything that a reader gets. @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function all(reader) {
  const pieces = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(pieces).toString();
    pieces.push(value);
  }
}

const bytes = (/** @type {string} */ words) => new TextEncoder().encode(words);

test("a file goes to its reader piece by piece", async () => {
  const { file, address } = await offered();
  const whole = all(readerOf(fetched(address)));
  await file.write(bytes("ab"));
  await file.write(bytes("cd"));
  await file.close();
  assert.equal(await whole, "abcd");
});

test("a second request for a waiting file gets all of it, and the first reader is told", async () => {
  for (const isReading of [true, false]) {
    const { file, address } = await offered();
    const first = readerOf(fetched(address));
    // One that reads has asked for the first piece already; it must not be counted for the second reader.
    const given_up = isReading ? assert.rejects(first.read(), /asked for again/) : Promise.resolve();
    file.request();
    const whole = all(readerOf(fetched(address)));
    await given_up;
    if (!isReading) await assert.rejects(first.read(), /asked for again/);
    await file.write(bytes("ab"));
    await file.write(bytes("cd"));
    await file.close();
    assert.equal(await whole, "abcd");
    asked.length = 0;
  }
});

test("what is on its way when the second reader comes reaches it once", async () => {
  const { file, address } = await offered();
  const first = readerOf(fetched(address));
  const given_up = assert.rejects(first.read(), /asked for again/);
  // Sent for the first reader's wish, but not received when the second one takes its place.
  const written = file.write(bytes("ab")).then(() => fetched(address));
  const whole = all(readerOf(await written));
  await given_up;
  await file.write(bytes("cd"));
  await file.taken();
  await file.close();
  assert.equal(await whole, "abcd");
});

test("a request for a file that has begun is refused, and disturbs no one", async () => {
  const { file, address } = await offered();
  const whole = all(readerOf(fetched(address)));
  await file.write(bytes("ab"));
  await file.taken();
  assert.equal(fetched(address).status, 404);
  await file.write(bytes("cd"));
  await file.close();
  assert.equal(await whole, "abcd");
  assert.equal(fetched(address).status, 404, "nor is one that has ended");
});

test("a reader that gives up ends the file, one that was replaced does not", async () => {
  const { file, address } = await offered();
  const first = readerOf(fetched(address));
  const second = readerOf(fetched(address));
  await assert.rejects(first.read());
  await first.cancel().catch(() => undefined);
  const reading = second.read();
  await file.write(bytes("ab"));
  await reading;
  await second.cancel();
  await assert.rejects(file.write(bytes("cd")), { code: "save.cancelled" });
  file.abort();
});

test("a ping is answered only where its file is lost, as after a restart", async () => {
  const { file, address } = await offered();
  const pinged = (/** @type {string} */ id) => {
    const said = mock.fn();
    worker.postMessage({ kind: "ping", id }, [{ postMessage: said }]);
    return said.mock.calls.map(({ arguments: [answer] }) => answer);
  };
  assert.deepEqual(pinged(address.split("/").at(-1) ?? ""), []);
  assert.deepEqual(pinged("lost"), [{ kind: "lost" }]);
  file.abort();
});

test("each version's downloads have a path of their own, below which the worker answers", async () => {
  const { file, address } = await offered();
  assert.match(address, /^\/download\/[^/]+\/[0-9a-f]{32}$/);
  assert.equal(address.split("/")[2], new URL(SERVICE_WORKER).search.slice(1));
  file.abort();
});
