/**
 * What becomes of a transfer once everything has arrived here: says so to the server, then asks what it still has.
 *
 * @module
 */

import { problemFrom } from "../problem.js";

/** @typedef {import("../state.js").Fate} Fate */

/**
 * Never throws: what was opened stays opened, whatever the server answers now. It always asks, because others may be fetching
 * as well; and only the server's own word means that it is deleted: a status may be a proxy's.
 *
 * @param {() => Promise<void>} delivered
 * @param {() => Promise<import("../api.js").View>} peek
 * @param {number} lease_s How long a lease lasts that nobody renews.
 * @returns {Promise<Fate>}
 */
export async function fateOf(delivered, peek, lease_s) {
  const told = await codeOf(delivered());
  if (told === "transfer.gone") return "deleted";
  if (told !== "" && told !== "lease.ended") return "unsure";
  try {
    const { claims_left, expires_at = null } = await peek();
    return { claims_left, expires_at, lease_s };
  } catch (thrown) {
    const { code } = problemFrom(thrown);
    if (code === "transfer.claimed") return { claims_left: 0, expires_at: null, lease_s };
    return code === "transfer.gone" ? "deleted" : "kept";
  }
}

/** @param {Promise<void>} call @returns {Promise<string>} Empty when it succeeded. */
async function codeOf(call) {
  try {
    await call;
    return "";
  } catch (thrown) {
    return problemFrom(thrown).code;
  }
}
