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
  const refusal = await refusalOf(delivered());
  // A lease that is over, or a transfer that is gone, needs no word from here; the look says what is true now.
  if (!["", "lease.ended", "transfer.gone"].includes(refusal)) return "unsure";
  try {
    const { claims_left, expires_at = null } = await peek();
    return { claims_left, expires_at, lease_s };
  } catch (thrown) {
    // Only the server's own word means that it is deleted: a status may be a proxy's.
    const { code } = problemFrom(thrown);
    if (code === "transfer.gone") return "deleted";
    if (code === "transfer.claimed") return { claims_left: 0, expires_at: null, lease_s };
    return refusal === "" ? "kept" : "unsure";
  }
}

/** @param {Promise<void>} call @returns {Promise<string>} The code of what it threw, or nothing. */
async function refusalOf(call) {
  try {
    await call;
    return "";
  } catch (thrown) {
    return problemFrom(thrown).code;
  }
}
