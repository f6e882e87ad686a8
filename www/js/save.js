/**
 * How this browser can put files on disk, found out before anything is claimed: the service worker's stream, else the file
 * picker, else memory when they are small, else not at all; each file by itself or all in one archive. The origin's private file
 * system is no way of its own: with a service worker it is not needed, over plain http both are missing, and web views inside of
 * apps that have no service worker do not save the blob either that it would end in.
 *
 * @module
 */

import { BlobSaver } from "./save/blob-saver.js";
import { PickerSaver, hasPicker } from "./save/picker-saver.js";
import { startServiceWorker } from "./save/stream-file.js";
import { StreamSaver } from "./save/stream-saver.js";
import { ZipSaver, archiveOf } from "./save/zip-saver.js";

/** The most that is held in memory, in bytes. */
export const BLOB_MAX = 256 * 1024 * 1024;
/** More files than this at once are more than browsers take, and than anyone wants to be asked about. */
const EACH_MAX = 20;
/** More files than this, or a folder, and the archive is what is offered first. */
const FEW = 5;

/**
 * @typedef {import("./entries.js").Entry} Entry
 *
 * @typedef {"saving" | "waiting" | "stalled" | "held" | "given" | "saved"} FileStatus
 *   Waiting: the browser does not begin to take it, mostly because it asks the person. Stalled: it has stopped taking it. Held: all bytes are there, but the transfer
 *   has not verified to its end. Given: the browser has it, and does not say whether it kept it.
 * @typedef {(index: number, status: FileStatus, written: number) => void} OnFile
 * @typedef {(confirm: () => void) => void} OnHanded Everything was handed to a browser that does not say what it does with it; the person
 *   confirms.
 *
 * @typedef {{ way: "stream", worker: ServiceWorker } | { way: "picker" } | { way: "blob" }} SavePlan
 * @typedef {StreamSaver | PickerSaver | BlobSaver} Saver
 *
 * @typedef {"each" | "zip"} Form Each file by itself, or all in one archive.
 * @typedef {object} SaveChoice What this browser can do; at least one of the two is there.
 * @property {SavePlan | null} each
 * @property {SavePlan | null} zip
 * @property {Form} form What is offered first.
 */

/**
 * @param {Entry[]} entries
 * @returns {Promise<SaveChoice | null>} Null when this browser cannot save this much.
 */
export async function planSaving(entries) {
  const worker = await startServiceWorker();
  const hasFolder = entries.some((entry) => entry.name.includes("/"));
  const each = entries.length <= EACH_MAX ? planFor(entries, worker) : null;
  const zip = entries.length > 1 || hasFolder ? planFor([archiveOf(entries)], worker) : null;
  if (!each && !zip) return null;
  const prefersZip = entries.length > FEW || hasFolder;
  return { each, zip, form: zip && (prefersZip || !each) ? "zip" : "each" };
}

/**
 * @param {Entry[]} entries
 * @param {ServiceWorker | null} worker
 * @returns {SavePlan | null}
 */
function planFor(entries, worker) {
  if (worker) return { way: "stream", worker };
  if (entries.length === 1 && hasPicker()) return { way: "picker" };
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  return total <= BLOB_MAX ? { way: "blob" } : null;
}

/**
 * @param {SaveChoice} choice
 * @param {Form} form One of those that the choice has.
 * @param {Entry[]} entries
 * @param {{ onfile: OnFile, onarchive: OnFile, onhanded: OnHanded }} on Told of each entry, and of the archive as a file of its own.
 * @returns {Saver | ZipSaver}
 */
export function openSaver(choice, form, entries, { onfile, onarchive, onhanded }) {
  const plan = choice[form];
  if (!plan) throw new TypeError("there is no plan for this form");
  if (form === "each") return saverFor(plan, entries, onfile, onhanded);
  return new ZipSaver(entries, saverFor(plan, [archiveOf(entries)], onarchive, onhanded), onfile);
}

/**
 * @param {SavePlan} plan
 * @param {Entry[]} entries
 * @param {OnFile} onfile
 * @param {OnHanded} onhanded
 * @returns {Saver}
 */
function saverFor(plan, entries, onfile, onhanded) {
  const [first] = entries;
  if (plan.way === "stream") return new StreamSaver(plan.worker, entries, onfile);
  if (plan.way === "picker" && first) return new PickerSaver(first, onfile);
  return new BlobSaver(entries, onfile, onhanded);
}
