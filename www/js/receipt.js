/**
 * The sender's receipt: its link, and what the server's answer about a transfer says as a line of events. Pure.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "./base64url.js";

/** Bytes of a transfer's id, and of the owner token after it. */
const ID_LEN = 16;
const TOKEN_LEN = 32;

/**
 * @typedef {import("./api.messages.js").Receipt} Receipt
 * @typedef {{ id: string, token: string }} Owner
 *
 * @typedef {object} Step One thing that happened, or is so now.
 * @property {"created" | "uploading" | "waiting" | "more" | "none_left" | "locked" | "opened" | "fetching" | "delivered" | "lapsed"
 *   | "cut" | "burnt" | "expired" | "abandoned" | "deleted"} name
 * @property {number | null} at Unix seconds; null for what is so now.
 * @property {number} count What the sentence counts: which open it was, or how many are left.
 * @property {"past" | "now" | "good" | "bad"} tone
 */

/**
 * @param {Owner} owner Id and token, each base64url.
 * @returns {string} 64 characters.
 */
export function receiptFragment({ id, token }) {
  return toBase64url(Uint8Array.from([...fromBase64url(id), ...fromBase64url(token)]));
}

/**
 * @param {string} origin
 * @param {string} fragment
 */
export function receiptLink(origin, fragment) {
  return `${origin}/manage#${fragment}`;
}

/**
 * @param {string} fragment
 * @returns {Owner | null} Null when it is damaged.
 */
export function readReceipt(fragment) {
  if (!/^[\w-]{64}$/.test(fragment)) return null;
  const bytes = fromBase64url(fragment);
  if (bytes.length !== ID_LEN + TOKEN_LEN) return null;
  return { id: toBase64url(bytes.subarray(0, ID_LEN)), token: toBase64url(bytes.subarray(ID_LEN)) };
}

/**
 * What happened, in the order in which it did; at the end what is so now.
 *
 * @param {Receipt} receipt
 * @returns {Step[]}
 */
export function stepsOf(receipt) {
  const past = [...receipt.claims.flatMap(stepsOfClaim), ...ending(receipt)];
  // A stable order: what happened within one second stays as it came.
  past.sort((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity));
  return [step("created", receipt.created_at, 0, "past"), ...past, ...present(receipt)];
}

/**
 * What matters most about it now, in one word: a cause when it is gone, else the most urgent of what is so.
 *
 * @param {Receipt} receipt
 */
export function headlineOf(receipt) {
  if (receipt.state === "gone") return receipt.cause ?? "gone";
  const names = present(receipt).map(({ name }) => name);
  if (names.includes("locked")) return "locked";
  const [first = "waiting"] = names;
  return first === "more" ? "opened" : first;
}

/**
 * @param {import("./api.messages.js").ReceiptClaim} claim
 * @param {number} index
 * @returns {Step[]}
 */
function stepsOfClaim({ claimed_at, state, at }, index) {
  const opened = step("opened", claimed_at, index + 1, "past");
  switch (state) {
    case "delivered":
      return [opened, step("delivered", at ?? claimed_at, index + 1, "good")];
    case "lapsed":
      return [opened, step("lapsed", at ?? claimed_at, index + 1, "bad")];
    case "burnt":
      return [opened, step("cut", at ?? claimed_at, index + 1, "bad")];
    default:
      return [opened];
  }
}

/** How it ended, if it has. @param {Receipt} receipt @returns {Step[]} */
function ending({ state, cause, at, created_at }) {
  if (state !== "gone") return [];
  const when = at ?? created_at;
  if (cause === "burnt") return [step("burnt", when, 0, "past")];
  if (cause === "expired") return [step("expired", when, 0, "bad")];
  if (cause === "abandoned") return [step("abandoned", when, 0, "bad")];
  return [step("deleted", when, 0, cause === "delivered" ? "good" : "past")];
}

/** What it is doing now. @param {Receipt} receipt @returns {Step[]} */
function present({ state, claims, claims_left, attempts_left }) {
  if (state === "gone") return [];
  if (state === "uploading") return [step("uploading", null, 0, "now")];
  const live = claims.filter((claim) => claim.state === "live").length;
  const steps = live > 0 ? [step("fetching", null, live, "now")] : [];
  if (attempts_left === 0) steps.push(step("locked", null, 0, "bad"));
  else if (claims_left > 0) steps.push(step(claims.length === 0 ? "waiting" : "more", null, claims_left, "now"));
  else if (live === 0) steps.push(step("none_left", null, 0, "now"));
  return steps;
}

/**
 * @param {Step["name"]} name
 * @param {number | null} at
 * @param {number} count
 * @param {Step["tone"]} tone
 * @returns {Step}
 */
function step(name, at, count, tone) {
  return { name, at, count, tone };
}
