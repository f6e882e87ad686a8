/**
 * The create token: what one looks like, where it is kept and for how long, and what the server's word about it does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Admission, asksForToken } from "../js/admission.js";
import { isWithin } from "../js/compose.js";
import { CreateToken, readCreateToken } from "../js/create-token.js";
import { elsewhere, linkOrigin } from "../js/link.js";
import { Problem, problemFrom } from "../js/problem.js";

const TOKEN = `ots_${"a".repeat(43)}`;
const OTHER = `ots_${"b".repeat(43)}`;
const KEY = "onetimeshare.create_token";

/** A browser's storage, or one that refuses. @param {boolean} works */
function storage(works) {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const check = () => {
    if (!works) throw new DOMException("no", "SecurityError");
  };
  return {
    kept,
    getItem: (/** @type {string} */ key) => (check(), kept.get(key) ?? null),
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => (check(), void kept.set(key, value)),
    removeItem: (/** @type {string} */ key) => (check(), void kept.delete(key)),
  };
}

/** @type {ReturnType<typeof storage>} */
let local;

/** @param {boolean} works */
function lend(works) {
  local = storage(works);
  Object.defineProperty(globalThis, "localStorage", { value: local, configurable: true });
}

beforeEach(() => lend(true));

/** A server that takes these tokens, and one whose every call fails so. @param {string[]} taken @param {Problem} [fault] */
function server(taken, fault) {
  /** @type {(string | null)[]} */
  const asked = [];
  const config = async (/** @type {string | null} */ token = null) => {
    asked.push(token);
    if (fault) throw fault;
    if (token !== null && !taken.includes(token)) throw new Problem("create.unauthorized", { status: 401 });
    return { needs_create_token: true, claims_max: token === null ? 100 : 2 };
  };
  return { asked, api: /** @type {import("../js/api.js").Api} */ (/** @type {unknown} */ ({ config })) };
}

test("a token is read with white space around it, and nothing else is one", () => {
  assert.equal(readCreateToken(`\n ${TOKEN}\t`), TOKEN);
  for (const typed of ["", "ots_", TOKEN.slice(4), `${TOKEN}a`, TOKEN.slice(0, -1), `x${TOKEN}`, TOKEN.toUpperCase(), `${TOKEN}\n${OTHER}`]) {
    assert.equal(readCreateToken(typed), null, typed);
  }
});

test("it is kept only when that is wanted, and forgotten everywhere", () => {
  const token = new CreateToken();
  assert.equal(token.text, null);
  token.take(TOKEN, false);
  assert.deepEqual([token.text, token.isKept, local.kept.size], [TOKEN, false, 0]);
  token.take(TOKEN, true);
  assert.deepEqual([token.isKept, local.kept.get(KEY)], [true, TOKEN]);
  const next = new CreateToken();
  assert.deepEqual([next.text, next.isKept], [TOKEN, true]);
  next.take(OTHER, false);
  assert.equal(local.kept.size, 0, "the one from before is not wanted any more");
  next.take(OTHER, true);
  next.forget();
  assert.deepEqual([next.text, next.isKept, local.kept.size], [null, false, 0]);
});

test("what is no token in the storage is none, and storage may be switched off", () => {
  local.kept.set(KEY, "{}");
  assert.equal(new CreateToken().text, null);
  lend(false);
  const token = new CreateToken();
  token.take(TOKEN, true);
  assert.deepEqual([token.text, token.isKept], [TOKEN, false]);
  token.forget();
  assert.equal(token.text, null);
});

test("a kept token brings its own limits; one that is taken back is forgotten", async () => {
  local.kept.set(KEY, TOKEN);
  const known = new Admission(server([TOKEN]).api);
  const { limits, withdrawn } = await known.limits();
  assert.deepEqual([limits.claims_max, withdrawn, asksForToken(limits, known.token)], [2, false, false]);
  const { api, asked } = server([]);
  const gone = new Admission(api);
  const answer = await gone.limits();
  assert.deepEqual([answer.limits.claims_max, answer.withdrawn], [100, true]);
  assert.deepEqual([gone.token, local.kept.size, asked], [null, 0, [TOKEN, null]]);
  assert.equal(asksForToken(answer.limits, gone.token), true);
});

