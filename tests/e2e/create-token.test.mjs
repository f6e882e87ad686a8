/**
 * A server that creates for holders of a token alone: the page asks, says what is wrong with one, remembers it only when told to,
 * forgets it, and asks again when it is taken back, without losing what was written. Then a service in two halves, whose links lead
 * from the inside to the outside.
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
      assert.equal(await focused(page), "token-title", "whoever reads with their ears hears what it is");
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
        assert.match(await wordsOf(page, "#compose-trouble"), /allows less than you had chosen/);
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

  test(`${browser.name}: a service in two halves leads from the inside to the outside`, LIMIT, () => halves(browser));
}

/** @param {import("./lib/browser.mjs").Browser} browser */
async function halves(browser) {
  // Both halves over one folder would not start: the outside is only asked for its pages here.
  const outside = await Server.startOne(["--role", "open"]);
  const url = `http://127.0.0.1:${outside.port}`;
  const inside = await Server.startOne(["--role", "create", "--open-url", url]);
  const origin = `http://127.0.0.1:${inside.port}`;
  const sender = await browser.visit(origin);
  const opener = await browser.visit(url);
  try {
    const { page } = sender;
    await page.goto(`${origin}/`);
    await reach(page, ["start"]);
    await page.evaluate((text) => (document.querySelector("#text").value = text), KEPT);
    const link = await sendComposed(page);
    assert.ok(link.startsWith(`${url}/open#`), "to the outside");
    assert.ok((await valueOf(page, "#receipt")).startsWith(`${origin}/manage#`), "to the inside");
    sender.watch.expectStatus(404);
    await page.goto(`${origin}/open`);
    assert.match(await wordsOf(page, "h1"), /Links are not opened here/);
    await opener.page.goto(`${url}/`);
    assert.match(await wordsOf(opener.page, "h1"), /Links are opened here/);
    // Its store is another one here, and knows nothing.
    opener.watch.expectStatus(404);
    await follow(opener.page, link, ["unknown"]);
    await until("the way to the other half to be hidden", () => opener.page.evaluate(() => [...document.querySelectorAll("[data-sender]")].every((one) => one.hidden)));
    assert.deepEqual(sender.watch.faults, []);
    assert.deepEqual(opener.watch.faults, []);
  } finally {
    await sender.leave();
    await opener.leave();
    await inside.stop();
    await outside.stop();
  }
}
