/**
 * `<link-panel>`: a finished link in a field with Copy, and Share where the system can. Emits `link-taken` when the whole link
 * has gone to the clipboard or to another app, by whichever way.
 *
 * @module
 */

import { wireCopy } from "./copy.js";
import { within } from "./page.js";

/** The element; it holds the field and the button. */
export class LinkPanel extends HTMLElement {
  connectedCallback() {
    const field = within(this, "input", HTMLInputElement);
    wireCopy(within(this, "button", HTMLButtonElement), field);
    this.addEventListener("copied", () => this.#taken());
    field.addEventListener("focus", () => field.select());
    // By the person's own keys or menu; a part of the link is no link.
    field.addEventListener("copy", () => {
      if (field.selectionStart === 0 && field.selectionEnd === field.value.length) this.#taken();
    });
    const share = this.querySelector("[data-part=share]");
    if (!(share instanceof HTMLButtonElement)) return;
    share.hidden = !("share" in navigator);
    // Closing the system's own panel is a decision and needs no word; then the link has gone nowhere.
    share.addEventListener("click", () => void navigator.share({ url: field.value }).then(() => this.#taken(), () => undefined));
  }

  /** @param {string} link */
  set link(link) {
    within(this, "input", HTMLInputElement).value = link;
  }

  #taken() {
    this.dispatchEvent(new CustomEvent("link-taken"));
  }
}

customElements.define("link-panel", LinkPanel);
