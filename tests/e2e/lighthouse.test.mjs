/**
 * Lighthouse on the three pages: nothing to say against their accessibility and their practices. How fast they are depends on
 * the machine and on what else it does, so that is printed and never judged; `node --test lighthouse.test.mjs` tells it best.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import lighthouse from "lighthouse";

import { BROWSERS, Stage } from "./lib/stage.mjs";
import { reach } from "./lib/pages.mjs";
import { sealAndSend } from "./lib/seal.mjs";

const LIMIT = { timeout: 180_000, skip: !BROWSERS.includes("chromium") && "Lighthouse looks through Chromium alone" };

const OPTIONS = {
  onlyCategories: ["performance", "accessibility", "best-practices"],
  // It leaves the page and comes back, to an address without its fragment; pages that are not to be stored fail it anyway.
  skipAudits: ["bf-cache"],
  disableFullPageScreenshot: true,
  logLevel: "error",
};

/** What it says of a machine that does something else, too. */
const BUSY = /slower CPU/;

/** What is printed beside the score. */
const TIMES = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];

let stage;
before(async () => {
  stage = await Stage.open([], { names: BROWSERS.filter((name) => name === "chromium"), isWhole: true });
});
after(() => stage?.close());

look("/", "start", () => `${stage.origin}/`);

look("/open", "ready", async () => (await sent()).link);

look("/manage", "shown", async () => {
  const { id, owner_token } = await sent();
  const receipt = Buffer.concat([id, owner_token].map((part) => Buffer.from(part, "base64url")));
  return `${stage.origin}/manage#${receipt.toString("base64url")}`;
});

/**
 * @param {string} name The page.
 * @param {string} state Where it must be when Lighthouse has looked at it, so that it was this page and not a notice.
 * @param {() => string | Promise<string>} address
 */
function look(name, state, address) {
  test(`${name}: Lighthouse finds nothing`, LIMIT, (context) =>
    stage.scene(async (visit) => {
      const chromium = stage.browsers.find((browser) => browser.name === "chromium");
      const { page } = await visit(chromium);
      const { lhr } = await lighthouse(await address(), OPTIONS, undefined, page);
      await reach(page, [state]);
      // Now and then it loses the beginning of its trace on a busy machine. Only the times are made from that.
      const hasTimes = lhr.runtimeError?.code !== "NO_NAVSTART";
      const warnings = lhr.runWarnings.filter((warning) => !BUSY.test(warning));
      if (hasTimes) assert.deepEqual([lhr.runtimeError, warnings], [undefined, []]);
      const times = TIMES.map((id) => `${id} ${lhr.audits[id].displayValue}`).join(", ");
      context.diagnostic(hasTimes ? `${name}: performance ${percent(lhr.categories.performance)}; ${times}` : `${name}: not timed`);
      for (const category of ["accessibility", "best-practices"]) {
        assert.equal(percent(lhr.categories[category]), 100, complaints(lhr, category).join("\n"));
      }
    }));
}

function sent() {
  return sealAndSend(stage.origin, [{ name: "", bytes: Buffer.from("read once") }]);
}

/** @param {{ score: number | null }} category @returns {number} */
function percent({ score }) {
  return Math.round((score ?? 0) * 100);
}

/** What is to be mended, for the failure's message. */
function complaints(lhr, category) {
  const audits = lhr.categories[category].auditRefs.map(({ id }) => lhr.audits[id]);
  const failed = audits.filter(({ score }) => score !== null && score < 1);
  return failed.map(({ id, title, details }) => `${category}, ${id}: ${title} ${JSON.stringify(details?.items ?? "").slice(0, 600)}`);
}
