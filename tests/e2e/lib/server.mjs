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

const PROGRAM = process.env.ONETIMESHARE_SERVER ?? new URL("../../../target/debug/onetimeshare-server", import.meta.url).pathname;

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
   * Starts one and waits until it is ready.
   *
   * @param {string[]} [settings] Flags beside address and folder.
   */
  static async start(settings = []) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-"));
    const process = spawn(PROGRAM, ["--listen", `127.0.0.1:${port}`, "--data-dir", join(folder, "store"), ...settings], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = [];
    process.stdout.on("data", (bytes) => output.push(bytes.toString()));
    process.stderr.on("data", (bytes) => output.push(bytes.toString()));
    process.on("error", (error) => output.push(error.message));
    const server = new Server({ port, folder, process, output });
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

  /** Everything it has printed. */
  get log() {
    return this.#output.join("");
  }

  /** The files it keeps, with their lengths in bytes. */
  async files() {
    const entries = await readdir(this.folder, { recursive: true });
    const files = [];
    for (const path of entries) {
      // What vanishes between the two looks is not kept.
      const found = await stat(join(this.folder, path)).catch(() => null);
      if (found?.isFile()) files.push({ path, len: found.size });
    }
    return files;
  }

  /** Ends it as its operator would, and removes its folder. */
  async stop() {
    if (this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      const impatience = setTimeout(() => this.#process.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(impatience);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<number>} A port that nobody listens on. */
async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
