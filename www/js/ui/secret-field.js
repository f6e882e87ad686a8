/**
 * `<secret-field>`: a passphrase's field with a button that shows or hides it.
 *
 * @module
 */

import { text } from "../text.js";
import { within } from "./page.js";

/** The element; it holds the input and the button. */
export class SecretField extends HTMLElement {
  connectedCallback() {
    const field = within(this, "input", HTMLInputElement);
    within(this, "button", HTMLButtonElement).addEventListener("click", () => {
      this.shown = field.type === "password";
    });
    this.shown = false;
  }

  /** @param {boolean} shown Whether the passphrase can be read. */
  set shown(shown) {
    const button = within(this, "button", HTMLButtonElement);
    within(this, "input", HTMLInputElement).type = shown ? "text" : "password";
    button.textContent = text(shown ? "secret.hide" : "secret.show");
    button.setAttribute("aria-pressed", String(shown));
  }
}

customElements.define("secret-field", SecretField);
