/**
 * The claim token of a transfer this browser began to open, kept until it is delivered or its lease has ended, so that
 * opening the link again here goes on with the same claim. It opens nothing without the link. Never keeps anything else.
 *
 * @module
 */

const PREFIX = "onetimeshare.claim.";
/** How long a token is kept at most, by this browser's own clock; whether its lease lives only the server can tell. */
const KEEP_S = 86_400;
/** What the server says when a token is of no use any more. A status alone may be a proxy's, and ends nothing. */
const OVER = new Set(["transfer.unknown", "transfer.gone", "transfer.claimed", "lease.ended"]);

/**
 * @typedef {object} KeptToken
 * @property {string} token
 * @property {boolean} granted Whether the server has answered it; repeating the claim then takes nothing more.
 * @property {number} until When its lease ends, in Unix seconds of the server's clock, which this browser's may be far from.
 * @property {number} kept_at When it was kept, in Unix seconds of this browser's clock.
 */

/**
 * The token kept for a transfer, if it is not too old to be of use.
 *
 * @param {string} id Transfer id.
 * @param {number} now Unix seconds.
 * @returns {KeptToken | null}
 */
export function keptToken(id, now) {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + id) ?? "null");
    if (typeof kept?.token === "string" && now - kept.kept_at < KEEP_S) return kept;
    localStorage.removeItem(PREFIX + id);
  } catch {
    // Storage may be switched off; then only this page can go on with its claim.
  }
  return null;
}

/**
 * @param {string} id
 * @param {KeptToken} kept
 */
export function keepToken(id, kept) {
  try {
    localStorage.setItem(PREFIX + id, JSON.stringify(kept));
  } catch {
    // As above: without storage there is nothing to go on with after a reload, and nothing else breaks.
  }
}

/**
 * Whether the server said that a claim is over, or never was.
 *
 * @param {import("../problem.js").Problem} problem
 */
export function isOver({ code }) {
  return OVER.has(code);
}

/** @param {string} id */
export function dropToken(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // Nothing was kept then.
  }
}

/**
 * Until when the latest claim of this browser can be gone on with, whichever transfer it is for, as far as this browser's clock
 * can tell.
 *
 * @param {number} now Unix seconds.
 * @returns {number | null} Unix seconds; null when there is none, or its time is over.
 */
export function latestClaim(now) {
  try {
    const ids = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
    const ends = ids.map((id) => keptToken(id, now)).map((kept) => (kept?.granted ? kept.until : 0));
    const latest = Math.max(0, ...ends);
    return latest > now ? latest : null;
  } catch {
    // Without storage no claim is kept.
    return null;
  }
}

/** This browser's clock, in Unix seconds. */
export function nowS() {
  return Math.floor(Date.now() / 1000);
}
