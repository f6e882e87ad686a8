/**
 * A real nginx in front of a server, with the recipe of `contrib/nginx` but for its certificate and what a test leaves out.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { freePort } from "./server.mjs";
import { until } from "./wait.mjs";

const RECIPE = new URL("../../../contrib/nginx/onetimeshare.conf", import.meta.url);
/** Debian keeps it where only the search path of an administrator leads. */
const USUAL = "/usr/sbin/nginx";
const PROGRAM = existsSync(USUAL) ? USUAL : "nginx";
/** What a recipe for this machine has otherwise: no certificate, and no second port. */
const CHANGES = [
  [/^server \{\n.*?^\}\n/ms, ""],
  [/listen 443 ssl http2;\n\s*listen \[::\]:443 ssl http2;/, "listen 127.0.0.1:PORT;"],
  [/^\s*ssl_\w+ .*;\n/gm, ""],
];

/** A running nginx. */
export class Nginx {
  #process;
  #folder;

  /** @param {{ process: import("node:child_process").ChildProcess, folder: string, port: number }} own */
  constructor({ process, folder, port }) {
    this.#process = process;
    this.#folder = folder;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /**
   * @param {number} server_port
   * @param {RegExp} [without] A line of the recipe that is left out.
   */
  static async start(server_port, without) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-nginx-"));
    let recipe = await readFile(RECIPE, "utf8");
    const changes = [...CHANGES, [/server 127\.0\.0\.1:8080;/, `server 127.0.0.1:${server_port};`], [/PORT/, String(port)]];
    if (without) changes.push([without, ""]);
    for (const [from, to] of changes) {
      const changed = recipe.replace(from, to);
      if (changed === recipe) throw new Error(`the recipe has no ${from}`);
      recipe = changed;
    }
    const aside = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path aside-${kind};`);
    const http = ["access_log off;", ...aside, recipe].join("\n");
    const path = join(folder, "nginx.conf");
    await writeFile(path, `daemon off;\nuser ${userInfo().username};\npid nginx.pid;\nevents {}\nhttp {\n${http}}\n`);
    const running = spawn(PROGRAM, ["-p", folder, "-e", "error.log", "-c", path], { stdio: "ignore" });
    const nginx = new Nginx({ process: running, folder, port });
    try {
      await until("nginx to answer", async () => (await fetch(`${nginx.origin}/healthz`).catch(() => null))?.ok ?? false);
    } catch (error) {
      error.message += `\n${await readFile(join(folder, "error.log"), "utf8").catch(() => "")}`;
      await nginx.stop();
      throw error;
    }
    return nginx;
  }

  async stop() {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill();
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
