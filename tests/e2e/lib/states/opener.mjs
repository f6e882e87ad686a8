/**
 * What is sent for the states of the opening page, and how a page comes to it.
 *
 * @module
 */

import { randomBytes } from "node:crypto";

import { follow, hold, holdOpen, reach, wordsOf } from "../pages.mjs";
import { sealAndSend } from "../seal.mjs";
import { until } from "../wait.mjs";
import { answer, at } from "./answers.mjs";

const TEXT = "postgres://orders:wF7-qk2v-Hs90@db.example.org/orders\n";

/**
 * @param {import("../states.mjs").Scenery} scenery
 * @param {import("../fault.mjs").Fault} fault
 * @param {string} state
 */
export async function looked(scenery, fault, state) {
  const { link } = await textOf(scenery);
  scenery.faults.plan = at("/peek", fault);
  return ready(scenery, { link }, state);
}

/** @param {import("../states.mjs").Scenery} scenery @param {{ link: string }} sent */
export async function ready(scenery, { link }, state = "ready") {
  const page = await scenery.fresh();
  await follow(page, link, [state]);
  return page;
}

/** @param {import("../states.mjs").Scenery} scenery @param {{ link: string }} sent */
export async function opened(scenery, sent) {
  const page = await ready(scenery, sent);
  await holdOpen(page);
  await until("what became of it", async () => /deleted/.test(await wordsOf(page, "#deleted")));
  return page;
}

/** Files brought to a browser that can but take them out of memory. @param {import("../states.mjs").Scenery} scenery */
export async function handed(scenery) {
  const sent = await filesOf(scenery);
  const page = await scenery.fresh();
  await page.evaluateOnNewDocument(() => Reflect.deleteProperty(Navigator.prototype, "serviceWorker"));
  await follow(page, sent.link, ["ready"]);
  await hold(page, 1000);
  await reach(page, ["handed"]);
  return page;
}

/** What a server says of its limits that hands everything out once. @param {import("../states.mjs").Scenery} scenery */
export async function strictly({ origin }) {
  return answer(200, { ...(await (await fetch(`${origin}/api/v1/config`)).json()), lease_s: 0 });
}

/** @param {import("../states.mjs").Scenery} scenery @param {Parameters<typeof sealAndSend>[2]} [choices] */
export function textOf(scenery, choices) {
  return sealAndSend(scenery.origin, [{ name: "", bytes: Buffer.from(TEXT) }], choices);
}

/** @param {import("../states.mjs").Scenery} scenery */
export function filesOf(scenery) {
  return sealAndSend(scenery.origin, [
    { name: "contract-signed.pdf", bytes: randomBytes(1_840_000) },
    { name: "見積書.xlsx", bytes: randomBytes(48_200) },
    { name: "Minutes_of_the_extraordinary_general_meeting_2026-11-12_final_v3.docx", bytes: randomBytes(310_000) },
  ]);
}

/** @param {number} count */
export function small(count) {
  return Array.from({ length: count }, (_, index) => ({ name: `photos/day ${1 + (index % 2)}/${1000 + index}.jpg`, bytes: randomBytes(30_000) }));
}
