/**
 * `<link-panel>`: a finished link in a field with Copy, and Share where the system can.
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
    field.addEventListener("focus", () => field.select());
    const share = this.querySelector("[data-part=share]");
    if (!(share instanceof HTMLButtonElement)) return;
    share.hidden = !("share" in navigator);
    // Closing the system's own panel is a decision and needs no word.
    share.addEventListener("click", () => void navigator.share({ url: field.value }).catch(() => undefined));
  }

  /** @param {string} link */
  set link(link) {
    within(this, "input", HTMLInputElement).value = link;
  }
}

customElements.define("link-panel", LinkPanel);
