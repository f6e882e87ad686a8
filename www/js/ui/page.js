/**
 * What every page shares: finding its elements, showing the parts that belong to its state, speaking to screen readers, and
 * forgetting everything when it is left, and what this browser no longer needs to keep. Never calls the server.
 *
 * @module
 */

import { pruneReceipts } from "../kept-receipts.js";
import { prune as pruneOwnLinks } from "../own-links.js";
import { fillText, language, text, write } from "../text.js";

/** A list of more rows than this scrolls by itself. */
const LONG_ROWS = 8;

/**
 * The element with this id, as the kind of element it is.
 *
 * @template {Element} E
 * @param {string} id
 * @param {{ new (): E }} kind
 * @returns {E}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} called ${id}`);
}

/**
 * The first element in another that a selector finds, as the kind of element it is.
 *
 * @template {Element} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {{ new (): E }} kind
 * @returns {E}
 */
export function within(root, selector, kind) {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`there is no ${kind.name} at ${selector}`);
}

/**
 * Fills in the sentences and sets up what is the same on every page.
 *
 * @param {import("../text.js").TextKey} title
 */
export function startPage(title) {
  const root = document.documentElement;
  fillText(document, root.lang);
  root.lang = language;
  document.title = text(title);
  pruneReceipts();
  pruneOwnLinks();
}

/**
 * Shows the parts that belong to a state and hides the others; on a change, moves the focus to the heading of what is new,
 * so that nobody is left on a button that is gone.
 *
 * @param {string} name
 */
export function showState(name) {
  const root = document.documentElement;
  const changed = root.dataset["state"] !== name;
  root.dataset["state"] = name;
  for (const part of document.querySelectorAll("[data-in]")) {
    if (part instanceof HTMLElement) part.hidden = !(part.dataset["in"] ?? "").split(" ").includes(name);
  }
  if (!changed) return;
  const headings = document.querySelectorAll("main .card :is(h1, h2)[tabindex]");
  const heading = [...headings].find((one) => one.getClientRects().length > 0);
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
}

/**
 * Lets a long list scroll by itself, by keyboard too, so that what comes after it stays in reach.
 *
 * @param {HTMLElement} list
 * @param {number} count Rows.
 */
export function scrollLong(list, count) {
  const long = count > LONG_ROWS;
  list.toggleAttribute("data-long", long);
  if (long) list.tabIndex = 0;
  else list.removeAttribute("tabindex");
}

/**
 * Says a sentence to screen readers, politely.
 *
 * @param {string} sentence
 */
export function announce(sentence) {
  const live = byId("live", HTMLElement);
  if (live.textContent !== sentence) live.textContent = sentence;
}

/**
 * Says in the footer what this server takes, and how long it remembers; and shows the way to the sending page, where there is one
 * for everybody.
 *
 * @param {import("../api.js").Limits} limits
 */
export function showLimits(limits) {
  const { tombstone_ttl_s: known_s } = limits;
  for (const place of document.querySelectorAll("[data-text='footer.how.delete']")) write(place, text("footer.how.delete", { known_s }));
  const takes = limits.role !== "open";
  const takesFromAll = takes && limits.needs_create_token !== true;
  for (const part of document.querySelectorAll("[data-sender]")) part.toggleAttribute("hidden", !takesFromAll);
  const { transfer_size_max: size, ttl_s_max: life_s } = limits;
  byId("limits", HTMLElement).textContent = takes ? text("footer.limits", { size, life_s }) : "";
  byId("version", HTMLElement).textContent = text("footer.version", { version: limits.version });
}

/**
 * Warns before the page is left while work is under way.
 *
 * @param {() => boolean} busy
 */
export function guardLeaving(busy) {
  addEventListener("beforeunload", (event) => {
    if (busy()) event.preventDefault();
  });
}

/**
 * Clears what is secret when the page is left; a page brought back from the back-forward cache starts anew.
 *
 * @param {() => void} clear
 */
export function forgetOnLeaving(clear) {
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

/** The address of an icon. @param {string} name */
export function iconAddress(name) {
  return new URL(`../../icons.svg#${name}`, import.meta.url).href;
}

/** Whether this page was loaded again, or come back to, rather than followed to. */
export function wasReloaded() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming && (entry.type === "reload" || entry.type === "back_forward");
}
