/**
 * The sending page: from what a person put together to a link. Wires the form, the crypto worker and the upload to the
 * page's states; decides nothing that they decide.
 *
 * @module
 */

import { Admission, asksForToken, isRefused } from "./admission.js";
import { Api } from "./api.js";
import { missingFeatures } from "./browser.js";
import { isWithin } from "./compose.js";
import { CryptoWorker } from "./crypto.js";
import { linkFor, linkOrigin } from "./link.js";
import { helpsAnotherToken, sendNotice, unavailableNotice, waitWords } from "./notices.js";
import { remember } from "./own-links.js";
import { Problem, problemFrom } from "./problem.js";
import { receiptFragment, receiptLink } from "./receipt.js";
import { sleep } from "./retry.js";
import { losesByLeaving, nextSend } from "./state.js";
import { text } from "./text.js";
import { Upload } from "./transfer/upload.js";
import { ComposeForm } from "./ui/compose-form.js";
import { ConfirmStep } from "./ui/confirm-step.js";
import { NoticePanel } from "./ui/notice-panel.js";
import { byId, forgetOnLeaving, guardLeaving, showLimits, showState, startPage } from "./ui/page.js";
import { ProgressBar } from "./ui/progress-bar.js";
import { clearSent, renderSent, wireSent } from "./ui/sent-view.js";
import "./ui/theme-switch.js";
import { TokenForm, showToken } from "./ui/token-form.js";
import { deny, wireGate } from "./ui/token-gate.js";

/**
 * @typedef {import("./state.js").SendState} SendState
 * @typedef {import("./state.js").SendEvent} SendEvent
 * @typedef {import("./ui/compose-form.js").Composed} Composed
 */

/** How long until a server that could not be asked is asked again. */
const AGAIN_MS = 5000;

startPage("send.page");
const api = new Api();
const admission = new Admission(api);
const form = byId("compose-form", ComposeForm);
const tokenForm = byId("token-form", TokenForm);
const progress = byId("progress", ProgressBar);

/** @type {SendState} */
let state = { name: "loading" };
/** The worker of the next transfer, started early so that its wasm is there when it is wanted. */
let crypto = new CryptoWorker();
/** @type {{ upload: Upload, fragment: string, owner: import("./receipt.js").Owner, body_len: number, composed: Composed } | null} */
let job = null;
/** Of the last transfer; 0 for a text. */
let file_count = 0;
let stop = new AbortController();

form.addEventListener("compose", (event) => void seal(/** @type {CustomEvent<Composed>} */ (event).detail));
/** @type {import("./ui/token-gate.js").GatedPage} */
const gated = { admission, state: () => state, dispatch, admit, fits: (limits) => !!job && isWithin(job.composed, limits), goOn, leave: cancel };
wireGate(gated);
byId("cancel", HTMLButtonElement).addEventListener("click", () => void cancel());
byId("give-up", HTMLButtonElement).addEventListener("click", () => void cancel());
byId("retry", HTMLButtonElement).addEventListener("click", () => void retry());
const anotherStep = byId("another-step", ConfirmStep);
anotherStep.needed = () => losesByLeaving(state);
anotherStep.addEventListener("confirmed", another);
wireSent(() => dispatch({ type: "taken" }));
guardLeaving(() => losesByLeaving(state));
forgetOnLeaving(() => {
  // Nobody will ever have the link of an upload that is left behind.
  if (state.name !== "done") void job?.upload.burn();
  form.clear();
  tokenForm.clear();
  clearSent();
  crypto.end();
});
if (missingFeatures().length > 0) dispatch({ type: "unavailable", problem: new Problem("browser.too_old", { cause: missingFeatures() }) });
else void load();

/** Asks for the limits, without which nothing can be promised. */
async function load() {
  try {
    const { limits, withdrawn } = await admission.limits();
    admit(limits);
    if (asksForToken(limits, admission.token)) dispatch({ type: "ask", limits, trouble: withdrawn ? "withdrawn" : null });
    else dispatch({ type: "limits", limits });
  } catch (thrown) {
    const problem = problemFrom(thrown);
    dispatch({ type: "unavailable", problem });
    // A server that is being restarted is back before anyone has read the sentence.
    if (problem.passing) void sleep(Math.max(AGAIN_MS, (problem.retry_after_s ?? 0) * 1000), stop.signal).then(loadAgain);
  }
}

/** Lets the form be used within these limits. @param {import("./api.js").Limits} limits */
function admit(limits) {
  linkOrigin(limits, location.origin);
  form.start(limits, (names) => crypto.call("clean_names", { names }));
  showLimits(limits);
  showToken(admission);
}

async function loadAgain() {
  if (state.name === "unavailable") await load();
}

