/**
 * The sender's receipt: its link, the line of events it becomes, the states of its page, and what this browser remembers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { toBase64url } from "../js/base64url.js";
import { forgetAllReceipts, forgetReceipt, keepReceipt, keptOwner, keptReceipts, pruneReceipts } from "../js/kept-receipts.js";
import { isWatching, nextManage } from "../js/manage-state.js";
import { forget, forgetAll, isOwn, prune, remember, remembersAny } from "../js/own-links.js";
import { Problem } from "../js/problem.js";
import { headlineOf, readReceipt, receiptFragment, receiptLink, stepsOf } from "../js/receipt.js";

/** @typedef {import("../js/api.messages.js").Receipt} Receipt */

const NOW_S = Math.floor(Date.now() / 1000);
const owner = { id: toBase64url(new Uint8Array(16).fill(250)), token: toBase64url(new Uint8Array(32).fill(7)) };
const fragment = receiptFragment(owner);

/** Storage as a browser has it. @type {Map<string, string>} */
const stored = new Map();
Object.defineProperty(globalThis, "localStorage", {
  configurable: true,
  value: {
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => stored.set(key, value),
    removeItem: (/** @type {string} */ key) => stored.delete(key),
  },
});
beforeEach(() => stored.clear());

/** @param {Partial<Receipt>} [changes] @returns {Receipt} */
const receipt = (changes = {}) => ({
  state: "ready",
  created_at: 100,
  expires_at: 900,
  claims_max: 1,
  claims_left: 1,
  attempts_left: 5,
  body_len: 1056,
  claims: [],
  ...changes,
});
const names = (/** @type {Receipt} */ of) => stepsOf(of).map(({ name }) => name);

test("a receipt link is 64 characters and gives back what it was made of", () => {
  assert.match(fragment, /^[\w-]{64}$/);
  assert.deepEqual(readReceipt(fragment), owner);
  assert.equal(receiptLink("https://x.example", fragment), `https://x.example/manage#${fragment}`);
});

test("a damaged receipt link is none, and a link for opening is none", () => {
  for (const one of ["", fragment.slice(1), `${fragment}A`, fragment.replace(/^./, "!"), "A".repeat(48)]) assert.equal(readReceipt(one), null);
});

test("what waits says so", () => {
  assert.deepEqual(names(receipt()), ["created", "waiting"]);
  assert.equal(headlineOf(receipt()), "waiting");
  assert.deepEqual(names(receipt({ state: "uploading" })), ["created", "uploading"]);
});

test("an open that is under way is told from one that was delivered", () => {
  const live = receipt({ state: "claimed", claims_left: 0, claims: [{ claimed_at: 200, state: "live" }] });
  assert.deepEqual(names(live), ["created", "opened", "fetching"]);
  assert.equal(headlineOf(live), "fetching");
  const delivered = receipt({
    state: "gone",
    cause: "delivered",
    at: 230,
    claims_left: 0,
    claims: [{ claimed_at: 200, state: "delivered", at: 230 }],
  });
  assert.deepEqual(names(delivered), ["created", "opened", "delivered", "deleted"]);
  assert.equal(headlineOf(delivered), "delivered");
  const lapsed = receipt({ state: "gone", cause: "lapsed", at: 800, claims: [{ claimed_at: 200, state: "lapsed", at: 800 }] });
  assert.deepEqual(names(lapsed), ["created", "opened", "lapsed", "deleted"]);
});

test("several opens come in the order in which things happened", () => {
  const steps = stepsOf(
    receipt({
      claims_max: 3,
      claims_left: 1,
      claims: [
        { claimed_at: 200, state: "delivered", at: 400 },
        { claimed_at: 300, state: "live" },
      ],
    }),
  );
  assert.deepEqual(
    steps.map(({ name, at, count }) => [name, at, count]),
    [["created", 100, 0], ["opened", 200, 1], ["opened", 300, 2], ["delivered", 400, 1], ["fetching", null, 1], ["more", null, 1]],
  );
});

test("locked, burnt, expired and abandoned each end the line in their own way", () => {
  assert.deepEqual(names(receipt({ attempts_left: 0 })), ["created", "locked"]);
  assert.equal(headlineOf(receipt({ attempts_left: 0 })), "locked");
  for (const cause of /** @type {const} */ (["burnt", "expired", "abandoned"])) {
    assert.deepEqual(names(receipt({ state: "gone", cause, at: 300 })), ["created", cause]);
    assert.equal(headlineOf(receipt({ state: "gone", cause, at: 300 })), cause);
  }
  const cut = receipt({ state: "gone", cause: "burnt", at: 300, claims: [{ claimed_at: 200, state: "burnt", at: 300 }] });
  assert.deepEqual(names(cut), ["created", "opened", "cut", "burnt"]);
});

/** @typedef {import("../js/manage-state.js").ManageEvent} ManageEvent */
const answer = (/** @type {Partial<Receipt>} */ changes = {}) => /** @type {const} */ ({ type: "answer", receipt: receipt(changes), as_of: 9 });
const problem = (/** @type {string} */ code, status = 0) => /** @type {const} */ ({ type: "problem", problem: new Problem(code, { status }) });
/** @param {ManageEvent[]} events */
const run = (...events) => events.reduce(nextManage, /** @type {import("../js/manage-state.js").ManageState} */ ({ name: "loading" }));

