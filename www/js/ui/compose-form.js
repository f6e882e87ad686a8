/**
 * `<compose-form>`: the sending page's form: text, files and choices, with the limit in view before any work starts. Emits
 * `compose` with what was put together. Cleans names by a function that it is given; calls no server.
 *
 * @module
 */

import { ENTRIES_MAX, choices, compose, isPassphraseTooLong, sentNames } from "../compose.js";
import { text } from "../text.js";
import { DropZone } from "./drop-zone.js";
import { pickedFiles } from "./dropped.js";
import { FileRows } from "./file-list.js";
import { byId, within } from "./page.js";
import { PassphraseChoice } from "./passphrase-choice.js";

/**
 * @typedef {import("../api.js").Limits} Limits
 * @typedef {import("./dropped.js").AddedFile} AddedFile
 *
 * @typedef {object} Composed
 * @property {import("../compose.js").Draft} draft
 * @property {string} passphrase Empty for none.
 * @property {number} ttl_s
 * @property {number} claims_max
 */

/** The element; it holds the whole form. */
export class ComposeForm extends HTMLElement {
  /** @type {Limits | null} */
  #limits = null;
  /** @type {AddedFile[]} */
  #files = [];
  /** @type {Map<string, string>} Names as sealing keeps them, by the names they have. */
  #cleaned = new Map();
  /** @type {(names: string[]) => Promise<string[]>} */
  #clean = async (names) => names;
  /** Settled when every name that was added is cleaned. @type {Promise<unknown>} */
  #cleaning = Promise.resolve();

  connectedCallback() {
    const zone = within(this, "drop-zone", DropZone);
    zone.addEventListener("files-added", (event) => this.#add(/** @type {CustomEvent<AddedFile[]>} */ (event).detail));
    zone.addEventListener("files-missed", () => this.#trouble(text("send.missed")));
    zone.addEventListener("text-added", (event) => this.#write(/** @type {CustomEvent<string>} */ (event).detail));
    for (const id of ["files", "folder"]) {
      const picker = byId(id, HTMLInputElement);
      const take = () => {
        this.#add(pickedFiles(picker.files));
        // So that the same file can be picked again after it was removed.
        picker.value = "";
      };
      picker.addEventListener("change", take);
      // The page is seen before this runs, and may have been used.
      if (picker.value !== "") take();
    }
    // Phones have no folders to pick.
    byId("folder-button", HTMLElement).hidden = !("webkitdirectory" in HTMLInputElement.prototype);
    this.#rows.addEventListener("file-removed", (event) => {
      this.#files.splice(/** @type {CustomEvent<number>} */ (event).detail, 1);
      this.#show();
    });
    byId("remove-all", HTMLButtonElement).addEventListener("click", () => {
      this.#files = [];
      this.#show();
      byId("files", HTMLInputElement).focus();
    });
    byId("text", HTMLTextAreaElement).addEventListener("input", () => this.#show());
    byId("passphrase", HTMLInputElement).addEventListener("input", () => this.#trouble(""));
    within(this, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#cleaning.then(() => this.#submit());
    });
  }

  /**
   * Opens the form for use, or lets it go on within other limits.
   *
   * @param {Limits} limits
   * @param {(names: string[]) => Promise<string[]>} clean Names as sealing will keep them.
   */
  start(limits, clean) {
    this.#limits = limits;
    this.#clean = clean;
    const { lives_s, life_s, opens } = choices(limits);
    fill(byId("expires", HTMLSelectElement), lives_s, life_s, (duration_s) => text("send.duration", { duration_s }));
    fill(byId("opens", HTMLSelectElement), opens, 1, (count) => text("send.opens.count", { count }));
    byId("send", HTMLButtonElement).disabled = false;
    this.#show();
    // Those that were added before anybody could clean them.
    this.#cleanAll(this.#files);
  }

  /** Says what has to be looked at before it is sent. @param {string} sentence */
  complain(sentence) {
    this.#trouble(sentence);
  }

  /** Empties the form; nothing that was in it stays. */
  clear() {
    within(this, "form", HTMLFormElement).reset();
    this.#files = [];
    this.#cleaned.clear();
    within(this, "passphrase-choice", PassphraseChoice).reset();
    this.#show();
  }

  get #rows() {
    return within(this, "file-list", FileRows);
  }

  get #sources() {
    return this.#files.map(({ file }) => file);
  }

