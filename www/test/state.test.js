/**
 * What may follow from what on each page; above all that late or senseless events change nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../js/problem.js";
import { losesByLeaving, nextOpen, nextSend, unopenable } from "../js/state.js";

const limits = /** @type {import("../js/api.js").Limits} */ ({ transfer_size_max: 1 });
const manifest = /** @type {import("../js/crypto.messages.js").Manifest} */ ({ kind: "text", entries: [] });
const view = /** @type {import("../js/api.js").View} */ ({ state: "ready", claims_left: 1, attempts_left: 5, body_len: 1056 });

/** @param {import("../js/state.js").SendEvent[]} events */
const send = (...events) => events.reduce(nextSend, /** @type {import("../js/state.js").SendState} */ ({ name: "loading" }));
/** @param {import("../js/state.js").OpenEvent[]} events */
const open = (...events) => events.reduce(nextOpen, /** @type {import("../js/state.js").OpenState} */ ({ name: "loading" }));
const problem = (/** @type {string} */ code, status = 0) => /** @type {const} */ ({ type: "problem", problem: new Problem(code, { status }) });
const ready = /** @type {const} */ ({ type: "ready", manifest, view, resume: false, once: false });
const sent = /** @type {const} */ ({ type: "sent", link: "l", receipt: "r", expires_at: 9, claims_max: 1, passphrase: "" });

test("sending goes from start to done and back", () => {
  const done = send({ type: "limits", limits }, { type: "send" }, { type: "step", step: "sending" }, sent);
  assert.deepEqual(done, { name: "done", limits, link: "l", receipt: "r", expires_at: 9, claims_max: 1, passphrase: "", taken: false });
  assert.deepEqual(nextSend(done, { type: "restart" }), { name: "start", limits });
});

test("nothing is sent before the limits are known", () => {
  assert.equal(send({ type: "send" }).name, "loading");
  const unavailable = send({ type: "unavailable", problem: new Problem("network") });
  assert.equal(unavailable.name, "unavailable");
  assert.equal(nextSend(unavailable, { type: "limits", limits }).name, "start");
});

test("who has no token is asked, and gets past that only with one", () => {
  const ask = /** @type {const} */ ({ type: "ask", limits, trouble: null });
  const asked = send(ask);
  assert.deepEqual(asked, { name: "token", limits, resumable: false, checking: false, trouble: null });
  for (const type of /** @type {const} */ (["send", "restart", "resume", "denied"])) assert.equal(nextSend(asked, { type }), asked);
  assert.equal(nextSend(asked, { type: "limits", limits }), asked);
  assert.equal(nextSend(asked, { type: "admitted", limits, fits: true }), asked, "nobody has asked the server");
  const checking = nextSend(asked, { type: "check" });
  const rejected = nextSend(checking, { type: "rejected", trouble: "create.unauthorized" });
  assert.deepEqual(rejected, { ...asked, trouble: "create.unauthorized" });
  const own = { ...limits, transfer_size_max: 2 };
  assert.deepEqual(nextSend(nextSend(rejected, { type: "check" }), { type: "admitted", limits: own, fits: false }), { name: "start", limits: own });
  // It is forgotten: asked again.
  assert.equal(send({ type: "limits", limits }, ask).name, "token");
});

test("a token that is taken back while sending is asked for anew, and sending goes on", () => {
  const denied = send({ type: "limits", limits }, { type: "send" }, { type: "denied" });
  assert.deepEqual(denied, { name: "token", limits, resumable: true, checking: false, trouble: "withdrawn" });
  assert.equal(losesByLeaving(denied), true);
  assert.equal(nextSend(denied, { type: "restart" }).name, "start");
  const admitted = (/** @type {boolean} */ fits) => nextSend(nextSend(denied, { type: "check" }), { type: "admitted", limits, fits });
  assert.deepEqual(admitted(true), { name: "working", limits, step: "sending" });
  assert.deepEqual(admitted(false), { name: "start", limits }, "the new token allows less");
});

test("a token that has no room is exchanged for another one, and sending goes on", () => {
  const failed = /** @type {const} */ ({ type: "failed", problem: new Problem("quota.exceeded"), resumable: false });
  const asked = send({ type: "limits", limits }, { type: "send" }, failed, { type: "exchange" });
  assert.deepEqual(asked, { name: "token", limits, resumable: true, checking: false, trouble: null });
  assert.equal(nextSend(nextSend(asked, { type: "check" }), { type: "admitted", limits, fits: true }).name, "working");
  assert.equal(nextSend(asked, { type: "restart" }).name, "start");
  assert.equal(send({ type: "limits", limits }, { type: "exchange" }).name, "start", "nothing has failed");
});

test("an answer that comes after a cancel changes nothing", () => {
  const cancelled = send({ type: "limits", limits }, { type: "send" }, { type: "restart" });
  assert.equal(nextSend(cancelled, sent).name, "start");
  assert.equal(nextSend(cancelled, { type: "failed", problem: new Problem("network"), resumable: true }).name, "start");
});

