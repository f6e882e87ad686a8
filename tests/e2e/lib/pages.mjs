/**
 * What a person does on the two pages, by the hooks that www/README.md names. It checks nothing; tests do.
 *
 * @module
 */

import { sleep, until } from "./wait.mjs";

/** How long the button is held, in ms: a little more than the page asks for. */
const HOLD_MS = 1000;
/** How long sending or opening may take; 30 MB on a slow machine. */
const TRANSFER_MS = 90_000;

/**
 * Waits until the page is in one of these states. A page on its way to another address has none, and cannot be asked.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string[]} states
 * @param {number} [limit_ms]
 * @returns {Promise<string>} Which it is.
 */
export async function reach(page, states, limit_ms = 20_000) {
  let last = "";
  const look = () => stateOf(page).catch((error) => `not to be asked (${error.message})`);
  try {
    return await until("", async () => {
      last = await look();
      return states.includes(last) && last;
    }, limit_ms);
  } catch {
    const notice = await wordsOf(page, "#notice-title").catch(() => "nothing");
    throw new Error(`the page is ${last}, not ${states.join(" or ")}, after ${limit_ms} ms; it says: ${notice}`);
  }
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<string>} */
export function stateOf(page) {
  return page.evaluate(() => document.documentElement.dataset.state ?? "");
}

/**
 * The words of an element as they are, shown or not, with blanks where no line may end; empty when there is none.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} selector
 * @returns {Promise<string>}
 */
export function wordsOf(page, selector) {
  return page.evaluate((selector) => document.querySelector(selector)?.textContent?.trim().replaceAll("\u00a0", " ") ?? "", selector);
}

/**
 * Loads the send page and fills it, without sending.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} origin
 * @param {{ text?: string, files?: string[], passphrase?: string }} what
 */
export async function compose(page, origin, { text, files, passphrase }) {
  await page.goto(`${origin}/`);
  await reach(page, ["start"]);
  if (text !== undefined) await fill(page, "#text", text);
  if (files !== undefined) {
    const picker = await page.$("#files");
    await picker.uploadFile(...files);
  }
  if (passphrase !== undefined) await fill(page, "#passphrase", passphrase);
}

/**
 * Sends, and returns the link.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} origin
 * @param {{ text?: string, files?: string[], passphrase?: string }} what
 * @returns {Promise<string>}
 */
export async function send(page, origin, what) {
  await compose(page, origin, what);
  return sendComposed(page);
}

/**
 * Sends what was filled in, and returns the link.
 *
 * @param {import("puppeteer-core").Page} page
 * @returns {Promise<string>}
 */
export async function sendComposed(page) {
  await until("the send button", () => page.evaluate(() => !document.querySelector("#send").disabled));
  await press(page, "#send");
  await reach(page, ["done"], TRANSFER_MS);
  return page.evaluate(() => document.querySelector("#link").value);
}

/**
 * Lets an upload that is tried again and again come to its end without its waits: at each, the page is told that the network is
 * back, and tries at once.
 *
 * @param {import("puppeteer-core").Page} page
 */
export async function failAtOnce(page) {
  await until("the upload to fail", async () => {
    await page.evaluate(() => dispatchEvent(new Event("online")));
    return (await stateOf(page)) === "failed";
  });
}

/**
 * Follows a link as far as a look goes.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} link
 * @param {string[]} states Where that must lead.
 */
export async function follow(page, link, states) {
  await page.goto(link);
  return reach(page, states);
}

/**
 * Opens what is ready by the deliberate gesture, to the end.
 *
 * @param {import("puppeteer-core").Page} page
 */
export async function holdOpen(page) {
  await hold(page, HOLD_MS);
  await reach(page, ["done"], TRANSFER_MS);
}

/**
 * Presses the open button for so long, and lets go.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {number} hold_ms
 */
export async function hold(page, hold_ms) {
  await pointAt(page, "#open");
  await page.mouse.down();
  await sleep(hold_ms);
  await page.mouse.up();
}

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} passphrase
 */
export async function offerPassphrase(page, passphrase) {
  await fill(page, "#passphrase", passphrase);
  await press(page, "#passphrase-submit");
}

/**
 * A click of the pointer in the middle of an element.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} selector
 */
export async function press(page, selector) {
  await pointAt(page, selector);
  await page.mouse.down();
  await page.mouse.up();
}

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} selector
 */
async function pointAt(page, selector) {
  const element = await page.$(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  await until(`${selector} to stay where it is`, () => page.evaluate(isSteady, element));
  const box = await element.boundingBox();
  if (!box) throw new Error(`${selector} is not shown; the page is ${await stateOf(page)}`);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
}

/**
 * Whether an element that was brought into view is still there a moment later: on a busy machine what is above it may still grow, and
 * a click would miss it.
 *
 * @param {Element} element
 */
async function isSteady(element) {
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const place = () => JSON.stringify(element.getBoundingClientRect());
  const before = place();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return place() === before;
}

/**
 * Puts a value into a field as a paste does: at once, with one event.
 *
 * @param {import("puppeteer-core").Page} page
 * @param {string} selector
 * @param {string} value
 */
async function fill(page, selector, value) {
  await page.evaluate((selector, value) => {
    const field = document.querySelector(selector);
    field.focus();
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }, selector, value);
}
