/**
 * The states of the opening page that are a notice: why nothing can be opened, or not now.
 *
 * @module
 */

import { follow, reach } from "../pages.mjs";
import { NOW_S, at, refusal } from "./answers.mjs";
import { looked, opened, ready, textOf } from "./opener.mjs";

/** @typedef {import("../states.mjs").State} State */

const ASKING = { "Content-Type": "application/json", "Retry-After": "40" };
const AT = NOW_S - 3500;

/** @type {State[]} */
export const noticeStates = [
  {
    name: "open-missing",
    what: "a page without a link",
    bring: async (scenery) => {
      const page = await scenery.fresh();
      await follow(page, `${scenery.origin}/open`, ["missing"]);
      return page;
    },
  },
  {
    name: "open-reloaded",
    what: "loaded again, without its link",
    bring: async (scenery) => {
      const page = await ready(scenery, await textOf(scenery));
      await page.reload();
      await reach(page, ["reloaded"]);
      return page;
    },
  },
  {
    name: "open-finished",
    what: "loaded again after everything arrived",
    bring: async (scenery) => {
      const page = await opened(scenery, await textOf(scenery));
      await page.reload();
      await reach(page, ["reloaded"]);
      return page;
    },
  },
  {
    name: "open-disconnected",
    what: "the device is offline",
    bring: async (scenery) => {
      const { link } = await textOf(scenery);
      scenery.faults.plan = at("/peek", { cut: true });
      const page = await scenery.fresh();
      await page.evaluateOnNewDocument(() => Object.defineProperty(navigator, "onLine", { value: false }));
      await follow(page, link, ["offline"]);
      return page;
    },
  },
  {
    name: "unknown",
    what: "an address that leads nowhere",
    bring: async (scenery) => {
      const page = await scenery.fresh();
      await follow(page, `${scenery.origin}/opne`, ["unknown"]);
      return page;
    },
  },
  {
    name: "open-damaged",
    what: "a link that was cut short",
    main: true,
    bring: async (scenery) => ready(scenery, { link: (await textOf(scenery)).link.slice(0, -1) }, "damaged"),
  },
  {
    name: "open-outdated",
    what: "a browser that is too old",
    bring: async (scenery) => {
      const { link } = await textOf(scenery);
      const page = await scenery.fresh();
      await page.evaluateOnNewDocument(() => Reflect.deleteProperty(AbortSignal, "any"));
      await follow(page, link, ["outdated"]);
      return page;
    },
  },
  met("newer", "a link of a later version", refusal(400, "link.version")),
  met("unknown", "a link that the server does not know", refusal(404, "transfer.unknown")),
  met("locked", "locked by wrong passphrases", refusal(423, "transfer.locked")),
  met("claimed", "someone is opening it", refusal(409, "transfer.claimed", { claimed_at: AT })),
  met("incomplete", "still being sent", refusal(409, "transfer.not_ready")),
  ...["delivered", "lapsed", "burnt", "expired", "abandoned"].map(fate),
  met("offline", "no answer", { cut: true }),
  met("refused-429", "too many requests", { ...refusal(429, "request.rate_limited"), headers: ASKING }, "refused"),
  met("refused-503", "the server is busy", refusal(503, "store.unreachable"), "refused"),
  met("refused-413", "a proxy refuses it as too large", { status: 413 }, "refused"),
  met("refused-502", "a proxy does not reach the server", { status: 502 }, "refused"),
  met("refused-504", "a proxy waited too long", { status: 504 }, "refused"),
];

/** @param {string} cause @returns {State} */
function fate(cause) {
  const claimed = cause === "delivered" || cause === "lapsed" ? { claimed_at: AT - 30 } : {};
  const members = { cause, at: AT, ...claimed };
  return { ...met("gone", `gone: ${cause}`, refusal(410, "transfer.gone", members)), name: `open-gone-${cause}`, main: cause === "delivered" };
}

/**
 * A state that the answer to a look brings about.
 *
 * @param {string} name
 * @param {string} what
 * @param {import("../fault.mjs").Fault} fault
 * @param {string} [state]
 * @returns {State}
 */
function met(name, what, fault, state = name) {
  return { name: `open-${name}`, what, bring: (scenery) => looked(scenery, fault, state) };
}
