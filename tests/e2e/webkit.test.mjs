/**
 * WebKitGTK, driven by plain WebDriver: sends and opens a text and a file of 5 MB. It has no service of puppeteer's, so this
 * file brings the little it needs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Content, TEXT, digestOfFile } from "./lib/content.mjs";
import { Server } from "./lib/server.mjs";
import { sleep, until } from "./lib/wait.mjs";

const DRIVER = process.env.ONETIMESHARE_WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";
const BROWSER = process.env.ONETIMESHARE_WEBKIT ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const LIMIT = { timeout: 120_000 };
/** How WebDriver names an element in its answers. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** A session of one browser. */
class WebKit {
  #session = "";
  #driver;
  #base;

  /** @param {{ driver: import("node:child_process").ChildProcess, base: string, home: string }} own */
  constructor({ driver, base, home }) {
    this.#driver = driver;
    this.#base = base;
    this.home = home;
  }

  /** Starts the driver on a screen of its own; downloads land in its home. */
  static async launch() {
    const home = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-webkit-"));
    const port = await freePort();
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: join(home, ".data"), XDG_CACHE_HOME: join(home, ".cache") };
    // Without a bus of its own and a sandbox it runs in a container as well.
    Object.assign(env, { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" });
    const driver = spawn("xvfb-run", ["-a", DRIVER, `--port=${port}`], { env, stdio: "ignore", detached: true });
    const webkit = new WebKit({ driver, base: `http://127.0.0.1:${port}`, home });
    await until(`${DRIVER} to answer`, async () => (await fetch(`${webkit.#base}/status`).catch(() => null))?.ok ?? false);
    await webkit.begin();
    return webkit;
  }

  /** A new session: nothing of the one before is left in it. */
  async begin() {
    if (this.#session) await this.#call("DELETE", "");
    const options = { binary: BROWSER, args: ["--automation"] };
    const alwaysMatch = { browserName: "MiniBrowser", "webkitgtk:browserOptions": options };
    this.#session = "";
    const { sessionId } = await this.#call("POST", "", { capabilities: { alwaysMatch } });
    this.#session = `/${sessionId}`;
  }

  /** @param {string} url */
  async go(url) {
    await this.#call("POST", "/url", { url });
  }

  /** @param {string} script @param {unknown[]} [args] */
  run(script, args = []) {
    return this.#call("POST", "/execute/sync", { script, args });
  }

  /** @param {string[]} states */
  async reach(states) {
    let last = "";
    const look = async () => {
      last = await this.run("return document.documentElement.dataset.state ?? ''");
      return states.includes(last) && last;
    };
    return until(`the page to be ${states}`, look, 60_000).catch((error) => {
      throw new Error(`${error.message}; it is ${last}`);
    });
  }

  /** Types as a person does, or names a file. @param {string} selector @param {string} text */
  async type(selector, text) {
    await this.#call("POST", `/element/${await this.#find(selector)}/value`, { text });
  }

  /** @param {string} selector */
  async click(selector) {
    await this.#call("POST", `/element/${await this.#find(selector)}/click`, {});
  }

  /** Holds the button that opens. */
  async holdOpen() {
    const origin = { [ELEMENT]: await this.#find("#open") };
    await this.run("document.querySelector('#open').scrollIntoView({ block: 'center' })");
    const actions = [
      { type: "pointerMove", duration: 0, x: 0, y: 0, origin },
      { type: "pointerDown", button: 0 },
      { type: "pause", duration: 1200 },
      { type: "pointerUp", button: 0 },
    ];
    await this.#call("POST", "/actions", { actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }] });
  }

  async close() {
    await this.#call("DELETE", "").catch(() => undefined);
    if (this.#driver.pid) process.kill(-this.#driver.pid, "SIGTERM");
    await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** @param {string} selector */
  async #find(selector) {
    return (await this.#call("POST", "/element", { using: "css selector", value: selector }))[ELEMENT];
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #call(method, path, body) {
    const answer = await fetch(`${this.#base}/session${this.#session}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await answer.json();
    if (value?.error) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** @type {Server} */
let server;
/** @type {Content} */
let content;
/** @type {WebKit} */
let webkit;

before(async () => {
  server = await Server.start();
  content = await Content.make();
  webkit = await WebKit.launch();
});

after(async () => {
  await webkit?.close();
  await content?.remove();
  await server?.stop();
});

test("webkit: sends and opens a text", LIMIT, async () => {
  const link = await sendFilled(async () => {
    await webkit.run("const f = document.querySelector('#text'); f.value = arguments[0]; f.dispatchEvent(new Event('input', { bubbles: true }));", [TEXT]);
  });
  await webkit.begin();
  await webkit.go(link);
  await webkit.reach(["ready"]);
  await webkit.holdOpen();
  await webkit.reach(["done"]);
  assert.equal(await webkit.run("return document.querySelector('#text-shown').value"), TEXT);
  assert.equal(await webkit.run("return document.querySelector('#text-shown').checkVisibility()"), false);
  await webkit.click("#show-text");
  assert.equal(await webkit.run("return document.querySelector('#text-shown').checkVisibility()"), true);
  await deleted();
});

test("webkit: sends and opens a file of 5 MB", LIMIT, async () => {
  const file = await content.file("five.bin", randomBytes(5_000_000));
  const link = await sendFilled(() => webkit.type("#files", file.path));
  await webkit.begin();
  await webkit.go(link);
  await webkit.reach(["ready"]);
  await webkit.holdOpen();
  await webkit.reach(["done"]);
  const path = await until("the file to be saved", () => found(webkit.home, "five.bin"), 30_000);
  await until("the file to be whole", async () => (await digestOfFile(path)) === file.digest, 30_000);
  await deleted();
});

/** @param {() => Promise<void>} fill */
async function sendFilled(fill) {
  await webkit.go(`http://127.0.0.1:${server.port}/`);
  await webkit.reach(["start"]);
  await fill();
  await until("the send button", () => webkit.run("return !document.querySelector('#send').disabled"));
  await sleep(300);
  await webkit.click("#send");
  await webkit.reach(["done"]);
  return webkit.run("return document.querySelector('#link').value");
}

/** The page says that the server has deleted it. */
async function deleted() {
  await until("the page to say that it is deleted", async () =>
    /server has deleted it/.test(await webkit.run("return document.querySelector('#deleted').textContent")),
  );
}

/** A file of this name anywhere below a folder. @param {string} folder @param {string} name */
async function found(folder, name) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const entry = entries.find((one) => one.isFile() && one.name === name);
  return entry && join(entry.parentPath, entry.name);
}
