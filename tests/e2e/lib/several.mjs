/**
 * Two servers that work as one. Either both take everything: they share a Redis and an S3 server, and a balancer gives each request
 * to the other one of them, so that to a test they look like a single server. Or each takes its half.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { Balancer } from "./balancer.mjs";
import { PROGRAM, Server, endProcess, filesBelow, freePort } from "./server.mjs";
import { until } from "./wait.mjs";

/** Cargo puts it beside the server. */
const S3_SERVER = join(dirname(PROGRAM), "s3-server");

/** Who may use the bucket. */
const KEYS = { AWS_ACCESS_KEY_ID: "access", AWS_SECRET_ACCESS_KEY: "swordfish", AWS_REGION: "us-east-1" };

/** Two servers, and what they share. */
export class Several {
  #stores;
  #servers;
  #balancer;

  /** @param {{ folder: string, stores: import("node:child_process").ChildProcess[], servers: Server[], balancer: Balancer }} own */
  constructor({ folder, stores, servers, balancer }) {
    this.folder = folder;
    this.#stores = stores;
    this.#servers = servers;
    this.#balancer = balancer;
  }

  /** @param {string[]} settings Flags of both. */
  static async start(settings) {
    const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-"));
    const stores = [];
    const servers = [];
    try {
      const redis = await startRedis(folder, stores);
      const s3 = await startS3(folder, stores);
      const shared = ["--redis-url", `redis://127.0.0.1:${redis}/0`, "--blob-url", "s3://bucket/onetimeshare"];
      const variables = { ...KEYS, AWS_ENDPOINT_URL: `http://127.0.0.1:${s3}` };
      for (let count = 0; count < 2; count++) servers.push(await Server.startOne([...shared, ...settings], variables));
      const balancer = await Balancer.start(servers.map((server) => server.port));
      return new Several({ folder, stores, servers, balancer });
    } catch (error) {
      await end(servers, stores, folder);
      throw error;
    }
  }

  get port() {
    return this.#balancer.port;
  }

  get keepsEachAsObject() {
    return true;
  }

  /** Everything that they have printed. */
  get log() {
    return this.#servers.map((server) => server.log).join("");
  }

  /** Has them read their files again, as their operator would. @returns {number} How many do. */
  hangUp() {
    for (const server of this.#servers) server.hangUp();
    return this.#servers.length;
  }

  /** The files that they keep, with their lengths in bytes. */
  files() {
    return filesBelow(this.folder);
  }

  async stop() {
    await this.#balancer.stop();
    await end(this.#servers, this.#stores, this.folder);
  }
}

/** A service in two halves, which share a Redis and a folder of blobs: the inside creates, the outside opens. */
export class Halves {
  #stores;
  #folder;

  /** @param {{ folder: string, stores: import("node:child_process").ChildProcess[], inside: Server, outside: Server }} own */
  constructor({ folder, stores, inside, outside }) {
    this.#folder = folder;
    this.#stores = stores;
    this.inside = inside;
    this.outside = outside;
  }

  static async start() {
    const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-"));
    const stores = [];
    const servers = [];
    try {
      const redis = await startRedis(folder, stores);
      await mkdir(join(folder, "blobs"));
      const shared = ["--redis-url", `redis://127.0.0.1:${redis}/0`, "--blob-url", pathToFileURL(join(folder, "blobs")).href];
      servers.push(await Server.startOne([...shared, "--role", "open"]));
      const open_url = `http://127.0.0.1:${servers[0].port}`;
      servers.push(await Server.startOne([...shared, "--role", "create", "--open-url", open_url]));
      const [outside, inside] = servers;
      return new Halves({ folder, stores, inside, outside });
    } catch (error) {
      await end(servers, stores, folder);
      throw error;
    }
  }

  stop() {
    return end([this.inside, this.outside], this.#stores, this.#folder);
  }
}

/**
 * @param {Server[]} servers
 * @param {import("node:child_process").ChildProcess[]} stores
 * @param {string} folder
 */
async function end(servers, stores, folder) {
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all(stores.map(endProcess));
  await rm(folder, { recursive: true, force: true });
}

/**
 * @param {string} folder
 * @param {import("node:child_process").ChildProcess[]} stores
 * @returns {Promise<number>} Its port.
 */
async function startRedis(folder, stores) {
  const [dir, port] = [join(folder, "redis"), await freePort()];
  await mkdir(dir);
  const words = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always"];
  await startStore("redis-server", words, port, stores);
  return port;
}

/**
 * @param {string} folder
 * @param {import("node:child_process").ChildProcess[]} stores
 * @returns {Promise<number>} Its port.
 */
async function startS3(folder, stores) {
  const [dir, port] = [join(folder, "s3"), await freePort()];
  await mkdir(join(dir, "bucket"), { recursive: true });
  const keys = [KEYS.AWS_ACCESS_KEY_ID, KEYS.AWS_SECRET_ACCESS_KEY];
  await startStore(S3_SERVER, [`127.0.0.1:${port}`, dir, ...keys], port, stores);
  return port;
}

/**
 * @param {string} program
 * @param {string[]} words
 * @param {number} port Where it listens once it has started.
 * @param {import("node:child_process").ChildProcess[]} stores
 */
async function startStore(program, words, port, stores) {
  const store = spawn(program, words, { stdio: "ignore" });
  let fault = "";
  store.on("error", (error) => (fault = error.message));
  stores.push(store);
  await until(`${program} to listen`, async () => {
    if (fault) throw new Error(fault);
    return await listens(port);
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const told = (/** @type {boolean} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => told(true));
    socket.on("error", () => told(false));
  });
}
