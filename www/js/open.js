/**
 * The opening page: from a link to what was sent. Looks first, takes nothing before the gesture, and says `delivered` only
 * when the text is shown or the files are on disk. Wires the parts to the page's states.
 *
 * @module
 */

import { Api } from "./api.js";
import { CryptoWorker } from "./crypto.js";
import { takeFragment } from "./link.js";
import { problemFrom } from "./problem.js";
import { openSaver, planSaving } from "./save.js";
import { saveBlob } from "./save/blob-saver.js";
import { SHOWN_MAX, TextSink } from "./save/text-sink.js";
import { nextOpen, unopenable } from "./state.js";
import { text } from "./text.js";
import { dropToken, keptToken } from "./transfer/claim-token.js";
import { Download } from "./transfer/download.js";
import { fateOf } from "./transfer/fate.js";
import { goesOn, look } from "./transfer/look.js";
import { EntryList } from "./ui/entry-list.js";
import { HoldButton } from "./ui/hold-button.js";
import { clearPlaintext, passphraseTrouble, renderOpen, showText, wireText } from "./ui/open-view.js";
import { byId, forgetOnLeaving, guardLeaving, showLimits, showState, startPage } from "./ui/page.js";
import { ProgressBar } from "./ui/progress-bar.js";
import "./ui/secret-field.js";
import "./ui/theme-switch.js";

/**
 * @typedef {import("./state.js").OpenState} OpenState
 * @typedef {import("./state.js").OpenEvent} OpenEvent
 * @typedef {import("./problem.js").Problem} Problem
 * @typedef {import("./api.js").View} View
 * @typedef {import("./crypto.messages.js").LinkFacts} LinkFacts
 * @typedef {import("./crypto.messages.js").Manifest} Manifest
 * @typedef {import("./save.js").SavePlan} SavePlan
 */

/** How often a transfer that is still being sent is looked at again. */
const AGAIN_MS = 5000;
/** How long a lease is taken to last as long as the server has not said it; it is renewed the sooner the shorter it is. */
const LEASE_S = 60;

const fragment = takeFragment(location, history);
startPage("open.page");
const api = new Api();
const crypto = new CryptoWorker();
const progress = byId("progress", ProgressBar);
const entryList = byId("entries", EntryList);

/** @type {OpenState} */
let state = { name: "loading" };
/** @type {LinkFacts | null} */
let facts = null;
/** @type {Download | null} */
let download = null;
/** @type {SavePlan | null} */
let plan = null;
/** @type {{ again(index: number): void } | null} */
let saver = null;
let begun = false;
let lease_s = LEASE_S;
let stop = new AbortController();

byId("hold", HoldButton).addEventListener("held", () => void open());
byId("stop", HTMLButtonElement).addEventListener("click", () => stop.abort());
byId("retry", HTMLButtonElement).addEventListener("click", retry);
byId("passphrase-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void check(byId("passphrase", HTMLInputElement).value);
});
entryList.addEventListener("entry-save", (event) => saver?.again(/** @type {CustomEvent<number>} */ (event).detail));
wireText(saveBlob);
// A link pasted into the address bar of this page changes nothing but the fragment; it is a new page all the same.
addEventListener("hashchange", () => location.reload());
guardLeaving(() => state.name === "opening" || (state.name === "done" && state.fate === "asking"));
forgetOnLeaving(() => {
  clearPlaintext();
  crypto.end();
});
void api.config().then((limits) => {
  ({ lease_s } = limits);
  showLimits(limits);
}, () => undefined);
void start();

/** Looks at what the link is for; uses nothing up. */
async function start() {
  try {
    if (fragment === "") return dispatch({ type: "missing" });
    facts ??= await crypto.call("read_link", { fragment });
    if (!facts.needs_passphrase) return await unlock(facts, "");
    const { transfer_id, link_proof } = facts;
    const view = await look(() => api.peek(transfer_id, { link_proof }), kept(facts) !== null);
    dispatch({ type: "ask", view });
  } catch (thrown) {
    fail(thrown);
  }
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
  const proofs = await crypto.call("derive", { passphrase });
  const { transfer_id: id, link_proof, access_proof } = proofs;
  begun = false;
  download = new Download({
    api,
    crypto,
    proofs,
    lease_s: () => lease_s,
    onprogress: showReceived,
    onwait: () => progress.wait(),
  });
  const token = kept(link);
  const view = await look(() => api.peek(id, { link_proof, ...(token?.granted ? {} : { access_proof }) }), token !== null);
  const resume = goesOn(token, view);
  const manifest = resume
    ? await download.claim(new AbortController().signal).catch((thrown) => lapsed(problemFrom(thrown), view))
    : await crypto.call("open_manifest", { sealed: view.manifest ?? "", body_len: view.body_len });
  // Its lease is over, but opens are left: without its token this is a visit like any other.
  if (!manifest) return await unlock(link, passphrase);
  plan = isShown(manifest) ? null : await planSaving(manifest.entries);
  const savable = plan !== null || isShown(manifest);
  dispatch(savable ? { type: "ready", manifest, view, resume } : { type: "unsavable", manifest, view });
}

/**
 * Lets a lease that is over be no more than that where opens are left.
 *
 * @param {Problem} problem
 * @param {View} view
 */
function lapsed(problem, view) {
  if (problem.code !== "lease.ended" || unopenable(view, false) !== null) throw problem;
  return null;
}

/** Takes the claim and brings what was sent; called by the gesture. */
async function open() {
  if (state.name !== "ready" || !download) return;
  const sink = sinkFor(state.manifest);
  saver = sink;
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
    if (begun) await crypto.call("rewind", {});
    const manifest = await download.claim(signal);
    begun = true;
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
  const is_last = state.name === "done" && state.view.claims_left === 0;
  const delivered = () => finished.delivered(new AbortController().signal);
  dispatch({ type: "settled", fate: await fateOf(delivered, () => api.peek(transfer_id, { link_proof }), is_last) });
}

/** @param {Manifest} manifest */
function sinkFor(manifest) {
  if (plan === null) return new TextSink(manifest.entries[0]?.size ?? 0, showText);
  const { way } = plan;
  return openSaver(plan, manifest.entries, (index, status, written) =>
    entryList.note(index, status, written, status === "waiting" || (status === "saved" && way === "blob")),
  );
}

function retry() {
  const again = state.name === "failed";
  dispatch({ type: "again" });
  if (!again) void start();
}

/** @param {unknown} thrown */
function fail(thrown) {
  const problem = problemFrom(thrown);
  if (problem.code === "lease.ended" && facts) dropToken(facts.transfer_id);
  dispatch({ type: "problem", problem });
  if (state.name === "incomplete") setTimeout(retry, AGAIN_MS);
}

/** @param {Manifest} manifest */
function isShown({ kind, entries }) {
  return kind === "text" && (entries[0]?.size ?? 0) <= SHOWN_MAX;
}

/** @param {LinkFacts} link */
function kept(link) {
  return keptToken(link.transfer_id, Math.floor(Date.now() / 1000));
}

/** @param {number} received @param {number} total */
function showReceived(received, total) {
  progress.update(received, total);
  progress.step = text("open.verifying");
}

/** @param {OpenEvent} event */
function dispatch(event) {
  const before = state;
  state = nextOpen(state, event);
  if (state === before) return;
  showState(state.name);
  renderOpen(state);
}
