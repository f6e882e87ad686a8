/**
 * Measures everything that runs in JavaScript, wherever that is: under Node.js or in a page. Contestants take turns in every
 * pass, so that a busy moment of the machine does not hit one alone. The figures have the form of `bench/src/figures.rs`.
 *
 * @module
 */

import { contestants, manifestOf } from "./contestants.mjs";
import { stretchers } from "./passphrases.mjs";

const MESSAGE_LENS = [1 << 10, 16 << 10, 64 << 10, 1 << 20];
/** The most messages of one turn: each has an opener of its own. */
const COUNT_MAX = 4096;
/** How often keys are derived in one pass. */
const BEGINNINGS = 500;

/**
 * @param {any} wasm Our module, ready to call.
 * @param {boolean} isQuick
 */
export async function measure(wasm, isQuick) {
  const [passCount, passLen] = isQuick ? [5, 2 << 20] : [9, 8 << 20];
  const speeds = [];
  for (const messageLen of MESSAGE_LENS) {
    const content = new Uint8Array(messageLen).fill(7);
    const everybody = await contestants(wasm, content);
    await agree(everybody, content);
    const count = Math.min(COUNT_MAX, passLen / messageLen);
    const found = everybody.flatMap(({ name: subject }) =>
      ["seal", "open"].map((action) => ({ subject, action, message_len: messageLen, mb_s: [] })),
    );
    // The first turn warms up and is not counted.
    for (let pass = 0; pass <= passCount; pass += 1) {
      for (const [place, speed] of found.entries()) {
        const ms = await turn(everybody[place >> 1], speed.action, count);
        if (pass > 0) speed.mb_s.push((messageLen * count) / ms / 1000);
      }
    }
    speeds.push(...found);
  }
  return { speeds, times: await times(wasm, isQuick ? 5 : 9) };
}

/** Milliseconds of one turn. */
async function turn(contestant, action, count) {
  const { run, end } = contestant.begin(action, count);
  const begun = performance.now();
  for (let index = 0; index < count; index += 1) {
    const result = run(index);
    // Waiting for what is there already would be measured too.
    if (result instanceof Promise) await result;
  }
  const ms = performance.now() - begun;
  end?.();
  return ms;
}

/** Everybody opens what was sealed to the same content, and those of one algorithm seal to the same bytes. */
async function agree(everybody, content) {
  const sealed = [];
  for (const { name, begin } of everybody) {
    const opened = new Uint8Array(await begin("open", 1).run(0));
    if (!isSame(opened, content)) throw new Error(`${name} opens something else`);
    if (/noble|libsodium|ChaCha/.test(name)) sealed.push(new Uint8Array(await begin("seal", 1).run(0)));
  }
  if (!sealed.every((bytes) => isSame(bytes, sealed[0]))) throw new Error("two implementations of ChaCha20-Poly1305 differ");
}

function isSame(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** What a transfer costs before its first byte, and what a passphrase adds. */
async function times(wasm, passCount) {
  const begin = () => {
    for (let count = 0; count < BEGINNINGS; count += 1) new wasm.Sealer(manifestOf(1024)).free();
  };
  const jobs = [{ subject: "onetimeshare", action: "begin", job: begin, count: BEGINNINGS, ms: [] }];
  for (const [subject, job] of Object.entries(await stretchers(wasm))) jobs.push({ subject, action: "stretch", job, count: 1, ms: [] });
  for (let pass = 0; pass <= passCount; pass += 1) {
    for (const { job, count, ms } of jobs) {
      const begun = performance.now();
      await job();
      if (pass > 0) ms.push((performance.now() - begun) / count);
    }
  }
  return jobs.map(({ subject, action, ms }) => ({ subject, action, ms }));
}
