/**
 * Sends one sealed transfer: whole in one request when it is small, else in parts, several in flight, each retried and
 * never sent twice when the server has it. Never sees a key and never shows anything.
 *
 * @module
 */

import { toBase64url } from "../base64url.js";
import { Problem, problemFrom } from "../problem.js";
import { retrying, unlessAborted } from "../retry.js";

/**
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../api.js").Created} Created
 * @typedef {import("../crypto.js").CryptoWorker} CryptoWorker
 * @typedef {import("../crypto.messages.js").Sealed} Sealed
 */

/** Parts on their way at once: hides the latency of each without holding much in memory. */
const IN_FLIGHT = 3;
/** Codes after which the sealed transfer must never be continued: its source is no longer what was sealed. */
const SOURCE_CODES = new Set(["body.changed", "source.unreadable", "part.conflict"]);

/**
 * @typedef {object} UploadOptions
 * @property {Api} api
 * @property {CryptoWorker} crypto The worker that sealed it.
 * @property {Sealed} sealed
 * @property {number} inline_max Bytes of sealed body that go with create.
 * @property {number} ttl_s
 * @property {number} claims_max
 * @property {() => string | null} create_token The one to create with, at the time that it is created.
 * @property {(sent: number) => void} onprogress Bytes of the sealed body that have left.
 * @property {(wait_ms: number, problem: Problem) => void} onwait That failed; it is tried again after so long.
 */

/** One upload, which can be run again after it failed and then goes on where it was. */
export class Upload {
  #options;
  #created = false;
  /** A create on its way, until it is answered. @type {Promise<unknown> | null} */
  #creating = null;
  /** Whether this is not the first run, so that the server may hold parts already. */
  #again = false;
  /** Bytes that have left, by part. @type {Map<number, number>} */
  #sent = new Map();

  /** @param {UploadOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Sends whatever the server does not have yet.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<number>} When the transfer expires, in Unix seconds.
   */
  async run(signal) {
    try {
      return await this.#send(signal);
    } catch (thrown) {
      this.#again = true;
      const problem = problemFrom(thrown);
      if (SOURCE_CODES.has(problem.code)) await this.burn();
      throw problem;
    }
  }

  /**
   * Removes what was sent; a server that cannot be reached removes it by itself, an hour after the last part. A create that is
   * on its way may arrive after this, so that it is said once more when that is answered.
   */
  async burn() {
    if (!this.#created) return;
    const { api, sealed } = this.#options;
    this.#created = false;
    const creating = this.#creating;
    const burnt = api.burn(sealed.transfer_id, sealed.owner_token).catch(() => undefined);
    await creating;
    await burnt;
    if (creating) await api.burn(sealed.transfer_id, sealed.owner_token).catch(() => undefined);
  }

  /** @param {AbortSignal} signal */
  async #send(signal) {
    const { sealed, inline_max } = this.#options;
    if (sealed.body_len <= inline_max) {
      const { bytes } = await this.#seal(0, sealed.body_len);
      const created = await this.#create(signal, toBase64url(bytes));
      this.#note(0, sealed.body_len);
      return expiryOf(created);
    }
    const created = await this.#create(signal);
    // A repeated create is answered with the present state, which may be past the upload.
    if (created.state === "ready") return expiryOf(created);
    return this.#sendParts(created.part_len, signal);
  }

