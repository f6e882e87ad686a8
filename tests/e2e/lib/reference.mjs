/**
 * The reference of the format, in Python, as a party of its own that sends and opens transfers. It shares no code with the
 * pages.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const RUN = new URL("../../reference/run.py", import.meta.url).pathname;

/** A running reference; its first start may install the packages it stands on. */
export class Reference {
  #process = spawn("python3", [RUN, "transfer.py"], { stdio: ["pipe", "pipe", "inherit"] });
  #answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();

  /**
   * Has it do something, by the orders that `transfer.py` names, and fails with it.
   *
   * @param {object} order
   * @returns {Promise<any>}
   */
  async ask(order) {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the reference failed at ${JSON.stringify(order)}`);
    return JSON.parse(value);
  }

  async stop() {
    const ended = this.#process.exitCode === null ? once(this.#process, "exit") : null;
    this.#process.stdin.end();
    await ended;
  }
}
