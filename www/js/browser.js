/**
 * Whether this browser has what the pages are made of. Must itself run in any browser that knows modules.
 *
 * @module
 */

/** What is missing here that the pages cannot do without; empty in a current browser. */
export function missingFeatures() {
  /** @type {[name: string, there: boolean][]} */
  const needed = [
    ["WebAssembly", typeof WebAssembly === "object"],
    ["Worker", typeof Worker === "function"],
    ["AbortSignal.any", typeof AbortSignal === "function" && "any" in AbortSignal],
    ["checkVisibility", "checkVisibility" in Element.prototype],
    ["crypto", typeof crypto === "object" && typeof crypto.getRandomValues === "function"],
  ];
  return needed.filter(([, there]) => !there).map(([name]) => name);
}