  get #names() {
    const cleaned = this.#files.map(({ name }) => this.#cleaned.get(name) ?? name);
    return sentNames(cleaned, byId("text", HTMLTextAreaElement).value !== "");
  }

  /** @param {AddedFile[]} files */
  #add(files) {
    this.#files.push(...files);
    this.#show();
    this.#cleanAll(files);
  }

  /** @param {AddedFile[]} files */
  #cleanAll(files) {
    this.#cleaning = Promise.all([this.#cleaning, this.#cleanNames(files.map((file) => file.name))]);
  }

  /** Takes a text that was pasted beside the field. @param {string} pasted */
  #write(pasted) {
    const field = byId("text", HTMLTextAreaElement);
    field.setRangeText(pasted, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    this.#show();
  }

  /** @param {string[]} names */
  async #cleanNames(names) {
    // A worker that cannot do this cannot seal either, and sealing says so.
    const cleaned = await this.#clean(names).catch(() => names);
    names.forEach((name, index) => this.#cleaned.set(name, cleaned[index] ?? name));
    this.#show();
  }

  #show() {
    const written = byId("text", HTMLTextAreaElement).value;
    const names = this.#names;
    this.#rows.show(this.#files.map(({ name, file }, index) => ({ name, sent_name: names[index] ?? name, size: file.size })));
    byId("remove-all", HTMLButtonElement).hidden = this.#files.length < 2;
    const note = byId("text-note", HTMLElement);
    note.hidden = this.#files.length === 0 || written === "";
    note.textContent = text("send.text_as_file", { name: names.at(-1) ?? "" });
    this.#trouble("");
    if (this.#limits) this.#showUse(this.#limits, compose(written, this.#sources, names)?.total ?? 0);
  }

  /** @param {Limits} limits @param {number} used */
  #showUse(limits, used) {
    const limit = limits.transfer_size_max;
    byId("used", HTMLOutputElement).value = text("send.used", { used, limit });
    if (used > limit) this.#trouble(text("send.too_large", { over: used - limit }));
    if (this.#files.length > ENTRIES_MAX) this.#trouble(text("send.too_many", { limit: ENTRIES_MAX }));
  }

  #submit() {
    const written = byId("text", HTMLTextAreaElement);
    const passphrase = byId("passphrase", HTMLInputElement);
    const draft = compose(written.value, this.#sources, this.#names);
    this.#show();
    if (!this.#limits || !byId("compose-trouble", HTMLElement).hidden) return;
    if (!draft) {
      this.#trouble(text("send.empty"));
      written.focus();
    } else if (isPassphraseTooLong(passphrase.value)) {
      this.#trouble(text("send.passphrase.too_long"));
      passphrase.focus();
    } else {
      const ttl_s = Number(byId("expires", HTMLSelectElement).value);
      const claims_max = Number(byId("opens", HTMLSelectElement).value);
      /** @type {Composed} */
      const detail = { draft, passphrase: passphrase.value, ttl_s, claims_max };
      this.dispatchEvent(new CustomEvent("compose", { detail }));
    }
  }

  /** @param {string} sentence Empty to take the last one back. */
  #trouble(sentence) {
    const place = byId("compose-trouble", HTMLElement);
    place.hidden = sentence === "";
    place.textContent = sentence;
  }
}

/**
 * @param {HTMLSelectElement} select
 * @param {number[]} values
 * @param {number} chosen
 * @param {(value: number) => string} name
 */
function fill(select, values, chosen, name) {
  // Other limits may come while the form is in use: what was chosen stays, where they allow it.
  const before = Number(select.value);
  const now = select.options.length > 0 && values.includes(before) ? before : chosen;
  const options = values.map((value) => new Option(name(value), String(value), value === chosen, value === now));
  select.replaceChildren(...options);
}

customElements.define("compose-form", ComposeForm);
