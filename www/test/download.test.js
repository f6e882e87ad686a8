/**
 * What ends a claim and what does not: the server's own word, never a status, a clock or a proxy.
 *
 * @module
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { openNotice } from "../js/notices.js";
import { Problem, problemFrom } from "../js/problem.js";
import { keepToken, keptToken, latestClaim } from "../js/transfer/claim-token.js";
import { Download } from "../js/transfer/download.js";
import { fateOf } from "../js/transfer/fate.js";
import { goesOn, look } from "../js/transfer/look.js";
import { renewalMs } from "../js/transfer/renewal.js";

const signal = new AbortController().signal;
const proofs = { transfer_id: "id", link_proof: "link", access_proof: "access" };
const view = /** @type {import("../js/api.js").View} */ ({ state: "ready", claims_left: 1, attempts_left: 5, body_len: 1056 });
const nowS = () => Math.floor(Date.now() / 1000);

beforeEach(() => {
  /** @type {Map<string, string>} */
  const items = new Map();
  const localStorage = {
    getItem: (/** @type {string} */ key) => items.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => items.set(key, value),
    removeItem: (/** @type {string} */ key) => items.delete(key),
  };
  Object.defineProperty(globalThis, "localStorage", { value: localStorage, configurable: true });
});

/** A download whose claim, or renewal, is answered by `answer`. @param {() => Promise<object>} answer */
function downloadOf(answer, lease_s = 600, proven = true) {
  let renewed = 0;
  const api = {
    claim: answer,
    renew: async () => {
      renewed += 1;
      return { lease_expires_at: 1 };
    },
  };
  const crypto = {
    call: async (/** @type {string} */ method) =>
      method === "claim_token" ? "token" : method === "push" ? { bytes: new Uint8Array(), position: 0 } : { entries: [] },
  };
  const options = { api, crypto, proofs, proven, lease_s: () => lease_s, onprogress: () => {}, onwait: () => {} };
  return { download: new Download(/** @type {any} */ (options)), renewed: () => renewed };
}

test("a proxy's own 404 or 410 costs no claim, the server's word ends it", async () => {
  const cases = /** @type {const} */ ([
    ["proxy.not_found", 404, true],
    ["proxy.foreign", 410, true],
    ["access.denied", 403, true],
    ["transfer.unknown", 404, false],
    ["transfer.gone", 410, false],
    ["transfer.claimed", 410, false],
    ["lease.ended", 410, false],
  ]);
  for (const [code, status, isKept] of cases) {
    const { download } = downloadOf(() => Promise.reject(new Problem(code, { status })));
    await assert.rejects(download.claim(signal), { code });
    assert.equal(keptToken("id", nowS()) !== null, isKept, code);
    globalThis.localStorage.removeItem("onetimeshare.claim.id");
  }
});

test("a token is kept for a day of this browser's clock, whatever the server's says", async () => {
  const { download } = downloadOf(async () => ({ lease_expires_at: nowS() - 5000, body_len: 0, manifest: "" }));
  await download.claim(signal);
  assert.equal(keptToken("id", nowS())?.granted, true);
  assert.equal(keptToken("id", nowS() + 86_399)?.token, "token");
  assert.equal(keptToken("id", nowS() + 86_401), null);
  assert.equal(keptToken("id", nowS()), null, "what is too old is forgotten");
});

test("where everything is given once no token is kept, and a lost answer is named as what it is", async () => {
  const claimed = { lease_expires_at: 1, body_len: 0, manifest: "", body: "" };
  const { download } = downloadOf(async () => claimed, 0);
  await download.claim(signal);
  assert.equal(keptToken("id", nowS()), null);
  for (const [lease_s, code] of /** @type {const} */ ([[0, "body.once"], [600, "lease.ended"]])) {
    const repeated = downloadOf(() => Promise.reject(new Problem("lease.ended", { status: 410 })), lease_s);
    await assert.rejects(repeated.download.claim(signal), { code });
  }
});

test("a claim whose passphrase may be wrong is asked for once, and again only when it has proven right", async () => {
  const lost = [new Problem("network"), new Problem("proxy.bad_gateway", { status: 502 }), new Problem("proxy.timeout", { status: 504 })];
  const claimed = { lease_expires_at: 1, body_len: 0, manifest: "", body: "" };
  for (const problem of lost) {
    /** @type {("lost" | "granted")[]} */
    const answers = ["lost", "granted", "lost", "granted"];
    const answer = async () => {
      if (answers.shift() === "lost") throw problem;
      return claimed;
    };
    const { download } = downloadOf(answer, 600, false);
    await assert.rejects(download.claim(signal), { code: problem.code, passing: true });
    assert.equal(answers.length, 3);
    await download.claim(signal);
    await download.claim(signal);
    assert.equal(answers.length, 0);
  }
});

