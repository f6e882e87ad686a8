/**
 * Claims one transfer and brings its verified content to a sink: keeps the lease alive, goes on after a cut, and says
 * `delivered` only when the sink has everything. Never sees a key and never shows anything.
 *
 * @module
 */

import { fromBase64url } from "../base64url.js";
import { EntrySplitter } from "../entries.js";
import { Problem, problemFrom } from "../problem.js";
import { retrying } from "../retry.js";
import { dropToken, isOver, keepToken, keptToken, nowS } from "./claim-token.js";
import { readNext } from "./reading.js";
import { keepRenewing } from "./renewal.js";

/**
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../api.js").Claimed} Claimed
 * @typedef {import("../crypto.js").CryptoWorker} CryptoWorker
 * @typedef {import("../crypto.messages.js").Proofs} Proofs
 * @typedef {import("../crypto.messages.js").Manifest} Manifest
 */

/** Failures in a row before a download gives up: with back-off more than ten minutes, which is as long as most leases last. */
const TRIES = 40;

/**
 * @typedef {object} Sink Where content goes, in order. `finish` resolves when everything has arrived there.
 * @property {(index: number, bytes: Uint8Array<ArrayBuffer>, ends: boolean) => Promise<void>} write
 * @property {() => Promise<void>} finish Only after the whole body verified.
 * @property {(problem: Problem) => void} abort
 *
 * @typedef {object} DownloadOptions
 * @property {Api} api
 * @property {CryptoWorker} crypto A worker that derived the link's keys.
 * @property {Proofs} proofs
 * @property {boolean} proven Whether the server is known to take the access proof.
 * @property {() => number} lease_s How long a lease lasts that nobody renews; 0 where there are none.
 * @property {(received: number, total: number) => void} onprogress Bytes of the sealed body.
 * @property {(wait_ms: number, problem: Problem) => void} onwait Why it did not go on; it is tried again after so long.
 */

/** One opening of one transfer. */
export class Download {
  #options;
  #token = "";
  /** @type {Claimed | null} */
  #claimed = null;
  /** Whether some of the body has been opened; it is then opened anew from its beginning. */
  #begun = false;
  #proven;

  /** @param {DownloadOptions} options */
  constructor(options) {
    this.#options = options;
    this.#proven = options.proven;
  }

