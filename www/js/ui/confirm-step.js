/**
 * `<confirm-step>`: a button for what cannot be undone, and a second step that asks whether it is meant. Emits `confirmed`.
 *
 * @module
 */

import { within } from "./page.js";

/** The element; it holds the button and the question with its two answers. */
export class ConfirmStep extends HTMLElement {
  connectedCallback() {
    this.#button("ask").addEventListener("click", () => this.#ask(true));
    this.#button("no").addEventListener("click", () => this.#ask(false));
    this.#button("yes").addEventListener("click", () => {
      this.#ask(false);
      this.dispatchEvent(new CustomEvent("confirmed"));
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#button("ask").hidden) this.#ask(false);
    });
  }

  /** @param {boolean} asking */
  #ask(asking) {
    this.#button("ask").hidden = asking;
    within(this, "[data-part=sure]", HTMLElement).hidden = !asking;
    // The answer that changes nothing is the one at hand.
    this.#button(asking ? "no" : "ask").focus();
  }

  /** @param {string} part */
  #button(part) {
    return within(this, `button[data-part=${part}]`, HTMLButtonElement);
  }
}

customElements.define("confirm-step", ConfirmStep);
