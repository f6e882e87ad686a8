/**
 * One file on its way to disk as a download that the service worker answers. Its name travels in a message, never in an
 * address, so no log can hold it.
 *
 * @module
 */

import { contentDisposition } from "../entries.js";
import { Problem } from "../problem.js";
import { DOWNLOADS, SERVICE_WORKER, scriptUrl } from "../trusted.js";

/** How long the service worker may take to start before this browser counts as one without. */
const START_MS = 6000;
/** Firefox and Chromium end a service worker that hears nothing for 30 s. */
const PING_MS = 10_000;
/** Nothing asked for in this time: the browser is asking the person, or has refused. */
const PATIENCE_MS = 4000;
/** Frames stay until the browser has surely taken over their download. */
const FRAME_MS = 30_000;

/**
 * Starts the service worker and makes sure that it answers.
 *
 * @returns {Promise<ServiceWorker | null>} Null when this browser cannot stream to disk.
 */
export async function startServiceWorker() {
  if (!("serviceWorker" in navigator)) return null;
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl(SERVICE_WORKER), { scope: DOWNLOADS });
    return await Promise.race([answering(registration), after(START_MS)]);
  } catch {
    // Private modes and settings that refuse storage refuse this too; there are other ways to save.
    return null;
  }
}

/** A file that the browser is saving. */
export class StreamFile {
  #address;
  /** @type {MessagePort} */
  #port;
  /** How many pieces have been sent. */
  #sent = 0;
  /** The number of the piece that the browser asks for; -1 before it asks. */
  #asked = -1;
  /** @type {((problem: Problem | null) => void) | null} */
  #wake = null;
  /** @type {Problem | null} */
  #stopped = null;
  /** Whether the worker has been told that there is no more to come. */
  #isOver = false;
  #onwaiting;
  /** Ends the watch over the worker. */
  #unwatch = new AbortController();

  /**
   * @param {ServiceWorker} worker
   * @param {string} name
   * @param {number} size Bytes.
   * @param {(waiting: boolean) => void} onwaiting Told when the browser does not take the file, and when it does again.
   */
  constructor(worker, name, size, onwaiting) {
    const id = randomId();
    const channel = new MessageChannel();
    this.#address = `${DOWNLOADS}${id}`;
    this.#port = channel.port1;
    this.#onwaiting = onwaiting;
    this.#port.onmessage = (event) => this.#hear(event.data);
    worker.postMessage({ kind: "file", id, disposition: contentDisposition(name), size }, [channel.port2]);
    this.#watch(worker, id);
  }

  /** Asks the browser for the download, again if it did not take it the first time. */
  request() {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = this.#address;
    document.body.append(frame);
    setTimeout(() => frame.remove(), FRAME_MS);
  }

  /**
   * Resolves when the browser has asked for these bytes, which it does when it has written those before.
   *
   * @param {Uint8Array<ArrayBuffer>} bytes Are moved away, if they have a buffer of their own.
   */
  async write(bytes) {
    if (bytes.length === 0) return;
    await this.#pulled();
    this.#sent += 1;
    const whole = bytes.length === bytes.buffer.byteLength;
    this.#port.postMessage({ kind: "chunk", bytes }, whole ? [bytes.buffer] : []);
  }

  /** Resolves when the browser has asked for more than there is, which it does when it has taken everything. */
  async taken() {
    await this.#pulled();
  }

  /** Ends the file, which makes it appear under its name. Throws when the browser gave it up, or nobody says that it ended. */
  async close() {
    await this.taken();
    const said = await this.#end({ kind: "close" });
    if (said !== "ended") throw this.#stopped ?? new Problem(said === "cancel" ? "save.cancelled" : "save.failed");
  }

  /** Ends the file as failed, so that the browser does not keep it. */
  abort() {
    if (!this.#isOver) void this.#end({ kind: "abort" });
  }

  /**
   * @param {{ kind: "close" | "abort" }} last
   * @returns {Promise<"ended" | "cancel" | null>} What the worker said of it; silence is no consent.
   */
  async #end(last) {
    this.#isOver = true;
    const said = new Promise((/** @type {(kind: "ended" | "cancel") => void} */ resolve) => {
      this.#port.onmessage = ({ data: { kind } }) => {
        if (kind === "ended" || kind === "cancel") resolve(kind);
      };
    });
    this.#port.postMessage(last);
    const kind = await Promise.race([said, after(START_MS)]);
    this.#unwatch.abort();
    this.#port.close();
    return kind;
  }

  /** @param {{ kind: string, piece?: number }} message */
  #hear({ kind, piece = 0 }) {
    if (kind === "ready") this.request();
    if (kind === "pull") this.#asked = piece;
    if (kind === "cancel") this.#stopped ??= new Problem("save.cancelled");
    if (this.#stopped || this.#asked === this.#sent) this.#wake?.(this.#stopped);
  }

  /**
   * Keeps the worker awake, and notices when it is gone, or has started anew without this file: it would not ask for more.
   *
   * @param {ServiceWorker} worker
   * @param {string} id
   */
  #watch(worker, id) {
    const { signal } = this.#unwatch;
    const look = () => worker.state === "redundant" && this.#lose();
    worker.addEventListener("statechange", look, { signal });
    const ping = setInterval(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => this.#lose();
      worker.postMessage({ kind: "ping", id }, [port2]);
      setTimeout(() => port1.close(), PING_MS);
    }, PING_MS);
    signal.addEventListener("abort", () => clearInterval(ping));
    look();
  }

  #lose() {
    this.#stopped ??= new Problem("save.lost");
    this.#wake?.(this.#stopped);
  }

  /**
   * Resolves when the browser asks for the piece that follows. A second reader of a file that waits asks for the first once
   * more, and what has been sent is not sent again.
   *
   * @returns {Promise<void>}
   */
  async #pulled() {
    if (this.#stopped) throw this.#stopped;
    if (this.#asked === this.#sent) return;
    let told = false;
    const patience = setTimeout(() => {
      told = true;
      this.#onwaiting(true);
    }, PATIENCE_MS);
    const problem = await new Promise((/** @type {(problem: Problem | null) => void} */ resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
    clearTimeout(patience);
    if (told) this.#onwaiting(false);
    if (problem) throw problem;
  }
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @returns {Promise<ServiceWorker | null>}
 */
async function answering(registration) {
  // The newest: one that an earlier version of this page left behind may speak otherwise.
  const worker = await activated(registration.installing ?? registration.waiting ?? registration.active);
  if (!worker) return null;
  const channel = new MessageChannel();
  await new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    worker.postMessage({ kind: "hello" }, [channel.port2]);
  });
  channel.port1.close();
  return worker;
}

/**
 * @param {ServiceWorker | null} worker
 * @returns {Promise<ServiceWorker | null>}
 */
function activated(worker) {
  return new Promise((resolve) => {
    const look = () => {
      if (!worker || worker.state === "redundant") resolve(null);
      else if (worker.state === "activated") resolve(worker);
    };
    worker?.addEventListener("statechange", look);
    look();
  });
}

/**
 * @param {number} wait_ms
 * @returns {Promise<null>}
 */
function after(wait_ms) {
  return new Promise((resolve) => setTimeout(resolve, wait_ms, null));
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
