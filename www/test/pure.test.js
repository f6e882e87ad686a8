/**
 * The pure modules: formats, entries, back-off, links, choices; nothing here needs a browser.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64url, toBase64url } from "../js/base64url.js";
import { choices, compose, isPassphraseTooLong, sentNames } from "../js/compose.js";
import { EntrySplitter, contentDisposition, distinctNames, saveName } from "../js/entries.js";
import { Format } from "../js/format.js";
import { linkFor, takeFragment } from "../js/link.js";
import { Problem } from "../js/problem.js";
import { Rate } from "../js/rate.js";
import { backoff, retrying, sleep } from "../js/retry.js";
import { missingParts } from "../js/transfer/upload.js";

const en = new Format("en-GB", "UTC");

test("sizes are decimal, with one digit only where it says something", () => {
  const cases = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1 kB"],
    [1490, "1.5 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [14_200_000, "14 MB"],
    [2 ** 31, "2.1 GB"],
    [2 ** 40, "1.1 TB"],
  ];
  for (const [len, expected] of cases) assert.equal(en.bytes(len), expected, String(len));
});

test("durations name their largest unit", () => {
  const cases = [
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "1 minute"],
    [300, "5 minutes"],
    [3600, "1 hour"],
    [86_399, "24 hours"],
    [86_400, "1 day"],
    [604_800, "7 days"],
  ];
  for (const [duration_s, expected] of cases) assert.equal(en.duration(duration_s), expected);
});

test("moments have the weekday and the minute", () => {
  assert.match(en.moment(1_700_000_000), /Tue.*14\u00a0Nov.*22:13/);
  assert.match(new Format("en-US", "UTC").moment(1_700_000_000), /^Tue, Nov\u00a014, 10:13[\u00a0\u202f]PM$/);
});

test("plurals follow the language", () => {
  const forms = { one: "# file", other: "# files" };
  assert.equal(en.plural(1, forms), "1 file");
  assert.equal(en.plural(10_000, forms), "10,000 files");
});

test("base64url goes both ways at every length around a step", () => {
  for (const len of [0, 1, 2, 3, 1056, 24_575, 24_576, 24_577, 70_001]) {
    const bytes = Uint8Array.from({ length: len }, (_, index) => (index * 89) % 256);
    const text = toBase64url(bytes);
    assert.equal(text, Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(fromBase64url(text), bytes);
  }
});

/** @param {number[]} sizes @param {number[]} pieces */
function splitAll(sizes, pieces) {
  const splitter = new EntrySplitter(sizes);
  const lens = sizes.map(() => 0);
  /** @type {number[]} */
  const ended = [];
  for (const piece of [0, ...pieces]) {
    for (const cut of splitter.split(new Uint8Array(piece))) {
      lens[cut.index] += cut.bytes.length;
      if (cut.ends) ended.push(cut.index);
    }
  }
  return { lens, ended, complete: splitter.complete };
}

test("content is split at the entries' borders, wherever it was cut", () => {
  for (const pieces of [[10], [1, 9], [3, 3, 4], Array(10).fill(1)]) {
    const all = splitAll([3, 0, 7, 0], pieces);
    assert.deepEqual(all, { lens: [3, 0, 7, 0], ended: [0, 1, 2, 3], complete: true });
  }
});

test("empty entries come out without any content", () => {
  assert.deepEqual(splitAll([0], []), { lens: [0], ended: [0], complete: true });
  assert.deepEqual(splitAll([0, 0, 2], [2]), { lens: [0, 0, 2], ended: [0, 1, 2], complete: true });
});

test("content that is short is not complete, and content that is long is refused", () => {
  assert.equal(splitAll([4], [3]).complete, false);
  assert.throws(() => splitAll([4], [5]), RangeError);
});

test("equal names are numbered, as a case-blind disk sees them", () => {
  assert.deepEqual(distinctNames(["a.txt", "A.TXT", "b"]), ["a.txt", "A (2).TXT", "b"]);
  assert.deepEqual(distinctNames(["a", "a", "a"]), ["a", "a (2)", "a (3)"]);
  assert.deepEqual(distinctNames([".env", ".env"]), [".env", ".env (2)"]);
  assert.deepEqual(distinctNames(["é", "é"]), ["é", "é (2)"]);
});

test("a number never takes the name of another file", () => {
  assert.deepEqual(distinctNames(["a", "a (2)", "a"]), ["a", "a (2)", "a (3)"]);
  const many = distinctNames(["a", "a", "a (2)"]);
  assert.equal(new Set(many).size, 3);
});

test("no name is a folder of another, and a number goes to the file and not to its folder", () => {
  assert.deepEqual(distinctNames(["photos", "photos/a.txt"]), ["photos (2)", "photos/a.txt"]);
  assert.deepEqual(distinctNames(["A/b", "a/B/c"]), ["A/b (2)", "a/B/c"]);
  assert.deepEqual(distinctNames(["v1.0/notes", "v1.0/notes"]), ["v1.0/notes", "v1.0/notes (2)"]);
});

test("a file is saved under the last component of its name", () => {
  assert.equal(saveName("a/b/c.txt"), "c.txt");
  assert.equal(saveName(""), "message.txt");
});

test("a disposition holds ASCII only and no way out of its quotes", () => {
  const field = contentDisposition("日本 \"x\".txt'(*)!\r\n;");
  assert.equal(
    field,
    "attachment; filename*=UTF-8''%E6%97%A5%E6%9C%AC%20%22x%22.txt%27%28%2A%29%21%0D%0A%3B",
  );
  assert.match(contentDisposition("\ud800"), /%EF%BF%BD$/);
});

