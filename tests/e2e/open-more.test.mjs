/**
 * What the opening page does beyond the main way: archives, covered texts, what is left on the server, going on after a
 * reload, and one's own links.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { follow, hold, holdOpen, press, reach, send, wordsOf } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";
import { LET_GO } from "./lib/watch.mjs";

const run = promisify(execFile);
const LIMIT = { timeout: 120_000 };
const MB = 1_000_000;

const stage = await Stage.open();
after(() => stage.close());

for (const browser of stage.browsers) {
  test(`${browser.name}: 200 files in folders, an empty one among them, arrive as one whole archive`, LIMIT, () =>
    stage.scene(async (visit) => {
      const items = Array.from({ length: 200 }, (_, index) => ({
        name: `photos/day ${index % 7}/日本 ${index}.bin`,
        bytes: randomBytes(index === 3 ? 0 : 1 + ((index * 7919) % 60_000)),
      }));
      const { link } = await sealAndSend(stage.origin, items);
      const { page } = await visit(browser);
      await follow(page, link, ["ready"]);
      assert.equal(await page.evaluate(() => document.querySelector("save-choice .only-zip").hidden), false);
      await holdOpen(page);
      assert.match(await wordsOf(page, "#done-title"), /one archive.*200 files/);
      const unpacked = await unpack(await onlyArchive(browser, "photos.zip"));
      for (const { name, bytes } of items) assert.equal(unpacked.get(name), digestOf(bytes), name);
      assert.equal(unpacked.size, items.length);
    }));

  test(`${browser.name}: the choice is made before anything is taken, and names fit every disk`, LIMIT, () =>
    stage.scene(async (visit) => {
      const items = ["a.txt", "A.TXT", "con.txt", "what: now?.txt"].map((name) => ({ name, bytes: randomBytes(50) }));
      const { link } = await sealAndSend(stage.origin, items);
      const { page } = await visit(browser);
      await follow(page, link, ["ready"]);
      assert.equal(await page.evaluate(() => document.querySelector("#form-each").checked), true);
      await press(page, "#form-zip");
      assert.deepEqual(calls().filter((call) => call.endsWith("/claim")), []);
      await holdOpen(page);
      const unpacked = await unpack(await onlyArchive(browser, "onetimeshare.zip"));
      assert.deepEqual([...unpacked.keys()].sort(), ["A (2).TXT", "_con.txt", "a.txt", "what_ now_.txt"]);
      assert.equal(unpacked.get("A (2).TXT"), digestOf(items[1].bytes));
    }));

  test(`${browser.name}: a reload in the middle of a download, and the link again, finish it`, LIMIT, () =>
    stage.scene(async (visit) => {
      const bytes = randomBytes(30 * MB);
      const { link } = await sealAndSend(stage.origin, [{ name: "large.bin", bytes }]);
      const { page, watch } = await visit(browser);
      watch.expect(/^request failed: GET .*\/body \(|^thrown: Failed to load .* A ServiceWorker intercepted|signal is aborted|aborted/);
      await follow(page, link, ["ready"]);
      stage.proxy.holdBodiesAfter(9 * MB);
      await hold(page, 1000);
      await until("a part of the body", () => stage.proxy.isHolding);
      await reload(page);
      await reach(page, ["reloaded"]);
      assert.match(await wordsOf(page, "#notice-why"), /kept for you until/);
      stage.proxy.release();
      await browser.clear();
      // From the same page the link would be a reload that begins only after it was followed.
      await page.goto("about:blank");
      await follow(page, link, ["ready"]);
      assert.match(await wordsOf(page, "#facts"), /nothing more is used up/);
      await holdOpen(page);
      const [saved] = await browser.saved([bytes.length]);
      assert.equal(await digestOfFile(saved.path), digestOf(bytes));
      await until("the page to say so", async () => /server has deleted it/.test(await wordsOf(page, "#deleted")));
      await reload(page);
      await reach(page, ["reloaded"]);
      assert.doesNotMatch(await wordsOf(page, "#notice-why"), /kept for you/);
      assert.match(await wordsOf(page, "#notice-title"), /You have opened this/);
    }));

  test(`${browser.name}: a text is covered until it is asked for, and saved without being shown`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { link } = await sealAndSend(stage.origin, [{ name: "", bytes: Buffer.from(TEXT) }]);
      const { page } = await visit(browser);
      await follow(page, link, ["ready"]);
      await holdOpen(page);
      const isShown = () => page.evaluate(() => document.querySelector("#text-shown").checkVisibility());
      assert.equal(await isShown(), false);
      assert.match(await wordsOf(page, ".cover"), /4 lines/);
      await press(page, "#save-text");
      const [saved] = await browser.saved([Buffer.byteLength(TEXT)]);
      assert.equal(await digestOfFile(saved.path), digestOf(TEXT));
      assert.equal(await isShown(), false);
      await press(page, "#show-text");
      assert.equal(await isShown(), true);
      await press(page, "#show-text");
      assert.equal(await isShown(), false);
    }));

  test(`${browser.name}: what the server still has is said as it is`, LIMIT, () =>
    stage.scene(async (visit) => {
      const items = [{ name: "large.bin", bytes: randomBytes(12 * MB) }];
      const { link } = await sealAndSend(stage.origin, items, { claims_max: 3 });
      const first = await visit(browser);
      first.watch.expect(LET_GO);
      await follow(first.page, link, ["ready"]);
      assert.match(await wordsOf(first.page, "#facts"), /3 times/);
      await holdOpen(first.page);
      await until("what is left", async () => /opened 2 times, until .*deletes it/.test(await wordsOf(first.page, "#deleted")));

      const slow = await visit(browser);
      slow.watch.expect(LET_GO);
      await follow(slow.page, link, ["ready"]);
      stage.proxy.holdBodiesAfter(4 * MB);
      await hold(slow.page, 1000);
      await until("a part of the body", () => stage.proxy.isHolding);
      const held = await visit(browser);
      held.watch.expect(LET_GO);
      await follow(held.page, link, ["ready"]);
      await hold(held.page, 1000);
      await reach(held.page, ["opening"]);
      stage.proxy.release();
      const says = async (visit) => wordsOf(visit.page, "#deleted");
      await reach(slow.page, ["done"], 60_000);
      await reach(held.page, ["done"], 60_000);
      await until("the last to hear that it is gone", async () => {
        const both = [await says(slow), await says(held)];
        return both.some((words) => /The server has deleted it/.test(words));
      });
    }));

  test(`${browser.name}: one's own link warns first`, LIMIT, () =>
    stage.scene(async (visit) => {
      const isWarned = (page) =>
        page.evaluate(() => [...document.querySelectorAll("[data-own]")].some((one) => one.checkVisibility()));
      const { page } = await visit(browser);
      const link = await send(page, stage.origin, { text: TEXT });
      await page.goto("about:blank");
      await follow(page, link, ["ready"]);
      assert.equal(await isWarned(page), true);
      const stranger = await visit(browser);
      await follow(stranger.page, link, ["ready"]);
      assert.equal(await isWarned(stranger.page), false);
    }));
}

/**
 * Reloads. Firefox may call that aborted when the dialogue about leaving or a download comes between; what the page shows
 * afterwards is for the test to look at.
 *
 * @param {import("puppeteer-core").Page} page
 */
async function reload(page) {
  await page.reload().catch((error) => {
    if (!/NS_BINDING_ABORTED/.test(error.message)) throw error;
  });
}

/** The one archive that was saved. @param {import("./lib/browser.mjs").Browser} browser @param {string} name */
async function onlyArchive(browser, name) {
  await until(`${name} to be whole`, async () => (await readdir(browser.folder)).join() === name);
  return join(browser.folder, name);
}

/** Digests by name, after the archive was tested. @param {string} path @returns {Promise<Map<string, string>>} */
async function unpack(path) {
  const folder = await mkdtemp(`${path}.d-`);
  try {
    const { stdout } = await run("unzip", ["-t", path]);
    assert.match(stdout, /No errors detected/);
    await run("unzip", ["-q", path, "-d", folder], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
    const digests = new Map();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const at = join(entry.parentPath, entry.name);
      digests.set(at.slice(folder.length + 1), digestOf(await readFile(at)));
    }
    return digests;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function calls() {
  return stage.proxy.calls();
}
