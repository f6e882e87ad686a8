/**
 * What the opening page rests on that needs no browser: names in an archive, the archive itself, what became of a transfer,
 * and which browsers are too old.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { missingFeatures } from "../js/capable.js";
import { archiveName, archiveNames } from "../js/names.js";
import { Problem } from "../js/problem.js";
import { ZipSaver, archiveOf } from "../js/save/zip-saver.js";
import { nextOpen } from "../js/state.js";
import { fateOf } from "../js/transfer/fate.js";

test("names in an archive keep their folders and fit every disk", () => {
  const cases = [
    [["a/b/c.txt", "a/b/d.txt"], ["a/b/c.txt", "a/b/d.txt"]],
    [["CON", "com1.txt", "aux.tar.gz", "console"], ["_CON", "_com1.txt", "_aux.tar.gz", "console"]],
    [["con .txt", "NUL  .tar.gz", "Com1 .a", "lpt0"], ["_con .txt", "_NUL  .tar.gz", "_Com1 .a", "_lpt0"]],
    [["COM¹", "lpt².x", "com³ .x"], ["_COM¹", "_lpt².x", "_com³ .x"]],
    [["conin$", "CONOUT$.txt", "conin$ .log"], ["_conin$", "_CONOUT$.txt", "_conin$ .log"]],
    [["con/x", "a/nul .d/prn.txt"], ["_con/x", "a/_nul .d/_prn.txt"]],
    [["con ", "nul.", "aux . ", "con."], ["con_", "nul_", "aux___", "con_ (2)"]],
    [["con x.txt", "conin", "com10", "com", "aux-1", " con", "lpt4x", "nul_.txt"], ["con x.txt", "conin", "com10", "com", "aux-1", " con", "lpt4x", "nul_.txt"]],
    [['a:b<c>"d|e?f*.txt', "back\\slash"], ["a_b_c__d_e_f_.txt", "back_slash"]],
    [["end.", "blank ", "dir./x"], ["end_", "blank_", "dir_/x"]],
    [["a.txt", "A.TXT", "a.Txt"], ["a.txt", "A (2).TXT", "a (3).Txt"]],
    [["d.d/x", "D.D/X"], ["d.d/x", "D.D/X (2)"]],
    [["é", "e\u0301"], ["é", "e\u0301 (2)"]],
  ];
  for (const [names = [], expected] of cases) assert.deepEqual(archiveNames(names), expected);
});

test("a file and a folder of one name do not meet, and no number takes another's name", () => {
  assert.deepEqual(archiveNames(["a", "A/b", "A/c"]), ["a", "A (2)/b", "A (2)/c"]);
  assert.deepEqual(archiveNames(["a/b", "A"]), ["a/b", "A (2)"]);
  assert.deepEqual(archiveNames(["x:y", "x?y", "x_y (2)"]), ["x_y", "x_y (3)", "x_y (2)"]);
});

test("no name leads out of the folder that an archive is unpacked into", () => {
  const names = archiveNames(["../x", "/etc/passwd", "a/../../b", "./c", "a//b"]);
  for (const name of names) {
    assert.doesNotMatch(name, /^\/|(^|\/)\.\.?(\/|$)/, name);
    assert.ok(name.split("/").every((part) => part !== ""), name);
  }
});

test("an archive is called after the one folder it holds", () => {
  assert.equal(archiveName(["photos/a", "photos/b/c"]), "photos.zip");
  assert.equal(archiveName(["photos/a", "b"]), "onetimeshare.zip");
  assert.equal(archiveName(["a", "b"]), "onetimeshare.zip");
});

/** @param {() => void} [each] Called at each write. */
function memory(each = () => {}) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  const log = { pieces, finished: false, aborted: false };
  const saver = {
    async prepare() {},
    async write(/** @type {number} */ _, /** @type {Uint8Array} */ bytes) {
      each();
      pieces.push(bytes);
    },
    async finish() {
      log.finished = true;
    },
    abort() {
      log.aborted = true;
    },
    again() {},
  };
  return { log, saver: /** @type {any} */ (saver) };
}

