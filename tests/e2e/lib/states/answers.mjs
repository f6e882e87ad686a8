/**
 * What the proxy answers instead of the server, for states that would take days or a broken network to come about.
 *
 * @module
 */

/** When everything in the made-up answers happens, in Unix seconds: some minutes ago. */
export const NOW_S = Math.floor(Date.now() / 1000);
const HOUR_S = 3600;

/** @typedef {import("../fault.mjs").Fault} Fault */

/**
 * @param {number} status
 * @param {object} body
 * @returns {Fault}
 */
export function answer(status, body) {
  return { status, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/**
 * The server's refusal.
 *
 * @param {number} status
 * @param {string} code
 * @param {object} [members]
 */
export function refusal(status, code, members = {}) {
  return answer(status, { code, message: "refused", ...members });
}

/**
 * A plan for the requests that end so; all others pass.
 *
 * @param {string} end Of the path.
 * @param {Fault} fault
 */
export function at(end, fault) {
  return (/** @type {string} */ _, /** @type {string} */ path) => (path.endsWith(end) ? fault : null);
}

/**
 * A receipt as the server answers it.
 *
 * @param {object} members Those that differ from one that nobody has opened.
 */
export function receipt(members) {
  const waiting = {
    state: "ready",
    created_at: NOW_S - 5 * HOUR_S,
    expires_at: NOW_S + 43 * HOUR_S,
    claims_max: 1,
    claims_left: 1,
    attempts_left: 5,
    body_len: 1_842_336,
    claims: [],
  };
  return answer(200, { ...waiting, ...members });
}

/**
 * An open, as the receipt tells it.
 *
 * @param {"live" | "delivered" | "lapsed" | "burnt"} state
 */
export function claim(state) {
  const claimed_at = NOW_S - HOUR_S;
  return state === "live" ? { claimed_at, state } : { claimed_at, state, at: claimed_at + 40 };
}
