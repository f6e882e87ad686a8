/**
 * The WebAssembly builds under node: the checks that native code runs too, then the exports that pages call. Builds
 * nothing: `cargo xtask test` does, and names the results in ONETIMESHARE_VECTORS (the module made of
 * `examples/vectors.rs`, for node) and ONETIMESHARE_WASM (the folder of what is served, for the web).
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { files, fragmentOf, loadSuite, loadWasm, open, refuses, seal, sealedText, sha256, text } from "./support.mjs";

const CHUNK = 65_536;
const SHORT_BODY = 1056;

const suite = loadSuite();
const wasm = await loadWasm();

test("vectors.json seals and opens", () => assert.equal(suite.check_vectors(), 16));
test("refused.json is refused", () => assert.equal(suite.check_refused(), 48));
test("CCTV's stream vectors release what they should", () => assert.equal(suite.check_stream(), 28));

test("a transfer survives the way through parts of any length", () => {
  for (const size of [0, 1, 1025, CHUNK, 3 * CHUNK + 7, 1_000_000]) {
    const content = randomBytes(size);
    const manifest = files(["a/日本.bin", size], ["empty", 0]);
    for (const partLen of [50_000, 65_552, 131_104, 8 << 20]) {
      const sealer = new wasm.Sealer(manifest);
      assert.equal(sealer.content_len, size);
      const body = seal(sealer, content, partLen);
      assert.equal(body.length, sealer.body_len);
      const opener = new wasm.Opener(sealer.fragment);
      assert.equal(opener.open_manifest(sealer.sealed_manifest, sealer.body_len), manifest);
      assert.deepEqual(open(opener, body, 100_003), content);
      sealer.free();
      opener.free();
    }
  }
});

test("both sides derive the same names and proofs", () => {
  const sealer = new wasm.Sealer(text(0));
  const opener = new wasm.Opener(sealer.fragment);
  const link = new wasm.Link(sealer.fragment);
  assert.equal(sealer.fragment.length, 48);
  assert.equal(sealer.transfer_id.length, 22);
  assert.equal(sealer.owner_token.length, 43);
  assert.equal(opener.transfer_id, sealer.transfer_id);
  assert.equal(link.transfer_id, sealer.transfer_id);
  assert.equal(link.link_proof, opener.link_proof);
  const verifier = (secret) => sha256(Buffer.from(secret, "base64url")).toString("base64url");
  assert.equal(sealer.link_verifier, verifier(opener.link_proof));
  assert.equal(sealer.access_verifier, verifier(opener.access_proof));
  assert.equal(sealer.owner_verifier, verifier(sealer.owner_token));
});

test("every sealer draws its own key, nonce and token", () => {
  const sealers = Array.from({ length: 20 }, () => new wasm.Sealer(text(0)));
  const nonces = sealers.map((sealer) => Buffer.from(sealer.seal_part(0, 16, new Uint8Array())).toString("hex"));
  for (const drawn of [nonces, sealers.map((each) => each.fragment), sealers.map((each) => each.owner_token)]) {
    assert.equal(new Set(drawn).size, 20);
  }
  assert.notEqual(wasm.generate_claim_token(), wasm.generate_claim_token());
  assert.equal(wasm.generate_claim_token().length, 43);
});

test("a passphrase is needed, normalised, and guards the manifest", () => {
  const sealer = new wasm.Sealer(text(0), "Ame\u0301lie");
  assert.equal(wasm.needs_passphrase(sealer.fragment), true);
  assert.equal(new wasm.Link(sealer.fragment).needs_passphrase, true);
  const right = new wasm.Opener(sealer.fragment, "Am\u00e9lie");
  assert.equal(right.open_manifest(sealer.sealed_manifest, SHORT_BODY), text(0));
  const wrong = new wasm.Opener(sealer.fragment, "Amelie");
  refuses("manifest.open", () => wrong.open_manifest(sealer.sealed_manifest, SHORT_BODY));
  assert.notEqual(wrong.access_proof, right.access_proof);
  assert.equal(wrong.link_proof, right.link_proof);
  refuses("passphrase.needed", () => new wasm.Opener(sealer.fragment));
  refuses("passphrase.needed", () => new wasm.Opener(sealer.fragment, ""));
});

test("an empty passphrase is none", () => {
  const { fragment } = new wasm.Sealer(text(0), "");
  assert.equal(wasm.needs_passphrase(fragment), false);
  assert.ok(new wasm.Opener(fragment, ""));
  refuses("passphrase.unexpected", () => new wasm.Opener(fragment, "x"));
});

test("passphrase.too_long counts bytes after NFC", () => {
  const { fragment } = new wasm.Sealer(text(0));
  refuses("passphrase.too_long", () => new wasm.Sealer(text(0), "é".repeat(513)));
  refuses("passphrase.too_long", () => new wasm.Opener(fragment, "a".repeat(1025)));
  assert.ok(new wasm.Sealer(text(0), "e\u0301".repeat(512)));
});

test("link.damaged and link.version", () => {
  const fragment = fragmentOf(1, randomBytes(32));
  assert.equal(wasm.needs_passphrase(fragment), false);
  const changed = fragment.slice(0, 5) + (fragment[5] === "A" ? "B" : "A") + fragment.slice(6);
  const cut = fragment.slice(0, -1);
  for (const damaged of ["", cut, `#${fragment}`, changed, fragment.toLowerCase(), "é".repeat(48)]) {
    for (const read of [wasm.needs_passphrase, (each) => new wasm.Link(each), (each) => new wasm.Opener(each)]) {
      refuses("link.damaged", () => read(damaged));
    }
  }
  for (const version of [0, 2, 0x82]) {
    const newer = fragmentOf(version, randomBytes(32));
    refuses("link.version", () => wasm.needs_passphrase(newer));
    refuses("link.version", () => new wasm.Opener(newer));
  }
});

test("manifest.refused, when sealing and when opening", () => {
  const equalNames = files(["é", 1], ["e\u0301", 1]);
  for (const manifest of ["", "{}", files(["a", 1], ["a", 1]), equalNames, files(["\ud800", 1])]) {
    refuses("manifest.refused", () => new wasm.Sealer(manifest));
  }
  const sealer = new wasm.Sealer(text(0));
  const opener = new wasm.Opener(sealer.fragment);
  for (const [sealed, bodyLen] of [["*", SHORT_BODY], ["", SHORT_BODY], [sealer.sealed_manifest, SHORT_BODY + 1]]) {
    refuses("manifest.refused", () => opener.open_manifest(sealed, bodyLen));
  }
});

test("manifest.open, for one of another link", () => {
  const opener = new wasm.Opener(new wasm.Sealer(text(0)).fragment);
  refuses("manifest.open", () => opener.open_manifest(new wasm.Sealer(text(0)).sealed_manifest, SHORT_BODY));
});

test("body.open, for what is altered, cut, too long, or no text", () => {
  const { body, opener } = sealedText(wasm, "hello");
  opener.push(body.subarray(0, -1));
  refuses("body.open", () => opener.finish());
  assert.equal(Buffer.from(opener.push(body.subarray(-1))).toString(), "hello");
  opener.finish();
  refuses("body.open", () => opener.push(new Uint8Array(1)));
  refuses("body.open", () => opener.finish());

  const altered = sealedText(wasm, "hello");
  altered.body[20] ^= 1;
  refuses("body.open", () => altered.opener.push(altered.body));
  refuses("body.open", () => altered.opener.push(new Uint8Array()));

  const noText = sealedText(wasm, Buffer.from([0xff]));
  refuses("body.open", () => noText.opener.push(noText.body));
  const unfinished = sealedText(wasm, Buffer.from("é").subarray(0, 1));
  unfinished.opener.push(unfinished.body);
  refuses("body.open", () => unfinished.opener.finish());
});

test("body.changed, for a source that is not what it was", () => {
  const sealer = new wasm.Sealer(files(["a", 2 * CHUNK]));
  const content = new Uint8Array(2 * CHUNK);
  const partLen = 70_000;
  const first = seal(sealer, content, partLen);
  assert.deepEqual(seal(sealer, content, partLen), first);
  refuses("body.changed", () => sealer.seal_part(0, partLen, content.subarray(1)));
  content[CHUNK] = 1;
  refuses("body.changed", () => sealer.seal_part(0, partLen, content));
  refuses("body.changed", () => sealer.seal_part(1, partLen, content.subarray(CHUNK)));
});

test("body.order, for calls out of order and parts that do not exist", () => {
  const { sealer, body, opener } = sealedText(wasm, "hello");
  for (const [index, partLen] of [[1, SHORT_BODY], [0, 0], [-1, 10], [0.5, 10], [0, Number.NaN], [2 ** 60, 1]]) {
    refuses("body.order", () => sealer.part_source(index, partLen));
    refuses("body.order", () => sealer.seal_part(index, partLen, new Uint8Array()));
  }
  refuses("body.order", () => sealer.part_count(0));
  const early = new wasm.Opener(sealer.fragment);
  assert.equal(early.position, 0);
  refuses("body.order", () => early.push(body));
  refuses("body.order", () => early.finish());
  opener.open_manifest(sealer.sealed_manifest, SHORT_BODY);
  opener.push(body.subarray(0, 1));
  refuses("body.order", () => opener.open_manifest(sealer.sealed_manifest, SHORT_BODY));
});

test("lengths beyond 32 bits stay exact", () => {
  const sealer = new wasm.Sealer(files(["a", 2 ** 40]));
  assert.equal(sealer.content_len, 2 ** 40);
  assert.equal(sealer.body_len, 16 + 2 ** 40 + 16 * 2 ** 24);
  const partLen = 8 << 20;
  const last = sealer.part_count(partLen) - 1;
  assert.equal(last, Math.ceil(sealer.body_len / partLen) - 1);
  const { offset, len } = sealer.part_source(last, partLen);
  assert.equal(offset + len, 2 ** 40);
});

test("a name is cleaned until sealing accepts it", () => {
  for (const [name, cleaned] of [
    ["日本 \"x\".txt", "日本 \"x\".txt"],
    ["a\\b", "a_b"],
    ["../\ud800", "_/_"],
    ["", "_"],
    ["a\u202egpj.exe", "a_gpj.exe"],
  ]) {
    assert.equal(wasm.clean_name(name), cleaned);
    assert.ok(new wasm.Sealer(files([cleaned, 0])));
  }
});

test("content_digest is the value of a Content-Digest field", () => {
  for (const bytes of [Buffer.alloc(0), randomBytes(100_000)]) {
    assert.equal(wasm.content_digest(bytes), `sha-256=:${sha256(bytes).toString("base64")}:`);
  }
});

test("what was freed is gone", () => {
  const sealer = new wasm.Sealer(text(0));
  sealer.free();
  assert.throws(() => sealer.fragment);
});
