/**
 * The page side of the crypto worker: a call becomes a promise. One job, one worker; a cancelled job ends its worker, and
 * with it every key that lived there.
 *
 * @module
 */

import { Problem } from "./problem.js";
import { CRYPTO_WORKER, scriptUrl } from "./trusted.js";

/**
 * @typedef {import("./crypto.messages.js").CryptoMethods} CryptoMethods
 * @typedef {import("./crypto.messages.js").CryptoAnswer} CryptoAnswer
 */

/** A running crypto worker. */
export class CryptoWorker {
  #worker;
  #next = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (problem: Problem) => void }>} */
  #pending = new Map();
  /** @type {Problem | null} */
  #ended = null;

  constructor() {
    this.#worker = new Worker(scriptUrl(CRYPTO_WORKER), { type: "module", name: "crypto" });
    this.#worker.addEventListener("message", (event) => this.#settle(event.data));
    this.#worker.addEventListener("error", (event) => this.#fail(new Problem("worker.failed", { cause: event.message })));
  }

  /**
   * Runs one method in the worker.
   *
   * @template {keyof CryptoMethods} M
   * @param {M} method
   * @param {CryptoMethods[M]["args"]} args
   * @param {Transferable[]} [transfer] Buffers that move to the worker.
   * @returns {Promise<CryptoMethods[M]["result"]>}
   */
  call(method, args, transfer = []) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args }, transfer);
    });
  }

  /** Ends the worker; calls under way fail with `aborted`. */
  end() {
    this.#fail(new Problem("aborted"));
  }

  /** @param {CryptoAnswer} answer */
  #settle(answer) {
    const waiting = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("error" in answer) waiting?.reject(new Problem(answer.error, { cause: answer.message }));
    else waiting?.resolve(answer.result);
  }

  /** @param {Problem} problem */
  #fail(problem) {
    this.#ended ??= problem;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