test("only a claim that still lives is said to be kept", () => {
  /** @type {[number, boolean, number | null][]} */
  const cases = [
    [60, true, 60],
    [60, false, null],
    [-1, true, null],
  ];
  for (const [left_s, granted, expected] of cases) {
    const now = nowS();
    keepToken("id", { token: "token", granted, until: now + left_s, kept_at: now });
    // What lists the keys of a real storage lists those of this one.
    Object.assign(globalThis.localStorage, { "onetimeshare.claim.id": "" });
    assert.equal(latestClaim(now), expected === null ? null : now + expected, `${left_s} ${granted}`);
  }
});

test("what storage holds is taken only when it is a token", () => {
  keepToken("id", /** @type {any} */ ({ token: "token", granted: true, until: 0 }));
  assert.equal(keptToken("id", nowS()), null);
});

test("a lease is renewed three times in its life, at least once a minute, and never where there is none", () => {
  assert.deepEqual([0, 3, 30, 180, 600, 86_400].map(renewalMs), [null, 1000, 10_000, 60_000, 60_000, 60_000]);
});

test("a short lease is renewed while bytes flow, a strict server's is not", async () => {
  for (const [lease_s, expected] of /** @type {const} */ ([[0.15, true], [0, false]])) {
    const claimed = { lease_expires_at: 1, body_len: 0, manifest: "", body: "" };
    const { download, renewed } = downloadOf(async () => claimed, lease_s);
    const manifest = await download.claim(signal);
    const sink = { write: async () => {}, finish: () => new Promise((resolve) => setTimeout(resolve, 200)), abort: () => {} };
    await download.receive(manifest, /** @type {any} */ (sink), signal);
    assert.equal(renewed() > 0, expected, String(lease_s));
  }
});

test("a token whose answer was lost is tried when no new claim could be granted, and only then", async () => {
  const lost = { token: "token", granted: false, until: 0, kept_at: 0 };
  const granted = { ...lost, granted: true };
  for (const code of ["transfer.claimed", "transfer.locked", "transfer.gone"]) {
    const refused = () => Promise.reject(new Problem(code, { status: 410 }));
    assert.equal(goesOn(lost, await look(refused, true)), true, code);
    await assert.rejects(look(refused, false), { code });
  }
  await assert.rejects(look(() => Promise.reject(new Problem("transfer.unknown", { status: 404 })), true), {
    code: "transfer.unknown",
  });
  assert.equal(goesOn(lost, view), false);
  assert.equal(goesOn(lost, { ...view, state: "claimed", claims_left: 0 }), true);
  assert.equal(goesOn(granted, view), true);
  assert.equal(goesOn(null, { ...view, state: "claimed", claims_left: 0 }), false);
});

test("a look that finds every open taken says when", async () => {
  const taken = { ...view, state: /** @type {const} */ ("claimed"), claims_left: 0, claimed_at: 1_700_000_000 };
  const problem = await look(async () => taken, false).then(() => null, problemFrom);
  assert.equal(problem?.code, "transfer.claimed");
  assert.match(openNotice({ name: "claimed", problem: /** @type {Problem} */ (problem) }).why, /14\sNov|Nov\s14/);
});

test("only the server's word, or the last delivery, means deleted", async () => {
  const ok = async () => {};
  const refuse = (/** @type {string} */ code, status = 410) => () => Promise.reject(new Problem(code, { status }));
  const peek = async () => ({ ...view, claims_left: 3 });
  const left = { claims_left: 3, expires_at: null, lease_s: 60 };
  assert.equal(await fateOf(ok, refuse("network", 0), 60), "kept");
  assert.deepEqual(await fateOf(ok, peek, 60), left);
  assert.deepEqual(await fateOf(ok, refuse("transfer.claimed"), 60), { ...left, claims_left: 0 });
  assert.equal(await fateOf(ok, refuse("transfer.gone"), 60), "deleted");
  assert.equal(await fateOf(refuse("transfer.gone"), peek, 60), "deleted");
  assert.deepEqual(await fateOf(refuse("lease.ended"), peek, 60), left);
  assert.equal(await fateOf(refuse("lease.ended"), refuse("transfer.gone"), 60), "deleted");
  for (const code of ["proxy.not_found", "proxy.foreign", "network"]) {
    assert.equal(await fateOf(refuse(code, 404), peek, 60), "unsure", code);
    assert.equal(await fateOf(ok, refuse(code, 404), 60), "kept", code);
  }
});
