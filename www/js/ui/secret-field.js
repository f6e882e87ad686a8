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
    const button = within(this, "button", HTMLButtonElement);
    const show = (/** @type {boolean} */ shown) => {
      field.type = shown ? "text" : "password";
      button.textContent = text(shown ? "secret.hide" : "secret.show");
      button.setAttribute("aria-pressed", String(shown));
    };
    button.addEventListener("click", () => show(field.type === "password"));
    show(false);
  }
}

customElements.define("secret-field", SecretField);
