/**
 * Real Chromium and real Firefox from the system's packages, each with a folder for what it saves. A visit has a profile of
 * its own, so that no two share anything but the server.
 *
 * @module
 */

import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import puppeteer from "puppeteer-core";

import { newProfile } from "./profile.mjs";
import { until } from "./wait.mjs";
import { Watch } from "./watch.mjs";

/** Endings of files that a browser is still writing. */
const UNFINISHED = /\.(part|crdownload)$/;

const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  // A page of a new profile never gets the process that is kept ready for the next.
  "--disable-features=SpareRendererForSitePerProcess",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--in-process-gpu",
];

/** Spares Firefox what it does for somebody who looks: a quarter of its work. */
const QUIET = {
  "layout.frame_rate": 10,
  "toolkit.cosmeticAnimations.enabled": false,
  "browser.tabs.animate": false,
  "browser.startup.page": 0,
  "browser.newtabpage.enabled": false,
  "browser.newtab.preload": false,
  "browser.sessionstore.interval": 3_600_000,
  "browser.shell.checkDefaultBrowser": false,
  "dom.ipc.processPrelaunch.enabled": false,
};

/** A running browser. */
export class Browser {
  #browser;
  #profile;

  /** @param {{ name: string, browser: import("puppeteer-core").Browser, folder: string, profile?: string }} own */
  constructor({ name, browser, folder, profile }) {
    this.name = name;
    this.folder = folder;
    this.#browser = browser;
    this.#profile = profile;
  }

  /**
   * @param {string} name `chromium` or `firefox`.
   * @param {{ isWhole?: boolean }} [how] Whether what is around the page counts, too. Else Chromium is its headless shell: the
   *   same engine, which asks nobody before a page is left and installs nothing, for two thirds of the work.
   */
  static async launch(name, { isWhole = false } = {}) {
    const folder = await mkdtemp(join(tmpdir(), `onetimeshare-e2e-${name}-`));
    const launch = { chromium: launchChromium, firefox: launchFirefox }[name];
    if (!launch) throw new Error(`there is no browser ${name}`);
    return new Browser({ name, folder, ...(await launch(folder, isWhole)) });
  }

  /**
   * A page of a profile that has never been here.
   *
   * @param {string} origin The only host that the page may speak to.
   */
  async visit(origin) {
    const context = await this.#browser.createBrowserContext({
      downloadBehavior: this.name === "chromium" ? { policy: "allow", downloadPath: this.folder } : undefined,
    });
    const page = await context.newPage();
    const watch = new Watch(origin);
    await watch.attach(page);
    const visit = { page, watch, warnings: 0, leave: () => context.close() };
    // Whoever is asked whether to leave a page leaves; that a page asks is for a test to count.
    page.on("dialog", (dialog) => {
      visit.warnings += 1;
      dialog.accept().catch(() => undefined);
    });
    return visit;
  }

  /**
   * The files that were saved, once they are as many and as long as they should be and none is being written.
   *
   * @param {number[]} lens Bytes of each, in any order.
   * @returns {Promise<{ name: string, path: string }[]>} By name.
   */
  async saved(lens) {
    const expected = [...lens].sort(byNumber).join();
    return until(`files of ${expected} bytes saved by ${this.name}`, async () => {
      const names = await readdir(this.folder);
      const found = await Promise.all(names.map((name) => lenOf(join(this.folder, name))));
      const isWhole = !names.some((name) => UNFINISHED.test(name)) && found.sort(byNumber).join() === expected;
      return isWhole && names.sort().map((name) => ({ name, path: join(this.folder, name) }));
    });
  }

  /** Forgets what was saved. */
  async clear() {
    for (const name of await readdir(this.folder)) await rm(join(this.folder, name), { recursive: true, force: true });
  }

  async close() {
    await this.#browser.close();
    for (const folder of [this.folder, this.#profile]) if (folder) await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} path @returns {Promise<number>} Bytes; -1 when it has gone meanwhile. */
async function lenOf(path) {
  const found = await stat(path).catch(() => null);
  return found ? found.size : -1;
}

/** @param {number} a @param {number} b */
function byNumber(a, b) {
  return a - b;
}

/** @param {string} _folder @param {boolean} isWhole */
async function launchChromium(_folder, isWhole) {
  const { ONETIMESHARE_CHROMIUM: whole = "/usr/bin/chromium", ONETIMESHARE_CHROMIUM_SHELL: shell = whole } = process.env;
  const executablePath = isWhole ? whole : shell;
  return { browser: await puppeteer.launch({ browser: "chrome", executablePath, headless: true, args: CHROMIUM_ARGS }) };
}

/** @param {string} folder Where it saves, without asking. */
async function launchFirefox(folder) {
  const executablePath = process.env.ONETIMESHARE_FIREFOX ?? "/usr/bin/firefox-esr";
  const profile = await newProfile(executablePath);
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    userDataDir: profile,
    extraPrefsFirefox: {
      "browser.download.folderList": 2,
      "browser.download.dir": folder,
      "browser.download.useDownloadDir": true,
      "browser.download.always_ask_before_handling_new_types": false,
      "browser.download.alwaysOpenPanel": false,
      "browser.download.manager.addToRecentDocs": false,
      "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
      "network.captive-portal-service.enabled": false,
      "network.connectivity-service.enabled": false,
      ...QUIET,
    },
  });
  return { browser, profile };
}
