/**
 * Keeps a lease alive: when to renew it, by how long it lasts. Never calls the server itself.
 *
 * @module
 */

/** The longest that a lease goes without being renewed. */
const RENEW_S = 60;

/**
 * How often a lease is renewed: a renewal or two that fail must not end it.
 *
 * @param {number} lease_s How long it lasts.
 * @returns {number | null} Milliseconds; null when there is nothing to renew.
 */
export function renewalMs(lease_s) {
  return lease_s > 0 ? Math.min(RENEW_S, lease_s / 3) * 1000 : null;
}

/**
 * Renews until it is told to stop.
 *
 * @param {number} lease_s
 * @param {() => void} renew
 * @returns {() => void} Ends it.
 */
export function keepRenewing(lease_s, renew) {
  const period_ms = renewalMs(lease_s);
  if (period_ms === null) return () => {};
  const timer = setInterval(renew, period_ms);
  return () => clearInterval(timer);
}
