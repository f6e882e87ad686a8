/**
 * `<theme-switch>`: switches between light and dark, from whatever is shown.
 *
 * @module
 */

import { chooseTheme, presentTheme } from "../theme.js";
import { within } from "./page.js";

/** The element; it holds the button. */
export class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    within(this, "button", HTMLButtonElement).addEventListener("click", () => {
      chooseTheme(presentTheme() === "dark" ? "light" : "dark");
    });
  }
}

customElements.define("theme-switch", ThemeSwitch);
