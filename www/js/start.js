/**
 * Starts the page that the document names, once its words have been painted: what a page needs for its work takes nothing of
 * the network from what is seen first. Knows nothing of what the pages do.
 *
 * @module
 */

/** How long a paint is waited for, in ms: a window that is covered may have none, and a browser may not tell. */
const PAINT_MAX_MS = 2000;

/** @type {Record<string, () => Promise<unknown>>} */
const PAGES = {
  send: () => import("./send.js"),
  open: () => import("./open.js"),
  manage: () => import("./manage.js"),
  elsewhere: () => import("./elsewhere.js"),
};

const root = document.documentElement;
// What is seen until the page has started goes by how it was asked for.
root.toggleAttribute("data-bare", location.hash === "" && history.state === null);
document.getElementById("insecure")?.toggleAttribute("hidden", globalThis.isSecureContext);
void begin();

async function begin() {
  const page = PAGES[root.dataset["page"] ?? ""];
  if (!page) throw new Error("the document names no page");
  await painted();
  await loadModules();
  await page();
  root.removeAttribute("data-bare");
}

/**
 * Links to all modules of the page, so that none waits for the one that imports it. Then each by itself, before those that import
 * it: WebKit 2.50 has the import map's hashes for a module that is asked for in this way, and forgets them for one that another
 * imports, so that the policy to load no script without its hash would stop it.
 */
async function loadModules() {
  const modules = document.getElementById("modules");
  if (!(modules instanceof HTMLTemplateElement)) return;
  const links = [...modules.content.querySelectorAll("link")];
  document.head.append(modules.content);
  await Promise.all(links.map((link) => import(link.href)));
}

/** Settled when something has been painted; at once where nobody looks. @returns {Promise<unknown>} */
function painted() {
  if (document.visibilityState === "hidden") return Promise.resolve();
  return new Promise((resolve) => {
    new PerformanceObserver(resolve).observe({ type: "paint", buffered: true });
    setTimeout(resolve, PAINT_MAX_MS);
  });
}
