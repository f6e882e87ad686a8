/**
 * Every request to the server, each with its answer's type; a failure is a Problem with a code. Never retries and never
 * sees a key, a passphrase or plaintext.
 *
 * @module
 */

import { Problem, problemFromAnswer } from "./problem.js";

/** The longest a short call may take before it counts as a network failure. */
const CALL_MS = 30_000;
/** Bytes of its body that give it a second more, as the server does. */
const RATE_MIN = 1024;
/** A part that moves no byte for so long is given up and sent again. */
const STALL_MS = 45_000;

/**
 * @typedef {import("./api.messages.js").Limits} Limits
 * @typedef {import("./api.messages.js").CreateRequest} CreateRequest
 * @typedef {import("./api.messages.js").View} View
 * @typedef {import("./api.messages.js").Receipt} Receipt
 * @typedef {{ state: "ready" | "uploading", part_len: number, expires_at?: number }} Created
 * @typedef {{ part_len: number, part_count: number, accepted: number[] }} Parts
 * @typedef {{ lease_expires_at: number, body_len: number, manifest: string, body?: string }} Claimed
 * @typedef {{ link_proof: string, access_proof?: string }} LinkProofs
 *
 * @typedef {object} PartRequest
 * @property {string} token Owner token.
 * @property {string} digest Content-Digest field.
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {AbortSignal} signal
 * @property {(sent: number) => void} onprogress Bytes of this part that have left.
 */

/** The API of the server this page came from. */
export class Api {
  #fetch;

  /** @param {typeof fetch} [fetchFn] Replaced by tests. */
  constructor(fetchFn = (input, init) => fetch(input, init)) {
    this.#fetch = fetchFn;
  }

  /** @param {string | null} [token] Create token, for its limits. @param {AbortSignal} [signal] @returns {Promise<Limits>} */
  config(token = null, signal) {
    return this.#json("GET", "/api/v1/config", { token, signal });
  }

  /** @param {CreateRequest} request @param {AbortSignal} signal @param {string | null} [token] Create token. @returns {Promise<Created>} */
  create(request, signal, token = null) {
    return this.#json("POST", "/api/v1/transfers", { token, body: request, signal });
  }

  /** @param {string} id @param {string} token @param {AbortSignal} signal @returns {Promise<Parts>} */
  parts(id, token, signal) {
    return this.#json("GET", `${at(id)}/parts`, { token, signal });
  }

  /** @param {string} id @param {string} token @param {AbortSignal} signal @returns {Promise<Created>} */
  complete(id, token, signal) {
    return this.#json("POST", `${at(id)}/complete`, { token, signal });
  }

  /**
   * Burns a transfer. Goes on after the page is closed, because a cancelled upload should leave nothing behind.
   *
   * @param {string} id
   * @param {string} token
   * @returns {Promise<void>}
   */
  async burn(id, token) {
    await this.#send("DELETE", at(id), { token, keepalive: true });
  }

  /** @param {string} id @param {string} token Owner token. @param {AbortSignal} [signal] @returns {Promise<Receipt>} */
  receipt(id, token, signal) {
    return this.#json("GET", at(id), { token, signal });
  }

  /** Gives back the tries for the passphrase. @param {string} id @param {string} token Owner token. @returns {Promise<void>} */
  async unlock(id, token) {
    await this.#send("POST", `${at(id)}/unlock`, { token });
  }

  /** @param {string} id @param {LinkProofs} proofs @param {AbortSignal} [signal] @returns {Promise<View>} */
  peek(id, proofs, signal) {
    return this.#json("POST", `${at(id)}/peek`, { body: proofs, signal });
  }

  /**
   * @param {string} id
   * @param {string} token Claim token.
   * @param {LinkProofs} proofs
   * @param {AbortSignal} signal
   * @returns {Promise<Claimed>}
   */
  claim(id, token, proofs, signal) {
    return this.#json("POST", `${at(id)}/claim`, { token, body: proofs, signal });
  }

  /**
   * The body from a position on; a cut shows as a read that throws.
   *
   * @param {string} id
   * @param {string} token Claim token.
   * @param {number} position
   * @param {AbortSignal} signal
   * @returns {Promise<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>>}
   */
  async body(id, token, position, signal) {
    const range = `bytes=${position}-`;
    const answer = await this.#send("GET", `${at(id)}/body`, { token, signal, range, timeout_ms: 0 });
    const whole = answer.status === 200 && position > 0;
    const octets = answer.headers.get("Content-Type")?.startsWith("application/octet-stream");
    if (whole || !octets || !answer.body) throw new Problem("proxy.foreign", { status: answer.status });
    return answer.body.getReader();
  }