test("only what can go on is resumed", () => {
  const failed = (/** @type {boolean} */ resumable) =>
    send({ type: "limits", limits }, { type: "send" }, { type: "failed", problem: new Problem("network"), resumable });
  assert.equal(nextSend(failed(true), { type: "resume" }).name, "working");
  assert.equal(nextSend(failed(false), { type: "resume" }).name, "failed");
});

test("leaving loses work, an upload that can go on, and a link that was not taken", () => {
  const working = send({ type: "limits", limits }, { type: "send" });
  const done = nextSend(working, sent);
  const failed = (/** @type {boolean} */ resumable) => nextSend(working, { type: "failed", problem: new Problem("network"), resumable });
  const cases = [
    [send(), false],
    [send({ type: "limits", limits }), false],
    [working, true],
    [nextSend(working, { type: "taken" }), true],
    [done, true],
    [nextSend(done, { type: "taken" }), false],
    [failed(true), true],
    [failed(false), false],
  ];
  for (const [state, loses] of /** @type {[import("../js/state.js").SendState, boolean][]} */ (cases)) assert.equal(losesByLeaving(state), loses, state.name);
});

test("opening goes from a look to done", () => {
  const done = open(ready, { type: "open" }, { type: "opened" }, { type: "settled", fate: "deleted" });
  assert.equal(done.name, "done");
  assert.equal(done.name === "done" && done.fate, "deleted");
});

test("a claim takes one open, going on with it takes none", () => {
  const opening = open(ready, { type: "open" });
  assert.equal(opening.name === "opening" && opening.view.claims_left, 0);
  const again = [{ type: "stopped" }, { type: "open" }].reduce(nextOpen, opening);
  assert.equal(again.name === "opening" && again.view.claims_left, 0);
});

test("each refusal has its page", () => {
  const cases = [
    ["link.damaged", "damaged"],
    ["link.version", "newer"],
    ["transfer.unknown", "unknown"],
    ["transfer.gone", "gone"],
    ["transfer.claimed", "claimed"],
    ["transfer.locked", "locked"],
    ["transfer.not_ready", "incomplete"],
    ["network", "offline"],
    ["server.internal", "refused"],
    ["proxy.bad_gateway", "refused"],
    ["manifest.refused", "refused"],
  ];
  for (const [code, name] of cases) assert.equal(open(problem(String(code))).name, name, code);
});

test("a failure while opening keeps what is needed to go on", () => {
  const failed = open(ready, { type: "open" }, problem("save.cancelled"));
  assert.equal(failed.name, "failed");
  const again = nextOpen(failed, { type: "again" });
  assert.equal(again.name === "ready" && again.resume, true);
});

test("where everything is given once, neither a stop nor a failure offers to go on", () => {
  const opening = open({ ...ready, once: true }, { type: "open" });
  for (const event of /** @type {const} */ ([{ type: "stopped" }, problem("save.cancelled"), problem("network")])) {
    const failed = nextOpen(opening, event);
    assert.equal(failed.name, "failed");
    assert.equal(nextOpen(failed, { type: "again" }), failed);
  }
});

test("what was only handed over is done when somebody has confirmed it", () => {
  const handed = open(ready, { type: "open" }, { type: "handed" });
  assert.equal(handed.name, "handed");
  assert.equal(nextOpen(handed, { type: "stopped" }), handed);
  assert.equal(nextOpen(handed, { type: "opened" }).name, "done");
  assert.equal(open(ready, { type: "handed" }).name, "ready");
});

test("what is shown is never taken away by a late problem", () => {
  assert.equal(open(ready, { type: "open" }, { type: "opened" }, problem("network")).name, "done");
});

test("a wrong passphrase stays on its page until the last try", () => {
  const asked = open({ type: "ask", view });
  const wrong = [{ type: "checking" }, { type: "wrong", attempts_left: 4 }].reduce(nextOpen, asked);
  assert.equal(wrong.name === "passphrase" && wrong.trouble, "wrong");
  assert.equal(wrong.name === "passphrase" && wrong.view.attempts_left, 4);
  assert.equal(nextOpen(wrong, { type: "wrong", attempts_left: 0 }).name, "locked");
  assert.equal(nextOpen(wrong, problem("network")).name, "passphrase");
  assert.equal(nextOpen(wrong, problem("transfer.gone", 410)).name, "gone");
});

test("what can be opened now", () => {
  const cases = [
    [{}, null],
    [{ state: "uploading" }, "transfer.not_ready"],
    [{ state: "claimed" }, "transfer.claimed"],
    [{ claims_left: 0 }, "transfer.claimed"],
    [{ attempts_left: 0 }, "transfer.locked"],
  ];
  for (const [change, code] of cases) assert.equal(unopenable({ ...view, ...change }, false), code);
  assert.equal(unopenable({ ...view, claims_left: 0, attempts_left: 0 }, true), null);
});
