/**
 * `<theme-switch>`: switches between light and dark, from whatever the system says, and remembers the choice in this browser.
 *
 * @module
 */

import { within } from "./page.js";

const KEY = "onetimeshare.theme";

/** The element; it holds the button. */
export class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    apply(kept());
    within(this, "button", HTMLButtonElement).addEventListener("click", () => {
      const theme = present() === "dark" ? "light" : "dark";
      apply(theme);
      keep(theme);
    });
  }
}

/** @returns {"light" | "dark"} */
function present() {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {string | null} theme */
function apply(theme) {
  if (theme !== "light" && theme !== "dark") return;
  document.documentElement.dataset["theme"] = theme;
  // The bar that the browser draws around the page follows the choice too.
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    if (meta instanceof HTMLMetaElement) meta.media = meta.dataset["scheme"] === theme ? "all" : "not all";
  }
}

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Storage is switched off: the system's choice holds.
    return null;
  }
}

/** @param {string} theme */
function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above: the choice then lasts as long as the page.
  }
}

customElements.define("theme-switch", ThemeSwitch);
