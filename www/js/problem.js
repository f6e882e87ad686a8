/**
 * What went wrong, as a stable code with its members; sentences for it live in the catalogue, never here.
 *
 * @module
 */

/**
 * @typedef {object} ProblemDetails
 * @property {number} [status] HTTP status; 0 or absent when no answer arrived.
 * @property {Record<string, unknown>} [members] Further members of the server's answer, such as `attempts_left`.
 * @property {number | null} [retry_after_s] Seconds the server asked us to wait.
 * @property {unknown} [cause] What threw, for the developer's console only.
 */

/** Codes of a proxy's own answer, by status: our server never answers these without a code of its own. */
const PROXY_CODES = new Map([
  [401, "proxy.refused"],
  [403, "proxy.refused"],
  [404, "proxy.not_found"],
  [405, "proxy.not_found"],
  [408, "proxy.timeout"],
  [413, "proxy.too_large"],
  [429, "request.rate_limited"],
  [502, "proxy.bad_gateway"],
  [503, "proxy.unavailable"],
  [504, "proxy.timeout"],
]);

/** An error whose `code` a page can switch on. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {ProblemDetails} [details]
   */
  constructor(code, details = {}) {
    super(code, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "Problem";
    this.code = code;
    this.status = details.status ?? 0;
    this.members = details.members ?? {};
    this.retry_after_s = details.retry_after_s ?? null;
  }

  /** Whether the same request may succeed later: no answer, a busy server, or one that is being restarted. */
  get passing() {
    if (this.code === "network" || this.status === 429 || this.status === 408) return true;
    return this.status >= 500 && this.status !== 507 && this.status !== 501;
  }

  /**
   * A member that is a number, or null.
   *
   * @param {string} name
   * @returns {number | null}
   */
  number(name) {
    const value = this.members[name];
    return typeof value === "number" ? value : null;
  }

  /**
   * A member that is a string, or null.
   *
   * @param {string} name
   * @returns {string | null}
   */
  string(name) {
    const value = this.members[name];
    return typeof value === "string" ? value : null;
  }
}

/**
 * Names an answer that is not a success: by the server's own code, else as the answer of something in between.
 *
 * @param {number} status
 * @param {string} text The answer's body.
 * @param {string | null} retryAfter The header of that name.
 * @param {number} now_ms Unix time, for a Retry-After that is a date.
 * @returns {Problem}
 */
export function problemFromAnswer(status, text, retryAfter, now_ms) {
  const retry_after_s = parseRetryAfter(retryAfter, now_ms);
  const members = parseMembers(text);
  const code = members?.["code"];
  if (members && typeof code === "string" && /^[a-z_]+\.[a-z_]+$/.test(code)) {
    return new Problem(code, { status, members, retry_after_s });
  }
  return new Problem(PROXY_CODES.get(status) ?? "proxy.foreign", { status, retry_after_s });
}

/**
 * Any thrown value as a Problem; an abort stays what it is, because it is a decision and no failure.
 *
 * @param {unknown} thrown
 * @returns {Problem}
 */
export function problemFrom(thrown) {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof DOMException && thrown.name === "AbortError") return new Problem("aborted", { cause: thrown });
  return new Problem("page.internal", { cause: thrown });
}

/**
 * Seconds named by a Retry-After field (RFC 9110 section 10.2.3), or null when it is absent or senseless.
 *
 * @param {string | null} value
 * @param {number} now_ms
 * @returns {number | null}
 */
export function parseRetryAfter(value, now_ms) {
  if (value === null || value.trim() === "") return null;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const at_ms = Date.parse(value);
  return Number.isNaN(at_ms) ? null : Math.max(0, Math.ceil((at_ms - now_ms) / 1000));
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null}
 */
function parseMembers(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    // Anything that is not JSON was not written by our server, which is what the caller wants to know.
    return null;
  }
}