const entries = [
  { name: "a/empty", type: "", size: 0 },
  { name: "a/also empty", type: "", size: 0 },
  { name: "a/full", type: "", size: 200_000 },
];

/** @param {ZipSaver} zip */
async function fill(zip) {
  await zip.prepare();
  await zip.write(0, new Uint8Array(), true);
  await zip.write(1, new Uint8Array(), true);
  await zip.write(2, new Uint8Array(150_000).fill(1), false);
  await zip.write(2, new Uint8Array(50_000).fill(2), true);
}

test("an archive is exactly as long as was said, and is none before the end", async () => {
  const { log, saver } = memory();
  const zip = new ZipSaver(entries, saver, () => undefined);
  await fill(zip);
  const directory = Buffer.from("PK\u0001\u0002");
  assert.equal(Buffer.concat(log.pieces).includes(directory), false);
  await zip.finish();
  const bytes = Buffer.concat(log.pieces);
  assert.ok(bytes.includes(directory) && log.finished);
  assert.equal(bytes.length, archiveOf(entries).size);
  assert.equal(bytes.subarray(-22, -18).toString("latin1"), "PK\u0005\u0006");
});

test("a sink that takes no more ends the archive, whoever is writing", async () => {
  let writes = 0;
  const { log, saver } = memory(() => {
    writes += 1;
    if (writes === 2) throw new Problem("save.cancelled");
  });
  const zip = new ZipSaver(entries, saver, () => undefined);
  await assert.rejects(fill(zip).then(() => zip.finish()), { code: "save.cancelled" });
  zip.abort();
  assert.equal(log.aborted && !log.finished, true);
});

test("more than four gigabytes are foreseen as zip64", () => {
  const large = [{ name: "a", type: "", size: 5 * 2 ** 30 }];
  // Local header 30 + name, long data descriptor 24, directory 46 + name + 28, zip64 end 76, end 22.
  assert.equal(archiveOf(large).size, 5 * 2 ** 30 + 30 + 1 + 24 + 46 + 1 + 28 + 76 + 22);
});

test("what is said of the server afterwards is what it said", async () => {
  const view = /** @type {import("../js/api.js").View} */ ({ state: "ready", claims_left: 2, expires_at: 9 });
  const fine = async () => {};
  const fails = (/** @type {string} */ code, /** @type {number} */ status) => async () => {
    throw new Problem(code, { status });
  };
  assert.deepEqual(await fateOf(fine, async () => view, 600), { claims_left: 2, expires_at: 9, lease_s: 600 });
  assert.equal(await fateOf(fine, fails("transfer.gone", 410), 600), "deleted");
  assert.equal(await fateOf(fine, fails("network", 0), 600), "kept");
  assert.equal(await fateOf(fails("network", 0), async () => view, 600), "unsure");
  assert.equal(await fateOf(fails("lease.ended", 410), fails("transfer.gone", 410), 0), "deleted");
});

test("a browser that lacks one thing is too old", () => {
  assert.deepEqual(missingFeatures({}).length > 5, true);
  assert.deepEqual(missingFeatures({ ...globalThis, WebAssembly: undefined, AbortSignal: {} }).includes("AbortSignal.any"), true);
});

test("a page that looks again by itself stays where it is until it knows more", () => {
  const busy = /** @type {const} */ ({ type: "problem", problem: new Problem("proxy.bad_gateway", { status: 502 }) });
  const first = nextOpen({ name: "loading" }, busy);
  const second = nextOpen(first, busy);
  assert.equal(second.name === "refused" && second.failures, 2);
  const view = /** @type {import("../js/api.js").View} */ ({ state: "ready", claims_left: 1, attempts_left: 5 });
  assert.equal(nextOpen(second, { type: "ask", view }).name, "passphrase");
  assert.equal(nextOpen(second, { type: "again" }).name, "loading");
});
