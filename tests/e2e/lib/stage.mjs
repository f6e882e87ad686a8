/**
 * The stage of every end-to-end test: one server, the proxy before it, the browsers, the content. A scene fails when any of
 * its pages had a fault, however well the rest went.
 *
 * @module
 */

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { Content } from "./content.mjs";
import { Proxy } from "./proxy.mjs";
import { Server } from "./server.mjs";

/** The browsers to drive. */
export const BROWSERS = (process.env.ONETIMESHARE_BROWSERS || "chromium,firefox").split(",");

/** Everything that a test file needs. */
export class Stage {
  /** @param {{ server: Server, proxy: Proxy, browsers: Browser[], content: Content }} own */
  constructor({ server, proxy, browsers, content }) {
    this.server = server;
    this.proxy = proxy;
    this.browsers = browsers;
    this.content = content;
  }

  /**
   * Starts everything; what was started is ended again when something does not start.
   *
   * @param {string[]} [settings] Of the server.
   * @param {{ names?: string[], isWhole?: boolean }} [how] The browsers, and whether what is around the page counts, too.
   */
  static async open(settings, { names = BROWSERS, isWhole } = {}) {
    const server = await Server.start(settings);
    const browsers = [];
    try {
      for (const name of names) browsers.push(await Browser.launch(name, { isWhole }));
    } catch (error) {
      await Promise.all(browsers.map((browser) => browser.close()));
      await server.stop();
      throw error;
    }
    return new Stage({ server, browsers, proxy: await Proxy.start(server.port), content: await Content.make() });
  }

  /** Where the pages are. */
  get origin() {
    return this.proxy.origin;
  }

  /** Each browser as the sender to each other as the opener; to itself, when there is but one. */
  get directions() {
    const [first, second = first] = this.browsers;
    return first === second ? [[first, first]] : [[first, second], [second, first]];
  }

  /**
   * Plays a scene. Its pages are closed afterwards, and must have been without a fault.
   *
   * @param {(visit: (browser: Browser) => ReturnType<Browser["visit"]>) => Promise<void>} play
   */
  async scene(play) {
    const visits = [];
    this.proxy.forget();
    for (const browser of this.browsers) await browser.clear();
    try {
      await play(async (browser) => {
        const visit = await browser.visit(this.origin);
        visits.push(visit);
        return visit;
      });
    } catch (error) {
      error.message += this.#account(visits);
      throw error;
    } finally {
      for (const visit of visits) await visit.leave();
    }
    assert.deepEqual(faultsOf(visits), []);
    assert.deepEqual(this.proxy.seen.filter((one) => one.status >= 500), []);
  }

  /** What helps to understand a failure. */
  #account(visits) {
    const calls = this.proxy.seen.map((one) => `${one.status} ${one.method} ${one.path}`);
    return `\npages: ${JSON.stringify(faultsOf(visits))}\nrequests:\n  ${calls.slice(-25).join("\n  ")}\nserver:\n${this.server.log.slice(-2000)}`;
  }

  async close() {
    await Promise.all(this.browsers.map((browser) => browser.close()));
    await this.proxy.stop();
    await this.server.stop();
    await this.content.remove();
  }
}

/** @param {Awaited<ReturnType<Browser["visit"]>>[]} visits */
function faultsOf(visits) {
  return visits.flatMap((visit) => visit.watch.faults);
}
