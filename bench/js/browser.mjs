/**
 * Measures in a page of a real browser and prints the figures as JSON. `node browser.mjs chromium|firefox [--quick]`
 *
 * @module
 */

import { Browser } from "../../tests/e2e/lib/browser.mjs";
import { Files } from "./files.mjs";

const [name = "", ...options] = process.argv.slice(2);
const files = await Files.serve();
const browser = await Browser.launch(name);
try {
  const { page, watch } = await browser.visit(files.origin);
  await page.goto(`${files.origin}/bench/js/page.html`);
  const figures = await page.evaluate(async (isQuick) => {
    if (!globalThis.crossOriginIsolated) throw new Error("this page's clock is too coarse to measure with");
    const { measure } = await import("/bench/js/suite.mjs");
    const wasm = await import("/www/wasm/onetimeshare_crypto.js");
    await wasm.default({ module_or_path: fetch("/www/wasm/onetimeshare_crypto_bg.wasm") });
    return measure(wasm, isQuick);
  }, options.includes("--quick"));
  if (watch.faults.length > 0) throw new Error(watch.faults.join("\n"));
  console.log(JSON.stringify(figures));
} finally {
  await browser.close();
  await files.close();
}