/** @param {Composed} composed */
async function seal(composed) {
  if (state.name !== "start") return;
  const { limits } = state;
  const { draft, passphrase, ttl_s, claims_max } = composed;
  progress.reset();
  dispatch({ type: "send" });
  stop = new AbortController();
  const { signal } = stop;
  try {
    const sealed = await crypto.call("seal", { manifest: draft.manifest, passphrase, content: draft.content });
    const upload = new Upload({
      api,
      crypto,
      sealed,
      inline_max: limits.inline_max,
      ttl_s,
      claims_max,
      create_token: () => admission.token,
      onprogress: (sent) => showSent(sent, sealed.body_len),
      onwait: (wait_ms, problem) => progress.wait(waitWords(wait_ms, problem)),
    });
    const owner = { id: sealed.transfer_id, token: sealed.owner_token };
    job = { upload, fragment: sealed.fragment, owner, body_len: sealed.body_len, composed };
    await send(signal);
  } catch (thrown) {
    if (!signal.aborted) fail(thrown);
  }
}

/** Sends what is sealed, or the rest of it. @param {AbortSignal} signal */
async function send(signal) {
  if (!job || state.name !== "working") return;
  const { limits } = state;
  dispatch({ type: "step", step: "sending" });
  const expires_at = await job.upload.run(signal);
  const { composed, owner } = job;
  const link = linkFor(linkOrigin(limits, location.origin), job.fragment);
  const receipt = receiptLink(location.origin, receiptFragment(owner));
  const { manifest } = composed.draft;
  file_count = manifest.kind === "text" ? 0 : manifest.entries.length;
  remember(owner.id, expires_at);
  dispatch({
    type: "sent",
    link,
    receipt,
    expires_at,
    claims_max: composed.claims_max,
    passphrase: composed.passphrase,
  });
  // What was sent is no longer needed here, and its keys neither.
  form.clear();
  renewWorker();
}

/** @param {unknown} thrown */
function fail(thrown) {
  const problem = problemFrom(thrown);
  if (isRefused(problem)) return deny(gated);
  dispatch({ type: "failed", problem, resumable: job !== null && problem.passing });
}

/** Sends the rest of what is sealed. */
async function goOn() {
  stop = new AbortController();
  const { signal } = stop;
  await send(signal).catch((thrown) => signal.aborted || fail(thrown));
}

async function retry() {
  if (state.name === "unavailable") {
    await load();
  } else if (state.name === "failed" && state.resumable) {
    dispatch({ type: "resume" });
    await goOn();
  } else {
    await cancel();
  }
}

/** Ends the work and removes what was sent; what was written stays in the form. */
async function cancel() {
  const cancelled = job?.upload;
  stop.abort();
  renewWorker();
  dispatch({ type: "restart" });
  await cancelled?.burn();
}

function another() {
  clearSent();
  dispatch({ type: "restart" });
  byId("text", HTMLTextAreaElement).focus();
}

function renewWorker() {
  job = null;
  crypto.end();
  crypto = new CryptoWorker();
}

/**
 * @param {number} sent
 * @param {number} total
 */
function showSent(sent, total) {
  progress.update(sent, total);
  if (state.name !== "working") return;
  const step = sent >= total ? "finishing" : "sending";
  if (state.step !== step) dispatch({ type: "step", step });
  else progress.step = text(`send.step.${step}`);
}

/** @param {SendEvent} event */
function dispatch(event) {
  const before = state;
  state = nextSend(state, event);
  // That the link was taken changes nothing that is seen.
  if (state !== before && event.type !== "taken") render();
}

function render() {
  showState(state.name);
  if (state.name === "token") tokenForm.show(state);
  if (state.name === "working") progress.step = text(`send.step.${state.step}`);
  if (state.name === "done") renderSent({ ...state, file_count, forgotten_at: state.expires_at + state.limits.tombstone_ttl_s });
  if (state.name === "failed") renderNotice(state.problem, state.resumable);
  if (state.name === "unavailable") renderNotice(state.problem, false);
}

/**
 * @param {import("./problem.js").Problem} problem
 * @param {boolean} resumable
 */
function renderNotice(problem, resumable) {
  byId("notice", NoticePanel).show(state.name === "unavailable" ? unavailableNotice(problem) : sendNotice(problem, admission.token !== null));
  const key = resumable ? "send.resume" : state.name === "failed" ? "send.edit" : "open.retry";
  byId("retry", HTMLButtonElement).textContent = text(key);
  byId("give-up", HTMLButtonElement).hidden = !resumable;
  byId("other-token", HTMLButtonElement).hidden = state.name !== "failed" || !helpsAnotherToken(problem, admission.token !== null);
  // Of a server that does not answer the notice says so itself.
  byId("retrying", HTMLElement).hidden = state.name !== "unavailable" || !problem.passing || problem.code === "network";
}
