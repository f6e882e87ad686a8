/**
 * Shows a receipt: what it comes to, what is left, and what happened as a line of events. Asks nobody.
 *
 * @module
 */

import { headlineOf, stepsOf } from "../receipt.js";
import { format, keyOr, text, write } from "../text.js";
import { announce, byId, iconAddress } from "./page.js";

/**
 * @typedef {import("../receipt.js").Step} Step
 * @typedef {import("../api.messages.js").Receipt} Receipt
 */

/** What stands for each kind of event, besides its words. */
const ICONS = { past: "dot", now: "clock", good: "check", bad: "warn" };

/** Wrong passphrases that a transfer bears (specification, section 5). Fewer left tell that there is a passphrase, and who met it. */
const ATTEMPTS_MAX = 5;

let head = "";

/**
 * @param {{ receipt: Receipt, as_of: number, stale: boolean }} shown
 * @param {number | null} known_s How long the server knows of what is over; null when it has not said.
 */
export function renderReceipt({ receipt, as_of, stale }, known_s) {
  const gone = receipt.state === "gone";
  const name = headlineOf(receipt);
  const sentence = text(keyOr(`manage.head.${name}`, "manage.head.gone"));
  if (sentence !== head) {
    head = sentence;
    write(byId("receipt-head", HTMLElement), sentence);
    announce(sentence.replaceAll("*", ""));
  }
  byId("receipt-icon", SVGUseElement).setAttribute("href", iconAddress(iconOf(name)));
  byId("timeline", HTMLOListElement).replaceChildren(...stepsOf(receipt).map(row));
  byId("left", HTMLUListElement).replaceChildren(...(gone ? [] : left(receipt)));
  byId("not-you", HTMLElement).hidden = receipt.claims.length === 0;
  const forgets = byId("forgets", HTMLElement);
  forgets.hidden = !gone || known_s === null;
  write(forgets, text("manage.forgets", { at: Math.max(receipt.at ?? 0, receipt.expires_at ?? 0) + (known_s ?? 0) }));
  byId("unlock-part", HTMLElement).hidden = gone || receipt.attempts_left > 0;
  byId("burn", HTMLElement).hidden = gone;
  byId("refresh", HTMLElement).hidden = gone;
  const note = byId("stale", HTMLElement);
  note.hidden = !stale;
  note.textContent = text("manage.stale", { at: as_of });
}

/** @param {Receipt} receipt */
function left(receipt) {
  const { claims_left, claims_max, attempts_left, expires_at, body_len } = receipt;
  const sentences = [
    text("manage.opens_left", { left: claims_left, most: claims_max }),
    ...(attempts_left > 0 && attempts_left < ATTEMPTS_MAX ? [text("manage.tries_left", { count: attempts_left })] : []),
    ...(expires_at === undefined ? [] : [text("manage.until", { at: expires_at })]),
    text("manage.size", { size: body_len }),
  ];
  return sentences.map((sentence) => {
    const item = document.createElement("li");
    write(item, sentence);
    return item;
  });
}

/** @param {Step} step */
function row({ name, at, count, tone }) {
  const item = document.createElement("li");
  item.dataset["tone"] = tone;
  item.dataset["step"] = name;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", iconAddress(ICONS[tone]));
  svg.append(use);
  const when = document.createElement("time");
  if (at === null) when.textContent = text("manage.now");
  else {
    when.dateTime = new Date(at * 1000).toISOString();
    when.textContent = format.moment(at);
  }
  const words = document.createElement("span");
  words.textContent = text(`manage.step.${name}`, { at, count });
  item.append(svg, when, words);
  return item;
}

/** @param {string} name Of a headline. */
function iconOf(name) {
  if (name === "delivered") return "check";
  if (name === "locked") return "lock";
  if (name === "waiting" || name === "fetching" || name === "uploading" || name === "opened") return "clock";
  return name === "lapsed" || name === "none_left" ? "warn" : "gone";
}
