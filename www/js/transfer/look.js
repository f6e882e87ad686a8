/**
 * A look at a transfer, which takes nothing: what the server tells a link holder, or why it cannot be opened now.
 *
 * @module
 */

import { Problem, problemFrom } from "../problem.js";
import { unopenable } from "../state.js";

/** @typedef {import("../api.js").View} View */

/** Stands for a look that the server no longer grants, when this browser holds the claim already. */
const HELD_VIEW = /** @type {View} */ ({
  state: "claimed",
  created_at: 0,
  claims_left: 0,
  attempts_left: 5,
  body_len: 0,
  part_len: 0,
});

/**
 * Looks, and refuses what cannot be opened now.
 *
 * @param {() => Promise<View>} ask
 * @param {boolean} held Whether this browser holds the claim; then the server's refusal of another one means nothing.
 * @returns {Promise<View>}
 */
export async function look(ask, held) {
  const view = await ask().catch((thrown) => {
    const { code } = problemFrom(thrown);
    if (held && (code === "transfer.claimed" || code === "transfer.locked")) return HELD_VIEW;
    throw thrown;
  });
  const code = unopenable(view, held);
  if (code) throw new Problem(code);
  return view;
}
