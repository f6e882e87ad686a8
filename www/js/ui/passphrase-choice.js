/**
 * `<passphrase-choice>`: what helps with a passphrase: a button that makes one, one that copies it, and a rough word on how
 * long it holds. Sends nothing anywhere.
 *
 * @module
 */

import { generatePassphrase, guessBits, strengthOf } from "../passphrase.js";
import { text } from "../text.js";
import { wireCopy } from "./copy.js";
import { announce, byId, within } from "./page.js";
import { SecretField } from "./secret-field.js";

/** The element; it holds the buttons and the words. The field is elsewhere in the form. */
export class PassphraseChoice extends HTMLElement {
  connectedCallback() {
    const field = byId("passphrase", HTMLInputElement);
    field.addEventListener("input", () => this.#show(field.value));
    byId("suggest", HTMLButtonElement).addEventListener("click", () => {
      field.value = generatePassphrase();
      // Made ones are for reading: whoever cannot see it cannot tell it to anybody.
      this.#reveal(true);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      announce(text("send.suggested"));
    });
    // What is masked cannot be copied by hand.
    wireCopy(byId("copy-passphrase", HTMLButtonElement), field, () => field.value, () => this.#reveal(true));
    this.#show(field.value);
  }

  /** Back to no passphrase. */
  reset() {
    this.#reveal(false);
    this.#show("");
  }

  /** @param {boolean} shown */
  #reveal(shown) {
    const secret = byId("passphrase", HTMLInputElement).parentElement;
    if (secret instanceof SecretField) secret.shown = shown;
  }

  /** @param {string} passphrase */
  #show(passphrase) {
    const has_one = passphrase !== "";
    byId("copy-passphrase", HTMLButtonElement).hidden = !has_one;
    byId("passphrase-hint", HTMLElement).hidden = !has_one;
    const strength = strengthOf(passphrase);
    const meter = byId("strength", HTMLElement);
    meter.hidden = !has_one;
    meter.dataset["strength"] = strength;
    const words = within(meter, "span", HTMLElement);
    words.textContent = text(`send.strength.${strength}`, { guesses: 2 ** Math.min(guessBits(passphrase), 80) });
  }
}

customElements.define("passphrase-choice", PassphraseChoice);
