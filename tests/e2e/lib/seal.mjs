/**
 * Sends transfers without a browser: seals with the WebAssembly that is served and speaks the API, so that a test can make
 * what no page would, such as many files in folders, several opens or a burnt one.
 *
 * @module
 */

import { readFile } from "node:fs/promises";

const WASM = new URL("../../../www/wasm/", import.meta.url);

/**
 * @typedef {{ name: string, bytes: Buffer }} Item
 * @typedef {{ link: string, id: string, owner_token: string }} Sent
 */

/** @type {Promise<any> | null} */
let loaded = null;

async function load() {
  const wasm = await import(new URL("onetimeshare_crypto.js", WASM).href);
  await wasm.default({ module_or_path: await readFile(new URL("onetimeshare_crypto_bg.wasm", WASM)) });
  return wasm;
}

/**
 * @param {string} origin Of the server, for the requests and for the link.
 * @param {Item[]} items One with the empty name is a text.
 * @param {{ claims_max?: number, ttl_s?: number, passphrase?: string }} [choices]
 * @returns {Promise<Sent>}
 */
export async function sealAndSend(origin, items, { claims_max = 1, ttl_s = 3600, passphrase } = {}) {
  const { Sealer, content_digest } = await (loaded ??= load());
  const kind = items[0]?.name === "" ? "text" : "files";
  const entries = items.map(({ name, bytes }) => ({ name, type: "application/octet-stream", size: bytes.length }));
  const sealer = new Sealer(JSON.stringify({ kind, entries }), passphrase);
  const content = Buffer.concat(items.map((item) => item.bytes));
  const { transfer_id: id, owner_token, body_len } = sealer;
  const part = (index, part_len) => {
    const { offset, len } = sealer.part_source(index, part_len);
    return sealer.seal_part(index, part_len, content.subarray(offset, offset + len));
  };
  const { inline_max } = await (await fetch(`${origin}/api/v1/config`)).json();
  const { link_verifier, access_verifier, owner_verifier, sealed_manifest: manifest } = sealer;
  const request = { id, link_verifier, access_verifier, owner_verifier, manifest, body_len, ttl_s, claims_max };
  if (body_len <= inline_max) request.body = Buffer.from(part(0, body_len)).toString("base64url");
  const { state, part_len } = await call(origin, "POST", "/transfers", { body: JSON.stringify(request), type: "application/json" });
  if (state === "uploading") {
    for (let index = 0; index < sealer.part_count(part_len); index += 1) {
      const bytes = part(index, part_len);
      await call(origin, "PUT", `/transfers/${id}/parts/${index}`, {
        body: bytes,
        type: "application/octet-stream",
        token: owner_token,
        digest: content_digest(bytes),
      });
    }
    await call(origin, "POST", `/transfers/${id}/complete`, { token: owner_token });
  }
  const sent = { link: `${origin}/open#${sealer.fragment}`, id, owner_token };
  sealer.free();
  return sent;
}

/**
 * Seals only what a look shows, for content that nobody has: its length is said, and nothing is sent.
 *
 * @param {string} origin For the link.
 * @param {{ name: string, size: number }[]} named
 * @returns {Promise<{ link: string, manifest: string, body_len: number }>}
 */
export async function sealNames(origin, named) {
  const { Sealer } = await (loaded ??= load());
  const entries = named.map((one) => ({ ...one, type: "application/octet-stream" }));
  const sealer = new Sealer(JSON.stringify({ kind: "files", entries }), undefined);
  const { fragment, sealed_manifest: manifest, body_len } = sealer;
  sealer.free();
  return { link: `${origin}/open#${fragment}`, manifest, body_len };
}

/**
 * The owner takes it back.
 *
 * @param {string} origin
 * @param {Sent} sent
 */
export async function burn(origin, { id, owner_token }) {
  await call(origin, "DELETE", `/transfers/${id}`, { token: owner_token });
}

/**
 * @param {string} origin
 * @param {string} method
 * @param {string} path
 * @param {{ body?: string | Uint8Array, type?: string, token?: string, digest?: string }} content
 */
async function call(origin, method, path, { body, type, token, digest }) {
  const headers = {};
  if (type) headers["Content-Type"] = type;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (digest) headers["Content-Digest"] = digest;
  const answer = await fetch(`${origin}/api/v1${path}`, { method, headers, body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}
