/**
 * Which transfers were made in this browser, so that it can warn before one's own link is used up. Keeps their ids and when
 * they were made, which open nothing; never a link.
 *
 * @module
 */

const KEY = "own-links";
const COUNT_MAX = 50;
const AGE_MAX_S = 30 * 86_400;

/** @typedef {[id: string, at: number]} OwnLink Transfer id and Unix seconds. */

/** @param {string} id Transfer id. */
export function remember(id) {
  keep([...others(id), [id, nowS()]]);
}

/**
 * @param {string} id
 * @returns {boolean}
 */
export function isOwn(id) {
  return kept().some(([own]) => own === id);
}

/** @param {string} id */
export function forget(id) {
  keep(others(id));
}

/** @param {string} id */
function others(id) {
  return kept().filter(([own]) => own !== id);
}

/** @returns {OwnLink[]} */
function kept() {
  try {
    const links = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(links) ? links.filter(isFresh) : [];
  } catch {
    // Storage may be switched off, or hold what another version wrote; then nothing is known, and nothing is warned of.
    return [];
  }
}

/** @param {unknown} link */
function isFresh(link) {
  return Array.isArray(link) && typeof link[0] === "string" && link[1] > nowS() - AGE_MAX_S;
}

/** @param {OwnLink[]} links */
function keep(links) {
  try {
    localStorage.setItem(KEY, JSON.stringify(links.slice(-COUNT_MAX)));
  } catch {
    // Without storage there is no warning later; nothing else rests on it.
  }
}

function nowS() {
  return Math.floor(Date.now() / 1000);
}
