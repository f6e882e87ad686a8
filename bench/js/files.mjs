/**
 * Serves the repository's own files to a page on this machine, as they lie there, with the two headers that give a page its
 * finest clock. It serves nothing outside of two folders.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { extname } from "node:path";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["/bench/js/", "/www/wasm/"];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** A running server of files. */
export class Files {
  #server;

  /** @param {import("node:http").Server} server One that listens. */
  constructor(server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${server.address().port}`;
  }

  static async serve() {
    const server = createServer(answer);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Files(server);
  }

  async close() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

function answer(request, response) {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const type = TYPES[extname(pathname)];
  // A browser asks for an icon that nobody needs.
  if (!FOLDERS.some((folder) => pathname.startsWith(folder)) || !type) return response.writeHead(204).end();
  const file = createReadStream(new URL(`.${pathname}`, ROOT));
  file.on("error", () => response.writeHead(404).end());
  file.on("open", () => {
    response.writeHead(200, {
      "Content-Type": type,
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    });
    file.pipe(response);
  });
  return undefined;
}
