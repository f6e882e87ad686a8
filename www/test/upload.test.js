/**
 * What a cancelled upload leaves on the server: nothing, in whichever order its calls arrive.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../js/problem.js";
import { Upload } from "../js/transfer/upload.js";

/** An upload of one request to a server whose create is answered when the test says so. */
function slowUpload() {
  /** @type {string[]} */
  const calls = [];
  const answer = { resolve: (/** @type {object} */ _created) => {}, reject: (/** @type {Problem} */ _problem) => {} };
  const answered = new Promise((resolve, reject) => Object.assign(answer, { resolve, reject }));
  const api = {
    create: () => (calls.push("create"), answered),
    burn: async () => void calls.push("burn"),
  };
  const crypto = { call: async () => ({ bytes: new Uint8Array(1), digest: "" }) };
  const sealed = { transfer_id: "id", owner_token: "token", body_len: 1 };
  const options = { api, crypto, sealed, inline_max: 9, ttl_s: 60, claims_max: 1, create_token: () => null, onprogress: () => {}, onwait: () => {} };
  return { upload: new Upload(/** @type {any} */ (options)), calls, answer };
}

/** Lets everything run that needs no answer. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test("a burn that may overtake its create is said again when that is answered", async () => {
  for (const created of [true, false]) {
    const { upload, calls, answer } = slowUpload();
    const stop = new AbortController();
    const run = upload.run(stop.signal);
    await settle();
    stop.abort();
    await assert.rejects(run, "a cancelled upload ends at once");
    const burn = upload.burn();
    await settle();
    assert.deepEqual(calls, ["create", "burn"]);
    if (created) answer.resolve({ state: "ready", part_len: 1, expires_at: 1 });
    else answer.reject(new Problem("network"));
    await burn;
    assert.deepEqual(calls, ["create", "burn", "burn"]);
  }
});

test("a burn after the create is said once", async () => {
  const { upload, calls, answer } = slowUpload();
  answer.resolve({ state: "ready", part_len: 1, expires_at: 7 });
  assert.equal(await upload.run(new AbortController().signal), 7);
  await upload.burn();
  await upload.burn();
  assert.deepEqual(calls, ["create", "burn"]);
});

test("a create that is tried again goes with the token of that time", async () => {
  /** @type {(string | null)[]} */
  const tokens = [];
  const taken = "new";
  let token = "old";
  const create = async (/** @type {object} */ _request, /** @type {AbortSignal} */ _signal, /** @type {string | null} */ with_token) => {
    tokens.push(with_token);
    if (with_token !== taken) throw new Problem("create.unauthorized", { status: 401 });
    return { state: "ready", part_len: 1, expires_at: 7 };
  };
  const crypto = { call: async () => ({ bytes: new Uint8Array(1), digest: "" }) };
  const sealed = { transfer_id: "id", owner_token: "owner", body_len: 1 };
  const create_token = () => token;
  const upload = new Upload(
    /** @type {any} */ ({ api: { create }, crypto, sealed, inline_max: 9, ttl_s: 60, claims_max: 1, create_token, onprogress: () => {}, onwait: () => {} }),
  );
  const { signal } = new AbortController();
  await assert.rejects(upload.run(signal), { code: "create.unauthorized" });
  token = taken;
  assert.equal(await upload.run(signal), 7);
  assert.deepEqual(tokens, ["old", "new"]);
});
