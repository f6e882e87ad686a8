/**
 * `<receipt-list>`: the receipts kept in this browser, each with a way to it and one to forget it. Both are buttons: a link
 * would write the owner's token into the browser's history. Emits `receipt-chosen` and `receipt-forgotten` with the fragment;
 * keeps nothing itself.
 *
 * @module
 */

import { text } from "../text.js";
import { within } from "./page.js";

/** @typedef {import("../kept-receipts.js").KeptReceipt} KeptReceipt */

/** The element; it holds the list, the sentences for none and for what else is kept, and the template of a row. */
export class ReceiptList extends HTMLElement {
  /**
   * @param {KeptReceipt[]} receipts
   * @param {boolean} remembers Whether this browser knows of links that were made here, which there is to forget as well.
   */
  show(receipts, remembers) {
    const rows = within(this, "ul", HTMLUListElement);
    const focused = forgetButtons(rows).findIndex((button) => button === document.activeElement);
    rows.replaceChildren(...receipts.map((receipt) => this.#row(receipt)));
    const none = within(this, "[data-part=none]", HTMLElement);
    none.hidden = receipts.length > 0;
    within(this, "[data-part=own]", HTMLElement).hidden = !remembers;
    within(this, "[data-part=all]", HTMLElement).hidden = receipts.length === 0 && !remembers;
    // Whoever forgets by keyboard stays in the list, or is told that it is empty.
    if (receipts.length === 0) none.focus();
    else if (focused >= 0) forgetButtons(rows)[Math.min(focused, receipts.length - 1)]?.focus();
  }

  /** @param {KeptReceipt} receipt */
  #row({ fragment, sent_at, expires_at, file_count }) {
    const template = within(this, "template", HTMLTemplateElement);
    const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const what = text("manage.kept.item", { at: sent_at, count: file_count });
    const choose = within(item, "[data-part=choose]", HTMLButtonElement);
    choose.textContent = what;
    choose.addEventListener("click", () => this.dispatchEvent(new CustomEvent("receipt-chosen", { detail: fragment })));
    within(item, "small", HTMLElement).textContent = text("manage.kept.until", { at: expires_at });
    const forget = within(item, "[data-part=forget]", HTMLButtonElement);
    forget.textContent = text("manage.kept.forget");
    forget.setAttribute("aria-label", text("manage.kept.forget_one", { what }));
    forget.addEventListener("click", () => this.dispatchEvent(new CustomEvent("receipt-forgotten", { detail: fragment })));
    return item;
  }
}

/** @param {HTMLUListElement} rows @returns {HTMLButtonElement[]} */
function forgetButtons(rows) {
  return [...rows.querySelectorAll("button")].filter((button) => button.dataset["part"] === "forget");
}

customElements.define("receipt-list", ReceiptList);
