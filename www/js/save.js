/**
 * How this browser can put files on disk, found out before anything is claimed: the service worker's stream, else the file
 * picker, else memory when they are small, else not at all.
 *
 * @module
 */

import { BlobSaver } from "./save/blob-saver.js";
import { PickerSaver, hasPicker } from "./save/picker-saver.js";
import { startServiceWorker } from "./save/stream-file.js";
import { StreamSaver } from "./save/stream-saver.js";

/** The most that is held in memory, in bytes. */
export const BLOB_MAX = 256 * 1024 * 1024;

/**
 * @typedef {import("./entries.js").Entry} Entry
 *
 * @typedef {"saving" | "waiting" | "stalled" | "held" | "saved"} FileStatus
 *   Waiting: the browser does not begin to take it, mostly because it asks the person. Stalled: it has stopped taking it. Held: all bytes are there, but the transfer
 *   has not verified to its end.
 *
 * @typedef {{ way: "stream", worker: ServiceWorker } | { way: "picker" } | { way: "blob" }} SavePlan
 * @typedef {StreamSaver | PickerSaver | BlobSaver} Saver
 */

/**
 * @param {Entry[]} entries
 * @returns {Promise<SavePlan | null>} Null when this browser cannot save this much.
 */
export async function planSaving(entries) {
  const worker = await startServiceWorker();
  if (worker) return { way: "stream", worker };
  if (entries.length === 1 && hasPicker()) return { way: "picker" };
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  return total <= BLOB_MAX ? { way: "blob" } : null;
}

/**
 * @param {SavePlan} plan
 * @param {Entry[]} entries
 * @param {(index: number, status: FileStatus, written: number) => void} onfile
 * @returns {Saver}
 */
export function openSaver(plan, entries, onfile) {
  const [first] = entries;
  if (plan.way === "stream") return new StreamSaver(plan.worker, entries, onfile);
  if (plan.way === "picker" && first) return new PickerSaver(first, onfile);
  return new BlobSaver(entries, onfile);
}
