/**
 * How answers become results or problems, with an injected fetch: our server's codes, a proxy's pages, and no answer.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../js/api.js";
import { Problem, parseRetryAfter, problemFrom, problemFromAnswer } from "../js/problem.js";

/**
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} [headers]
 */
function answering(status, body, headers = {}) {
  /** @type {{ path: string, init: RequestInit }[]} */
  const requests = [];
  const api = new Api(async (path, init) => {
    requests.push({ path: String(path), init: init ?? {} });
    return new Response(status === 204 ? null : body, { status, headers });
  });
  return { api, requests };
}

const JSON_TYPE = { "Content-Type": "application/json" };
const never = new AbortController().signal;

test("a code of the server stays what it is, with its members", async () => {
  const body = JSON.stringify({ code: "access.denied", message: "no", attempts_left: 4 });
  const { api } = answering(403, body, JSON_TYPE);
  const problem = await api.peek("id", { link_proof: "p" }).then(() => null, problemFrom);
  assert.equal(problem?.code, "access.denied");
  assert.equal(problem?.number("attempts_left"), 4);
  assert.equal(problem?.string("attempts_left"), null);
});

test("a create token goes as bearer, and only where one is given", async () => {
  const { api, requests } = answering(200, "{}", JSON_TYPE);
  const request = /** @type {import("../js/api.js").CreateRequest} */ ({});
  await api.config();
  await api.config("ots_x");
  await api.create(request, never);
  await api.create(request, never, "ots_x");
  const sent = requests.map(({ init }) => new Headers(init.headers).get("Authorization"));
  assert.deepEqual(sent, [null, "Bearer ots_x", null, "Bearer ots_x"]);
  assert.ok(requests.every(({ path }) => !path.includes("ots_")));
});

test("a call with a long body has as long as the server gives it", async (t) => {
  const timeout = t.mock.method(AbortSignal, "timeout", () => never);
  const { api } = answering(200, "{}", JSON_TYPE);
  await api.config();
  const request = /** @type {import("../js/api.js").CreateRequest} */ (/** @type {unknown} */ ({ body: "x".repeat(10_229) }));
  await api.create(request, never);
  assert.deepEqual(
    timeout.mock.calls.map((call) => call.arguments),
    [[30_000], [40_000]],
  );
});

test("a proxy's own answer is named as one", () => {
  const html = "<html><h1>413 Request Entity Too Large</h1><hr>nginx";
  const cases = [
    [413, "proxy.too_large"],
    [502, "proxy.bad_gateway"],
    [503, "proxy.unavailable"],
    [504, "proxy.timeout"],
    [403, "proxy.refused"],
    [404, "proxy.not_found"],
    [418, "proxy.foreign"],
  ];
  for (const [status, code] of cases) assert.equal(problemFromAnswer(Number(status), html, null, 0).code, code);
  assert.equal(problemFromAnswer(500, '{"code":5}', null, 0).code, "proxy.foreign");
  assert.equal(problemFromAnswer(500, '{"code":"<b>.x"}', null, 0).code, "proxy.foreign");
});

test("a page where JSON should be is somebody else's, whatever its status", async () => {
  const { api } = answering(200, "<html>log in</html>", { "Content-Type": "text/html" });
  await assert.rejects(api.config(), { code: "proxy.foreign" });
});

test("no answer is a network problem, an abort is an abort", async () => {
  const api = new Api(async () => {
    throw new TypeError("Failed to fetch");
  });
  await assert.rejects(api.config(), { code: "network" });
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(api.config(null, stop.signal), { name: "AbortError" });
});

test("what passes and what does not", () => {
  const passes = [0, 408, 429, 500, 502, 503, 504].map((status) => new Problem(status === 0 ? "network" : "x.y", { status }));
  const final = [400, 403, 404, 409, 410, 413, 422, 423, 507].map((status) => new Problem("x.y", { status }));
  assert.ok(passes.every((problem) => problem.passing));
  assert.ok(final.every((problem) => !problem.passing));
});

test("Retry-After is seconds or a date, or nothing", () => {
  assert.equal(parseRetryAfter("7", 0), 7);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4000), 6);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT", 4000), 0);
  assert.equal(parseRetryAfter("soon", 0), null);
  assert.equal(parseRetryAfter(null, 0), null);
});

test("tokens go in the header and proofs in the body, neither in an address", async () => {
  const body = JSON.stringify({ lease_expires_at: 1, body_len: 1, manifest: "" });
  const { api, requests } = answering(200, body, JSON_TYPE);
  await api.claim("the-id", "the-token", { link_proof: "the-proof", access_proof: "other" }, never);
  const [request] = requests;
  assert.equal(request?.path, "/api/v1/transfers/the-id/claim");
  assert.equal(new Headers(request?.init.headers).get("Authorization"), "Bearer the-token");
  assert.deepEqual(JSON.parse(String(request?.init.body)), { link_proof: "the-proof", access_proof: "other" });
  assert.equal(request?.init.redirect, "error");
});

test("a body is asked for from where it goes on, and a whole one is refused there", async () => {
  const octets = { "Content-Type": "application/octet-stream" };
  const part = answering(206, "abc", octets);
  const reader = await part.api.body("id", "token", 5, never);
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "abc");
  assert.equal(new Headers(part.requests[0]?.init.headers).get("Range"), "bytes=5-");
  await assert.rejects(answering(200, "abc", octets).api.body("id", "token", 5, never), { code: "proxy.foreign" });
  await assert.rejects(answering(206, "abc", { "Content-Type": "text/html" }).api.body("id", "token", 5, never), {
    code: "proxy.foreign",
  });
});

test("burn and delivered need no answer's body", async () => {
  const { api, requests } = answering(204, "");
  await api.burn("id", "token");
  await api.delivered("id", "token");
  assert.deepEqual(
    requests.map(({ init }) => [init.method, init.keepalive]),
    [["DELETE", true], ["POST", true]],
  );
});
