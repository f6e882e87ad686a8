/**
 * The states of the opening page, from a look to what has arrived.
 *
 * @module
 */

import { randomBytes } from "node:crypto";

import { follow, hold, offerPassphrase, press, reach } from "../pages.mjs";
import { sealAndSend, sealNames } from "../seal.mjs";
import { until } from "../wait.mjs";
import { NOW_S, answer, at } from "./answers.mjs";
import { filesOf, handed, looked, opened, ready, small, strictly, textOf } from "./opener.mjs";

/** @typedef {import("../states.mjs").State} State */

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
];
