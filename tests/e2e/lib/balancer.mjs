/**
 * Gives each request to the next server in turn, as a balancer without a memory does.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, request } from "node:http";

/** A balancer before servers of this machine. */
export class Balancer {
  #server;
  #ports;
  #turn = 0;

  /** @param {number[]} ports The servers'. */
  constructor(ports) {
    this.#ports = ports;
    this.#server = createServer((incoming, answer) => this.#pass(incoming, answer));
  }

  /** @param {number[]} ports The servers'. */
  static async start(ports) {
    const balancer = new Balancer(ports);
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  /** Where it listens. */
  get port() {
    return this.#server.address().port;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /**
   * @param {import("node:http").IncomingMessage} incoming
   * @param {import("node:http").ServerResponse} answer
   */
  #pass(incoming, answer) {
    const port = this.#ports[this.#turn++ % this.#ports.length];
    const { method, url: path, rawHeaders: headers } = incoming;
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
    incoming.pipe(outgoing);
    outgoing.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 0, response.statusMessage, response.rawHeaders);
      response.pipe(answer);
      response.on("error", () => answer.destroy());
    });
    outgoing.on("error", () => answer.destroy());
    answer.on("close", () => outgoing.destroy());
  }
}
