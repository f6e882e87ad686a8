/**
 * What the sending page shows when the link is there: the link in three forms, what it will do, and apart from it the
 * receipt. Keeps the receipt in this browser only when asked to.
 *
 * @module
 */

import { forgetReceipt, keepReceipt } from "../kept-receipts.js";
import { text, write } from "../text.js";
import { LinkPanel } from "./link-panel.js";
import { announce, byId } from "./page.js";
import { QrCode } from "./qr-code.js";

/**
 * @typedef {object} Sent
 * @property {string} link
 * @property {string} receipt Its link.
 * @property {number} expires_at Unix seconds.
 * @property {number} claims_max
 * @property {boolean} with_passphrase
 * @property {number} file_count 0 for a text.
 */

/** @param {Sent} sent */
export function renderSent(sent) {
  byId("link-panel", LinkPanel).link = sent.link;
  byId("qr", QrCode).link = sent.link;
  byId("receipt-panel", LinkPanel).link = sent.receipt;
  byId("look-receipt", HTMLAnchorElement).href = sent.receipt;
  write(byId("promise", HTMLElement), text("send.promise", { count: sent.claims_max, at: sent.expires_at }));
  byId("promise-passphrase", HTMLElement).hidden = !sent.with_passphrase;
  byId("protected", HTMLElement).hidden = !sent.with_passphrase;
  const keep = byId("keep-receipt", HTMLInputElement);
  keep.onchange = () => keepOrForget(keep, sent);
  announce(text("send.done"));
}

/** Takes every secret out of the page again. */
export function clearSent() {
  byId("link-panel", LinkPanel).link = "";
  byId("receipt-panel", LinkPanel).link = "";
  byId("look-receipt", HTMLAnchorElement).href = "/manage";
  byId("qr", QrCode).link = "";
  byId("qr-fold", HTMLDetailsElement).open = false;
  const keep = byId("keep-receipt", HTMLInputElement);
  keep.checked = false;
  keep.onchange = null;
  byId("keep-note", HTMLElement).textContent = "";
}

/** @param {HTMLInputElement} keep @param {Sent} sent */
function keepOrForget(keep, { receipt, expires_at, file_count }) {
  const fragment = new URL(receipt).hash.slice(1);
  const sent_at = Math.floor(Date.now() / 1000);
  const note = byId("keep-note", HTMLElement);
  if (!keep.checked) {
    forgetReceipt(fragment);
    note.textContent = "";
  } else if (keepReceipt({ fragment, sent_at, expires_at, file_count })) {
    note.textContent = text("send.receipt.kept");
  } else {
    keep.checked = false;
    note.textContent = text("send.receipt.unkept");
  }
}
