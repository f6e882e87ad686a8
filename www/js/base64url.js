/**
 * Bytes as base64url without padding, for a small body sent within JSON; knows nothing of what the bytes are.
 *
 * @module
 */

/** Bytes per step: a multiple of 3, so that no padding appears inside, and small enough to spread as arguments. */
const STEP_LEN = 24_576;

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64url(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP_LEN) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + STEP_LEN)));
  }
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64url(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