  /**
   * Takes the claim, or goes on with the one this browser has. With an access proof that may be wrong it asks once: when the
   * answer is lost, the server may have counted it as one of the few attempts that there are.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<Manifest>} What was claimed.
   */
  async claim(signal) {
    const { api, crypto, proofs } = this.#options;
    const { transfer_id: id, link_proof, access_proof } = proofs;
    const kept = keptToken(id, nowS());
    this.#token ||= kept?.token ?? (await crypto.call("claim_token", {}));
    if (!kept) this.#keep(nowS(), false);
    try {
      if (this.#begun) await crypto.call("rewind", {});
      const claimed = await this.#retry(() => api.claim(id, this.#token, { link_proof, access_proof }, signal), signal, this.#proven ? TRIES : 1);
      this.#proven = true;
      this.#claimed = claimed;
      this.#keep(claimed.lease_expires_at);
      return await crypto.call("open_manifest", { sealed: claimed.manifest, body_len: claimed.body_len });
    } catch (thrown) {
      throw this.#ended(thrown);
    }
  }

  /**
   * Brings the content to the sink and waits until it is there.
   *
   * @param {Manifest} manifest
   * @param {Sink} sink
   * @param {AbortSignal} signal
   */
  async receive(manifest, sink, signal) {
    if (!this.#claimed) throw new Problem("page.internal");
    this.#begun = true;
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const stopRenewing = keepRenewing(this.#options.lease_s(), () => void this.#renew(stop, both));
    try {
      await this.#bring(this.#claimed, manifest, sink, both);
      await this.#options.crypto.call("finish", {});
      await sink.finish();
      // Everything is saved; a worker that cannot even forget has nothing left to keep.
      await this.#options.crypto.call("forget", {}).catch(() => undefined);
    } catch (thrown) {
      const problem = this.#ended(stop.signal.aborted ? stop.signal.reason : thrown);
      sink.abort(problem);
      throw problem;
    } finally {
      stopRenewing();
    }
  }

  /**
   * Tells the server that everything arrived, so that it can delete it.
   *
   * @param {AbortSignal} signal
   */
  async delivered(signal) {
    const { api, proofs } = this.#options;
    await this.#retry(() => api.delivered(proofs.transfer_id, this.#token, signal), signal);
    dropToken(proofs.transfer_id);
  }

  /**
   * @param {Claimed} claimed
   * @param {Manifest} manifest
   * @param {Sink} sink
   * @param {AbortSignal} signal
   */
  async #bring(claimed, manifest, sink, signal) {
    const splitter = new EntrySplitter(manifest.entries.map((entry) => entry.size));
    const deliver = async (/** @type {Uint8Array<ArrayBuffer>} */ content) => {
      for (const cut of splitter.split(content)) await sink.write(cut.index, cut.bytes, cut.ends);
    };
    await deliver(new Uint8Array());
    const inline = claimed.body;
    if (inline !== undefined) await this.#push(fromBase64url(inline), deliver);
    else await this.#fetch(claimed.body_len, deliver, signal);
  }

  /**
   * @param {number} body_len
   * @param {(content: Uint8Array<ArrayBuffer>) => Promise<void>} deliver
   * @param {AbortSignal} signal
   */
  async #fetch(body_len, deliver, signal) {
    const { api, proofs } = this.#options;
    let position = 0;
    while (position < body_len) {
      const from = position;
      const reader = await this.#retry(() => api.body(proofs.transfer_id, this.#token, from, signal), signal);
      try {
        for (;;) {
          const bytes = await readNext(reader, signal);
          if (!bytes) break;
          position = await this.#push(bytes, deliver);
        }
      } finally {
        // The connection is of no more use, whether it ended, was cut or is no longer wanted.
        await reader.cancel().catch(() => undefined);
      }
      if (position < body_len && this.#options.lease_s() === 0) throw new Problem("body.once");
      // A connection that brought nothing counts as a failed one, so that it is not asked for in a tight loop.
      if (position === from) await this.#retry(refuseOnce(), signal);
    }
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {(content: Uint8Array<ArrayBuffer>) => Promise<void>} deliver
   * @returns {Promise<number>} Where the body goes on.
   */
  async #push(bytes, deliver) {
    const { bytes: content, position } = await this.#options.crypto.call("push", { bytes }, [bytes.buffer]);
    this.#options.onprogress(position, this.#claimed?.body_len ?? position);
    await deliver(content);
    return position;
  }

  /**
   * @param {AbortController} stop Aborted when the lease is over.
   * @param {AbortSignal} signal
   */
  async #renew(stop, signal) {
    const { api, proofs } = this.#options;
    try {
      const { lease_expires_at } = await api.renew(proofs.transfer_id, this.#token, signal);
      this.#keep(lease_expires_at);
    } catch (thrown) {
      const problem = problemFrom(thrown);
      // A network failure passes or shows in the body; a lease that has ended is final.
      if (isOver(problem)) stop.abort(problem);
    }
  }

  /**
   * Lets this browser go on with the claim after the page is gone; where everything is given once there is nothing to go on with.
   *
   * @param {number} until When the lease ends, in Unix seconds.
   * @param {boolean} granted
   */
  #keep(until, granted = true) {
    if (this.#options.lease_s() === 0) return;
    keepToken(this.#options.proofs.transfer_id, { token: this.#token, granted, until, kept_at: nowS() });
  }

  /** Why it ended, with the claim forgotten if that is over. @param {unknown} thrown */
  #ended(thrown) {
    const problem = problemFrom(thrown);
    if (isOver(problem)) dropToken(this.#options.proofs.transfer_id);
    // A request that is repeated because its answer was lost: the only answer there is.
    return problem.code === "lease.ended" && this.#options.lease_s() === 0 ? new Problem("body.once", { cause: problem }) : problem;
  }

  /**
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} signal
   * @param {number} [tries]
   */
  #retry(attempt, signal, tries = TRIES) {
    return retrying(attempt, { signal, tries, onwait: this.#options.onwait });
  }
}

/** An attempt that fails once and then succeeds: one step of back-off. */
function refuseOnce() {
  let refused = false;
  return async () => {
    if (refused) return;
    refused = true;
    throw new Problem("network");
  };
}
