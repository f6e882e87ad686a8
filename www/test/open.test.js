/**
 * What the opening page rests on that needs no browser: names in an archive, the archive itself, what became of a transfer,
 * and which browsers are too old.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { againInS } from "../js/again.js";
import { missingFeatures } from "../js/capable.js";
import { noteFate, notedFate, takeFragment } from "../js/link.js";
import { archiveName, archiveNames } from "../js/names.js";
import { openNotice } from "../js/notices.js";
import { Problem } from "../js/problem.js";
import { remembered } from "../js/retry.js";
import { ZipSaver, archiveOf } from "../js/save/zip-saver.js";
import { nextOpen } from "../js/state.js";
import { en } from "../js/text/en.js";
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

test("a page looks again by itself where that can help, and as late as it was asked to", () => {
  const refused = (/** @type {string} */ code, /** @type {object} */ details) =>
    againInS({ name: "refused", failures: 1, problem: new Problem(code, details) }, 0.5);
  assert.equal(againInS({ name: "offline", failures: 1 }, 0.5), 2);
  assert.equal(againInS({ name: "offline", failures: 9 }, 0.5), 20);
  assert.equal(refused("proxy.bad_gateway", { status: 502 }), 2);
  assert.equal(refused("request.rate_limited", { status: 429, retry_after_s: 40 }), 40);
  assert.equal(refused("request.rate_limited", { status: 429 }), 30);
  assert.equal(refused("proxy.too_large", { status: 413 }), null);
  assert.equal(againInS({ name: "locked" }, 0.5), null);
});

test("an answer is asked for until there is one, and then kept", async () => {
  let asked = 0;
  const limits = remembered(async () => {
    asked += 1;
    if (asked < 3) throw new Problem("network");
    return asked;
  });
  await assert.rejects(limits(), { code: "network" });
  await assert.rejects(Promise.all([limits(), limits()]), { code: "network" });
  assert.deepEqual(await Promise.all([limits(), limits()]), [3, 3]);
  assert.equal(await limits(), 3);
});

test("what became of a link is noted until the next link, and the page says no more than it knows", () => {
  /** @type {{ state: any, replaceState(state: any): void }} */
  const history = { state: null, replaceState: (state) => void (history.state = state) };
  const said = () => openNotice({ name: "reloaded", kept_until: null, fate: notedFate(history) });
  assert.equal(said().title, en["reloaded.title"]);
  noteFate(history, "once");
  assert.match(said().why, /is lost/);
  noteFate(history, "finished");
  assert.match(said().todo, /takes a further open, if there is one left/);
  assert.doesNotMatch(Object.values(said()).join(" "), /goes on|Nothing was used up|deleted/);
  takeFragment({ hash: "#next", pathname: "/open", search: "" }, history);
  assert.equal(notedFate(history), null);
  history.replaceState({ fate: "made up" });
  assert.equal(notedFate(history), null);
});

test("where everything is given once, no failure promises more", () => {
  const manifest = /** @type {import("../js/crypto.messages.js").Manifest} */ ({ kind: "files", entries: [] });
  const view = /** @type {import("../js/api.js").View} */ ({ state: "claimed" });
  for (const code of ["save.cancelled", "network", "body.once", "body.stopped", "page.internal"]) {
    const said = (/** @type {boolean} */ once) => openNotice({ name: "failed", problem: new Problem(code), manifest, view, once });
    assert.equal(said(true).todo, en["body.once.todo"], code);
  }
  const kept = openNotice({ name: "failed", problem: new Problem("save.cancelled"), manifest, view, once: false });
  assert.equal(kept.todo, en["save.cancelled.todo"]);
});

test("a proxy's own answers are named, and nothing was used up", () => {
  for (const [code, status] of /** @type {const} */ ([["proxy.too_large", 413], ["proxy.bad_gateway", 502], ["proxy.timeout", 504]])) {
    const notice = openNotice({ name: "refused", problem: new Problem(code, { status }), failures: 1 });
    assert.match(notice.title, new RegExp(String(status)));
    assert.match(`${notice.why} ${notice.todo}`, /Nothing was used up/, code);
    assert.doesNotMatch(notice.why, /upload|part/, code);
  }
});
