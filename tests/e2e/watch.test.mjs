/**
 * The control of all the other tests: planted faults are seen, in every browser, and a page without one is not accused.
 *
 * @module
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { Browser } from "./lib/browser.mjs";
import { BROWSERS } from "./lib/stage.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 60_000 };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src *; img-src 'self'";

/** Each page is a script that does one thing wrong; `OTHER` stands for another host. */
const PLANTED = [
  ["an error in the console", "console.error('planted')", /^console: planted/],
  ["a thrown error", "setTimeout(() => { throw new Error('planted'); })", /^thrown: .*planted/],
  ["a rejection that nobody handles", "void Promise.reject(new Error('planted'))", /^thrown: .*planted/],
  ["an inline style", "document.head.append(document.createElement('style')); document.querySelector('style').textContent = 'p { color: red }'", /policy violated: style-src-elem by inline/],
  ["a request to another host", "void fetch('OTHER/x', { mode: 'no-cors' })", /^request to another host: /],
  ["a request that fails", "void fetch('/cut').catch(() => undefined)", /^request failed: GET .*\/cut/],
  [
    "a request that a page gives up without being left",
    "const end = new AbortController(); setTimeout(() => void fetch('/never', { signal: end.signal }).catch(() => undefined), 6000); setTimeout(() => end.abort(), 7000)",
    /^request failed: GET .*\/never/,
  ],
  ["an error in a worker's console", "new Worker('/worker.js')", /planted in a worker/],
];

const other = await serve(() => "");
const own = await serve((path) => {
  if (path === "/worker.js") return "console.error('planted in a worker')";
  const planted = PLANTED[Number(/^\/(\d+)\.js$/.exec(path)?.[1])];
  if (path.endsWith(".js")) return planted ? planted[1].replace("OTHER", other.origin) : "";
  return `<!doctype html><title>${path}</title><script src="${path}.js"></script>`;
});
const browsers = [];
for (const name of BROWSERS) browsers.push(await Browser.launch(name));

after(async () => {
  for (const browser of browsers) await browser.close();
  own.close();
  other.close();
});

for (const browser of browsers) {
  for (const [index, [what, , pattern]] of PLANTED.entries()) {
    test(`${browser.name}: ${what} is seen`, LIMIT, async () => {
      const { page, watch, leave } = await browser.visit(own.origin);
      await page.goto(`${own.origin}/${index}`);
      try {
        await until(`${pattern}`, () => watch.faults.some((fault) => pattern.test(fault)), 15_000);
      } catch (error) {
        throw new Error(`${error.message}; seen: ${JSON.stringify(watch.faults)}`);
      } finally {
        await leave();
      }
    });
  }

  test(`${browser.name}: a request that ends because its page is left is no fault`, LIMIT, async () => {
    const { page, watch, leave } = await browser.visit(own.origin);
    await page.goto(`${own.origin}/clean`);
    const asked = page.waitForRequest((request) => request.url().endsWith("/never"));
    await page.evaluate(() => void fetch("/never").catch(() => undefined));
    await asked;
    await page.goto(`${own.origin}/clean`);
    await leave();
    assert.deepEqual(watch.faults, []);
  });

  test(`${browser.name}: a page without a fault is not accused`, LIMIT, async () => {
    const { page, watch, leave } = await browser.visit(own.origin);
    await page.goto(`${own.origin}/clean`);
    assert.equal(await page.evaluate(() => document.title), "/clean");
    assert.deepEqual(watch.faults, []);
    await leave();
  });

  test(`${browser.name}: a status is excused only when it is expected`, LIMIT, async () => {
    const { page, watch, leave } = await browser.visit(own.origin);
    await page.goto(`${own.origin}/clean`);
    watch.expectStatus(410);
    await page.evaluate(() => fetch("/gone"));
    assert.deepEqual(watch.faults, []);
    await leave();
  });
}

/**
 * A server that answers what `content` says, with a policy of the pages' kind.
 *
 * @param {(path: string) => string} content
 */
async function serve(content) {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path === "/cut") return request.socket.destroy();
    if (path === "/never") return;
    const type = path.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(path === "/gone" ? 410 : 200, { "Content-Type": type, "Content-Security-Policy": POLICY });
    response.end(content(path));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}
