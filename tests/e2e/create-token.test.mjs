/**
 * A server that creates for holders of a token alone: the page asks, says what is wrong with one, remembers it only when told to,
 * forgets it, and asks again when it is taken back or has no room, without losing what was written. Then a service in two halves,
 * whose links lead from the inside to the outside.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { follow, holdOpen, press, reach, sendComposed, wordsOf } from "./lib/pages.mjs";
import { PROGRAM, Server } from "./lib/server.mjs";
import { Halves } from "./lib/several.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 180_000 };
const KEPT = "not lost by a question";
const KEY = "onetimeshare.create_token";
const STRANGER = `ots_${"A".repeat(43)}`;

/** A new token, and the table by which a server knows it. @param {string} name */
async function makeToken(name) {
  const { stdout, stderr } = await promisify(execFile)(PROGRAM, ["create-token", name]);
  return { table: stdout, token: /^ots_[\w-]{43}$/m.exec(stderr)[0] };
}

const folder = await mkdtemp(join(tmpdir(), "onetimeshare-tokens-"));
const file = join(folder, "tokens.toml");
const [first, second, third] = [await makeToken("first"), await makeToken("second"), await makeToken("third")];
const narrow = `${first.table}max-claims = 3\nmax-ttl = "1h"\n`;
await writeFile(file, narrow + second.table);
const stage = await Stage.open(["--create-token-file", file]);
after(async () => {
  await stage.close();
  await rm(folder, { recursive: true, force: true });
});

/** Which tokens the server takes from here on. @param {string} tables */
async function retake(tables) {
  const told = () => stage.server.log.split("the create tokens are read again").length;
  const before = told();
  await writeFile(file, tables);
  const count = stage.server.hangUp();
  await until("the tokens to be read again", () => told() >= before + count);
}

/** @param {import("puppeteer-core").Page} page @param {string} token */
async function enter(page, token) {
  await page.evaluate(() => document.querySelector("#token").focus());
  await page.evaluate(() => document.querySelector("#token").select());
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
}

/** @param {import("puppeteer-core").Page} page @param {RegExp} words */
function trouble(page, words) {
  return until(`the trouble ${words}`, async () => words.test(await wordsOf(page, "#token-trouble")));
}

const kept = (/** @type {import("puppeteer-core").Page} */ page) => page.evaluate((key) => localStorage.getItem(key), KEY);
const values = (/** @type {import("puppeteer-core").Page} */ page, /** @type {string} */ select) =>
  page.evaluate((select) => [...document.querySelector(select).options].map((option) => Number(option.value)), select);
const valueOf = (/** @type {import("puppeteer-core").Page} */ page, /** @type {string} */ field) =>
  page.evaluate((field) => document.querySelector(field).value, field);
const focused = (/** @type {import("puppeteer-core").Page} */ page) => page.evaluate(() => document.activeElement?.id);

