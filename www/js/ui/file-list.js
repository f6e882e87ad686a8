/**
 * `<file-list>`: the files to be sent, a row each, with size and a way to remove it. Emits `file-removed` with the index.
 *
 * @module
 */

import { format, text } from "../text.js";
import { scrollLong, within } from "./page.js";

/**
 * @typedef {object} FileRow
 * @property {string} name As the person knows it.
 * @property {string} sent_name As it will be sent.
 * @property {number} size Bytes.
 */

/** More rows than this are counted and not shown: nobody reads them, and each costs time. */
const ROWS_MAX = 200;

/** The element; it holds the list and the template of a row. */
export class FileRows extends HTMLElement {
  /** @param {FileRow[]} rows */
  show(rows) {
    const list = within(this, "ul", HTMLUListElement);
    const focused = [...list.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    list.setAttribute("aria-label", this.getAttribute("aria-label") ?? "");
    scrollLong(list, rows.length);
    list.replaceChildren(...rows.slice(0, ROWS_MAX).map((row, index) => this.#row(row, index)));
    const more = within(this, "[data-part=more]", HTMLElement);
    more.hidden = rows.length <= ROWS_MAX;
    more.textContent = text("send.more_files", { count: rows.length - ROWS_MAX });
    this.hidden = rows.length === 0;
    // Whoever removes rows by keyboard stays in the list.
    if (focused >= 0) list.querySelectorAll("button")[Math.min(focused, rows.length - 1)]?.focus();
  }

  /**
   * @param {FileRow} row
   * @param {number} index
   */
  #row(row, index) {
    const template = within(this, "template", HTMLTemplateElement);
    const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    within(item, "bdi", HTMLElement).textContent = row.name;
    const note = within(item, "[data-part=note]", HTMLElement);
    note.textContent = row.sent_name === row.name ? "" : text("send.renamed", { name: row.sent_name });
    within(item, ".file-size", HTMLElement).textContent = format.bytes(row.size);
    const remove = within(item, "button", HTMLButtonElement);
    remove.setAttribute("aria-label", text("send.remove", { name: row.name }));
    remove.addEventListener("click", () => this.dispatchEvent(new CustomEvent("file-removed", { detail: index })));
    return item;
  }
}

customElements.define("file-list", FileRows);
