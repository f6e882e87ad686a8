/**
 * `<confirm-step>`: a button for what cannot be undone, and a second step that asks whether it is meant, where that is needed.
 * Emits `confirmed`.
 *
 * @module
 */

import { within } from "./page.js";

/** The element; it holds the button and the question with its two answers. */
export class ConfirmStep extends HTMLElement {
  /** Whether the second step is needed now; always, unless a page says otherwise. @type {() => boolean} */
  needed = () => true;

  connectedCallback() {
    this.#button("ask").addEventListener("click", () => (this.needed() ? this.#ask(true) : this.#confirm()));
    this.#button("no").addEventListener("click", () => this.#ask(false));
    this.#button("yes").addEventListener("click", () => {
      this.#ask(false);
      this.#confirm();
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#button("ask").hidden) this.#ask(false);
    });
  }

  /** Back to the first step, wherever the focus is: what was asked about is no longer what is shown. */
  reset() {
    this.#show(false);
  }

  /** @param {boolean} asking */
  #ask(asking) {
    this.#show(asking);
    // The answer that changes nothing is the one at hand.
    this.#button(asking ? "no" : "ask").focus();
  }

  /** @param {boolean} asking */
  #show(asking) {
    this.#button("ask").hidden = asking;
    within(this, "[data-part=sure]", HTMLElement).hidden = !asking;
  }

  #confirm() {
    this.dispatchEvent(new CustomEvent("confirmed"));
  }

  /** @param {string} part */
  #button(part) {
    return within(this, `button[data-part=${part}]`, HTMLButtonElement);
  }
}

customElements.define("confirm-step", ConfirmStep);
