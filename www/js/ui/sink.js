/**
 * Where the content of an opened transfer goes: a text to its view, files to disk in the form that was chosen, with each
 * step noted in the lists. Fetches nothing and decides nothing.
 *
 * @module
 */

import { openSaver } from "../save.js";
import { saveBlob } from "../save/blob-saver.js";
import { SHOWN_MAX, TextSink } from "../save/text-sink.js";
import { archiveOf } from "../save/zip-saver.js";
import { EntryList } from "./entry-list.js";
import { byId } from "./page.js";
import { SaveChoiceElement } from "./save-choice.js";
import { TextView } from "./text-view.js";

/**
 * @typedef {import("../crypto.messages.js").Manifest} Manifest
 * @typedef {import("../save.js").SaveChoice} SaveChoice
 * @typedef {import("../save.js").OnFile} OnFile
 */

/** What the lists' Save buttons act on. @type {{ again(index: number): void } | null} */
let current = null;

/** Makes the Save buttons of the lists and of the text work. */
export function wireSaving() {
  for (const id of ["entries", "archive"]) {
    byId(id, EntryList).addEventListener("entry-save", (event) => current?.again(/** @type {CustomEvent<number>} */ (event).detail));
  }
  byId("text-panel", TextView).addEventListener("text-save", (event) => {
    const { content, name } = /** @type {CustomEvent<{ content: Blob, name: string }>} */ (event).detail;
    saveBlob(content, name);
  });
}

/** Whether it is a text that is shown, and not saved like a file. @param {Manifest} manifest */
export function isShown({ kind, entries }) {
  return kind === "text" && (entries[0]?.size ?? 0) <= SHOWN_MAX;
}

/**
 * @param {Manifest} manifest
 * @param {SaveChoice | null} choice Null for a text that is shown.
 * @param {import("../save.js").OnHanded} onhanded
 */
export function sinkFor({ entries }, choice, onhanded) {
  if (choice === null) return new TextSink(entries[0]?.size ?? 0, (shown) => byId("text-panel", TextView).show(shown));
  const { form } = byId("save-choice", SaveChoiceElement);
  const entryList = byId("entries", EntryList);
  const archiveList = byId("archive", EntryList);
  archiveList.hidden = form !== "zip";
  archiveList.show(form === "zip" ? [archiveOf(entries)] : []);
  const isBlob = choice[form]?.way === "blob";
  // What can be asked for again is what the browser was given: the archive, or each file.
  const given = form === "zip" ? archiveList : entryList;
  /** @type {(list: EntryList) => OnFile} */
  const noteIn = (list) => (index, status, written) =>
    list.note(index, status, written, list === given && (status === "waiting" || (isBlob && (status === "given" || status === "saved"))));
  const saver = openSaver(choice, form, entries, { onfile: noteIn(entryList), onarchive: noteIn(archiveList), onhanded });
  current = saver;
  return saver;
}
