/**
 * The states of the sending page.
 *
 * @module
 */

import { compose, failAtOnce, press, reach, send, wordsOf } from "../pages.mjs";
import { until } from "../wait.mjs";
import { answer, at, refusal } from "./answers.mjs";

/** @typedef {import("../states.mjs").State} State */

/** The limits of a server that asks for a create token. */
const GUARDED = {
  version: "0.1.0",
  transfer_size_max: 2_147_483_648,
  inline_max: 65_536,
  part_len: 8_388_608,
  ttl_s_max: 604_800,
  ttl_s_default: 86_400,
  ttl_s_min: 60,
  claims_max: 100,
  lease_s: 600,
  upload_idle_s: 3600,
  tombstone_ttl_s: 86_400,
  needs_create_token: true,
  role: "both",
};

const TEXT = "postgres://orders:wF7-qk2v-Hs90@db.example.org/orders\n";

/** @type {State[]} */
export const sendStates = [
  {
    name: "send",
    what: "nothing yet",
    main: true,
    bring: (scenery) => composed(scenery, {}),
  },
  {
    name: "send-files",
    what: "with files, one of them with a long name",
    main: true,
    bring: async (scenery) => composed(scenery, { files: await files(scenery) }),
  },
  {
    name: "send-passphrase",
    what: "with a passphrase that was made up",
    bring: async (scenery) => {
      const page = await composed(scenery, { text: TEXT });
      await press(page, "#suggest");
      return page;
    },
  },
  {
    name: "send-trouble",
    what: "sent with nothing in it",
    bring: async (scenery) => {
      const page = await composed(scenery, {});
      await press(page, "#send");
      await until("the trouble", () => page.evaluate(() => !document.querySelector("#compose-trouble").hidden));
      return page;
    },
  },
  {
    name: "send-token",
    what: "asked for a create token",
    main: true,
    bring: (scenery) => asked(scenery, answer(200, GUARDED)),
  },
  {
    name: "send-token-wrong",
    what: "with a create token that the server does not know, shown",
    bring: async (scenery) => {
      const page = await asked(scenery, answer(200, GUARDED));
      scenery.faults.plan = at("/config", refusal(401, "create.unauthorized"));
      await page.evaluate((token) => {
        document.querySelector("#token").value = token;
      }, `ots_${"Ab3-".repeat(10)}Xyz`);
      await press(page, "#token-form secret-field button");
      await press(page, "#keep-token");
      await press(page, "#token-submit");
      await until("the trouble", () => page.evaluate(() => !document.querySelector("#token-trouble").hidden));
      return page;
    },
  },
  {
    name: "send-token-withdrawn",
    what: "sending, and the create token is taken no more",
    bring: async (scenery) => {
      const page = await composed(scenery, { text: TEXT });
      scenery.faults.plan = at("/transfers", refusal(401, "create.unauthorized"));
      await press(page, "#send");
      await reach(page, ["token"]);
      return page;
    },
  },
  {
    name: "send-token-kept",
    what: "nothing yet, with a create token that is kept",
    bring: async (scenery) => {
      const page = await asked(scenery, answer(200, GUARDED));
      await page.evaluate((token) => {
        document.querySelector("#token").value = token;
      }, `ots_${"Ab3-".repeat(10)}Xyz`);
      await press(page, "#keep-token");
      await press(page, "#token-submit");
      await reach(page, ["start"]);
      return page;
    },
  },
  {
    name: "send-working",
    what: "sending",
    main: true,
    bring: async (scenery) => {
      let parts = 0;
      scenery.faults.plan = (_, path) => (path.includes("/parts/") && (parts += 1) > 1 ? { silent: true } : null);
      const large = await scenery.content.random("site-visit.mov", 30_000_000);
      const page = await composed(scenery, { files: [large.path] });
      await press(page, "#send");
      await reach(page, ["working"]);
      await until("a part to be sent", () => page.evaluate(() => Number(document.querySelector("#progress progress").value) > 0), 60_000);
      return page;
    },
  },
  {
    name: "send-done",
    what: "sent",
    main: true,
    bring: (scenery) => sent(scenery, { text: TEXT }),
  },
  {
    name: "send-done-qr",
    what: "sent behind a passphrase, with the link as a picture",
    bring: async (scenery) => {
      const page = await sent(scenery, { text: TEXT, passphrase: "wide-crumb-otter-flame-debt" });
      await press(page, "#qr-fold summary");
      await press(page, "#keep-receipt");
      return page;
    },
  },
  {
    name: "send-another",
    what: "about to drop a link that nobody has",
    bring: async (scenery) => {
      const page = await sent(scenery, { text: TEXT });
      await press(page, "#another");
      return page;
    },
  },
  {
    name: "send-failed",
    what: "the server has no room",
    bring: (scenery) => failed(scenery, refusal(507, "store.full")),
  },
  {
    name: "send-failed-413",
    what: "a proxy refuses it as too large",
    bring: (scenery) => failed(scenery, { status: 413 }),
  },
  {
    name: "send-failed-504",
    what: "a proxy gave up on the server, and it can go on",
    bring: (scenery) => failed(scenery, { status: 504 }),
  },
  {
    name: "send-busy",
    what: "asked too much, and goes on by itself",
    bring: async (scenery) => {
      const page = await composed(scenery, { text: TEXT });
      scenery.faults.plan = at("/transfers", { ...refusal(429, "request.rate_limited"), headers: { "Content-Type": "application/json", "Retry-After": "60" } });
      await press(page, "#send");
      await until("the wait", async () => /by itself in/.test(await wordsOf(page, "#progress")));
      return page;
    },
  },
  {
    name: "send-retrying",
    what: "the server is busy, and is tried again",
    bring: async (scenery) => {
      const page = await composed(scenery, { text: TEXT });
      scenery.faults.plan = at("/transfers", { ...refusal(503, "store.unreachable"), headers: { "Content-Type": "application/json", "Retry-After": "60" } });
      await press(page, "#send");
      await until("the wait", async () => /again/i.test(await wordsOf(page, "#progress")));
      return page;
    },
  },
  {
    name: "send-unavailable",
    what: "no answer from the server",
    bring: async (scenery) => {
      scenery.faults.plan = at("/config", { cut: true });
      const page = await scenery.fresh();
      await page.goto(`${scenery.origin}/`);
      await reach(page, ["unavailable"]);
      return page;
    },
  },
];

