/**
 * What each page can be, and what may follow from what: pure functions of a state and an event. An event that has no
 * meaning in a state leaves it as it is, so a late answer can never bring a page somewhere it should not be.
 *
 * @module
 */

import { Problem } from "./problem.js";

/**
 * @typedef {import("./api.js").Limits} Limits
 * @typedef {import("./api.js").View} View
 * @typedef {import("./crypto.messages.js").Manifest} Manifest
 *
 * @typedef {{ name: "loading" }
 *   | { name: "unavailable", problem: Problem }
 *   | { name: "token", limits: Limits, resumable: boolean, checking: boolean, trouble: string | null }
 *   | { name: "start", limits: Limits }
 *   | { name: "working", limits: Limits, step: "key" | "sending" | "finishing" }
 *   | { name: "done", limits: Limits, link: string, receipt: string, expires_at: number, claims_max: number, passphrase: string, taken: boolean }
 *   | { name: "failed", limits: Limits, problem: Problem, resumable: boolean }} SendState
 *
 * @typedef {{ type: "limits", limits: Limits }
 *   | { type: "unavailable", problem: Problem }
 *   | { type: "ask", limits: Limits, trouble: string | null }
 *   | { type: "denied" }
 *   | { type: "exchange" }
 *   | { type: "check" }
 *   | { type: "rejected", trouble: string }
 *   | { type: "admitted", limits: Limits, fits: boolean }
 *   | { type: "send" }
 *   | { type: "step", step: "key" | "sending" | "finishing" }
 *   | { type: "sent", link: string, receipt: string, expires_at: number, claims_max: number, passphrase: string }
 *   | { type: "taken" }
 *   | { type: "failed", problem: Problem, resumable: boolean }
 *   | { type: "resume" }
 *   | { type: "restart" }} SendEvent
 *
 * @typedef {"asking" | "deleted" | "unsure" | "kept" | { claims_left: number, expires_at: number | null, lease_s: number }} Fate
 *   What became of it on the server afterwards. Kept: this claim is delivered, but the server did not say what it still has.
 *
 * @typedef {{ manifest: Manifest, view: View, once: boolean }} Claimable What a claim is for; once: the server gives it once, and nothing can be
 *   gone on with.
 * @typedef {{ type: "reloaded", kept_until: number | null, fate: import("./link.js").LinkFate | null }} Reloaded
 *
 * @typedef {{ name: "loading" }
 *   | { name: "missing" }
 *   | (Omit<Reloaded, "type"> & { name: "reloaded" })
 *   | { name: "outdated" }
 *   | { name: "damaged" }
 *   | { name: "newer" }
 *   | { name: "unknown" }
 *   | { name: "gone", problem: Problem }
 *   | { name: "claimed", problem: Problem }
 *   | { name: "locked" }
 *   | { name: "incomplete" }
 *   | { name: "unsavable", manifest: Manifest, view: View }
 *   | { name: "offline", failures: number }
 *   | { name: "refused", problem: Problem, failures: number }
 *   | { name: "passphrase", view: View, checking: boolean, trouble: "none" | "wrong" | "offline" }
 *   | (Claimable & { name: "ready", resume: boolean })
 *   | (Claimable & { name: "opening" })
 *   | (Claimable & { name: "handed" })
 *   | (Claimable & { name: "done", fate: Fate })
 *   | (Claimable & { name: "failed", problem: Problem })} OpenState
 *
 * @typedef {{ type: "missing" }
 *   | Reloaded
 *   | { type: "problem", problem: Problem }
 *   | { type: "ask", view: View }
 *   | { type: "checking" }
 *   | { type: "wrong", attempts_left: number }
 *   | (Claimable & { type: "ready", resume: boolean })
 *   | { type: "unsavable", manifest: Manifest, view: View }
 *   | { type: "open" }
 *   | { type: "stopped" }
 *   | { type: "handed" }
 *   | { type: "opened" }
 *   | { type: "settled", fate: Fate }
 *   | { type: "again" }} OpenEvent
 */

/** Codes whose page says what to do by itself; every other code is shown as `refused` or `failed`. */
const NOTICES = /** @type {const} */ ({
  "link.damaged": "damaged",
  "link.version": "newer",
  "transfer.unknown": "unknown",
  "transfer.locked": "locked",
  "transfer.not_ready": "incomplete",
  "browser.outdated": "outdated",
  "worker.failed": "outdated",
});

/**
 * @param {SendState} state
 * @param {SendEvent} event
 * @returns {SendState}
 */
export function nextSend(state, event) {
  switch (event.type) {
    case "limits":
      return state.name === "loading" || state.name === "unavailable" ? { name: "start", limits: event.limits } : state;
    case "unavailable":
      return state.name === "loading" || state.name === "unavailable" ? { name: "unavailable", problem: event.problem } : state;
    case "ask":
      if (!["loading", "unavailable", "start"].includes(state.name)) return state;
      return { name: "token", resumable: false, checking: false, limits: event.limits, trouble: event.trouble };
    case "denied":
      return state.name === "working" ? { name: "token", limits: state.limits, resumable: true, checking: false, trouble: "withdrawn" } : state;
    case "exchange":
      return state.name === "failed" ? { name: "token", limits: state.limits, resumable: true, checking: false, trouble: null } : state;
    case "check":
      return state.name === "token" ? { ...state, checking: true, trouble: null } : state;
    case "rejected":
      return state.name === "token" && state.checking ? { ...state, checking: false, trouble: event.trouble } : state;
    case "admitted":
      if (state.name !== "token" || !state.checking) return state;
      return state.resumable && event.fits ? { name: "working", limits: event.limits, step: "sending" } : { name: "start", limits: event.limits };
    case "send":
      return state.name === "start" ? { name: "working", limits: state.limits, step: "key" } : state;
    case "step":
      return state.name === "working" ? { ...state, step: event.step } : state;
    case "sent": {
      if (state.name !== "working") return state;
      const { type: _, ...made } = event;
      return { name: "done", limits: state.limits, ...made, taken: false };
    }
    case "taken":
      return state.name === "done" ? { ...state, taken: true } : state;
    case "failed":
      return state.name === "working" ? { name: "failed", limits: state.limits, problem: event.problem, resumable: event.resumable } : state;
    case "resume":
      return state.name === "failed" && state.resumable ? { name: "working", limits: state.limits, step: "sending" } : state;
    case "restart":
      return "limits" in state && (state.name !== "token" || state.resumable) ? { name: "start", limits: state.limits } : state;
  }
}

