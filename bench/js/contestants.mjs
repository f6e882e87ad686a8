/**
 * Who seals and opens messages in JavaScript: our module as it is served, and others' code beside it. Each takes its content
 * from JavaScript and gives its result back there, with every copy that this needs; keys are set up beforehand.
 *
 * @module
 */

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import sodium from "libsodium-wrappers-sumo";

/**
 * One turn: `run` does the message of that index, `end` frees what was prepared for the turn.
 *
 * @typedef {{ run: (index: number) => Uint8Array | ArrayBuffer | Promise<ArrayBuffer>, end?: () => void }} Turn
 * @typedef {{ name: string, begin: (action: "seal" | "open", count: number) => Turn }} Contestant
 */

const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(12).fill(2);

/**
 * Everybody who is here, for one content.
 *
 * @param {any} wasm Our module.
 * @param {Uint8Array} content
 * @returns {Promise<Contestant[]>}
 */
export async function contestants(wasm, content) {
  await sodium.ready;
  const subtle = await Promise.all([
    webCrypto("WebCrypto ChaCha20-Poly1305", "ChaCha20-Poly1305", "raw-secret", content),
    webCrypto("WebCrypto AES-256-GCM", "AES-GCM", "raw", content),
  ]);
  return [noble(content), onetimeshare(wasm, content), libsodium(content), ...subtle.filter((one) => one !== null)];
}

/** The text of a manifest for one file. @param {number} size */
export function manifestOf(size) {
  return JSON.stringify({ kind: "files", entries: [{ name: "a", type: "", size }] });
}

/** A whole body: padded, cut into chunks, each tag recorded; opened by a fresh opener, which derives the payload key. */
function onetimeshare(wasm, content) {
  const sealer = new wasm.Sealer(manifestOf(content.length));
  const { body_len, fragment, sealed_manifest } = sealer;
  const body = sealer.seal_part(0, body_len, content);
  const opener = () => {
    const made = new wasm.Opener(fragment);
    made.open_manifest(sealed_manifest, body_len);
    return made;
  };
  return {
    name: "onetimeshare",
    begin(action, count) {
      if (action === "seal") return { run: () => sealer.seal_part(0, body_len, content) };
      const openers = Array.from({ length: count }, opener);
      return {
        run(index) {
          const opened = openers[index].push(body);
          openers[index].finish();
          return opened;
        },
        end: () => openers.forEach((one) => one.free()),
      };
    },
  };
}

function noble(content) {
  const sealed = chacha20poly1305(KEY, NONCE).encrypt(content);
  return {
    name: "@noble/ciphers",
    begin: (action) => ({
      run: () => (action === "seal" ? chacha20poly1305(KEY, NONCE).encrypt(content) : chacha20poly1305(KEY, NONCE).decrypt(sealed)),
    }),
  };
}

function libsodium(content) {
  const seal = () => sodium.crypto_aead_chacha20poly1305_ietf_encrypt(content, null, null, NONCE, KEY);
  const sealed = seal();
  const open = () => sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, null, NONCE, KEY);
  return { name: "libsodium.js", begin: (action) => ({ run: action === "seal" ? seal : open }) };
}

/** WebCrypto, one call after the other; null where this algorithm is not known. */
async function webCrypto(name, algorithm, format, content) {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey(format, KEY, { name: algorithm }, false, ["encrypt", "decrypt"]).catch(() => null);
  if (key === null) return null;
  const how = { name: algorithm, iv: NONCE };
  const seal = () => subtle.encrypt(how, key, content);
  const sealed = await seal();
  const open = () => subtle.decrypt(how, key, sealed);
  return { name, begin: (action) => ({ run: action === "seal" ? seal : open }) };
}
