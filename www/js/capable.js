/**
 * Whether this browser has what opening needs, found out before anything is used up. Tries nothing and changes nothing.
 *
 * @module
 */

/** Each with the newest that the pages call of its kind; by what came last, browsers from the spring of 2024 on have all. */
const NEEDED = ["WebAssembly", "Worker", "ReadableStream", "TransformStream", "BigInt", "MessageChannel", "AbortSignal.any", "String.prototype.toWellFormed"];

/**
 * @param {object} [scope] Replaced by tests.
 * @returns {string[]} What is missing.
 */
export function missingFeatures(scope = globalThis) {
  return NEEDED.filter((path) => reach(scope, path.split(".")) === undefined);
}

/**
 * @param {unknown} from
 * @param {string[]} path
 * @returns {unknown} Undefined when a step is missing.
 */
function reach(from, path) {
  return path.reduce((/** @type {any} */ value, step) => value?.[step], from);
}
