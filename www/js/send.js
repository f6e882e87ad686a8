/**
 * The sending page: from what a person put together to a link. Wires the form, the crypto worker and the upload to the
 * page's states; decides nothing that they decide.
 *
 * @module
 */

import { Api } from "./api.js";
import { CryptoWorker } from "./crypto.js";
import { linkFor } from "./link.js";
import { sendNotice } from "./notices.js";
import { problemFrom } from "./problem.js";
import { nextSend } from "./state.js";
import { text, write } from "./text.js";
import { Upload } from "./transfer/upload.js";
import { ComposeForm } from "./ui/compose-form.js";
import { LinkPanel } from "./ui/link-panel.js";
import { NoticePanel } from "./ui/notice-panel.js";
import { announce, byId, forgetOnLeaving, guardLeaving, showLimits, showState, startPage } from "./ui/page.js";
import { ProgressBar } from "./ui/progress-bar.js";
import "./ui/theme-switch.js";

/**
 * @typedef {import("./state.js").SendState} SendState
 * @typedef {import("./state.js").SendEvent} SendEvent
 * @typedef {import("./ui/compose-form.js").Composed} Composed
 */

/** Problems after which the form is no use as it is: the transfer may go on, or must be made anew. */
const RESUMABLE = new Set(["network", "store.unreachable", "server.internal", "request.rate_limited"]);

startPage("send.page");
const api = new Api();
const form = byId("compose-form", ComposeForm);
const progress = byId("progress", ProgressBar);

/** @type {SendState} */
let state = { name: "loading" };
/** The worker of the next transfer, started early so that its wasm is there when it is wanted. */
let crypto = new CryptoWorker();
/** @type {{ upload: Upload, fragment: string, body_len: number, composed: Composed } | null} */
let job = null;
let stop = new AbortController();

form.addEventListener("compose", (event) => void seal(/** @type {CustomEvent<Composed>} */ (event).detail));
byId("cancel", HTMLButtonElement).addEventListener("click", () => void cancel());
byId("give-up", HTMLButtonElement).addEventListener("click", () => void cancel());
byId("retry", HTMLButtonElement).addEventListener("click", () => void retry());
byId("another", HTMLButtonElement).addEventListener("click", another);
guardLeaving(() => state.name === "working" || (state.name === "failed" && state.resumable));
forgetOnLeaving(() => {
  // Nobody will ever have the link of an upload that is left behind.
  if (state.name !== "done") void job?.upload.burn();
  form.clear();
  byId("link", HTMLInputElement).value = "";
  crypto.end();
});
void load();

/** Asks for the limits, without which nothing can be promised. */
async function load() {
  try {
    const limits = await api.config();
    form.start(limits, (names) => crypto.call("clean_names", { names }));
    showLimits(limits);
    dispatch({ type: "limits", limits });
  } catch (thrown) {
    dispatch({ type: "unavailable", problem: problemFrom(thrown) });
  }
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
      onprogress: (sent) => showSent(sent, sealed.body_len),
      onwait: () => progress.wait(),
    });
    job = { upload, fragment: sealed.fragment, body_len: sealed.body_len, composed };
    await send(signal);
  } catch (thrown) {
    if (!signal.aborted) fail(thrown);
  }
}

/** Sends what is sealed, or the rest of it. @param {AbortSignal} signal */
async function send(signal) {
  if (!job) return;
  dispatch({ type: "step", step: "sending" });
  const expires_at = await job.upload.run(signal);
  const link = linkFor(location.origin, job.fragment);
  const { claims_max, passphrase } = job.composed;
  dispatch({ type: "sent", link, expires_at, claims_max, with_passphrase: passphrase !== "" });
  // What was sent is no longer needed here, and its keys neither.
  form.clear();
  renewWorker();
}

/** @param {unknown} thrown */
function fail(thrown) {
  const problem = problemFrom(thrown);
  dispatch({ type: "failed", problem, resumable: job !== null && RESUMABLE.has(problem.code) });
}

async function retry() {
  if (state.name === "unavailable") {
    await load();
  } else if (state.name === "failed" && state.resumable) {
    dispatch({ type: "resume" });
    stop = new AbortController();
    const { signal } = stop;
    await send(signal).catch((thrown) => signal.aborted || fail(thrown));
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
  byId("link", HTMLInputElement).value = "";
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
  if (state !== before) render();
}

function render() {
  showState(state.name);
  if (state.name === "working") progress.step = text(`send.step.${state.step}`);
  if (state.name === "done") renderDone(state);
  if (state.name === "failed") renderNotice(state.problem, state.resumable);
  if (state.name === "unavailable") renderNotice(state.problem, false);
}

/** @param {Extract<SendState, { name: "done" }>} done */
function renderDone(done) {
  byId("link-panel", LinkPanel).link = done.link;
  write(byId("promise", HTMLElement), text("send.promise", { count: done.claims_max, at: done.expires_at }));
  byId("promise-passphrase", HTMLElement).hidden = !done.with_passphrase;
  announce(text("send.done"));
}

/**
 * @param {import("./problem.js").Problem} problem
 * @param {boolean} resumable
 */
function renderNotice(problem, resumable) {
  byId("notice", NoticePanel).show(sendNotice(problem));
  const key = resumable ? "send.resume" : state.name === "failed" ? "send.edit" : "open.retry";
  byId("retry", HTMLButtonElement).textContent = text(key);
  byId("give-up", HTMLButtonElement).hidden = !resumable;
}
