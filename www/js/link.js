/**
 * The link in the address bar: read once, then taken out of it; and links made for others. Never stores one.
 *
 * @module
 */

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
 * @param {string} origin Scheme, host and port.
 * @param {string} fragment
 * @returns {string}
 */
export function linkFor(origin, fragment) {
  return `${origin}/open#${fragment}`;
}
