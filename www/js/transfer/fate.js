/**
 * What becomes of a transfer once everything has arrived here: says so to the server, then what it still has.
 *
 * @module
 */

import { problemFrom } from "../problem.js";

/** @typedef {import("../state.js").Fate} Fate */

/**
 * Never throws: what was opened stays opened, whatever the server answers now. Where opens were left, or the lease was over,
 * it asks what there still is, because others take opens too.
 *
 * @param {() => Promise<void>} delivered
 * @param {() => Promise<import("../api.js").View>} peek
 * @param {boolean} is_last Whether this claim took the last open.
 * @returns {Promise<Fate>}
 */
export async function fateOf(delivered, peek, is_last) {
  const code = await codeOf(delivered());
  if (code === "" && is_last) return "deleted";
  if (code !== "" && code !== "lease.ended") return fateAt(code);
  try {
    const { claims_left } = await peek();
    return { claims_left };
  } catch (thrown) {
    return fateAt(problemFrom(thrown).code);
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

/**
 * What a refusal says of what was delivered. Only the server's own word means that it is deleted: a status may be a proxy's,
 * and a lease that is over leaves the opens of others.
 *
 * @param {string} code
 * @returns {Fate}
 */
function fateAt(code) {
  if (code === "transfer.claimed") return { claims_left: 0 };
  return code === "transfer.gone" ? "deleted" : "unsure";
}
