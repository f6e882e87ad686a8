/**
 * The receipt's page: what became of a transfer, for whoever sent it; unlocks and burns it. Without a receipt in the address
 * it lists those that were kept in this browser. Never has a link key and opens nothing.
 *
 * @module
 */

import { Api } from "./api.js";
import { missingFeatures } from "./browser.js";
import { HANDED, takeReceipt } from "./handover.js";
import { forgetAllReceipts, forgetReceipt, keptOwner, keptReceipts } from "./kept-receipts.js";
import { takeFragment } from "./link.js";
import { isWatching, nextManage } from "./manage-state.js";
import { manageNotice } from "./notices.js";
import { forget, forgetAll, remembersAny } from "./own-links.js";
import { Problem, problemFrom } from "./problem.js";
import { readReceipt } from "./receipt.js";
import { text } from "./text.js";
import { ConfirmStep } from "./ui/confirm-step.js";
import { NoticePanel } from "./ui/notice-panel.js";
import { announce, byId, forgetOnLeaving, showLimits, showState, startPage } from "./ui/page.js";
import { ReceiptList } from "./ui/receipt-list.js";
import { renderReceipt } from "./ui/receipt-view.js";
import "./ui/theme-switch.js";

/**
 * @typedef {import("./manage-state.js").ManageState} ManageState
 * @typedef {import("./manage-state.js").ManageEvent} ManageEvent
 */

/** How often a receipt that is in view is asked for anew, and how often a server that did not answer. */
const AGAIN_MS = 20_000;
const OFFLINE_MS = 5_000;
/** Coming back to the page asks at once, but not more often than this. */
const FOCUS_MS = 2_000;

startPage("manage.page");
const api = new Api();
const list = byId("receipt-list", ReceiptList);

/** Whose receipt is shown; null without one. @type {import("./receipt.js").Owner | null} */
let owner = null;
/** @type {ManageState} */
let state = { name: "loading" };
/** Whose receipt is being asked for. @type {import("./receipt.js").Owner | null} */
let asking = null;
/** When it was asked last, and before when the server asked not to be, in ms since the page began. */
let asked_ms = -Infinity;
let not_before_ms = 0;
/** How long the server knows of what is over; null until it has said so. @type {number | null} */
let known_s = null;

byId("burn", ConfirmStep).addEventListener("confirmed", () => void act((id, token) => api.burn(id, token), "manage.burnt"));
byId("unlock", HTMLButtonElement).addEventListener("click", () => void act((id, token) => api.unlock(id, token), "manage.unlocked"));
byId("refresh", HTMLButtonElement).addEventListener("click", () => void look());
byId("retry", HTMLButtonElement).addEventListener("click", () => {
  dispatch({ type: "retry" });
  void look();
});
list.addEventListener("receipt-chosen", (event) => {
  const { detail: fragment } = /** @type {CustomEvent<string>} */ (event);
  history.pushState(entryFor(readReceipt(fragment)), "");
  start();
});
list.addEventListener("receipt-forgotten", (event) => {
  const { detail: fragment } = /** @type {CustomEvent<string>} */ (event);
  forgetReceipt(fragment);
  forget(readReceipt(fragment)?.id ?? "");
  showList();
});
byId("forget-all", ConfirmStep).addEventListener("confirmed", () => {
  forgetAllReceipts();
  forgetAll();
  showList();
});
// A receipt that is pasted into this page's address changes nothing but the fragment; going back from one brings none.
addEventListener("hashchange", () => location.hash !== "" && start());
addEventListener("popstate", () => location.hash === "" && start());
for (const type of ["focus", "online"]) addEventListener(type, lookOnReturn);
document.addEventListener("visibilitychange", lookOnReturn);
setInterval(lookInTime, 1000);
forgetOnLeaving(() => {
  owner = null;
});
void api.config().then((limits) => {
  showLimits(limits);
  known_s = limits.tombstone_ttl_s;
  if (state.name === "gone") render();
}, () => undefined);
start();

