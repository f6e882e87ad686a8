/**
 * What the sending page shows when the link is there: the link in three forms, what it will do, and apart from it the
 * receipt. Keeps the receipt in this browser only when asked to.
 *
 * @module
 */

import { openReceipt } from "../handover.js";
import { forgetReceipt, keepReceipt } from "../kept-receipts.js";
import { text, write } from "../text.js";
import { wireCopy } from "./copy.js";
import { LinkPanel } from "./link-panel.js";
import { announce, byId } from "./page.js";
import { QrCode } from "./qr-code.js";
import { SecretField } from "./secret-field.js";

/**
 * @typedef {object} Sent
 * @property {string} link
 * @property {string} receipt Its link.
 * @property {number} expires_at Unix seconds.
 * @property {number} forgotten_at When the server may have forgotten it.
 * @property {number} claims_max
 * @property {string} passphrase Empty for none.
 * @property {number} file_count 0 for a text.
 */

/** Makes the buttons work that are there whatever was sent. @param {() => void} ontaken The link is no longer here alone. */
export function wireSent(ontaken) {
  byId("link-panel", LinkPanel).addEventListener("link-taken", ontaken);
  // Whoever has the picture on the screen may have it in a camera.
  const fold = byId("qr-fold", HTMLDetailsElement);
  fold.addEventListener("toggle", () => fold.open && ontaken());
  const field = byId("sent-passphrase", HTMLInputElement);
  wireCopy(byId("copy-sent-passphrase", HTMLButtonElement), field, () => field.value, () => showPassphrase(true));
}

/** @param {Sent} sent */
export function renderSent(sent) {
  byId("link-panel", LinkPanel).link = sent.link;
  byId("qr", QrCode).link = sent.link;
  byId("receipt-panel", LinkPanel).link = sent.receipt;
  byId("look-receipt", HTMLButtonElement).onclick = () => openReceipt(fragmentOf(sent));
  const { claims_max: count, expires_at: at, passphrase } = sent;
  const with_passphrase = passphrase !== "";
  write(byId("headline", HTMLElement), count === 1 ? text("send.title") : text("send.title.several", { count }));
  write(byId("promise", HTMLElement), text("send.promise", { count, at }));
  write(byId("careful", HTMLElement), text("send.careful", { count, with_passphrase }));
  byId("protected", HTMLElement).hidden = !with_passphrase;
  byId("sent-passphrase-field", HTMLElement).hidden = !with_passphrase;
  byId("sent-passphrase", HTMLInputElement).value = passphrase;
  const keep = byId("keep-receipt", HTMLInputElement);
  keep.onchange = () => keepOrForget(keep, sent);
  announce(text("send.done"));
}

/** Takes every secret, and what was said of it, out of the page again. */
export function clearSent() {
  write(byId("headline", HTMLElement), text("send.title"));
  byId("link-panel", LinkPanel).link = "";
  byId("receipt-panel", LinkPanel).link = "";
  byId("look-receipt", HTMLButtonElement).onclick = null;
  byId("sent-passphrase", HTMLInputElement).value = "";
  showPassphrase(false);
  byId("qr", QrCode).link = "";
  byId("qr-fold", HTMLDetailsElement).open = false;
  const keep = byId("keep-receipt", HTMLInputElement);
  keep.checked = false;
  keep.onchange = null;
  byId("keep-note", HTMLElement).textContent = "";
}

/** @param {HTMLInputElement} keep @param {Sent} sent */
function keepOrForget(keep, sent) {
  const { expires_at, forgotten_at, file_count } = sent;
  const fragment = fragmentOf(sent);
  const sent_at = Math.floor(Date.now() / 1000);
  const note = byId("keep-note", HTMLElement);
  if (!keep.checked) {
    forgetReceipt(fragment);
    note.textContent = "";
  } else if (keepReceipt({ fragment, sent_at, expires_at, forgotten_at, file_count })) {
    note.textContent = text("send.receipt.kept");
  } else {
    keep.checked = false;
    note.textContent = text("send.receipt.unkept");
  }
}

/** @param {Sent} sent */
function fragmentOf({ receipt }) {
  return new URL(receipt).hash.slice(1);
}

/** @param {boolean} shown */
function showPassphrase(shown) {
  const secret = byId("sent-passphrase", HTMLInputElement).parentElement;
  if (secret instanceof SecretField) secret.shown = shown;
}
