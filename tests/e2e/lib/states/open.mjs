/**
 * The states of the opening page.
 *
 * @module
 */

import { randomBytes } from "node:crypto";

import { follow, hold, holdOpen, offerPassphrase, press, reach, wordsOf } from "../pages.mjs";
import { sealAndSend, sealNames } from "../seal.mjs";
import { until } from "../wait.mjs";
import { NOW_S, answer, at, refusal } from "./answers.mjs";

/** @typedef {import("../states.mjs").State} State */

const TEXT = "postgres://orders:wF7-qk2v-Hs90@db.example.org/orders\n";
const ASKING = { "Content-Type": "application/json", "Retry-After": "40" };
const AT = NOW_S - 3500;

/** @type {State[]} */
export const openStates = [
  {
    name: "open-loading",
    what: "looking",
    bring: (scenery) => looked(scenery, { silent: true }, "loading"),
  },
  {
    name: "open-text",
    what: "a text is ready",
    main: true,
    bring: async (scenery) => ready(scenery, await textOf(scenery)),
  },
  {
    name: "open-files",
    what: "files are ready",
    main: true,
    bring: async (scenery) => ready(scenery, await filesOf(scenery)),
  },
  {
    name: "open-archive",
    what: "many files are ready, as an archive",
    bring: async (scenery) => ready(scenery, await sealAndSend(scenery.origin, small(24))),
  },
  {
    name: "open-own",
    what: "one's own link, of which three opens are left",
    bring: async (scenery) => {
      const page = await ready(scenery, await textOf(scenery, { claims_max: 3 }));
      await page.evaluate(() => document.querySelectorAll("[data-own], #strict").forEach((one) => one.removeAttribute("hidden")));
      return page;
    },
  },
  {
    name: "open-passphrase",
    what: "behind a passphrase",
    main: true,
    bring: async (scenery) => ready(scenery, await textOf(scenery, { passphrase: "right" }), "passphrase"),
  },
  {
    name: "open-wrong",
    what: "a wrong passphrase",
    main: true,
    bring: async (scenery) => {
      const page = await ready(scenery, await textOf(scenery, { passphrase: "right" }), "passphrase");
      await offerPassphrase(page, "wrong");
      await until("the trouble", () => page.evaluate(() => !document.querySelector("#passphrase-trouble").hidden));
      return page;
    },
  },
  {
    name: "open-opening",
    what: "opening",
    main: true,
    bring: async (scenery) => {
      scenery.faults.plan = at("/body", { stall_after: 5_000_000 });
      const items = [{ name: "site-visit.mov", bytes: randomBytes(12_000_000) }];
      const page = await ready(scenery, await sealAndSend(scenery.origin, items));
      await hold(page, 1000);
      await reach(page, ["opening"]);
      await until("a part of it", () => page.evaluate(() => Number(document.querySelector("#progress progress").value) > 0));
      return page;
    },
  },
  {
    name: "open-done-text",
    what: "a text has arrived, covered",
    main: true,
    bring: async (scenery) => opened(scenery, await textOf(scenery)),
  },
  {
    name: "open-done-shown",
    what: "the text is shown",
    main: true,
    bring: async (scenery) => {
      const page = await opened(scenery, await textOf(scenery));
      await press(page, "#show-text");
      return page;
    },
  },
  {
    name: "open-done-files",
    what: "files have arrived",
    main: true,
    bring: async (scenery) => opened(scenery, await filesOf(scenery)),
  },
  {
    name: "open-done-archive",
    what: "an archive has arrived",
    bring: async (scenery) => opened(scenery, await sealAndSend(scenery.origin, small(7))),
  },
  {
    name: "open-failed",
    what: "it was changed on its way",
    bring: async (scenery) => {
      scenery.faults.plan = at("/body", { change: (bytes) => Buffer.from(bytes).fill(0) });
      const items = [{ name: "contract-signed.pdf", bytes: randomBytes(2_000_000) }];
      const page = await ready(scenery, await sealAndSend(scenery.origin, items));
      await hold(page, 1000);
      await reach(page, ["failed"]);
      return page;
    },
  },
  {
    name: "open-unsavable",
    what: "larger than this browser can save",
    bring: async (scenery) => {
      const { link, manifest, body_len } = await sealNames(scenery.origin, [{ name: "site-visit.mov", size: 900_000_000 }]);
      const view = { state: "ready", created_at: AT, expires_at: AT + 90_000, claims_left: 1, attempts_left: 5, part_len: 8_388_608 };
      scenery.faults.plan = at("/peek", answer(200, { ...view, body_len, manifest }));
      const page = await scenery.fresh();
      await page.evaluateOnNewDocument(() => {
        Reflect.deleteProperty(Navigator.prototype, "serviceWorker");
        Reflect.deleteProperty(window, "showSaveFilePicker");
      });
      await follow(page, link, ["unsavable"]);
      return page;
    },
  },
  {
    name: "open-strict",
    what: "a server that hands everything out once",
    bring: async (scenery) => {
      const sent = await textOf(scenery);
      scenery.faults.plan = at("/config", await strictly(scenery));
      return ready(scenery, sent);
    },
  },
  {
    name: "open-handed",
    what: "files were handed to a browser that does not say whether it kept them",
    main: true,
    bring: (scenery) => handed(scenery),
  },
  {
    name: "open-stopped",
    what: "stopped, where everything is handed out once",
    bring: async (scenery) => {
      const sent = await sealAndSend(scenery.origin, [{ name: "site-visit.mov", bytes: randomBytes(12_000_000) }]);
      const [config, body] = [at("/config", await strictly(scenery)), at("/body", { stall_after: 5_000_000 })];
      scenery.faults.plan = (method, path) => config(method, path) ?? body(method, path);
      const page = await ready(scenery, sent);
      await hold(page, 1000);
      await reach(page, ["opening"]);
      await press(page, "#stop");
      await reach(page, ["failed"]);
      return page;
    },
  },
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

/**
 * @param {import("../states.mjs").Scenery} scenery
 * @param {import("../fault.mjs").Fault} fault
 * @param {string} state
 */
async function looked(scenery, fault, state) {
  const { link } = await textOf(scenery);
  scenery.faults.plan = at("/peek", fault);
  return ready(scenery, { link }, state);
}

/** @param {import("../states.mjs").Scenery} scenery @param {{ link: string }} sent */
async function ready(scenery, { link }, state = "ready") {
  const page = await scenery.fresh();
  await follow(page, link, [state]);
  return page;
}

/** @param {import("../states.mjs").Scenery} scenery @param {{ link: string }} sent */
async function opened(scenery, sent) {
  const page = await ready(scenery, sent);
  await holdOpen(page);
  await until("what became of it", async () => /deleted/.test(await wordsOf(page, "#deleted")));
  return page;
}

/** Files brought to a browser that can but take them out of memory. @param {import("../states.mjs").Scenery} scenery */
async function handed(scenery) {
  const sent = await filesOf(scenery);
  const page = await scenery.fresh();
  await page.evaluateOnNewDocument(() => Reflect.deleteProperty(Navigator.prototype, "serviceWorker"));
  await follow(page, sent.link, ["ready"]);
  await hold(page, 1000);
  await reach(page, ["handed"]);
  return page;
}

/** What a server says of its limits that hands everything out once. @param {import("../states.mjs").Scenery} scenery */
async function strictly({ origin }) {
  return answer(200, { ...(await (await fetch(`${origin}/api/v1/config`)).json()), lease_s: 0 });
}

/** @param {import("../states.mjs").Scenery} scenery @param {Parameters<typeof sealAndSend>[2]} [choices] */
function textOf(scenery, choices) {
  return sealAndSend(scenery.origin, [{ name: "", bytes: Buffer.from(TEXT) }], choices);
}

/** @param {import("../states.mjs").Scenery} scenery */
function filesOf(scenery) {
  return sealAndSend(scenery.origin, [
    { name: "contract-signed.pdf", bytes: randomBytes(1_840_000) },
    { name: "見積書.xlsx", bytes: randomBytes(48_200) },
    { name: "Minutes_of_the_extraordinary_general_meeting_2026-11-12_final_v3.docx", bytes: randomBytes(310_000) },
  ]);
}

/** @param {number} count */
function small(count) {
  return Array.from({ length: count }, (_, index) => ({ name: `photos/day ${1 + (index % 2)}/${1000 + index}.jpg`, bytes: randomBytes(30_000) }));
}