for (const browser of stage.browsers) {
  test(`${browser.name}: the page asks, and takes only a right token`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page, watch } = await visit(browser);
      watch.expectStatus(401);
      await page.goto(`${stage.origin}/`);
      await reach(page, ["token"]);
      assert.equal(await focused(page), "token", "what is typed at once arrives");
      const described = await page.evaluate(() => document.querySelector("#token").getAttribute("aria-describedby"));
      assert.match(described, /token-title token-lead/, "whoever reads with their ears hears what it is");
      assert.equal(await page.evaluate(() => document.querySelector("#token").type), "password");
      await enter(page, "");
      await trouble(page, /Enter the token first/);
      assert.equal(await focused(page), "token");
      await enter(page, "hunter2");
      await trouble(page, /not a whole token/);
      assert.equal(stage.proxy.seen.filter((one) => one.status === 401).length, 0, "nobody is asked about what cannot be one");
      await enter(page, STRANGER);
      await trouble(page, /does not know this token/);
      await enter(page, ` ${first.token} `);
      await reach(page, ["start"]);
      assert.equal(await focused(page), "text");
      assert.equal(await valueOf(page, "#token"), "");
      assert.equal(await kept(page), null, "nobody said to keep it");
      assert.match(await wordsOf(page, "#token-life"), /until you leave this page/);
      assert.deepEqual(await values(page, "#opens"), [1, 2, 3]);
      assert.deepEqual(await values(page, "#expires"), [300, 3600]);
      await page.keyboard.type(KEPT);
      const link = await sendComposed(page);
      assert.ok(link.startsWith(`${stage.origin}/open#`));
      // A new page knows nothing of it; opening never asks.
      const opener = await visit(browser);
      await opener.page.goto(`${stage.origin}/`);
      await reach(opener.page, ["token"]);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await valueOf(opener.page, "#text-shown"), KEPT);
      await hidesSending(opener.page);
      await opener.page.goto("about:blank");
      await follow(opener.page, `${stage.origin}/open`, ["missing", "reloaded"]);
      await hidesSending(opener.page);
      const urls = stage.proxy.seen.map((one) => one.path).join("\n");
      assert.ok(!urls.includes("ots_") && !urls.includes(first.token.slice(4)));
    }));

  test(`${browser.name}: a token is remembered when that is wanted, and forgotten`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      await page.goto(`${stage.origin}/`);
      await reach(page, ["token"]);
      await press(page, "#keep-token");
      await enter(page, second.token);
      await reach(page, ["start"]);
      assert.equal(await kept(page), second.token);
      await page.reload();
      await reach(page, ["start"]);
      assert.match(await wordsOf(page, "#token-life"), /kept in this browser/);
      await page.evaluate((text) => {
        document.querySelector("#text").value = text;
        document.querySelector("#opens").value = "3";
        document.querySelector("#expires").value = "300";
      }, KEPT);
      await press(page, "#forget-token");
      await reach(page, ["token"]);
      assert.equal(await kept(page), null);
      assert.equal(await page.evaluate(() => document.querySelector("#keep-token").checked), false);
      // Another one, with other limits: what was written and chosen is still there.
      await enter(page, first.token);
      await reach(page, ["start"]);
      assert.deepEqual([await valueOf(page, "#text"), await valueOf(page, "#opens"), await valueOf(page, "#expires")], [KEPT, "3", "300"]);
      await page.reload();
      await reach(page, ["token"]);
    }));

  test(`${browser.name}: a token that is taken back is asked for anew, and sending goes on`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page, watch } = await visit(browser);
      watch.expectStatus(401);
      // Back to what was written deletes what may have arrived, and nothing has.
      watch.expectStatus(404);
      await page.goto(`${stage.origin}/`);
      await reach(page, ["token"]);
      await press(page, "#keep-token");
      await enter(page, second.token);
      await reach(page, ["start"]);
      await page.evaluate((text) => (document.querySelector("#text").value = text), KEPT);
      try {
        await retake(narrow);
        await press(page, "#send");
        await reach(page, ["token"]);
        await trouble(page, /no longer takes the token.*still here/);
        assert.equal(await kept(page), null);
        await press(page, "#token-back");
        await reach(page, ["start"]);
        assert.equal(await valueOf(page, "#text"), KEPT);
        await press(page, "#send");
        await reach(page, ["token"]);
        // One that allows less than was chosen does not send what it would refuse.
        await enter(page, first.token);
        await reach(page, ["start"]);
        // The form is there a moment before it says so.
        await until("the reason", async () => /allows less than you had chosen/.test(await wordsOf(page, "#compose-trouble")));
        assert.deepEqual([await valueOf(page, "#text"), await values(page, "#expires")], [KEPT, [300, 3600]]);
        await retake(third.table);
        await press(page, "#send");
        await reach(page, ["token"]);
        await enter(page, third.token);
        await reach(page, ["done"]);
        const link = await valueOf(page, "#link");
        const opener = await visit(browser);
        await follow(opener.page, link, ["ready"]);
        await holdOpen(opener.page);
        assert.equal(await valueOf(opener.page, "#text-shown"), KEPT);
        // One that was kept, and is taken back before the page is loaded.
        const late = await visit(browser);
        late.watch.expectStatus(401);
        await late.page.goto(`${stage.origin}/open`);
        await reach(late.page, ["missing"]);
        await late.page.evaluate((key, token) => localStorage.setItem(key, token), KEY, second.token);
        await late.page.goto(`${stage.origin}/`);
        await reach(late.page, ["token"]);
        await trouble(late.page, /no longer takes the token/);
        assert.equal(await kept(late.page), null);
      } finally {
        await retake(narrow + second.table);
      }
    }));

  test(`${browser.name}: a token that has no room is exchanged, and what was sealed is sent`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page, watch } = await visit(browser);
      watch.expectStatus(403);
      const small = await makeToken(`small-${browser.name}`);
      try {
        await retake(`${small.table}transfers-max = 1\n${second.table}`);
        await page.goto(`${stage.origin}/`);
        await reach(page, ["token"]);
        await page.keyboard.type(small.token);
        await page.keyboard.press("Enter");
        await reach(page, ["start"]);
        await page.evaluate((text) => (document.querySelector("#text").value = text), "the one that there is room for");
        await sendComposed(page);
        await press(page, "#another");
        await press(page, "#another-step [data-part=yes]");
        await reach(page, ["start"]);
        await page.evaluate((text) => (document.querySelector("#text").value = text), KEPT);
        await press(page, "#send");
        await reach(page, ["failed"]);
        assert.match(await wordsOf(page, "#notice-why"), /with your token/);
        await press(page, "#other-token");
        await reach(page, ["token"]);
        assert.equal(await focused(page), "token");
        await page.keyboard.type(second.token);
        await page.keyboard.press("Enter");
        await reach(page, ["done"]);
        const opener = await visit(browser);
        await follow(opener.page, await valueOf(page, "#link"), ["ready"]);
        await holdOpen(opener.page);
        assert.equal(await valueOf(opener.page, "#text-shown"), KEPT);
      } finally {
        await retake(narrow + second.table);
      }
    }));

  test(`${browser.name}: where anybody may send, opening leads to it`, LIMIT, async () => {
    const server = await Server.startOne();
    const { page, leave } = await browser.visit(`http://127.0.0.1:${server.port}`);
    try {
      await page.goto(`http://127.0.0.1:${server.port}/open`);
      await reach(page, ["missing"]);
      await until("the way to it", () => page.evaluate(() => !document.querySelector("#yourself").hidden));
    } finally {
      await leave();
      await server.stop();
    }
  });

  test(`${browser.name}: a service in two halves leads from the inside to the outside`, LIMIT, () => halves(browser));
}