test("no answer takes no token away", async () => {
  local.kept.set(KEY, TOKEN);
  for (const fault of [new Problem("network"), new Problem("proxy.refused", { status: 401 }), new Problem("store.unreachable", { status: 503 })]) {
    const admission = new Admission(server([], fault).api);
    assert.equal((await admission.limits().catch(problemFrom)) instanceof Problem, true);
    assert.deepEqual([admission.token, local.kept.get(KEY)], [TOKEN, TOKEN]);
  }
});

test("a token is asked about before it is taken", async () => {
  const { api, asked } = server([TOKEN]);
  const admission = new Admission(api);
  const fails = async (/** @type {string} */ typed, /** @type {string} */ code) => {
    const problem = await admission.enter(typed, true).then(() => null, problemFrom);
    assert.deepEqual([problem?.code, admission.token, local.kept.size], [code, null, 0]);
  };
  await fails("  ", "token.empty");
  await fails("hunter2", "token.damaged");
  assert.deepEqual(asked, []);
  await fails(OTHER, "create.unauthorized");
  const limits = await admission.enter(` ${TOKEN} `, true);
  assert.deepEqual([limits.claims_max, admission.token, admission.isKept], [2, TOKEN, true]);
  assert.deepEqual(asked, [OTHER, TOKEN]);
});

test("what was put together may be more than another token allows", () => {
  const draft = /** @type {import("../js/compose.js").Draft} */ ({ total: 5 });
  const limits = /** @type {import("../js/api.js").Limits} */ ({ transfer_size_max: 5, ttl_s_min: 60, ttl_s_max: 3600, claims_max: 2 });
  const within = (/** @type {object} */ changed) => isWithin({ draft, ttl_s: 3600, claims_max: 2, ...changed }, limits);
  assert.equal(within({}), true);
  for (const changed of [{ draft: { total: 6 } }, { ttl_s: 3601 }, { ttl_s: 59 }, { claims_max: 3 }]) assert.equal(within(changed), false);
});

test("links lead where the server says, if that is an origin of the web", () => {
  const own = "https://inside.example";
  const limits = (/** @type {string | undefined} */ open_url) =>
    /** @type {import("../js/api.js").Limits} */ (/** @type {unknown} */ (open_url === undefined ? {} : { open_url }));
  assert.equal(linkOrigin(limits(undefined), own), own);
  assert.equal(linkOrigin(limits("https://share.example.org"), own), "https://share.example.org");
  assert.equal(linkOrigin(limits("http://127.0.0.1:8080"), own), "http://127.0.0.1:8080");
  for (const faulty of ["", "javascript:alert(1)", "https://a.example/x", "https://a@b.example", "//a.example", "ftp://a.example"]) {
    assert.throws(() => linkOrigin(limits(faulty), own), { code: "proxy.foreign" }, faulty);
  }
});

test("a link that led to the half that creates leads on as it is, to an origin of the web and no other place", () => {
  const here = { origin: "https://inside.example", hash: "#AbC-_9" };
  const limits = (/** @type {string | undefined} */ open_url) =>
    /** @type {import("../js/api.js").Limits} */ (/** @type {unknown} */ (open_url === undefined ? {} : { open_url }));
  assert.equal(elsewhere(limits("https://share.example.org"), here), "https://share.example.org/open#AbC-_9");
  for (const nowhere of [undefined, here.origin, "", "javascript:alert(1)", "https://a.example/x", "https://a@b.example"]) {
    assert.equal(elsewhere(limits(nowhere), here), null, nowhere);
  }
});
