/**
 * What the opening page says in each of its states. Renders a state and nothing else; calls no server and keeps nothing.
 *
 * @module
 */

import { openNotice, waitWords } from "../notices.js";
import { text, write } from "../text.js";
import { EntryList } from "./entry-list.js";
import { HoldButton } from "./hold-button.js";
import { NoticePanel } from "./notice-panel.js";
import { announce, byId } from "./page.js";
import { ProgressBar } from "./progress-bar.js";
import { TextView } from "./text-view.js";

/**
 * @typedef {import("../state.js").OpenState} OpenState
 * @typedef {import("../state.js").Fate} Fate
 * @typedef {import("../crypto.messages.js").Manifest} Manifest
 */

/** Problems after which trying again here cannot help. */
const FINAL = new Set(["lease.ended", "body.once", "body.stopped", "transfer.unknown", "transfer.gone", "manifest.refused", "manifest.open"]);

/** How the bar follows a download. */
export const progressHooks = {
  onprogress: (/** @type {number} */ at, /** @type {number} */ total) => {
    byId("progress", ProgressBar).update(at, total);
    byId("progress", ProgressBar).step = text("open.verifying");
  },
  onwait: (/** @type {number} */ wait_ms, /** @type {import("../problem.js").Problem} */ problem) => {
    byId("progress", ProgressBar).wait(waitWords(wait_ms, problem));
  },
};

/**
 * Shows what belongs to a state, beyond which parts are visible.
 *
 * @param {OpenState} state
 */
export function renderOpen(state) {
  switch (state.name) {
    case "loading":
      return;
    case "passphrase":
      return renderPassphrase(state);
    case "ready":
      return renderReady(state);
    case "unsavable":
      renderWhat(state.manifest);
      byId("unsavable-why", HTMLElement).textContent = text("unsavable.why", { size: sizeOf(state.manifest) });
      byId("unsavable-todo", HTMLElement).textContent = text(globalThis.isSecureContext ? "unsavable.todo" : "unsavable.insecure");
      return;
    case "opening":
      byId("progress", ProgressBar).reset();
      byId("progress", ProgressBar).step = text("open.verifying");
      byId("stop", HTMLButtonElement).textContent = text(state.once ? "open.stop.once" : "open.stop");
      return;
    case "handed":
      byId("handed-kept", HTMLElement).textContent = text(state.once ? "open.handed.once" : "open.handed.kept");
      return;
    case "done":
      return renderDone(state);
    default:
      byId("notice", NoticePanel).show(openNotice(state));
      byId("retry", HTMLButtonElement).hidden = !canRetry(state);
  }
}

/** Takes everything that was opened or typed off the page. */
export function clearPlaintext() {
  byId("text-panel", TextView).clear();
  byId("passphrase", HTMLInputElement).value = "";
  byId("entries", EntryList).show([]);
}

/** @param {OpenState} state */
function canRetry(state) {
  if (state.name === "failed") return !state.once && !FINAL.has(state.problem.code);
  return state.name === "offline" || state.name === "incomplete" || state.name === "outdated" || (state.name === "refused" && !FINAL.has(state.problem.code));
}

/** @param {Extract<OpenState, { name: "passphrase" }>} state */
function renderPassphrase({ view, checking, trouble }) {
  const facts = [];
  if (view.body_len > 0) facts.push(text("open.locked_size", { size: view.body_len }));
  if (view.expires_at) facts.push(text("open.until", { at: view.expires_at }));
  write(byId("locked-facts", HTMLElement), facts.join(" "));
  byId("attempts", HTMLElement).hidden = trouble === "wrong";
  byId("attempts", HTMLElement).textContent = text("open.attempts", { count: view.attempts_left });
  const button = byId("passphrase-submit", HTMLButtonElement);
  button.textContent = text(checking ? "open.passphrase.checking" : "open.passphrase.submit");
  button.setAttribute("aria-disabled", String(checking));
  const field = byId("passphrase", HTMLInputElement);
  field.readOnly = checking;
  field.setAttribute("aria-invalid", String(trouble === "wrong"));
  if (trouble === "wrong") passphraseTrouble(text("open.passphrase.wrong", { count: view.attempts_left }));
  else passphraseTrouble(trouble === "offline" ? text("open.passphrase.offline") : "");
  if (trouble !== "none") field.select();
}

/**
 * Says beside the field why the passphrase was not taken.
 *
 * @param {string} sentence Empty to take the last one back.
 */
export function passphraseTrouble(sentence) {
  const place = byId("passphrase-trouble", HTMLElement);
  place.hidden = sentence === "";
  place.textContent = sentence;
}

/** @param {Extract<OpenState, { name: "ready" }>} state */
function renderReady({ manifest, view, resume, once }) {
  renderWhat(manifest);
  byId("strict", HTMLElement).hidden = !once;
  const facts = [resume ? text("open.resume") : text("open.once", { count: view.claims_left })];
  if (view.expires_at && !resume) facts.push(text("open.until", { at: view.expires_at }));
  write(byId("facts", HTMLElement), facts.join(" "));
  byId("hold", HoldButton).reset();
}

/** @param {Manifest} manifest */
function renderWhat(manifest) {
  const { kind, entries } = manifest;
  const size = sizeOf(manifest);
  const what = kind === "text" ? text("open.text.size", { size }) : text("open.files", { count: entries.length, size });
  write(byId("what-title", HTMLElement), text("open.what", { what }));
  byId("entries", EntryList).show(kind === "files" ? entries : []);
  byId("entries", EntryList).hidden = kind === "text";
}

/** @param {Extract<OpenState, { name: "done" }>} state */
function renderDone({ manifest, fate }) {
  const shown = !byId("text-panel", HTMLElement).hidden;
  const files = byId("archive", HTMLElement).hidden ? "open.done.files" : "open.done.archive";
  const title = shown ? text("open.done.text") : text(files, { count: manifest.entries.length });
  byId("done-title", HTMLElement).textContent = title;
  byId("saved-where", HTMLElement).hidden = shown;
  const sentence = fateSentence(fate, shown);
  byId("deleted", HTMLElement).textContent = sentence;
  announce(sentence);
}

/**
 * @param {Fate} fate
 * @param {boolean} shown
 */
function fateSentence(fate, shown) {
  if (fate === "asking") return text("open.deleting");
  if (fate === "unsure") return text("open.unsure");
  if (fate === "deleted") return text(shown ? "open.deleted" : "open.deleted.files");
  if (fate === "kept") return text("open.kept");
  const { claims_left: count, expires_at: at, lease_s } = fate;
  return count > 0 ? text("open.remaining", { count, at }) : text("open.others", { lease_s });
}

/** @param {Manifest} manifest */
function sizeOf({ entries }) {
  return entries.reduce((sum, entry) => sum + entry.size, 0);
}
