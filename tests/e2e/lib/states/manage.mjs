/**
 * The states of the receipt's page.
 *
 * @module
 */

import { follow, press, reach } from "../pages.mjs";
import { NOW_S, claim, receipt, refusal } from "./answers.mjs";

/** @typedef {import("../states.mjs").State} State */

const FRAGMENT = "B".repeat(64);
const AT = NOW_S - 3500;

/**
 * @param {string} cause
 * @param {object[]} claims
 */
function gone(cause, claims) {
  return receipt({ state: "gone", cause, at: AT, expires_at: undefined, claims_left: 0, claims });
}

/** @type {State[]} */
export const manageStates = [
  {
    name: "manage-list-empty",
    what: "no receipt is kept",
    bring: (scenery) => list(scenery, []),
  },
  {
    name: "manage-list",
    what: "the receipts that this browser keeps",
    main: true,
    bring: (scenery) => list(scenery, [0, 1, 3].map(kept)),
  },
  {
    name: "manage-list-forget",
    what: "about to forget all of them",
    bring: async (scenery) => {
      const page = await list(scenery, [0, 1].map(kept));
      await press(page, "#forget-all [data-part=ask]");
      return page;
    },
  },
  shown("waiting", "nobody has opened it", receipt({}), true),
  shown("uploading", "still being sent", receipt({ state: "uploading", expires_at: undefined })),
  shown("fetching", "being fetched right now", receipt({ state: "claimed", claims_left: 0, claims: [claim("live")] })),
  shown("opened", "opened once, with opens left", receipt({ claims_max: 3, claims_left: 2, claims: [claim("delivered")] })),
  shown("tries", "wrong passphrases were tried", receipt({ attempts_left: 3 })),
  shown("locked", "locked by wrong passphrases", receipt({ attempts_left: 0 }), true),
  shown("delivered", "it arrived", gone("delivered", [claim("delivered")]), true),
  shown("lapsed", "opened, but not known to have arrived", gone("lapsed", [claim("lapsed")])),
  shown("burnt", "taken back", gone("burnt", [])),
  shown("expired", "nobody came in time", gone("expired", [])),
  shown("abandoned", "never sent to its end", gone("abandoned", [])),
  {
    name: "manage-confirm",
    what: "about to delete it",
    main: true,
    bring: async (scenery) => {
      const page = await answered(scenery, receipt({}), "shown");
      await press(page, "#burn [data-part=ask]");
      return page;
    },
  },
  {
    name: "manage-stale",
    what: "the server stopped answering while it is shown",
    bring: async (scenery) => {
      const page = await answered(scenery, receipt({}), "shown");
      scenery.faults.plan = (_, path) => (path.includes("/transfers/") ? { cut: true } : null);
      await press(page, "#refresh");
      await page.waitForSelector("#stale:not([hidden])");
      return page;
    },
  },
  {
    name: "manage-reloaded",
    what: "loaded again, without its link",
    bring: async (scenery) => {
      const page = await answered(scenery, receipt({}), "shown");
      await page.reload();
      await reach(page, ["reloaded"]);
      return page;
    },
  },
  notice("unknown", "the server knows nothing of it", refusal(404, "transfer.unknown")),
  notice("offline", "no answer from the server", { cut: true }),
  notice("refused", "another answer", { status: 403 }),
  {
    name: "manage-damaged",
    what: "a receipt's link that was cut short",
    bring: async (scenery) => {
      const page = await scenery.fresh();
      await follow(page, `${scenery.origin}/manage#${FRAGMENT.slice(1)}`, ["damaged"]);
      return page;
    },
  },
];

/**
 * @param {string} name
 * @param {string} what
 * @param {import("../fault.mjs").Fault} fault
 * @param {boolean} [main]
 * @returns {State}
 */
function shown(name, what, fault, main = false) {
  const state = JSON.parse(fault.body ?? "").state === "gone" ? "gone" : "shown";
  return { name: `manage-${name}`, what, main, bring: (scenery) => answered(scenery, fault, state) };
}

/**
 * @param {string} name
 * @param {string} what
 * @param {import("../fault.mjs").Fault} fault
 * @returns {State}
 */
function notice(name, what, fault) {
  return { name: `manage-${name}`, what, bring: (scenery) => answered(scenery, fault, name) };
}

/**
 * @param {import("../states.mjs").Scenery} scenery
 * @param {import("../fault.mjs").Fault} fault
 * @param {string} state
 */
async function answered(scenery, fault, state) {
  scenery.faults.plan = (_, path) => (path.includes("/transfers/") ? fault : null);
  const page = await scenery.fresh();
  await follow(page, `${scenery.origin}/manage#${FRAGMENT}`, [state]);
  return page;
}

/**
 * @param {import("../states.mjs").Scenery} scenery
 * @param {object[]} receipts
 */
async function list(scenery, receipts) {
  const page = await scenery.fresh();
  await page.evaluateOnNewDocument((text) => localStorage.setItem("onetimeshare.receipts", text), JSON.stringify(receipts));
  await follow(page, `${scenery.origin}/manage`, ["list"]);
  return page;
}

/** @param {number} file_count */
function kept(file_count) {
  const sent_at = NOW_S - 7200 * (file_count + 1);
  return { fragment: "BCDE"[file_count].repeat(64), sent_at, expires_at: sent_at + 172_800, forgotten_at: NOW_S + 172_800, file_count };
}
