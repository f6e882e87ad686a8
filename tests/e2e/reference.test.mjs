/**
 * The pages and the reference agree: each opens what the other sent, though they share no code.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { AWKWARD_NAME, TEXT, digestOf, digestOfFile } from "./lib/content.mjs";
import { follow, holdOpen, offerPassphrase, reach, send } from "./lib/pages.mjs";
import { Reference } from "./lib/reference.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";
import { LET_GO } from "./lib/watch.mjs";

const LIMIT = { timeout: 120_000 };
/** More than one part. */
const LARGE_LEN = 9_000_000;
/** Decomposed; the reference is given it composed. */
const PASSPHRASE = "Ame\u0301lie 日本";

const stage = await Stage.open();
const reference = new Reference();
const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-reference-"));
after(async () => {
  await reference.stop();
  await stage.close();
  await rm(folder, { recursive: true, force: true });
});

for (const browser of stage.browsers) {
  test(`${browser.name}: the reference opens a text behind a passphrase, and files`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page } = await visit(browser);
      const link = await send(page, stage.origin, { text: TEXT, passphrase: PASSPHRASE });
      const text = await reference.ask({ do: "open", link, folder, passphrase: PASSPHRASE.normalize("NFC") });
      assert.equal(text.kind, "text");
      assert.equal(await digestOfFile(text.entries[0].path), digestOf(TEXT));

      const files = await theFiles();
      const other = await send(page, stage.origin, { files: files.map((file) => file.path) });
      const opened = await reference.ask({ do: "open", link: other, folder });
      assert.deepEqual(opened.entries.map((entry) => entry.name), files.map((file) => file.name));
      for (const [index, { path }] of opened.entries.entries()) {
        assert.equal(await digestOfFile(path), files[index].digest, files[index].name);
      }
    }));

  test(`${browser.name}: its page opens a text behind a passphrase, and files`, LIMIT, () =>
    stage.scene(async (visit) => {
      const { page, watch } = await visit(browser);
      watch.expect(LET_GO);
      const { path } = await stage.content.file("text.txt", TEXT);
      const text = await reference.ask({
        ...orderOf("text", [{ name: "", path }]),
        passphrase: PASSPHRASE.normalize("NFC"),
      });
      await follow(page, text.link, ["passphrase"]);
      await offerPassphrase(page, PASSPHRASE);
      await reach(page, ["ready"]);
      await openWhole(page);
      assert.equal(await page.evaluate(() => document.querySelector("#text-shown").value), TEXT);

      const files = await theFiles();
      const other = await reference.ask(orderOf("files", files));
      const { page: next, watch: nextWatch } = await visit(browser);
      nextWatch.expect(LET_GO);
      await follow(next, other.link, ["ready"]);
      await openWhole(next);
      const saved = await browser.saved(files.map((file) => file.len));
      const digests = await Promise.all(saved.map((file) => digestOfFile(file.path)));
      assert.deepEqual(digests.sort(), files.map((file) => file.digest).sort());
    }));
}

/**
 * Opens what is ready, to the end of its padding and the word that it arrived.
 *
 * @param {import("puppeteer-core").Page} page
 */
async function openWhole(page) {
  const before = deliveries();
  await holdOpen(page);
  await until("the page to say that it arrived", () => deliveries() > before);
}

/** How often the server was told that everything arrived. */
function deliveries() {
  return stage.proxy.calls().filter((call) => call.endsWith("/delivered")).length;
}

/** One that goes in parts, an empty one, and one with an awkward name. */
function theFiles() {
  return Promise.all([
    stage.content.random("large.bin", LARGE_LEN),
    stage.content.file("empty.txt", ""),
    stage.content.file(AWKWARD_NAME, "one line\n"),
  ]);
}

/**
 * @param {"text" | "files"} kind
 * @param {{ name: string, path: string }[]} files
 */
function orderOf(kind, files) {
  const entries = files.map(({ name, path }) => ({ name, type: "text/plain", path }));
  return { do: "send", base: stage.origin, kind, entries };
}
