/**
 * When the opening page looks again by itself, and when that is left to the person. Pure: starts no clock.
 *
 * @module
 */

import { backoff } from "./retry.js";

/** How long to wait after "too many" when the server does not say. */
const RATE_WAIT_S = 30;

/**
 * @param {import("./state.js").OpenState} state
 * @param {number} random In [0, 1): spreads pages that failed together.
 * @returns {number | null} Seconds; null where looking again cannot help, or there is nothing to look for.
 */
export function againInS(state, random) {
  if (state.name !== "offline" && !(state.name === "refused" && state.problem.passing)) return null;
  const problem = state.name === "refused" ? state.problem : null;
  const asked_s = problem?.retry_after_s ?? (problem?.status === 429 ? RATE_WAIT_S : null);
  // The first wait is two seconds: it has failed just now, and somebody is reading why.
  return Math.ceil(backoff(state.failures + 2, asked_s, random) / 1000);
}
