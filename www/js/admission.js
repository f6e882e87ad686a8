/**
 * Whether this page may create transfers, and within which limits: those of the server, or of the create token that a person
 * entered. Asks the server; shows nothing.
 *
 * @module
 */

import { CreateToken, readCreateToken } from "./create-token.js";
import { Problem, problemFrom } from "./problem.js";

/**
 * @typedef {import("./api.js").Api} Api
 * @typedef {import("./api.js").Limits} Limits
 */

/** Of one page. */
export class Admission {
  #api;
  #token;

  /** @param {Api} api @param {CreateToken} [token] Replaced by tests. */
  constructor(api, token = new CreateToken()) {
    this.#api = api;
    this.#token = token;
  }

  /** @returns {string | null} The token to create with. */
  get token() {
    return this.#token.text;
  }

  /** Whether this browser keeps it. */
  get isKept() {
    return this.#token.isKept;
  }

  /**
   * The limits, with the token that is here, if the server still takes it.
   *
   * @returns {Promise<{ limits: Limits, withdrawn: boolean }>} Withdrawn: it does not, and the token is forgotten.
   */
  async limits() {
    const { token } = this;
    try {
      return { limits: await this.#api.config(token), withdrawn: false };
    } catch (thrown) {
      if (token === null || !isRefused(problemFrom(thrown))) throw thrown;
      this.forget();
      return { limits: await this.#api.config(), withdrawn: true };
    }
  }

  /**
   * Asks the server about a token, and takes it when the server does.
   *
   * @param {string} typed
   * @param {boolean} keep Whether this browser is to keep it.
   * @returns {Promise<Limits>} Those of the token.
   */
  async enter(typed, keep) {
    const text = readCreateToken(typed);
    if (text === null) throw new Problem(typed.trim() === "" ? "token.empty" : "token.damaged");
    const limits = await this.#api.config(text);
    this.#token.take(text, keep);
    return limits;
  }

  forget() {
    this.#token.forget();
  }
}

/**
 * Whether the server wants a token, or another one.
 *
 * @param {Problem} problem
 */
export function isRefused({ code }) {
  return code === "create.unauthorized";
}

/**
 * Whether nothing can be sent before a token is entered.
 *
 * @param {Limits} limits
 * @param {string | null} token
 */
export function asksForToken(limits, token) {
  return limits.needs_create_token === true && token === null;
}