/** Reads the address and shows what belongs to it. */
function start() {
  const fragment = takeFragment(location, history);
  if (fragment !== HANDED) return begin(fragment);
  showState("loading");
  void takeReceipt().then(begin);
}

/**
 * Shows a receipt; without one, that of which this entry of the browser's history tells, or the list.
 *
 * @param {string} fragment May be empty.
 */
function begin(fragment) {
  const entry = fragment === "" ? history.state : entryFor(readReceipt(fragment));
  if (fragment !== "") history.replaceState(entry, "");
  owner = fragment === "" ? keptOwner(entry?.id) : readReceipt(fragment);
  state = { name: "loading" };
  // What was asked about, or went wrong, belongs to the receipt before.
  for (const id of ["burn", "forget-all"]) byId(id, ConfirmStep).reset();
  byId("manage-trouble", HTMLElement).hidden = true;
  showState(state.name);
  const missing = missingFeatures();
  if (missing.length > 0) dispatch({ type: "problem", problem: new Problem("browser.too_old", { cause: missing }) });
  else if (owner) void look();
  else if (fragment !== "") dispatch({ type: "damaged" });
  else dispatch({ type: entry === null ? "list" : "reloaded" });
}

/**
 * What an entry of the browser's history remembers of a receipt: the transfer's id, which alone gives nobody anything.
 *
 * @param {import("./receipt.js").Owner | null} shown
 */
function entryFor(shown) {
  return { id: shown?.id ?? "" };
}

/** Asks what became of it; a second question while one is open is none. */
async function look() {
  const asked = owner;
  if (!asked || asking === asked) return;
  asking = asked;
  asked_ms = performance.now();
  try {
    const receipt = await api.receipt(asked.id, asked.token);
    if (owner === asked) dispatch({ type: "answer", receipt, as_of: Math.floor(Date.now() / 1000) });
  } catch (thrown) {
    const problem = problemFrom(thrown);
    not_before_ms = performance.now() + (problem.retry_after_s ?? 0) * 1000;
    if (owner === asked) dispatch({ type: "problem", problem });
  } finally {
    if (asking === asked) asking = null;
  }
}

function lookOnReturn() {
  if (document.visibilityState === "visible" && isWatching(state) && performance.now() - asked_ms > FOCUS_MS) lookAgain();
}

function lookInTime() {
  const wait_ms = state.name === "offline" ? OFFLINE_MS : AGAIN_MS;
  if (document.visibilityState === "visible" && isWatching(state) && performance.now() - asked_ms > wait_ms) lookAgain();
}

function lookAgain() {
  if (performance.now() >= not_before_ms) void look();
}

/**
 * Does something to the transfer, and then shows what is so.
 *
 * @param {(id: string, token: string) => Promise<void>} deed
 * @param {import("./text.js").TextKey} said When it is done.
 */
async function act(deed, said) {
  const asked = owner;
  if (!asked) return;
  const trouble = byId("manage-trouble", HTMLElement);
  trouble.hidden = true;
  try {
    await deed(asked.id, asked.token);
    if (owner === asked) announce(text(said));
  } catch (thrown) {
    if (owner !== asked) return;
    const { status } = problemFrom(thrown);
    // Gone already: looking shows how.
    trouble.hidden = status === 410 || status === 404;
    trouble.textContent = trouble.hidden ? "" : text("manage.failed");
  }
  await look();
}

/** @param {ManageEvent} event */
function dispatch(event) {
  const before = state;
  state = nextManage(state, event);
  if (state === before) return;
  render();
  showState(state.name);
}

function showList() {
  list.show(keptReceipts(), remembersAny());
}

function render() {
  if (state.name === "list") showList();
  else if (state.name === "shown" || state.name === "gone") renderReceipt(state, known_s);
  else if (state.name !== "loading") byId("notice", NoticePanel).show(manageNotice(state));
  byId("retry", HTMLButtonElement).hidden = state.name === "damaged" || state.name === "reloaded";
  document.title = text(state.name === "list" ? "manage.list.page" : "manage.page");
}
