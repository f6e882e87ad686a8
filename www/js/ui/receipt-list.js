/**
 * `<receipt-list>`: the receipts kept in this browser, each with a way to it and one to forget it. Emits `receipt-forgotten`
 * with the fragment; keeps nothing itself.
 *
 * @module
 */

import { receiptLink } from "../receipt.js";
import { text } from "../text.js";
import { within } from "./page.js";

/** @typedef {import("../kept-receipts.js").KeptReceipt} KeptReceipt */

/** The element; it holds the list, the sentence for none, and the template of a row. */
export class ReceiptList extends HTMLElement {
  /** @param {KeptReceipt[]} receipts */
  show(receipts) {
    const rows = within(this, "ul", HTMLUListElement);
    const focused = [...rows.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    rows.replaceChildren(...receipts.map((receipt) => this.#row(receipt)));
    const none = within(this, "[data-part=none]", HTMLElement);
    none.hidden = receipts.length > 0;
    within(this, "[data-part=all]", HTMLElement).hidden = receipts.length === 0;
    // Whoever forgets by keyboard stays in the list, or is told that it is empty.
    if (receipts.length === 0) none.focus();
    else if (focused >= 0) rows.querySelectorAll("button")[Math.min(focused, receipts.length - 1)]?.focus();
  }

  /** @param {KeptReceipt} receipt */
  #row({ fragment, sent_at, expires_at, file_count }) {
    const template = within(this, "template", HTMLTemplateElement);
    const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const what = text("manage.kept.item", { at: sent_at, count: file_count });
    const link = within(item, "a", HTMLAnchorElement);
    link.href = receiptLink("", fragment);
    link.textContent = what;
    within(item, "small", HTMLElement).textContent = text("manage.kept.until", { at: expires_at });
    const forget = within(item, "button", HTMLButtonElement);
    forget.textContent = text("manage.kept.forget");
    forget.setAttribute("aria-label", text("manage.kept.forget_one", { what }));
    forget.addEventListener("click", () => this.dispatchEvent(new CustomEvent("receipt-forgotten", { detail: fragment })));
    return item;
  }
}

customElements.define("receipt-list", ReceiptList);
