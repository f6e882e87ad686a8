/**
 * `<entry-list>`: what a transfer holds, a row each, with how far its saving is. Names stand isolated, so that no name can
 * turn the text around it. Emits `entry-save` with the index.
 *
 * @module
 */

import { format, text } from "../text.js";
import { scrollLong, within } from "./page.js";

/**
 * @typedef {import("../entries.js").Entry} Entry
 * @typedef {import("../save.js").FileStatus} FileStatus
 */

/** The element; it holds the list and the template of a row. */
export class EntryList extends HTMLElement {
  /** @type {Entry[]} */
  #entries = [];

  /** @param {Entry[]} entries */
  show(entries) {
    this.#entries = entries;
    const list = within(this, "ul", HTMLUListElement);
    list.setAttribute("aria-label", this.getAttribute("aria-label") ?? "");
    scrollLong(list, entries.length);
    list.replaceChildren(...entries.map((entry, index) => this.#row(entry, index)));
  }

  /**
   * @param {number} index
   * @param {FileStatus} status
   * @param {number} written Bytes.
   * @param {boolean} again Whether the person can have it saved once more.
   */
  note(index, status, written, again) {
    const row = within(this, "ul", HTMLUListElement).children[index];
    const entry = this.#entries[index];
    if (!row || !entry) return;
    const words = within(row, ".file-status", HTMLElement);
    words.hidden = false;
    words.textContent = text(`open.status.${status}`, { at: written, total: entry.size });
    words.classList.toggle("good", status === "saved");
    words.classList.toggle("warn", status === "waiting" || status === "stalled");
    const button = within(row, "button", HTMLButtonElement);
    button.hidden = !again;
    button.textContent = text(status === "waiting" ? "open.save" : "open.save_again");
    const label = [button.textContent, entry.name].join(" ");
    button.setAttribute("aria-label", label);
  }

  /**
   * @param {Entry} entry
   * @param {number} index
   */
  #row(entry, index) {
    const template = within(this, "template", HTMLTemplateElement);
    const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    within(item, "bdi", HTMLElement).textContent = entry.name;
    within(item, ".file-size", HTMLElement).textContent = format.bytes(entry.size);
    within(item, "button", HTMLButtonElement).addEventListener("click", () =>
      this.dispatchEvent(new CustomEvent("entry-save", { detail: index })),
    );
    return item;
  }
}

customElements.define("entry-list", EntryList);
