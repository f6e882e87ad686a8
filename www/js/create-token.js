/**
 * The create token that a person entered, where a server asks for one: held by the page, and kept in this browser only when they
 * said so. Calls no server, and tells no one what it is.
 *
 * @module
 */

const KEY = "onetimeshare.create_token";
/** As `onetimeshare-server create-token` prints it. */
const FORM = /^ots_[\w-]{43}$/;

/** What one page has. */
export class CreateToken {
  /** @type {string | null} */
  #text = kept();
  #isKept = this.#text !== null;

  /** @returns {string | null} Null when none was entered. */
  get text() {
    return this.#text;
  }

  /** Whether it is still here when this page is loaded again. */
  get isKept() {
    return this.#isKept;
  }

  /**
   * @param {string} text
   * @param {boolean} keep
   */
  take(text, keep) {
    this.forget();
    this.#text = text;
    this.#isKept = keep && write(text);
  }

  /** Takes it out of the page and of this browser. */
  forget() {
    this.#text = null;
    this.#isKept = false;
    write(null);
  }
}

/**
 * A token as it was typed or pasted, without the white space around it.
 *
 * @param {string} typed
 * @returns {string | null} Null when it cannot be one.
 */
export function readCreateToken(typed) {
  const text = typed.trim();
  return FORM.test(text) ? text : null;
}

/** @returns {string | null} */
function kept() {
  try {
    return readCreateToken(localStorage.getItem(KEY) ?? "");
  } catch {
    // No storage here: then none is kept.
    return null;
  }
}

/**
 * @param {string | null} text Null to remove it.
 * @returns {boolean} Whether this browser could.
 */
function write(text) {
  try {
    if (text === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, text);
    return true;
  } catch {
    // Storage is switched off or full; the page says that it is not kept.
    return false;
  }
}
