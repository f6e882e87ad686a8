/**
 * What the tests under node share: loading the two builds, and a transfer's way through them. Checks no export itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The module made of `examples/vectors.rs`. */
export function loadSuite() {
  return createRequire(import.meta.url)(required("ONETIMESHARE_VECTORS"));
}

/** The module that is served, ready to call. */
export async function loadWasm() {
  const folder = required("ONETIMESHARE_WASM");
  const wasm = await import(pathToFileURL(join(folder, "onetimeshare_crypto.js")).href);
  await wasm.default({ module_or_path: await readFile(join(folder, "onetimeshare_crypto_bg.wasm")) });
  return wasm;
}

/** An environment variable that must be set: a check that cannot run must fail. */
function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run this through cargo xtask test`);
  return value;
}

/** The manifest of files, given as pairs of name and size. */
export function files(...entries) {
  return JSON.stringify({ kind: "files", entries: entries.map(([name, size]) => ({ name, type: "t", size })) });
}

/** The manifest of a text. */
export function text(size) {
  return JSON.stringify({ kind: "text", entries: [{ name: "", type: "text/plain", size }] });
}

/** Seals content in parts, the last one first. -> the body */
export function seal(sealer, content, partLen) {
  const parts = [];
  for (let index = sealer.part_count(partLen) - 1; index >= 0; index--) {
    const { offset, len } = sealer.part_source(index, partLen);
    parts[index] = sealer.seal_part(index, partLen, content.subarray(offset, offset + len));
    assert.equal(parts[index].length, Math.min(partLen, sealer.body_len - index * partLen));
  }
  return Buffer.concat(parts);
}

/** Opens a whole body in pieces. -> the content */
export function open(opener, body, pieceLen) {
  const opened = [];
  for (let start = 0; start < body.length; start += pieceLen) {
    assert.equal(opener.position, start);
    opened.push(opener.push(body.subarray(start, start + pieceLen)));
  }
  opener.finish();
  return Buffer.concat(opened);
}

/** A sealed text, and an opener that has opened its manifest. */
export function sealedText(wasm, content) {
  const bytes = Buffer.from(content);
  const sealer = new wasm.Sealer(text(bytes.length));
  const body = seal(sealer, bytes, sealer.body_len);
  const opener = new wasm.Opener(sealer.fragment);
  opener.open_manifest(sealer.sealed_manifest, sealer.body_len);
  return { sealer, body, opener };
}

/** Asserts that a call throws an Error with this code and an English sentence. */
export function refuses(code, call) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.code, code);
    assert.match(error.message, /^[A-Z].*\.$/);
    return true;
  });
}

/** A whole fragment of any version around a key. */
export function fragmentOf(version, key) {
  const head = Buffer.concat([Buffer.from([version]), key]);
  const check = createHash("sha256").update("onetimeshare check").update(head).digest().subarray(0, 3);
  return Buffer.concat([head, check]).toString("base64url");
}

/** SHA-256 by node, to compare with. */
export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest();
}