test("the fragment is read and taken out of the address bar", () => {
  /** @type {unknown[]} */
  const calls = [];
  const history = { replaceState: (...args) => calls.push(args) };
  assert.equal(takeFragment({ hash: "#abc", pathname: "/open", search: "" }, history), "abc");
  assert.deepEqual(calls, [[null, "", "/open"]]);
  assert.equal(takeFragment({ hash: "", pathname: "/open", search: "" }, history), "");
  assert.equal(calls.length, 1);
  assert.equal(linkFor("https://example.org", "abc"), "https://example.org/open#abc");
});

test("back-off doubles up to its limit, and obeys the server within reason", () => {
  assert.equal(backoff(1, null, 0.5), 500);
  assert.equal(backoff(2, null, 0.5), 1000);
  assert.equal(backoff(30, null, 0.5), 20_000);
  assert.equal(backoff(1, 7, 0.5), 7000);
  assert.equal(backoff(1, 1e9, 0.5), 300_000);
});

test("what passes is tried again, what is final is not", async () => {
  const signal = new AbortController().signal;
  const pause = async () => {};
  let count = 0;
  const result = await retrying(
    async (failures) => {
      count += 1;
      if (failures < 3) throw new Problem("network");
      return failures;
    },
    { signal, pause },
  );
  assert.deepEqual([result, count], [3, 4]);
  count = 0;
  const final = retrying(
    async () => {
      count += 1;
      throw new Problem("transfer.gone", { status: 410 });
    },
    { signal, pause },
  );
  await assert.rejects(final, { code: "transfer.gone" });
  assert.equal(count, 1);
});

test("trying again has an end", async () => {
  let count = 0;
  const attempt = async () => {
    count += 1;
    throw new Problem("network");
  };
  const signal = new AbortController().signal;
  await assert.rejects(retrying(attempt, { signal, tries: 5, pause: async () => {} }), { code: "network" });
  assert.equal(count, 5);
});

test("a place in a queue is waited for, and is no failure", async () => {
  const signal = new AbortController().signal;
  /** @type {number[]} */
  const told = [];
  /** @type {number[]} */
  const waits = [];
  const pause = async (/** @type {number} */ wait_ms) => void waits.push(wait_ms);
  /** @param {number | null} retry_after_s */
  const limited = (retry_after_s) => new Problem("request.rate_limited", { status: 429, retry_after_s });
  let count = 0;
  const queued = async (/** @type {number} */ failures) => {
    told.push(failures);
    if (told.length > 20) return "done";
    throw limited(40);
  };
  const result = await retrying(queued, { signal, tries: 1, pause, onwait: (wait_ms, problem) => assert.deepEqual([wait_ms, problem.status], [40_000, 429]) });
  assert.equal(result, "done");
  assert.deepEqual([told, waits], [Array(21).fill(0), Array(20).fill(40_000)]);
  // A queue that does not move: three waits of five minutes, and the one failure that is borne.
  waits.length = 0;
  const stuck = async () => {
    throw limited(1000);
  };
  await assert.rejects(retrying(stuck, { signal, tries: 2, pause }), { code: "request.rate_limited" });
  assert.deepEqual(waits, Array(4).fill(300_000));
  const untold = async () => {
    count += 1;
    throw limited(null);
  };
  await assert.rejects(retrying(untold, { signal, tries: 3, pause }), { code: "request.rate_limited" });
  assert.equal(count, 3, "without a time it is a failure");
});

test("a wait ends at once when it is aborted", async () => {
  const stop = new AbortController();
  const waiting = sleep(60_000, stop.signal);
  stop.abort(new Problem("aborted"));
  await assert.rejects(waiting, { code: "aborted" });
});

test("speed and time left come from a window of samples", () => {
  const rate = new Rate();
  rate.note(0, 0);
  assert.equal(rate.speed, null);
  rate.note(1000, 5000);
  assert.equal(rate.speed, 5000);
  assert.equal(rate.left_s(15_000), 2);
  rate.note(60_000, 5000);
  assert.equal(rate.speed, 0);
  assert.equal(rate.left_s(15_000), null);
});

test("missing parts are those that the server has not accepted", () => {
  assert.deepEqual(missingParts(17, 8, []), [0, 1, 2]);
  assert.deepEqual(missingParts(16, 8, [0]), [1]);
  assert.deepEqual(missingParts(16, 8, [1, 0]), []);
});

test("a text alone is a text, with files it is one of them", async () => {
  const alone = compose("hé", [], []);
  assert.deepEqual(alone?.manifest, { kind: "text", entries: [{ name: "", type: "text/plain", size: 3 }] });
  const file = new File(["abc"], "message.txt", { type: "text/x" });
  const both = compose("hé", [file], sentNames(["message.txt"], true));
  assert.deepEqual(
    both?.manifest.entries.map(({ name, size }) => [name, size]),
    [["message.txt", 3], ["message (2).txt", 3]],
  );
  assert.equal(both?.total, 6);
  assert.equal(await both?.content.text(), "abché");
  assert.equal(compose("", [], []), null);
});

test("choices keep to the server's limits", () => {
  const limits = {
    version: "1",
    transfer_size_max: 1,
    inline_max: 1,
    part_len: 1,
    ttl_s_min: 60,
    ttl_s_default: 7200,
    ttl_s_max: 86_400,
    claims_max: 3,
    lease_s: 600,
    upload_idle_s: 3600,
    tombstone_ttl_s: 86_400,
  };
  assert.deepEqual(choices(limits), { lives_s: [300, 3600, 7200, 18_000, 86_400], life_s: 7200, opens: [1, 2, 3] });
});

test("a passphrase is measured in bytes after NFC", () => {
  assert.equal(isPassphraseTooLong("x".repeat(1024)), false);
  assert.equal(isPassphraseTooLong("x".repeat(1025)), true);
  assert.equal(isPassphraseTooLong("e\u0301".repeat(512)), false);
});
