/**
 * Files as they come from a picker, a drop or the clipboard, folders walked to their ends, each with the path it had there.
 * Lists folders; never reads a file.
 *
 * @module
 */

import { ENTRIES_MAX } from "../compose.js";

/**
 * @typedef {object} AddedFile
 * @property {File} file
 * @property {string} name With its folders: "photos/2024/a.jpg".
 *
 * @typedef {{ files: AddedFile[], missed: number }} Found What was found, and how much could not be reached.
 */

/**
 * @param {FileList | null} files
 * @returns {AddedFile[]}
 */
export function pickedFiles(files) {
  return [...(files ?? [])].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/**
 * Everything below what was dropped. The entries are taken at once, because the list is emptied when the event is over.
 *
 * @param {DataTransferItemList} items
 * @returns {Promise<Found>}
 */
export async function droppedFiles(items) {
  const dropped = [...items].filter((item) => item.kind === "file");
  /** @type {Found} */
  const found = { files: [], missed: 0 };
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (const item of dropped) {
    const entry = item.webkitGetAsEntry();
    const file = entry ? null : item.getAsFile();
    if (entry) entries.push(entry);
    else if (file) found.files.push({ file, name: file.name });
  }
  for (const entry of entries) await walk(entry, found);
  return found;
}

/**
 * One more than a transfer takes is enough to know that it is too many.
 *
 * @param {FileSystemEntry} entry
 * @param {Found} found Grows.
 */
async function walk(entry, found) {
  if (found.files.length > ENTRIES_MAX) return;
  try {
    if (entry.isDirectory) {
      const children = await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry));
      children.sort((one, other) => (one.name < other.name ? -1 : 1));
      for (const child of children) await walk(child, found);
    } else {
      const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
      found.files.push({ file, name: entry.fullPath.replace(/^\//, "") });
    }
  } catch {
    // It vanished, or the browser may not read it; the person is told that something is missing.
    found.missed += 1;
  }
}

/** A folder comes in batches, until one is empty. @param {FileSystemDirectoryEntry} folder */
async function childrenOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const children = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return children;
    children.push(...batch);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