/**
 * Whether leaving the page now loses something that nobody can bring back: work under way, an upload that can go on, or the
 * only copy of a link.
 *
 * @param {SendState} state
 */
export function losesByLeaving(state) {
  if (state.name === "done") return !state.taken;
  return state.name === "working" || ((state.name === "failed" || state.name === "token") && state.resumable);
}

/**
 * @param {OpenState} state
 * @param {OpenEvent} event
 * @returns {OpenState}
 */
export function nextOpen(state, event) {
  switch (event.type) {
    case "missing":
      return state.name === "loading" ? { name: "missing" } : state;
    case "reloaded":
      return state.name === "loading" ? { name: "reloaded", kept_until: event.kept_until, fate: event.fate } : state;
    case "problem":
      return afterProblem(state, event.problem);
    case "ask":
      return isLooking(state) ? { name: "passphrase", view: event.view, checking: false, trouble: "none" } : state;
    case "checking":
      return state.name === "passphrase" ? { ...state, checking: true, trouble: "none" } : state;
    case "wrong":
      if (state.name !== "passphrase") return state;
      if (event.attempts_left === 0) return { name: "locked" };
      return { ...state, view: { ...state.view, attempts_left: event.attempts_left }, checking: false, trouble: "wrong" };
    case "ready":
      return canBecomeReady(state) ? { name: "ready", ...claimable(event), resume: event.resume } : state;
    case "unsavable":
      return canBecomeReady(state) ? { name: "unsavable", manifest: event.manifest, view: event.view } : state;
    case "open":
      return state.name === "ready" ? { name: "opening", ...claimable(state), view: afterClaim(state) } : state;
    case "stopped":
      if (state.name !== "opening") return state;
      if (state.once) return { name: "failed", ...claimable(state), problem: new Problem("body.stopped") };
      return { name: "ready", ...claimable(state), resume: true };
    case "handed":
      return state.name === "opening" ? { name: "handed", ...claimable(state) } : state;
    case "opened":
      return state.name === "opening" || state.name === "handed" ? { name: "done", ...claimable(state), fate: "asking" } : state;
    case "settled":
      return state.name === "done" ? { ...state, fate: event.fate } : state;
    case "again":
      if (state.name === "failed") return state.once ? state : { name: "ready", ...claimable(state), resume: true };
      return ["offline", "refused", "incomplete", "outdated"].includes(state.name) ? { name: "loading" } : state;
  }
}

/** @param {Claimable} from @returns {Claimable} */
function claimable({ manifest, view, once }) {
  return { manifest, view, once };
}

/**
 * What the claim leaves; going on with one that was made takes nothing more.
 *
 * @param {Extract<OpenState, { name: "ready" }>} state
 * @returns {View}
 */
function afterClaim({ view, resume }) {
  return resume ? view : { ...view, claims_left: Math.max(0, view.claims_left - 1) };
}

/** @param {OpenState} state */
function canBecomeReady(state) {
  return isLooking(state) || state.name === "passphrase";
}

/** Whether the page is looking, for the first time or again while it says why the last look failed. @param {OpenState} state */
function isLooking({ name }) {
  return name === "loading" || name === "offline" || name === "refused" || name === "incomplete";
}

/**
 * @param {OpenState} state
 * @param {Problem} problem
 * @returns {OpenState}
 */
function afterProblem(state, problem) {
  if (state.name === "done") return state;
  if (problem.code === "transfer.gone") return { name: "gone", problem };
  if (problem.code === "transfer.claimed") return { name: "claimed", problem };
  if (state.name === "opening" || state.name === "handed") return { name: "failed", ...claimable(state), problem };
  if (state.name === "passphrase" && problem.passing) return { ...state, checking: false, trouble: "offline" };
  const name = /** @type {Record<string, (typeof NOTICES)[keyof typeof NOTICES]>} */ (NOTICES)[problem.code];
  if (name) return { name };
  // How often it has failed in a row decides how long the page waits before it looks again by itself.
  const failures = state.name === "offline" || state.name === "refused" ? state.failures + 1 : 1;
  return problem.code === "network" ? { name: "offline", failures } : { name: "refused", problem, failures };
}

/**
 * Why a transfer that is there cannot be opened now, as a code, or null. A browser that may hold a claim already is concerned
 * neither by the lock nor by the count.
 *
 * @param {View} view
 * @param {boolean} held
 * @returns {string | null}
 */
export function unopenable(view, held) {
  if (view.state === "uploading") return "transfer.not_ready";
  if (held) return null;
  if (view.state === "claimed" || view.claims_left === 0) return "transfer.claimed";
  return view.attempts_left === 0 ? "transfer.locked" : null;
}
