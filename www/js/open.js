/**
 * The opening page: from a link to what was sent. Looks first, takes nothing before the gesture, and says `delivered` only
 * when the text is here or the files are on disk. Wires the parts to the page's states.
 *
 * @module
 */

import { againInS } from "./again.js";
import { Api } from "./api.js";
import { missingFeatures } from "./capable.js";
import { CryptoWorker } from "./crypto.js";
import { noteFate, notedFate, takeFragment } from "./link.js";
import { isOwn } from "./own-links.js";
import { Problem, problemFrom } from "./problem.js";
import { remembered } from "./retry.js";
import { planSaving } from "./save.js";
import { nextOpen } from "./state.js";
import { text } from "./text.js";
import { dropToken, keptToken, latestClaim, nowS } from "./transfer/claim-token.js";
import { Download } from "./transfer/download.js";
import { fateOf } from "./transfer/fate.js";
import { goesOn, lapsed, look } from "./transfer/look.js";
import { CountDown } from "./ui/count-down.js";
import { HoldButton } from "./ui/hold-button.js";
import { clearPlaintext, passphraseTrouble, progressHooks, renderOpen } from "./ui/open-view.js";
import { byId, forgetOnLeaving, guardLeaving, showLimits, showState, startPage, wasReloaded } from "./ui/page.js";
import { SaveChoiceElement } from "./ui/save-choice.js";
import "./ui/secret-field.js";
import { isShown, sinkFor, wireSaving } from "./ui/sink.js";
import "./ui/theme-switch.js";

/**
 * @typedef {import("./state.js").OpenState} OpenState
 * @typedef {import("./state.js").OpenEvent} OpenEvent
 * @typedef {import("./api.js").View} View
 * @typedef {import("./crypto.messages.js").LinkFacts} LinkFacts
 * @typedef {import("./save.js").SaveChoice} SaveChoice
 */

/** How often a transfer that is still being sent is looked at again. */
const AGAIN_MS = 5000;

const fragment = takeFragment(location, history);
startPage("open.page");
byId("too-old", HTMLElement).remove();
const api = new Api();
const again = byId("again", CountDown);
/** What the server allows: nobody may claim without knowing it. */
const limits = remembered(async () => {
  const known = await api.config();
  showLimits(known);
  return known;
});

/** @type {OpenState} */
let state = { name: "loading" };
/** @type {CryptoWorker | null} */
let crypto = null;
/** @type {LinkFacts | null} */
let facts = null;
/** @type {Download | null} */
let download = null;
/** @type {SaveChoice | null} */
let choice = null;
let looking = false;
/** How long a lease lasts; known before anything can be claimed. */
let lease_s = 0;
/** Says that the files that this page could only hand over are there. */
let confirmSaved = () => {};
let stop = new AbortController();

byId("hold", HoldButton).addEventListener("held", () => void open());
byId("stop", HTMLButtonElement).addEventListener("click", () => stop.abort());
byId("confirm-saved", HTMLButtonElement).addEventListener("click", () => confirmSaved());
byId("retry", HTMLButtonElement).addEventListener("click", retry);
again.addEventListener("elapsed", () => void start());
byId("passphrase-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void check(byId("passphrase", HTMLInputElement).value);
});
wireSaving();
// A link pasted into the address bar of this page changes nothing but the fragment; it is a new page all the same.
addEventListener("hashchange", () => location.reload());
guardLeaving(() => state.name === "opening" || state.name === "handed" || (state.name === "done" && state.fate === "asking"));
forgetOnLeaving(() => {
  clearPlaintext();
  crypto?.end();
});
void limits().catch(() => undefined);
void start();

/** Looks at what the link is for; uses nothing up. */
async function start() {
  if (looking) return;
  looking = true;
  try {
    if (fragment === "") return dispatch(withoutLink());
    if (missingFeatures().length > 0) throw new Problem("browser.outdated");
    facts ??= await vault().call("read_link", { fragment });
    for (const warning of document.querySelectorAll("[data-own]")) warning.toggleAttribute("hidden", !isOwn(facts.transfer_id));
    if (!facts.needs_passphrase) return await unlock(facts, "");
    const { transfer_id, link_proof } = facts;
    const view = await look(() => api.peek(transfer_id, { link_proof }), kept(facts) !== null);
    dispatch({ type: "ask", view });
  } catch (thrown) {
    fail(thrown);
  } finally {
    looking = false;
  }
}

/** @returns {OpenEvent} */
function withoutLink() {
  const [kept_until, fate] = [latestClaim(nowS()), notedFate(history)];
  return kept_until || fate || wasReloaded() ? { type: "reloaded", kept_until, fate } : { type: "missing" };
}

