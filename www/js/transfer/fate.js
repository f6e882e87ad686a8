/**
 * What becomes of a transfer once everything has arrived here: says so to the server, then asks what it still has.
 *
 * @module
 */

import { problemFrom } from "../problem.js";

/**
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../state.js").Fate} Fate
 */

/**
 * Never throws: what was opened stays opened, whatever the server answers now.
 *
 * @param {() => Promise<void>} delivered
 * @param {() => Promise<import("../api.js").View>} peek
 * @param {number} lease_s How long a lease lasts that nobody renews.
 * @returns {Promise<Fate>}
 */
export async function fateOf(delivered, peek, lease_s) {
  let told = true;
  await delivered().catch((thrown) => {
    // A lease that is over, or a transfer that is gone, needs no word from here; the look says what is true now.
    told = [404, 410].includes(problemFrom(thrown).status);
  });
  if (!told) return "unsure";
  try {
    const { claims_left, expires_at = null } = await peek();
    return { claims_left, expires_at, lease_s };
  } catch (thrown) {
    const { status } = problemFrom(thrown);
    return status === 410 || status === 404 ? "deleted" : "kept";
  }
}
