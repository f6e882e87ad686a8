/**
 * Stands between browsers and server and writes down every request, so that a test can count them and see that no link key
 * is in one, whichever thread of the browser made it. It changes nothing, and
 * loses or holds only what a test tells it to.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, request } from "node:http";

/**
 * @typedef {object} Seen A request that passed.
 * @property {string} method
 * @property {string} path
 * @property {number} status 0 until it is answered.
 * @property {string} head Its header fields.
 * @property {Buffer[]} body
 */

/** A recording proxy. */
export class Proxy {
  /** @type {Seen[]} */
  seen = [];
  /**
   * Which calls are lost: before they reach the server (`request`), or on the way back (`answer`). None, unless a test says so.
   *
   * @type {((method: string, path: string) => "request" | "answer" | false) | null}
   */
  cut = null;
  /**
   * What a call waits for before it goes on to the server. Nothing, unless a test says so.
   *
   * @type {((method: string, path: string) => Promise<void> | null) | null}
   */
  late = null;
  #server;
  /** How many bytes of a body go through before it is held; everything, unless a test says so. */
  #held_after = Infinity;
  /** @type {(() => void)[]} */
  #held = [];

  /** @param {number} port The server's. */
  constructor(port) {
    this.#server = createServer((incoming, answer) => this.#pass(port, incoming, answer));
  }

  /** @param {number} port The server's. */
  static async start(port) {
    const proxy = new Proxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /**
   * Holds every download of a body after so many bytes, as a bad network does.
   *
   * @param {number} len
   */
  holdBodiesAfter(len) {
    this.#held_after = len;
  }

  /** Whether a body is being held. */
  get isHolding() {
    return this.#held.length > 0;
  }

  /** Lets through what was held, and everything after it. */
  release() {
    this.#held_after = Infinity;
    for (const resume of this.#held.splice(0)) resume();
  }

  /** What browsers are pointed at. */
  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Forgets what has passed. */
  forget() {
    this.seen = [];
  }

  /** The API calls that passed, as `METHOD last/words`: ids are left out. */
  calls() {
    const calls = this.seen.filter((one) => one.path.startsWith("/api/v1/"));
    return calls.map((one) => `${one.method} ${one.path.slice("/api/v1/".length).replace(/^transfers\/[\w-]{22}/, "transfers/ID")}`);
  }

  /** The ids of transfers that were spoken of. */
  ids() {
    const ids = this.seen.map((one) => /^\/api\/v1\/transfers\/([\w-]{22})/.exec(one.path)?.[1]);
    return [...new Set(ids.filter((id) => id !== undefined))];
  }

  /**
   * The requests that hold a secret anywhere.
   *
   * @param {string} secret
   */
  holding(secret) {
    return this.seen.filter((one) => `${one.path}\n${one.head}`.includes(secret) || Buffer.concat(one.body).includes(secret));
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /**
   * @param {number} port
   * @param {import("node:http").IncomingMessage} incoming
   * @param {import("node:http").ServerResponse} answer
   */
  #pass(port, incoming, answer) {
    const { method = "", url: path = "", rawHeaders: headers } = incoming;
    /** @type {Seen} */
    const seen = { method, path, status: 0, head: headers.join("\n"), body: [] };
    this.seen.push(seen);
    const cut = this.cut?.(method, path) ?? false;
    if (cut === "request") return void incoming.socket.destroy();
    const late = this.late?.(method, path) ?? null;
    const forward = () => this.#forward(port, incoming, answer, seen, cut === "answer");
    if (late) void late.then(forward);
    else forward();
  }

  /**
   * @param {number} port
   * @param {import("node:http").IncomingMessage} incoming
   * @param {import("node:http").ServerResponse} answer
   * @param {Seen} seen
   * @param {boolean} loses_answer
   */
  #forward(port, incoming, answer, seen, loses_answer) {
    const { method, path } = seen;
    const headers = incoming.rawHeaders;
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
    incoming.on("data", (bytes) => seen.body.push(bytes));
    incoming.pipe(outgoing);
    outgoing.on("response", (response) => {
      seen.status = response.statusCode ?? 0;
      if (loses_answer) return void answer.destroy();
      answer.writeHead(seen.status, response.statusMessage, response.rawHeaders);
      if (path.endsWith("/body")) this.#meter(response, answer);
      response.pipe(answer);
      response.on("error", () => answer.destroy());
    });
    outgoing.on("error", () => answer.destroy());
    answer.on("close", () => outgoing.destroy());
  }

  /**
   * @param {import("node:http").IncomingMessage} response
   * @param {import("node:http").ServerResponse} answer
   */
  #meter(response, answer) {
    let len = 0;
    response.on("data", (bytes) => {
      len += bytes.length;
      if (len < this.#held_after) return;
      response.unpipe(answer);
      response.pause();
      this.#held.push(() => response.pipe(answer));
    });
  }
}
