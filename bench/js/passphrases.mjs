/**
 * What one passphrase costs in JavaScript: Argon2id of version 1's parameters (64 MiB, 3 passes, 1 lane), by our module and
 * by others.
 *
 * @module
 */

import { argon2id } from "hash-wasm";
import sodium from "libsodium-wrappers-sumo";

import { manifestOf } from "./contestants.mjs";

const PASSPHRASE = "correct horse battery";
const SALT = new Uint8Array(16).fill(3);
const MEMORY_KIB = 65_536;
const PASSES = 3;

/**
 * By name, what stretches one passphrase.
 *
 * @param {any} wasm Our module.
 * @returns {Promise<Record<string, () => unknown>>}
 */
export async function stretchers(wasm) {
  await sodium.ready;
  const others = {
    "hash-wasm": () =>
      argon2id({
        password: PASSPHRASE,
        salt: SALT,
        iterations: PASSES,
        memorySize: MEMORY_KIB,
        parallelism: 1,
        hashLength: 32,
        outputType: "binary",
      }),
    "libsodium.js": () =>
      sodium.crypto_pwhash(32, PASSPHRASE, SALT, PASSES, MEMORY_KIB * 1024, sodium.crypto_pwhash_ALG_ARGON2ID13),
  };
  const [first, second] = await Promise.all(Object.values(others).map((stretch) => stretch()));
  if (first.join() !== second.join()) throw new Error("two implementations of Argon2id differ");
  return { onetimeshare: () => new wasm.Sealer(manifestOf(1024), PASSPHRASE).free(), ...others };
}
