/**
 * What the opening page says in each of its states. Renders a state and nothing else; calls no server and keeps nothing.
 *
 * @module
 */

import { TEXT_NAME } from "../entries.js";
import { openNotice } from "../notices.js";
import { text, write } from "../text.js";
import { wireCopy } from "./copy.js";
import { EntryList } from "./entry-list.js";
import { HoldButton } from "./hold-button.js";
import { NoticePanel } from "./notice-panel.js";
import { announce, byId } from "./page.js";
import { ProgressBar } from "./progress-bar.js";

/**
 * @typedef {import("../state.js").OpenState} OpenState
 * @typedef {import("../state.js").Fate} Fate
 * @typedef {import("../crypto.messages.js").Manifest} Manifest
 */

/** Problems after which trying again here cannot help. */
const FINAL = new Set(["lease.ended", "transfer.unknown", "transfer.gone", "manifest.refused", "manifest.open"]);

/** The text that was opened, as it was sent: the field that shows it makes every line end a line feed. */
let opened_text = "";

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
      return;
    case "opening":
      byId("progress", ProgressBar).reset();
      byId("progress", ProgressBar).step = text("open.verifying");
      return;
    case "done":
      return renderDone(state);
    default:
      byId("notice", NoticePanel).show(openNotice(state));
      byId("retry", HTMLButtonElement).hidden = !canRetry(state);
  }
}

/**
 * Shows a text that was opened.
 *
 * @param {string} shown
 */
export function showText(shown) {
  opened_text = shown;
  byId("text-shown", HTMLTextAreaElement).value = shown;
  byId("text-panel", HTMLElement).hidden = false;
}

/** Takes everything that was opened or typed off the page. */
export function clearPlaintext() {
  opened_text = "";
  byId("text-shown", HTMLTextAreaElement).value = "";
  byId("passphrase", HTMLInputElement).value = "";
  byId("entries", EntryList).show([]);
}

/**
 * Makes Copy and Save of a shown text work.
 *
 * @param {(content: Blob, name: string) => void} save
 */
export function wireText(save) {
  wireCopy(byId("copy-text", HTMLButtonElement), byId("text-shown", HTMLTextAreaElement), () => opened_text);
  byId("save-text", HTMLButtonElement).addEventListener("click", () => save(new Blob([opened_text]), TEXT_NAME));
}

/** @param {OpenState} state */
function canRetry(state) {
  if (state.name === "failed") return !FINAL.has(state.problem.code);
  return state.name === "offline" || state.name === "incomplete" || (state.name === "refused" && !FINAL.has(state.problem.code));
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
function renderReady({ manifest, view, resume }) {
  renderWhat(manifest);
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
  const title = shown ? text("open.done.text") : text("open.done.files", { count: manifest.entries.length });
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
  return fate.claims_left > 0 ? text("open.remaining", { count: fate.claims_left }) : text("open.others");
}

/** @param {Manifest} manifest */
function sizeOf({ entries }) {
  return entries.reduce((sum, entry) => sum + entry.size, 0);
}
