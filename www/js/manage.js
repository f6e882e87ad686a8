/**
 * The receipt's page: what became of a transfer, for whoever sent it; unlocks and burns it. Without a receipt in the address
 * it lists those that were kept in this browser. Never has a link key and opens nothing.
 *
 * @module
 */

import { Api } from "./api.js";
import { missingFeatures } from "./browser.js";
import { forgetAllReceipts, forgetReceipt, keptReceipts } from "./kept-receipts.js";
import { takeFragment } from "./link.js";
import { isWatching, nextManage } from "./manage-state.js";
import { manageNotice } from "./notices.js";
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

byId("burn", ConfirmStep).addEventListener("confirmed", () => void act((id, token) => api.burn(id, token), "manage.burnt"));
byId("unlock", HTMLButtonElement).addEventListener("click", () => void act((id, token) => api.unlock(id, token), "manage.unlocked"));
byId("refresh", HTMLButtonElement).addEventListener("click", () => void look());
byId("retry", HTMLButtonElement).addEventListener("click", () => {
  dispatch({ type: "retry" });
  void look();
});
list.addEventListener("receipt-forgotten", (event) => {
  forgetReceipt(/** @type {CustomEvent<string>} */ (event).detail);
  list.show(keptReceipts());
});
byId("forget-all", ConfirmStep).addEventListener("confirmed", () => {
  forgetAllReceipts();
  list.show(keptReceipts());
});
// A receipt that is followed from the list, or pasted into this page's address, changes nothing but the fragment.
addEventListener("hashchange", () => location.hash !== "" && start());
for (const type of ["focus", "online"]) addEventListener(type, lookOnReturn);
document.addEventListener("visibilitychange", lookOnReturn);
setInterval(lookInTime, 1000);
forgetOnLeaving(() => {
  owner = null;
});
void api.config().then(showLimits, () => undefined);
start();

/** Reads the address and shows what belongs to it. */
function start() {
  const fragment = takeFragment(location, history);
  owner = readReceipt(fragment);
  state = { name: "loading" };
  showState(state.name);
  const missing = missingFeatures();
  if (missing.length > 0) dispatch({ type: "problem", problem: new Problem("browser.too_old", { cause: missing }) });
  else if (fragment === "") dispatch({ type: "list" });
  else if (!owner) dispatch({ type: "damaged" });
  else void look();
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
  if (!owner) return;
  const trouble = byId("manage-trouble", HTMLElement);
  trouble.hidden = true;
  try {
    await deed(owner.id, owner.token);
    announce(text(said));
  } catch (thrown) {
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

function render() {
  if (state.name === "list") list.show(keptReceipts());
  else if (state.name === "shown" || state.name === "gone") renderReceipt(state);
  else if (state.name !== "loading") byId("notice", NoticePanel).show(manageNotice(state));
  byId("retry", HTMLButtonElement).hidden = state.name === "damaged";
}
