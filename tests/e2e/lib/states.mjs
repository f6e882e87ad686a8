/**
 * Every state that a person meets on the three pages, each with the way to bring a page there: by the real server, through a
 * proxy that answers instead of it where a state would take days or a broken network. It judges nothing.
 *
 * @module
 */

import { Browser } from "./browser.mjs";
import { Content } from "./content.mjs";
import { Faults } from "./fault.mjs";
import { Server } from "./server.mjs";
import { manageStates } from "./states/manage.mjs";
import { noticeStates } from "./states/notice.mjs";
import { openStates } from "./states/open.mjs";
import { sendStates } from "./states/send.mjs";

/**
 * @typedef {import("puppeteer-core").Page} Page
 * @typedef {object} State
 * @property {string} name Begins with the page's name; also a file's name.
 * @property {string} what What is seen, in a few words.
 * @property {(scenery: Scenery) => Promise<Page>} bring
 * @property {boolean} [main] Whether it is one of those that everybody sees.
 */

/** All of them, page by page. @type {State[]} */
export const STATES = [...sendStates, ...openStates, ...noticeStates, ...manageStates];

/** The widths that are looked at, in CSS pixels: a desk, and the narrowest phone. */
export const WIDTHS = [1280, 320];
export const THEMES = ["light", "dark"];

/** What a state is played with: a server, the proxy before it, Chromium and some files. */
export class Scenery {
  /** @type {Awaited<ReturnType<Browser["visit"]>>[]} */
  #visits = [];

  /** @param {{ server: Server, faults: Faults, browser: Browser, content: Content }} own */
  constructor({ server, faults, browser, content }) {
    this.server = server;
    this.faults = faults;
    this.browser = browser;
    this.content = content;
  }

  static async open() {
    const server = await Server.start();
    const faults = await Faults.start(server.port);
    return new Scenery({ server, faults, browser: await Browser.launch("chromium"), content: await Content.make() });
  }

  get origin() {
    return this.faults.origin;
  }

  /** A page of somebody who has never been here. */
  async fresh() {
    const visit = await this.browser.visit(this.origin);
    this.#visits.push(visit);
    await visit.page.setViewport({ width: 1280, height: 860 });
    await visit.page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    return visit.page;
  }

  /**
   * Brings a page into a state, looks at it, and clears away.
   *
   * @param {State} state
   * @param {(page: Page) => Promise<void>} look
   */
  async play(state, look) {
    try {
      const page = await state.bring(this);
      await page.bringToFront();
      await look(page);
    } finally {
      this.faults.plan = () => null;
      for (const visit of this.#visits.splice(0)) await visit.leave();
      await this.browser.clear();
    }
  }

  async close() {
    await this.browser.close();
    await this.faults.stop();
    await this.server.stop();
    await this.content.remove();
  }
}

/**
 * Shows the page in a theme and a width, from its top.
 *
 * @param {Page} page
 * @param {string} theme
 * @param {number} width CSS pixels.
 */
export async function showAs(page, theme, width) {
  await page.setViewport({ width, height: width > 600 ? 860 : 640 });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: theme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.evaluate(() => document.fonts.ready.then(() => scrollTo(0, 0)));
}
