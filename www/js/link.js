/**
 * The link in the address bar: read once, then taken out of it; and links made for others. Never stores one.
 *
 * @module
 */

import { Problem } from "./problem.js";

/**
 * Reads the fragment and removes it from the address bar, so that no glance, screenshot or copied address carries it.
 *
 * @param {Pick<Location, "hash" | "pathname" | "search">} location
 * @param {Pick<History, "replaceState">} history
 * @returns {string} Without "#"; empty when there is none.
 */
export function takeFragment(location, history) {
  const fragment = location.hash.replace(/^#/, "");
  if (fragment !== "") history.replaceState(null, "", location.pathname + location.search);
  return fragment;
}

/**
 * What became of a link that this page took: everything arrived, or it began where everything is handed out once.
 *
 * @typedef {"finished" | "once"} LinkFate
 */

/**
 * Notes in the page's history entry what became of its link, for when the page is loaded again without it. Holds no secret.
 *
 * @param {Pick<History, "replaceState">} history
 * @param {LinkFate} fate
 */
export function noteFate(history, fate) {
  history.replaceState({ fate }, "");
}

/**
 * @param {Pick<History, "state">} history
 * @returns {LinkFate | null} Null when nothing was noted since the last link.
 */
export function notedFate({ state }) {
  return state?.fate === "finished" || state?.fate === "once" ? state.fate : null;
}

/**
 * Where links lead that this page makes.
 *
 * @param {import("./api.js").Limits} limits
 * @param {string} own The page's own origin.
 */
export function linkOrigin({ open_url }, own) {
  if (open_url === undefined) return own;
  const url = URL.canParse(open_url) ? new URL(open_url) : null;
  // Whatever else it is, our server did not write it.
  if (!url || !["http:", "https:"].includes(url.protocol) || url.origin !== open_url) throw new Problem("proxy.foreign");
  return url.origin;
}

/**
 * The same link at the server that opens it.
 *
 * @param {import("./api.js").Limits} limits
 * @param {Pick<Location, "origin" | "hash">} here Where it led.
 * @returns {string | null} Null where that is here, or is not said.
 */
export function elsewhere(limits, { origin, hash }) {
  try {
    const there = linkOrigin(limits, origin);
    return there === origin ? null : linkFor(there, hash.replace(/^#/, ""));
  } catch {
    // What is no origin of the web leads nowhere.
    return null;
  }
}

/**
 * @param {string} origin Scheme, host and port.
 * @param {string} fragment
 * @returns {string}
 */
export function linkFor(origin, fragment) {
  return `${origin}/open#${fragment}`;
}
