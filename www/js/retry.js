/**
 * When to try a request again: back-off with jitter, the server's own wish, and at once when the network comes back.
 * Never decides what is sent.
 *
 * @module
 */

import { Problem, problemFrom } from "./problem.js";

/** The first wait, and the longest one we choose ourselves. */
const FIRST_MS = 500;
const LONGEST_MS = 20_000;
/** A server may ask for more, but a person is waiting. */
const ASKED_MAX_MS = 300_000;
/** How long in all, in a row, a server is waited for that says when it may be asked again because it is asked too much. */
const LIMITED_MAX_MS = 900_000;

/**
 * @typedef {object} RetryOptions
 * @property {AbortSignal} signal
 * @property {number} [tries] Failures in a row before giving up. Default 8, about a minute and a half.
 * @property {(wait_ms: number, problem: Problem) => void} [onwait] Told before each wait.
 * @property {(wait_ms: number, signal: AbortSignal) => Promise<void>} [pause] Replaced by tests.
 */

/**
 * How long to wait after the n-th failure in a row (n from 1).
 *
 * @param {number} failures
 * @param {number | null} asked_s What the server asked for.
 * @param {number} random In [0, 1): spreads clients that failed together.
 * @returns {number} Milliseconds.
 */
export function backoff(failures, asked_s, random) {
  const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.75 + random / 2);
  return Math.round(Math.max(own, Math.min((asked_s ?? 0) * 1000, ASKED_MAX_MS)));
}

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed too often. A server that is asked too much and says when it
 * can be asked again (429 with Retry-After) has done nothing: that is a place in a queue, and counts as a failure only when the
 * queue does not move for a quarter of an hour.
 *
 * @template T
 * @param {(failures: number) => Promise<T>} attempt Told how many attempts in a row have failed.
 * @param {RetryOptions} options
 * @returns {Promise<T>}
 */
export async function retrying(attempt, options) {
  const { signal, tries = 8, onwait, pause = sleep } = options;
  for (let failures = 0, limited_ms = 0; ; ) {
    signal.throwIfAborted();
    try {
      return await attempt(failures);
    } catch (thrown) {
      const problem = problemFrom(thrown);
      const queued_ms = queuedMs(problem);
      const isQueued = queued_ms !== null && limited_ms + queued_ms <= LIMITED_MAX_MS;
      if (isQueued) limited_ms += queued_ms;
      else failures += 1;
      if (!isQueued && (!problem.passing || failures >= tries)) throw problem;
      const wait_ms = isQueued ? queued_ms : backoff(failures, problem.retry_after_s, Math.random());
      onwait?.(wait_ms, problem);
      await pause(wait_ms, signal);
    }
  }
}

/**
 * How long a server that is asked too much wants to be left alone; null when it does not say, or something else is wrong.
 *
 * @param {Problem} problem
 */
function queuedMs(problem) {
  if (problem.status !== 429 || problem.retry_after_s === null) return null;
  return backoff(1, problem.retry_after_s, Math.random());
}

/**
 * Asks until there is an answer, and keeps that one; a failure is not kept.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {() => Promise<T>}
 */
export function remembered(ask) {
  /** @type {Promise<T> | null} */
  let asked = null;
  return () => {
    asked ??= ask().catch((thrown) => {
      asked = null;
      throw thrown;
    });
    return asked;
  };
}

/**
 * Waits, but no longer than until the network is back or the signal aborts.
 *
 * @param {number} wait_ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function sleep(wait_ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const timer = setTimeout(finish, wait_ms);
    function finish() {
      clearTimeout(timer);
      stop.abort();
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
    signal.addEventListener("abort", finish, { signal: stop.signal });
    globalThis.addEventListener?.("online", finish, { signal: stop.signal });
    if (signal.aborted) finish();
  });
}

/**
 * What is under way, or the reason not to wait for it.
 *
 * @template T
 * @param {Promise<T>} underWay
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export function unlessAborted(underWay, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    void underWay.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