  /** @param {string} id @param {string} token @param {AbortSignal} signal @returns {Promise<{ lease_expires_at: number }>} */
  renew(id, token, signal) {
    return this.#json("POST", `${at(id)}/renew`, { token, signal });
  }

  /** @param {string} id @param {string} token @param {AbortSignal} [signal] @returns {Promise<void>} */
  async delivered(id, token, signal) {
    await this.#send("POST", `${at(id)}/delivered`, { token, signal, keepalive: true });
  }

  /**
   * Sends one part. Not by fetch, which cannot tell how much of a body has left.
   *
   * @param {string} id
   * @param {number} index
   * @param {PartRequest} request
   * @returns {Promise<void>}
   */
  putPart(id, index, request) {
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      let stall = setTimeout(() => xhr.abort(), STALL_MS);
      const alive = () => {
        clearTimeout(stall);
        stall = setTimeout(() => xhr.abort(), STALL_MS);
      };
      const abort = () => xhr.abort();
      request.signal.addEventListener("abort", abort, { once: true });
      xhr.upload.addEventListener("progress", (event) => {
        alive();
        request.onprogress(event.loaded);
      });
      xhr.addEventListener("loadend", () => {
        clearTimeout(stall);
        request.signal.removeEventListener("abort", abort);
        if (request.signal.aborted) reject(request.signal.reason);
        else if (xhr.status === 0) reject(new Problem("network"));
        else if (xhr.status === 204) resolve();
        else reject(problemFromAnswer(xhr.status, xhr.responseText, xhr.getResponseHeader("Retry-After"), Date.now()));
      });
      xhr.open("PUT", `${at(id)}/parts/${index}`);
      xhr.setRequestHeader("Authorization", `Bearer ${request.token}`);
      xhr.setRequestHeader("Content-Digest", request.digest);
      xhr.setRequestHeader("Content-Type", "application/octet-stream");
      // Chromium sends a Blob ten times as fast as the same bytes in a buffer.
      xhr.send(new Blob([request.bytes]));
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @returns {Promise<any>} Trusted to be what the API promises once it is an object: it is our own server's answer.
   */
  async #json(method, path, call) {
    const answer = await this.#send(method, path, call);
    const text = await answer.text().catch((thrown) => Promise.reject(failed(thrown, call.signal)));
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) {
      throw new Problem("proxy.foreign", { status: answer.status });
    }
    return JSON.parse(text);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @returns {Promise<Response>} A successful one.
   */
  async #send(method, path, call) {
    const { token, body, range, signal, keepalive = false } = call;
    const text = body && JSON.stringify(body);
    const { timeout_ms = CALL_MS + Math.ceil(((text ?? "").length * 1000) / RATE_MIN) } = call;
    /** @type {Record<string, string>} */
    const headers = {};
    if (token) headers["Authorization"] = `Bearer ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    if (range) headers["Range"] = range;
    const signals = [signal, timeout_ms > 0 ? AbortSignal.timeout(timeout_ms) : undefined].filter((one) => !!one);
    /** @type {RequestInit} */
    const init = { method, headers, keepalive, cache: "no-store", redirect: "error", signal: AbortSignal.any(signals) };
    if (text) init.body = text;
    const answer = await this.#fetch(path, init).catch((thrown) => Promise.reject(failed(thrown, signal)));
    if (answer.ok) return answer;
    const told = await answer.text().catch(() => "");
    throw problemFromAnswer(answer.status, told, answer.headers.get("Retry-After"), Date.now());
  }
}

/**
 * @typedef {object} Call
 * @property {string | null} [token]
 * @property {object} [body]
 * @property {string} [range]
 * @property {AbortSignal | undefined} [signal]
 * @property {boolean} [keepalive]
 * @property {number} [timeout_ms] 0 for none.
 */

/** @param {string} id */
function at(id) {
  return `/api/v1/transfers/${encodeURIComponent(id)}`;
}

/**
 * What a failed fetch means: the person's own decision to stop, or a network that did not answer.
 *
 * @param {unknown} thrown
 * @param {AbortSignal | undefined} signal
 */
function failed(thrown, signal) {
  return signal?.aborted ? signal.reason : new Problem("network", { cause: thrown });
}
