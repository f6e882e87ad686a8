/**
 * The one Trusted Types policy: lets this project's own two scripts be started, and nothing else ever; and the paths at which
 * they work.
 *
 * @module
 */

/** The crypto worker's address, beside this file. */
export const CRYPTO_WORKER = new URL("./crypto.worker.js", import.meta.url).href;
/** The folder's hash, by which scripts of one version tell those of another. */
const VERSION = new URL("..", import.meta.url).pathname.split("/").at(-2);
/** The service worker's address: its path is fixed, and with the version behind it browsers never answer with an earlier one. */
export const SERVICE_WORKER = new URL(`/sw.js?${VERSION}`, import.meta.url).href;
/** What the service worker answers: a path for each version, so that no version's worker takes the place of another's at work. */
export const DOWNLOADS = `/download/${VERSION}/`;

/** @typedef {{ createScriptURL(url: string): string }} ScriptUrlPolicy */

/** @type {{ createPolicy(name: string, rules: ScriptUrlPolicy): ScriptUrlPolicy } | undefined} */
const factory = Reflect.get(globalThis, "trustedTypes");
const rules = { createScriptURL: allow };
const policy = factory?.createPolicy("onetimeshare", rules) ?? rules;

/**
 * The address in the form that the browser's script sinks demand.
 *
 * @param {string} url One of the two above.
 * @returns {string} A TrustedScriptURL where the browser has them.
 */
export function scriptUrl(url) {
  return policy.createScriptURL(url);
}

/** @param {string} url */
function allow(url) {
  if (url !== CRYPTO_WORKER && url !== SERVICE_WORKER) throw new TypeError("not a script of ours");
  return url;
}