  /**
   * @param {number} part_len
   * @param {AbortSignal} signal
   */
  async #sendParts(part_len, signal) {
    const { api, sealed } = this.#options;
    const { transfer_id: id, owner_token: token, body_len } = sealed;
    for (let round = 0; ; round += 1) {
      const known = this.#again || round > 0;
      const accepted = known ? (await this.#retry(() => api.parts(id, token, signal), signal)).accepted : [];
      for (const index of accepted) this.#note(index, lenOf(index, part_len, body_len));
      await this.#sendAll(missingParts(body_len, part_len, accepted), part_len, signal);
      try {
        return expiryOf(await this.#retry(() => api.complete(id, token, signal), signal));
      } catch (thrown) {
        // The server may have lost a part that it had accepted; it is sent again, but not for ever.
        if (problemFrom(thrown).code !== "part.missing" || round === 2) throw thrown;
      }
    }
  }

  /**
   * @param {number[]} missing Part indices.
   * @param {number} part_len
   * @param {AbortSignal} signal
   */
  async #sendAll(missing, part_len, signal) {
    // When one part fails for good, the others stop at once.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const queue = missing.values();
    const lane = async () => {
      for (const index of queue) await this.#sendPart(index, part_len, both);
    };
    const lanes = Array.from({ length: IN_FLIGHT }, () => lane().catch((thrown) => {
      stop.abort(thrown);
      throw thrown;
    }));
    await Promise.allSettled(lanes);
    await Promise.all(lanes).catch((thrown) => Promise.reject(stop.signal.reason ?? thrown));
  }

  /**
   * @param {number} index
   * @param {number} part_len
   * @param {AbortSignal} signal
   */
  async #sendPart(index, part_len, signal) {
    const { api, sealed } = this.#options;
    const { transfer_id: id, owner_token: token } = sealed;
    signal.throwIfAborted();
    const { bytes, digest } = await this.#seal(index, part_len);
    await this.#retry(async (failures) => {
      // The last attempt may have arrived although its answer did not.
      if (failures > 0 && (await api.parts(id, token, signal)).accepted.includes(index)) return;
      this.#note(index, 0);
      await api.putPart(id, index, { token, digest, bytes, signal, onprogress: (sent) => this.#note(index, sent) });
    }, signal);
    this.#note(index, bytes.length);
  }

  /**
   * @param {AbortSignal} signal
   * @param {string} [body]
   * @returns {Promise<Created>}
   */
  #create(signal, body) {
    const { api, sealed, ttl_s, claims_max, create_token } = this.#options;
    const { link_verifier, access_verifier, owner_verifier } = sealed;
    const request = {
      id: sealed.transfer_id,
      link_verifier,
      access_verifier,
      owner_verifier,
      manifest: sealed.sealed_manifest,
      body_len: sealed.body_len,
      ttl_s,
      claims_max,
      ...(body === undefined ? {} : { body }),
    };
    return this.#retry(() => {
      // From here on the server may hold it, whatever becomes of the answer.
      this.#created = true;
      // It is not cut off when the upload is: only its answer tells when a burn can no longer be overtaken.
      const creating = api.create(request, new AbortController().signal, create_token());
      const settled = creating.then(() => undefined, () => undefined).finally(() => {
        if (this.#creating === settled) this.#creating = null;
      });
      this.#creating = settled;
      return unlessAborted(creating, signal);
    }, signal);
  }

  /**
   * @param {number} index
   * @param {number} part_len
   */
  #seal(index, part_len) {
    return this.#options.crypto.call("seal_part", { index, part_len });
  }

  /**
   * @template T
   * @param {(failures: number) => Promise<T>} attempt
   * @param {AbortSignal} signal
   */
  #retry(attempt, signal) {
    return retrying(attempt, { signal, onwait: this.#options.onwait });
  }

  /**
   * @param {number} index
   * @param {number} sent
   */
  #note(index, sent) {
    this.#sent.set(index, sent);
    let total = 0;
    for (const part of this.#sent.values()) total += part;
    this.#options.onprogress(Math.min(total, this.#options.sealed.body_len));
  }
}

/**
 * The parts that are still to be sent, in order.
 *
 * @param {number} body_len
 * @param {number} part_len
 * @param {number[]} accepted
 * @returns {number[]}
 */
export function missingParts(body_len, part_len, accepted) {
  const has = new Set(accepted);
  return Array.from({ length: Math.ceil(body_len / part_len) }, (_, index) => index).filter((index) => !has.has(index));
}

/**
 * @param {number} index
 * @param {number} part_len
 * @param {number} body_len
 */
function lenOf(index, part_len, body_len) {
  return Math.min(part_len, body_len - index * part_len);
}

/** @param {{ expires_at?: number }} answer */
function expiryOf(answer) {
  if (answer.expires_at === undefined) throw new Problem("proxy.foreign");
  return answer.expires_at;
}
