/**
 * Watches a page for everything that must not happen in it: errors in the console, thrown errors, refusals by its own
 * policy, requests that fail, and requests to another host. It judges nothing else.
 *
 * @module
 */

/** Where downloads are answered by the service worker: browsers report the frame that became a download as aborted. */
const DOWNLOADS = "/download/";

/** What browsers say of a body that was let go when its last byte had come, and its end had not: a test may expect it. */
export const LET_GO = /^request failed: GET .*\/body \((NS_BASE_STREAM_CLOSED|net::ERR_ABORTED)\)$/;

/** What browsers call a request that ended because its page did. */
const LEFT = /^(NS_BINDING_ABORTED|net::ERR_ABORTED)$/;
/** How long before or after its page such a request may be told to have ended, in ms: browsers tell of both when they come to it. */
const LEFT_WITHIN_MS = 5000;

/** The eyes on one page. */
export class Watch {
  /** @type {string[]} */
  #faults = [];
  /** Requests that ended as they do when their page is left, and when. @type {{ fault: string, at: number }[]} */
  #aborted = [];
  /** When the page was left for another. @type {number[]} */
  #left = [];
  /** @type {RegExp[]} */
  #expected = [];
  #origin;

  /** @param {string} origin The only host that the page may speak to. */
  constructor(origin) {
    this.#origin = origin;
  }

  /**
   * Begins to watch; call it before the page loads anything.
   *
   * @param {import("puppeteer-core").Page} page
   */
  async attach(page) {
    page.on("console", (message) => message.type() === "error" && !isFate(message) && this.#note(`console: ${message.text()}`));
    page.on("pageerror", (error) => this.#note(`thrown: ${error.message}`));
    page.on("request", (request) => this.#look(request.url()));
    page.on("requestfailed", (request) => this.#failed(request));
    page.on("framenavigated", (frame) => frame === page.mainFrame() && this.#left.push(Date.now()));
    page.on("workercreated", (worker) => {
      worker.on("console", (message) => message.type() === "error" && this.#note(`worker's console: ${message.text()}`));
      worker.on("error", (error) => this.#note(`thrown in a worker: ${error.message}`));
    });
    // Firefox reports a policy's refusal to nobody but the document.
    await page.evaluateOnNewDocument(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violated: ${event.effectiveDirective} by ${event.blockedURI || event.sample} in ${event.sourceFile}`);
      });
    });
  }

  /**
   * A refusal that the test provokes; Chromium writes each into the console.
   *
   * @param {number} status
   */
  expectStatus(status) {
    this.expect(new RegExp(`^console: Failed to load resource: the server responded with a status of ${status} `));
  }

  /**
   * Something else that the test provokes.
   *
   * @param {RegExp} pattern
   */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  /** What happened that must not. */
  get faults() {
    const isLeft = ({ at }) => this.#left.some((left) => Math.abs(left - at) < LEFT_WITHIN_MS);
    const aborted = this.#aborted.filter((one) => !isLeft(one)).map((one) => one.fault);
    return [...this.#faults, ...aborted].filter((fault) => !this.#expected.some((pattern) => pattern.test(fault)));
  }

  /** @param {string} fault */
  #note(fault) {
    this.#faults.push(fault);
  }

  /** @param {string} address */
  #look(address) {
    const { protocol, origin } = new URL(address);
    const isOwn = origin === this.#origin || ["about:", "blob:", "data:"].includes(protocol);
    if (!isOwn) this.#note(`request to another host: ${address}`);
  }

  /** @param {import("puppeteer-core").HTTPRequest} request */
  #failed(request) {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith(DOWNLOADS)) return;
    // Chromium reports an answer whose body nobody read as aborted, also where there is no body to read.
    if (request.response()?.status() === 204) return;
    // The end of an answer may be handed over late: by then all of a body has come, and its digest is compared by the test.
    if (request.response()?.ok() && pathname.endsWith("/body")) return;
    const why = request.failure()?.errorText ?? "";
    // A page that is left lets go of what it was loading for later, such as its worker.
    if (pathname.startsWith("/assets/") && LEFT.test(why)) return;
    const fault = `request failed: ${request.method()} ${request.url()} (${why})`;
    if (LEFT.test(why)) this.#aborted.push({ fault, at: Date.now() });
    else this.#note(fault);
  }
}

/**
 * Whether Chromium only reports that a look found the transfer gone: after the last open, that is what the page asks for.
 *
 * @param {import("puppeteer-core").ConsoleMessage} message
 */
function isFate(message) {
  return message.text().includes("a status of 410 ") && (message.location().url ?? "").endsWith("/peek");
}