test("a server that stops answering leaves what is shown, marked as old", () => {
  const stale = run(answer(), problem("network"));
  assert.equal(stale.name === "shown" && stale.stale, true);
  const fresh = nextManage(stale, answer());
  assert.equal(fresh.name === "shown" && fresh.stale, false);
});

test("without an answer the page is offline and watches, unknown is final until asked", () => {
  assert.equal(run(problem("network")).name, "offline");
  assert.equal(run(problem("proxy.bad_gateway", 502)).name, "offline");
  assert.equal(isWatching(run(problem("network"))), true);
  assert.equal(run(problem("proxy.refused", 403)).name, "refused");
  const unknown = run(problem("transfer.unknown", 404));
  assert.equal(unknown.name, "unknown");
  assert.equal(isWatching(unknown), false);
  assert.equal(nextManage(unknown, { type: "retry" }).name, "loading");
});

test("gone stays gone, whatever comes late", () => {
  const gone = run(answer({ state: "gone", cause: "burnt", at: 3 }));
  assert.equal(gone.name, "gone");
  assert.equal(nextManage(gone, answer()), gone);
  assert.equal(nextManage(gone, problem("network")), gone);
  assert.equal(isWatching(gone), false);
});

test("a receipt's page that was loaded again is no list, and stays what it is", () => {
  const reloaded = run({ type: "reloaded" });
  assert.equal(reloaded.name, "reloaded");
  for (const late of [answer(), problem("network"), /** @type {const} */ ({ type: "retry" })]) assert.equal(nextManage(reloaded, late), reloaded);
  assert.equal(isWatching(reloaded), false);
});

test("own links are remembered for a time, capped, and forgotten", () => {
  remember("one", NOW_S + 60);
  remember("old", NOW_S - 1);
  assert.equal(remembersAny(), true);
  assert.deepEqual([isOwn("one"), isOwn("old"), isOwn("other")], [true, false, false]);
  forget("one");
  assert.equal(isOwn("one"), false);
  assert.equal(stored.size, 0);
  assert.equal(remembersAny(), false);
  for (let index = 0; index < 250; index += 1) remember(`id${index}`);
  assert.deepEqual([isOwn("id0"), isOwn("id50"), isOwn("id249")], [false, true, true]);
  forgetAll();
  assert.equal(stored.size, 0);
});

const kept = { fragment, sent_at: NOW_S, expires_at: NOW_S + 60, forgotten_at: NOW_S + 120, file_count: 2 };

test("receipts are kept, renewed and forgotten, one or all", () => {
  assert.equal(keepReceipt(kept), true);
  assert.equal(keepReceipt({ ...kept, file_count: 3 }), true);
  assert.deepEqual(keptReceipts(), [{ ...kept, file_count: 3 }]);
  const other = { ...kept, fragment: fragment.replace(/^./, "B") };
  keepReceipt(other);
  assert.deepEqual([keptOwner(owner.id), keptOwner("another")], [owner, null]);
  forgetReceipt(fragment);
  assert.deepEqual(keptReceipts(), [other]);
  assert.equal(keptOwner(owner.id), null);
  forgetAllReceipts();
  assert.equal(stored.size, 0);
});

test("a receipt is kept until the server has forgotten it, and 30 days for leases and wrong clocks", () => {
  for (const [forgotten_at, count] of [[NOW_S - 30 * 86_400 + 30, 1], [NOW_S - 30 * 86_400 - 30, 0]]) {
    keepReceipt({ ...kept, expires_at: NOW_S - 60 * 86_400, forgotten_at: Number(forgotten_at) });
    assert.equal(keptReceipts().length, count);
  }
});

test("a receipt that was kept without saying when it is forgotten stays, from its expiry on", () => {
  const { forgotten_at: _, ...early } = kept;
  for (const [expires_at, count] of [[NOW_S - 29 * 86_400, 1], [NOW_S - 31 * 86_400, 0]]) {
    stored.set("onetimeshare.receipts", JSON.stringify([{ ...early, expires_at }]));
    pruneReceipts();
    assert.deepEqual(keptReceipts(), count === 1 ? [{ ...early, expires_at, forgotten_at: expires_at }] : []);
  }
});

test("what is over leaves the storage itself, and takes nothing else along", () => {
  const over = { ...kept, fragment: fragment.replace(/^./, "B"), forgotten_at: NOW_S - 31 * 86_400 };
  stored.set("onetimeshare.receipts", JSON.stringify([over, kept, { fragment: "not ours" }]));
  stored.set("onetimeshare.own", JSON.stringify([["old", NOW_S - 1], ["one", NOW_S + 60]]));
  pruneReceipts();
  prune();
  assert.deepEqual(JSON.parse(stored.get("onetimeshare.receipts") ?? ""), [kept]);
  assert.deepEqual(JSON.parse(stored.get("onetimeshare.own") ?? ""), [["one", NOW_S + 60]]);
  stored.set("onetimeshare.receipts", JSON.stringify([over]));
  stored.set("onetimeshare.own", "{");
  pruneReceipts();
  prune();
  assert.equal(stored.size, 0);
});

test("what somebody else wrote into the storage is not believed", () => {
  for (const wrong of ["", "{", "null", "[1]", '[{"fragment":"x"}]', '{"a":1}']) {
    stored.set("onetimeshare.receipts", wrong);
    stored.set("onetimeshare.own", wrong);
    assert.deepEqual(keptReceipts(), []);
    assert.equal(isOwn("x"), false);
  }
});