/** @param {import("./lib/browser.mjs").Browser} browser */
async function halves(browser) {
  const service = await Halves.start();
  const [inside, outside] = [service.inside, service.outside].map((server) => `http://127.0.0.1:${server.port}`);
  const sender = await browser.visit(inside);
  const opener = await browser.visit(outside);
  const lost = await browser.visit(inside);
  try {
    const { page } = sender;
    await page.goto(`${inside}/`);
    await reach(page, ["start"]);
    assert.match(await wordsOf(page, "#limits"), /^Up to /);
    await page.evaluate((text) => (document.querySelector("#text").value = text), KEPT);
    const link = await sendComposed(page);
    assert.ok(link.startsWith(`${outside}/open#`), "to the outside");
    assert.ok((await valueOf(page, "#receipt")).startsWith(`${inside}/manage#`), "to the inside");
    await leadsOn(lost, link, { inside, outside });
    await opener.page.goto(`${outside}/`);
    assert.match(await wordsOf(opener.page, "h1"), /Links are opened here/);
    await follow(opener.page, link, ["ready"]);
    await holdOpen(opener.page);
    assert.equal(await valueOf(opener.page, "#text-shown"), KEPT);
    opener.watch.expectStatus(410);
    // Settled when the server was told, and asked what it still has.
    await until("its end to be told", async () => /has deleted it/.test(await wordsOf(opener.page, "#deleted")));
    await hidesSending(opener.page);
    assert.equal(await wordsOf(opener.page, "#limits"), "", "how much may be sent, where nothing is");
    await opener.page.goto("about:blank");
    await follow(opener.page, link, ["gone"]);
    await hidesSending(opener.page);
    for (const visit of [sender, opener, lost]) assert.deepEqual(visit.watch.faults, []);
  } finally {
    for (const visit of [sender, opener, lost]) await visit.leave();
    await service.stop();
  }
}

/**
 * A link that led to the inside leads on from there, whole.
 *
 * @param {Awaited<ReturnType<import("./lib/browser.mjs").Browser["visit"]>>} visit
 * @param {string} link
 * @param {{ inside: string, outside: string }} origins
 */
async function leadsOn({ page, watch }, link, { inside, outside }) {
  watch.expectStatus(404);
  await page.goto(`${inside}/open`);
  assert.match(await wordsOf(page, "h1"), /Links are not opened here/);
  assert.equal(await page.evaluate(() => document.querySelector("#there").hidden), true, "there is no link");
  await page.goto("about:blank");
  await page.goto(link.replace(outside, inside));
  await until("the way to be there", () => page.evaluate(() => !document.querySelector("#there").hidden));
  assert.equal(await page.evaluate(() => location.href), `${inside}/open`);
  assert.equal(await page.evaluate(() => document.querySelector("#there").href), link);
}

/** @param {import("puppeteer-core").Page} page */
async function hidesSending(page) {
  await until("the limits to be known", async () => /^Version/.test(await wordsOf(page, "#version")));
  const ways = await page.evaluate(() => [...document.querySelectorAll("main a[href='/']")].filter((one) => one.getClientRects().length > 0).length);
  assert.equal(ways, 0, "no way to where nothing can be sent by who is here");
}
