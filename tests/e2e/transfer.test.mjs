/**
 * The main job, in every direction unless one is asked for: what one browser sends, another opens, bit by bit, once; then the server
 * has nothing left of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { AWKWARD_NAME, TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { follow, holdOpen, press, send, wordsOf } from "./lib/pages.mjs";
import { IS_SEVERAL } from "./lib/server.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const MB = 1_000_000;
const LIMIT = { timeout: 180_000 };

const stage = await Stage.open([], { isWhole: true });
after(() => stage.close());

const directions = import.meta.url.endsWith("?one-way") ? stage.directions.slice(0, 1) : stage.directions;
const servers = IS_SEVERAL ? "several servers: " : "";

for (const [from, to] of directions) {
  const way = `${servers}${from.name} → ${to.name}`;

  test(`${way}: a text costs one request to create and one to claim`, LIMIT, () =>
    stage.scene(async (visit) => {
      const sender = await visit(from);
      const link = await send(sender.page, stage.origin, { text: TEXT });
      assertLink(link);
      assert.deepEqual(changes(), ["POST transfers"]);

      stage.proxy.forget();
      const opener = await visit(to);
      await follow(opener.page, link, ["ready"]);
      await holdOpen(opener.page);
      assert.equal(await opener.page.evaluate(() => document.querySelector("#text-shown").value), TEXT);
      assert.equal(await opener.page.evaluate(() => document.querySelectorAll("#text-shown *").length), 0);
      await press(opener.page, "#save-text");
      const [saved] = await to.saved([Buffer.byteLength(TEXT)]);
      assert.equal(await digestOfFile(saved.path), digestOf(TEXT));
      await until("delivered", () => calls().includes("POST transfers/ID/delivered"));
      assert.deepEqual(changes(), ["POST transfers/ID/claim", "POST transfers/ID/delivered"]);
      assert.deepEqual(calls().filter((call) => call.endsWith("/body")), []);
      assertKeyStayed(link);
    }));

  test(`${way}: a file of 0 bytes`, LIMIT, () => deliver(from, to, [["empty.bin", new Uint8Array()]]));

  test(`${way}: a file with an awkward name`, LIMIT, () => deliver(from, to, [[AWKWARD_NAME, "one line\n"]]));

  test(`${way}: 30 MB of random bytes`, LIMIT, async () => {
    const file = await stage.content.random("random.bin", 30 * MB);
    await deliverFiles(from, to, [file]);
  });

  test(`${way}: several files`, LIMIT, async () => {
    const files = await Promise.all([
      stage.content.random("small.bin", 100),
      stage.content.random("chunk.bin", 65_536),
      stage.content.random("large.bin", 3 * MB),
      stage.content.file("empty.txt", ""),
      stage.content.file("page.html", "<script>alert(1)</script>"),
    ]);
    await deliverFiles(from, to, files);
  });
}

/**
 * @param {import("./lib/browser.mjs").Browser} from
 * @param {import("./lib/browser.mjs").Browser} to
 * @param {[string, Uint8Array | string][]} contents
 */
async function deliver(from, to, contents) {
  await deliverFiles(from, to, await Promise.all(contents.map(([name, bytes]) => stage.content.file(name, bytes))));
}

/**
 * Sends files, opens them elsewhere, compares digests, and looks what the server still has.
 *
 * @param {import("./lib/browser.mjs").Browser} from
 * @param {import("./lib/browser.mjs").Browser} to
 * @param {import("./lib/content.mjs").SentFile[]} files
 */
function deliverFiles(from, to, files) {
  return stage.scene(async (visit) => {
    const sender = await visit(from);
    const link = await send(sender.page, stage.origin, { files: files.map((file) => file.path) });
    assertLink(link);
    const isInline = !calls().some((call) => call.includes("/parts/"));
    const opener = await visit(to);
    await follow(opener.page, link, ["ready"]);
    const [id, ...others] = stage.proxy.ids();
    assert.deepEqual(others, []);
    // The control: before it is opened, a body that is kept as objects is found, so finding none later means something.
    assert.equal((await filesOf(id)).length > 0, !isInline || stage.server.keepsEachAsObject);

    assert.deepEqual(await namesIn(opener.page), files.map((file) => file.name));
    await holdOpen(opener.page);
    const saved = await to.saved(files.map((file) => file.len));
    const digests = await Promise.all(saved.map((file) => digestOfFile(file.path)));
    assert.deepEqual(digests.sort(), files.map((file) => file.digest).sort());
    assertNames(saved.map((file) => file.name), files.map((file) => file.name));
    await until("the server to have deleted it", async () => (await filesOf(id)).length === 0);
    await until("the page to say so", async () => (await wordsOf(opener.page, "#deleted")) !== "");
    assertKeyStayed(link);
  });
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string[]>} The names that are shown. */
function namesIn(page) {
  return page.evaluate(() => Array.from(document.querySelectorAll("#entries bdi"), (name) => name.textContent));
}

/** The files that the server keeps of a transfer. @param {string} id */
async function filesOf(id) {
  return (await stage.server.files()).filter((file) => file.path.includes(id));
}

function calls() {
  return stage.proxy.calls();
}

/** The calls that change something, in order. */
function changes() {
  return calls().filter((call) => !call.startsWith("GET ") && !call.endsWith("/peek"));
}

/** @param {string} link */
function assertLink(link) {
  const { origin, pathname, search, hash } = new URL(link);
  assert.deepEqual({ origin, pathname, search }, { origin: stage.origin, pathname: "/open", search: "" });
  assert.match(hash, /^#[\w-]{48}$/);
}

/** No request, of any thread of any browser, held the link's key. @param {string} link */
function assertKeyStayed(link) {
  assert.deepEqual(stage.proxy.holding(new URL(link).hash.slice(1)), []);
  assert.equal(stage.server.log.includes(new URL(link).hash.slice(1)), false);
}

/**
 * Names on disk are those that were sent, but for signs that a browser does not let onto a disk.
 *
 * @param {string[]} saved
 * @param {string[]} sent
 */
function assertNames(saved, sent) {
  const plain = (names) => names.map((name) => name.replaceAll(/["_]/g, "_")).sort();
  assert.deepEqual(plain(saved), plain(sent));
}
