/**
 * The service worker: turns content that a page hands over piece by piece into a download that the browser writes to disk.
 * Its scope is a made-up path of its version's own; it keeps each file's entry for that one download, caches nothing and fetches nothing.
 *
 * @module
 */

/**
 * @typedef {object} FileEntry A file that a page offers.
 * @property {string} disposition Content-Disposition field.
 * @property {number} size Bytes.
 * @property {MessagePort} port To the page: `pull` and `cancel` go out, `chunk`, `close` and `abort` come in.
 * @property {ReadableStreamDefaultController<Uint8Array> | null} controller Of the one answer that is being read.
 * @property {number} taken How many pieces have gone into an answer; from the first on there can be no other answer.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @type {Map<string, FileEntry>} */
const files = new Map();

worker.addEventListener("message", (event) => {
  const { kind, id, disposition, size } = event.data;
  const port = event.ports[0];
  if (!port) return;
  // A ping keeps this worker from being put to sleep while a download waits for the network. Files do not outlive a worker.
  if (kind === "ping") return files.has(id) ? undefined : port.postMessage({ kind: "lost" });
  if (kind === "file") offer(id, { disposition, size, port, controller: null, taken: 0 });
  port.postMessage({ kind: "ready" });
});

worker.addEventListener("fetch", (event) => {
  const id = new URL(event.request.url).pathname.split("/").at(-1) ?? "";
  event.respondWith(answer(files.get(id)));
});

/**
 * @param {string} id
 * @param {FileEntry} file
 */
function offer(id, file) {
  files.set(id, file);
  file.port.onmessage = (event) => {
    const { kind, bytes } = event.data;
    if (kind === "chunk") {
      file.taken += 1;
      file.controller?.enqueue(bytes);
      return;
    }
    files.delete(id);
    // What the browser gave up is not saved, however much of it was written.
    const isTaken = file.controller !== null;
    if (kind === "close") file.controller?.close();
    else file.controller?.error(new Error("the transfer did not arrive whole"));
    file.port.postMessage({ kind: isTaken ? "ended" : "cancel" });
  };
}

/**
 * @param {FileEntry | undefined} file
 * @returns {Response}
 */
function answer(file) {
  if (!file || file.taken > 0) {
    return new Response(null, { status: 404, headers: { "Cache-Control": "no-store" } });
  }
  // Whoever asked before got nothing yet, and waits in vain from now on.
  file.controller?.error(new Error("it was asked for again"));
  return new Response(streamOf(file), {
    headers: {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": file.disposition,
      "Content-Length": String(file.size),
      "Content-Security-Policy": "default-src 'none'; sandbox",
      "X-Content-Type-Options": "nosniff",
      "Cross-Origin-Resource-Policy": "same-origin",
      // A page that embeds only who agrees embeds no frame that does not say so itself.
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cache-Control": "no-store",
    },
  });
}

/**
 * A stream that asks the page for each piece when the browser is ready to write it, and never holds more than one.
 *
 * @param {FileEntry} file
 * @returns {ReadableStream<Uint8Array>}
 */
function streamOf(file) {
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let own;
  /** @type {UnderlyingDefaultSource<Uint8Array>} */
  const source = {
    start(controller) {
      own = controller;
      file.controller = controller;
    },
    pull() {
      // By its number: what was asked for by two readers is sent once, to the one that reads now.
      if (file.controller === own) file.port.postMessage({ kind: "pull", piece: file.taken });
    },
    cancel() {
      if (file.controller !== own) return;
      file.controller = null;
      file.port.postMessage({ kind: "cancel" });
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}