/** @param {string} passphrase */
async function check(passphrase) {
  if (state.name !== "passphrase" || state.checking || !facts) return;
  if (passphrase === "") {
    passphraseTrouble(text("open.passphrase.empty"));
    byId("passphrase", HTMLInputElement).focus();
    return;
  }
  dispatch({ type: "checking" });
  try {
    await unlock(facts, passphrase);
    byId("passphrase", HTMLInputElement).value = "";
  } catch (thrown) {
    const problem = problemFrom(thrown);
    const attempts_left = problem.number("attempts_left");
    if (problem.code === "access.denied" && attempts_left !== null) dispatch({ type: "wrong", attempts_left });
    // A passphrase that is too long cannot be the right one, and costs no try.
    else if (problem.code === "passphrase.too_long") dispatch({ type: "wrong", attempts_left: state.view.attempts_left });
    else fail(problem);
  }
}

/**
 * Derives the keys and reads what the transfer holds: by a look, or by repeating a claim that this browser already has.
 *
 * @param {LinkFacts} link
 * @param {string} passphrase
 */
async function unlock(link, passphrase) {
  ({ lease_s } = await limits());
  const proofs = await vault().call("derive", { passphrase });
  const { transfer_id: id, link_proof, access_proof } = proofs;
  const token = kept(link);
  const view = await look(() => api.peek(id, { link_proof, ...(token?.granted ? {} : { access_proof }) }), token !== null);
  // A server shows what is sealed only to a right proof.
  const proven = !link.needs_passphrase || view.manifest !== undefined;
  download = new Download({ api, crypto: vault(), proofs, proven, lease_s: () => lease_s, ...progressHooks });
  const resume = goesOn(token, view);
  const manifest = resume
    ? await download.claim(new AbortController().signal).catch((thrown) => lapsed(problemFrom(thrown), view))
    : await vault().call("open_manifest", { sealed: view.manifest ?? "", body_len: view.body_len });
  // Its lease is over, but opens are left: without its token this is a visit like any other.
  if (!manifest) return await unlock(link, passphrase);
  choice = isShown(manifest) ? null : await planSaving(manifest.entries);
  byId("save-choice", SaveChoiceElement).show(choice);
  const savable = choice !== null || isShown(manifest);
  dispatch(savable ? { type: "ready", manifest, view, resume, once: lease_s === 0 } : { type: "unsavable", manifest, view });
}

/** Takes the claim and brings what was sent; called by the gesture. */
async function open() {
  if (state.name !== "ready" || !download) return;
  const sink = sinkFor(state.manifest, choice, (confirm) => {
    confirmSaved = confirm;
    dispatch({ type: "handed" });
  });
  try {
    await sink.prepare();
  } catch {
    // Closing the file picker is a decision: nothing was claimed, and the gesture can be made again.
    byId("hold", HoldButton).reset();
    return;
  }
  dispatch({ type: "open" });
  stop = new AbortController();
  const { signal } = stop;
  try {
    const manifest = await download.claim(signal);
    await download.receive(manifest, sink, signal);
    dispatch({ type: "opened" });
    await settle(download);
  } catch (thrown) {
    if (signal.aborted) dispatch({ type: "stopped" });
    else fail(thrown);
  }
}

/** Tells the server that everything arrived, and says what it still has. @param {Download} finished */
async function settle(finished) {
  const { transfer_id, link_proof } = /** @type {LinkFacts} */ (facts);
  const delivered = () => finished.delivered(new AbortController().signal);
  dispatch({ type: "settled", fate: await fateOf(delivered, () => api.peek(transfer_id, { link_proof }), lease_s) });
}

function retry() {
  const goesOn = state.name === "failed";
  dispatch({ type: "again" });
  if (!goesOn) void start();
}

/** @param {unknown} thrown */
function fail(thrown) {
  const problem = problemFrom(thrown);
  if (problem.code === "lease.ended" && facts) dropToken(facts.transfer_id);
  if (problem.code === "worker.failed") crypto = null;
  dispatch({ type: "problem", problem });
  if (state.name === "incomplete") setTimeout(start, AGAIN_MS);
}

/** Lets the page look again by itself where that can help. */
function schedule() {
  const wait_s = againInS(state, Math.random());
  if (wait_s === null) again.stop();
  else again.start(wait_s);
}

function vault() {
  crypto ??= new CryptoWorker();
  return crypto;
}

/** @param {LinkFacts} link */
function kept(link) {
  return keptToken(link.transfer_id, nowS());
}

/** @param {OpenEvent} event */
function dispatch(event) {
  const before = state;
  state = nextOpen(state, event);
  if (state === before) return;
  if (state.name === "done") noteFate(history, "finished");
  else if (state.name === "opening" && state.once) noteFate(history, "once");
  showState(state.name);
  renderOpen(state);
  schedule();
}
