/**
 * Hands a receipt to its page in a new tab, from window to window: neither the address nor the browser's history ever holds
 * the owner's token. Stores nothing.
 *
 * @module
 */

/** In the address of the new tab; a mark, and no receipt. */
export const HANDED = "handed";

/** How long the new tab waits for the other one, which may have been left meanwhile. */
const WAIT_MS = 3000;

/**
 * Opens the receipt's page, and gives it the receipt when it asks.
 *
 * @param {string} fragment The receipt's.
 */
export function openReceipt(fragment) {
  const tab = open(`/manage#${HANDED}`);
  if (tab === null) return;
  const stop = new AbortController();
  addEventListener("message", ({ source, origin, data: asked }) => {
    if (source !== tab || origin !== location.origin || asked !== HANDED) return;
    stop.abort();
    tab.postMessage(fragment, origin);
  }, { signal: stop.signal });
}

/**
 * Asks the page that opened this one for the receipt.
 *
 * @returns {Promise<string>} Its fragment; empty when nobody gives one.
 */
export function takeReceipt() {
  const from = /** @type {Window | null} */ (opener);
  if (from === null) return Promise.resolve("");
  return new Promise((resolve) => {
    const stop = new AbortController();
    const finish = (/** @type {string} */ fragment) => {
      stop.abort();
      clearTimeout(timer);
      resolve(fragment);
    };
    const timer = setTimeout(() => finish(""), WAIT_MS);
    addEventListener("message", ({ source, origin, data: given }) => {
      if (source === from && origin === location.origin && typeof given === "string") finish(given);
    }, { signal: stop.signal });
    from.postMessage(HANDED, location.origin);
  });
}
