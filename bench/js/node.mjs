/**
 * Measures under Node.js and prints the figures as JSON. `node node.mjs [--quick]`
 *
 * @module
 */

import { readFile } from "node:fs/promises";

import { measure } from "./suite.mjs";

const WASM = new URL("../../www/wasm/", import.meta.url);

const wasm = await import(new URL("onetimeshare_crypto.js", WASM).href);
await wasm.default({ module_or_path: await readFile(new URL("onetimeshare_crypto_bg.wasm", WASM)) });
console.log(JSON.stringify(await measure(wasm, process.argv.includes("--quick"))));