/** @param {import("../states.mjs").Scenery} scenery @param {import("../fault.mjs").Fault} config What the limits are said to be. */
async function asked(scenery, config) {
  scenery.faults.plan = at("/config", config);
  const page = await scenery.fresh();
  await page.goto(`${scenery.origin}/`);
  await reach(page, ["token"]);
  return page;
}

/** @param {import("../states.mjs").Scenery} scenery */
async function files(scenery) {
  const all = [
    await scenery.content.random("contract-signed.pdf", 1_840_000),
    await scenery.content.random("見積書.xlsx", 48_200),
    await scenery.content.random("Minutes_of_the_extraordinary_general_meeting_2026-11-12_final_v3.docx", 310_000),
  ];
  return all.map((file) => file.path);
}

/** @param {import("../states.mjs").Scenery} scenery @param {Parameters<typeof compose>[2]} what */
async function composed(scenery, what) {
  const page = await scenery.fresh();
  await compose(page, scenery.origin, what);
  await until("the send button", () => page.evaluate(() => !document.querySelector("#send").disabled));
  return page;
}

/** @param {import("../states.mjs").Scenery} scenery @param {Parameters<typeof compose>[2]} what */
async function sent(scenery, what) {
  const page = await scenery.fresh();
  await send(page, scenery.origin, what);
  return page;
}

/** @param {import("../states.mjs").Scenery} scenery @param {import("../fault.mjs").Fault} fault */
async function failed(scenery, fault) {
  const page = await composed(scenery, { text: TEXT });
  scenery.faults.plan = at("/transfers", fault);
  await press(page, "#send");
  await failAtOnce(page);
  return page;
}
