/**
 * Which links were made in this browser, so that opening one's own can be warned of. Keeps transfer ids in this browser for
 * a while, and nothing else: no key, no link, no name.
 *
 * @module
 */

const KEY = "onetimeshare.own";
/** The most that are remembered; the oldest go first. */
const COUNT_MAX = 200;
/** How long one is remembered when nothing else is said: as long as most servers keep anything. */
const LIFE_S = 8 * 86_400;

/**
 * @param {string} id Of the transfer.
 * @param {number} [until] Unix seconds.
 */
export function remember(id, until = now() + LIFE_S) {
  const others = kept().filter(([other]) => other !== id);
  write([...others, /** @type {[string, number]} */ ([id, until])].slice(-COUNT_MAX));
}

/**
 * Whether this browser made that link, as far as it remembers.
 *
 * @param {string} id
 */
export function isOwn(id) {
  return kept().some(([one]) => one === id);
}

/** Whether any link that was made here is remembered. */
export function remembersAny() {
  return kept().length > 0;
}

/** @param {string} id */
export function forget(id) {
  write(kept().filter(([one]) => one !== id));
}

/** Forgets every link that was made here. */
export function forgetAll() {
  write([]);
}

/** Takes those whose time is over out of the storage itself. */
export function prune() {
  write(kept());
}

/** @returns {[id: string, until: number][]} Those whose time is not over. */
function kept() {
  try {
    const pairs = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(pairs) ? pairs.filter((pair) => isPair(pair) && pair[1] > now()) : [];
  } catch {
    // No storage here, or not our writing in it: then nothing is remembered.
    return [];
  }
}

/** @param {[id: string, until: number][]} pairs */
function write(pairs) {
  try {
    if (pairs.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(pairs));
  } catch {
    // As above: the warning is a courtesy that this browser then cannot do.
  }
}

/** @param {unknown} pair */
function isPair(pair) {
  return Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "number";
}

function now() {
  return Math.floor(Date.now() / 1000);
}
