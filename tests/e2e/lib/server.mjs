/**
 * The real server on a free port of this machine, with a folder of its own that is removed afterwards; never one that runs
 * already.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./wait.mjs";

/** The server's program. */
export const PROGRAM = process.env.ONETIMESHARE_SERVER ?? new URL("../../../target/debug/onetimeshare-server", import.meta.url).pathname;

/** Whether each server is two that share their stores: see several.mjs. */
export const IS_SEVERAL = process.env.ONETIMESHARE_SERVERS === "several";

/** Tests ask more than anyone, all from one address: nothing is refused for that, unless a test's own flags say so. */
const ENDLESS = {
  ONETIMESHARE_RATE_CREATE: "off",
  ONETIMESHARE_RATE_UPLOAD: "off",
  ONETIMESHARE_RATE_OPEN: "off",
  ONETIMESHARE_RATE_OWNER: "off",
};

/** A running server. */
export class Server {
  #process;
  #output;

  /** @param {{ port: number, folder: string, process: import("node:child_process").ChildProcess, output: string[] }} own */
  constructor({ port, folder, process, output }) {
    this.port = port;
    this.folder = folder;
    this.#process = process;
    this.#output = output;
  }

  /**
   * Starts one and waits until it is ready; or, where the tests are told so, several that look like one.
   *
   * @param {string[]} [settings] Flags beside address and folder.
   */
  static async start(settings = []) {
    if (!IS_SEVERAL) return Server.startOne(settings);
    const { Several } = await import("./several.mjs");
    return Several.start(settings);
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param {string[]} [settings] Flags beside address and folder.
   * @param {Record<string, string>} [variables] Beside those of this process.
   */
  static async startOne(settings = [], variables = {}) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-"));
    const words = ["--listen", `127.0.0.1:${port}`, "--data-dir", join(folder, "store"), ...settings];
    const env = { ...process.env, ...ENDLESS, ...variables };
    const running = spawn(PROGRAM, words, { stdio: ["ignore", "pipe", "pipe"], env });
    const output = [];
    running.stdout.on("data", (bytes) => output.push(bytes.toString()));
    running.stderr.on("data", (bytes) => output.push(bytes.toString()));
    running.on("error", (error) => output.push(error.message));
    const server = new Server({ port, folder, process: running, output });
    try {
      await until(`${PROGRAM} to be ready`, () => server.#isReady());
    } catch (error) {
      await server.stop();
      throw new Error(`${error.message}\n${output.join("")}`);
    }
    return server;
  }

  async #isReady() {
    if (this.#process.exitCode !== null) throw new Error(`the server ended with ${this.#process.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${this.port}/readyz`).catch(() => null);
    return answer?.ok ?? false;
  }

  /** Whether small bodies, too, are kept beside the records. */
  get keepsEachAsObject() {
    return false;
  }

  /** Everything it has printed. */
  get log() {
    return this.#output.join("");
  }

  /** Has it read its files again, as its operator would. @returns {number} How many do. */
  hangUp() {
    this.#process.kill("SIGHUP");
    return 1;
  }

  /** The files it keeps, with their lengths in bytes. */
  files() {
    return filesBelow(this.folder);
  }

  /** Ends it as its operator would, and removes its folder. */
  async stop() {
    await endProcess(this.#process);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Ends a process as its operator would, and in the end anyhow.
 *
 * @param {import("node:child_process").ChildProcess} process
 */
export async function endProcess(process) {
  if (process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, "exit");
  process.kill("SIGTERM");
  const impatience = setTimeout(() => process.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(impatience);
}

/**
 * Every file below a folder, with its length in bytes.
 *
 * @param {string} folder
 */
export async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true });
  const files = [];
  for (const path of entries) {
    // What vanishes between the two looks is not kept.
    const found = await stat(join(folder, path)).catch(() => null);
    if (found?.isFile()) files.push({ path, len: found.size });
  }
  return files;
}

/** @returns {Promise<number>} A port that nobody listens on. */
export async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
