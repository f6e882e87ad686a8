/**
 * `<link-panel>`: the finished link in a field with a big Copy.
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
  }

  /** @param {string} link */
  set link(link) {
    within(this, "input", HTMLInputElement).value = link;
  }
}

customElements.define("link-panel", LinkPanel);
