/**
 * A look at a transfer, which takes nothing: what the server tells a link holder, or why it cannot be opened now.
 *
 * @module
 */

import { Problem, problemFrom } from "../problem.js";
import { unopenable } from "../state.js";

/** @typedef {import("../api.js").View} View */

/** Refusals of a new claim, which do not concern one that was made before; an expired transfer is gone for all but its claimants. */
const AFTER_CLAIM = new Set(["transfer.claimed", "transfer.locked", "transfer.gone"]);

/** Stands for a look that the server no longer grants, when this browser may hold the claim already. */
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
 * @param {boolean} held Whether this browser may hold the claim; then the server's refusal of another one means nothing.
 * @returns {Promise<View>}
 */
export async function look(ask, held) {
  const view = await ask().catch((thrown) => {
    if (held && AFTER_CLAIM.has(problemFrom(thrown).code)) return HELD_VIEW;
    throw thrown;
  });
  const code = unopenable(view, held);
  if (code) throw new Problem(code, { members: { claimed_at: view.claimed_at } });
  return view;
}

/**
 * Whether to repeat the claim whose token this browser kept, before any gesture: it was granted, or its answer was lost and no
 * other claim can be granted any more. Repeating it takes nothing: it brings that claim, or a refusal.
 *
 * @param {import("./claim-token.js").KeptToken | null} kept
 * @param {View} view
 */
export function goesOn(kept, view) {
  return kept !== null && (kept.granted || unopenable(view, false) !== null);
}

/**
 * Lets a lease that is over be no more than that where opens are left.
 *
 * @param {Problem} problem
 * @param {View} view
 * @returns {null} Throws the problem otherwise.
 */
export function lapsed(problem, view) {
  if (problem.code !== "lease.ended" || unopenable(view, false) !== null) throw problem;
  return null;
}
