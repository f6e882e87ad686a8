/**
 * What the receipt's page can be, and what follows from what: pure functions of a state and an event.
 *
 * @module
 */

/**
 * @typedef {import("./api.messages.js").Receipt} Receipt
 * @typedef {import("./problem.js").Problem} Problem
 *
 * @typedef {{ name: "loading" }
 *   | { name: "list" }
 *   | { name: "damaged" }
 *   | { name: "reloaded" }
 *   | { name: "unknown" }
 *   | { name: "offline", problem: Problem }
 *   | { name: "refused", problem: Problem }
 *   | { name: "shown", receipt: Receipt, as_of: number, stale: boolean }
 *   | { name: "gone", receipt: Receipt, as_of: number, stale: boolean }} ManageState
 *
 * @typedef {{ type: "list" }
 *   | { type: "damaged" }
 *   | { type: "reloaded" }
 *   | { type: "answer", receipt: Receipt, as_of: number }
 *   | { type: "problem", problem: Problem }
 *   | { type: "retry" }} ManageEvent
 */

/** Codes that all mean the same to the owner: this server cannot say anything about it. */
const UNKNOWN = new Set(["transfer.unknown", "request.unauthorized", "request.malformed", "access.denied"]);

/**
 * @param {ManageState} state
 * @param {ManageEvent} event
 * @returns {ManageState}
 */
export function nextManage(state, event) {
  switch (event.type) {
    case "list":
    case "damaged":
    case "reloaded":
      return state.name === "loading" ? { name: event.type } : state;
    case "answer": {
      const { receipt, as_of } = event;
      // What is gone stays gone, whatever a late answer says.
      if (hasNoReceipt(state) || (state.name === "gone" && receipt.state !== "gone")) return state;
      return { name: receipt.state === "gone" ? "gone" : "shown", receipt, as_of, stale: false };
    }
    case "problem":
      return afterProblem(state, event.problem);
    case "retry":
      return state.name === "offline" || state.name === "refused" || state.name === "unknown" ? { name: "loading" } : state;
  }
}

/**
 * Whether the server should be asked again by and by.
 *
 * @param {ManageState} state
 */
export function isWatching({ name }) {
  return name === "shown" || name === "offline";
}

/** Whether there is nothing to ask the server about. @param {ManageState} state */
function hasNoReceipt({ name }) {
  return name === "list" || name === "damaged" || name === "reloaded";
}

/**
 * @param {ManageState} state
 * @param {Problem} problem
 * @returns {ManageState}
 */
function afterProblem(state, problem) {
  if (state.name === "gone" || hasNoReceipt(state)) return state;
  if (UNKNOWN.has(problem.code)) return { name: "unknown" };
  // What is shown stays in view, with the time as of which it is so.
  if (state.name === "shown") return { ...state, stale: true };
  return problem.passing ? { name: "offline", problem } : { name: "refused", problem };
}
