/**
 * `<text-view>`: a text that was opened, covered until it is asked for. A page cannot know whether its window is being shared
 * or looked at, so it never shows a secret by itself; Copy and Save work without showing it.
 *
 * @module
 */

import { TEXT_NAME } from "../entries.js";
import { text } from "../text.js";
import { wireCopy } from "./copy.js";
import { byId, within } from "./page.js";

/** The element; it holds the cover, the field and the buttons. */
export class TextView extends HTMLElement {
  /** As it was sent: the field that shows it makes every line end a line feed. */
  #text = "";

  connectedCallback() {
    wireCopy(byId("copy-text", HTMLButtonElement), this.#field, () => this.#text, () => this.#reveal(true));
    byId("show-text", HTMLButtonElement).addEventListener("click", () => this.#reveal(this.#field.hidden === true));
    byId("save-text", HTMLButtonElement).addEventListener("click", () => {
      const detail = { content: new Blob([this.#text]), name: TEXT_NAME };
      this.dispatchEvent(new CustomEvent("text-save", { detail }));
    });
  }

  /** @param {string} shown */
  show(shown) {
    this.#text = shown;
    this.#field.value = shown;
    this.hidden = false;
    // A line end at the end begins no further line.
    const lines = shown.replace(/\n$/, "").split("\n").length;
    const cover = text("open.covered", { size: new Blob([shown]).size, lines });
    within(this, ".cover span", HTMLElement).textContent = cover;
    this.#reveal(false);
  }

  clear() {
    this.#text = "";
    this.#field.value = "";
    this.#reveal(false);
  }

  get #field() {
    return within(this, "textarea", HTMLTextAreaElement);
  }

  /** @param {boolean} visible */
  #reveal(visible) {
    this.#field.hidden = !visible;
    within(this, ".cover", HTMLElement).hidden = visible;
    const button = byId("show-text", HTMLButtonElement);
    button.setAttribute("aria-expanded", String(visible));
    button.textContent = text(visible ? "secret.hide" : "secret.show");
  }
}

customElements.define("text-view", TextView);
