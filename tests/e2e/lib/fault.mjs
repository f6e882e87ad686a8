/**
 * A proxy that does what bad networks and other people's proxies do: answers by itself, cuts, or changes a byte. Without a
 * fault it passes everything on.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, request } from "node:http";
import { networkInterfaces } from "node:os";

/**
 * @typedef {object} Fault
 * @property {number} [status] Answered instead of the server, with `headers` and `body`.
 * @property {Record<string, string>} [headers]
 * @property {string} [body]
 * @property {boolean} [cut] The connection is closed without an answer.
 * @property {number} [cut_after] The connection is closed after so many bytes of the answer.
 * @property {boolean} [silent] Nothing is ever answered, and nothing of the request read.
 * @property {number} [stall_after] Nothing comes any more after so many bytes of the answer, and the connection stays.
 * @property {(bytes: Buffer, at: number) => Buffer} [change] What becomes of the answer's bytes, from that place on.
 */

/** A proxy with faults. */
export class Faults {
  /** Which fault a request meets; none, unless a test says so. @type {(method: string, path: string) => Fault | null} */
  plan = () => null;
  #server;
  #host;

  /** @param {number} port The server's. @param {string} host Where it is reached. */
  constructor(port, host) {
    this.#host = host;
    this.#server = createServer((incoming, answer) => this.#pass(port, incoming, answer));
  }

  /** @param {number} port The server's. @param {string} [host] */
  static async start(port, host = "127.0.0.1") {
    const faults = new Faults(port, host);
    faults.#server.listen(0, host);
    await once(faults.#server, "listening");
    return faults;
  }

  get origin() {
    return `http://${this.#host}:${this.#server.address().port}`;
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
    const fault = this.plan(method, path);
    if (fault?.cut) return incoming.socket.destroy();
    if (fault?.silent) return;
    if (fault?.status) {
      answer.writeHead(fault.status, fault.headers ?? { "Content-Type": "text/html" });
      return answer.end(fault.body ?? "<html>not yours</html>");
    }
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
    incoming.pipe(outgoing);
    outgoing.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.statusMessage, response.rawHeaders);
      if (fault?.change) changeAll(response, answer, fault.change);
      else if (fault?.cut_after) cutAfter(response, answer, fault.cut_after);
      else if (fault?.stall_after) stallAfter(response, answer, fault.stall_after);
      else response.pipe(answer);
      response.on("error", () => answer.destroy());
    });
    outgoing.on("error", () => answer.destroy());
    answer.on("close", () => outgoing.destroy());
  }
}

/**
 * @param {import("node:http").IncomingMessage} response
 * @param {import("node:http").ServerResponse} answer
 * @param {(bytes: Buffer, at: number) => Buffer} change
 */
function changeAll(response, answer, change) {
  let at = 0;
  response.on("data", (bytes) => {
    answer.write(change(bytes, at));
    at += bytes.length;
  });
  response.on("end", () => answer.end());
}

/**
 * @param {import("node:http").IncomingMessage} response
 * @param {import("node:http").ServerResponse} answer
 * @param {number} len
 */
function cutAfter(response, answer, len) {
  let at = 0;
  response.on("data", (bytes) => {
    answer.write(bytes);
    at += bytes.length;
    if (at >= len) answer.destroy();
  });
  response.on("end", () => answer.end());
}

/**
 * @param {import("node:http").IncomingMessage} response
 * @param {import("node:http").ServerResponse} answer
 * @param {number} len
 */
function stallAfter(response, answer, len) {
  let at = 0;
  response.on("data", (bytes) => {
    answer.write(bytes);
    at += bytes.length;
    if (at >= len) response.pause();
  });
}

/** An address of this machine that is not loopback. */
export function lanAddress() {
  const all = Object.values(networkInterfaces()).flat();
  const found = all.find((one) => one?.family === "IPv4" && !one.internal);
  if (!found) throw new Error("this machine has no address but loopback, and plain http on a LAN address must be tried");
  return found.address;
}
