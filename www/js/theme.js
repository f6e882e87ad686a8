/**
 * The theme that was chosen in this browser, over what the system says. Puts it on the page as soon as it is loaded, which the
 * pages ask for before their first paint: so it imports nothing.
 *
 * @module
 */

/** @typedef {"light" | "dark"} Theme */

const KEY = "onetimeshare.theme";

apply(kept());

/** What the page is shown in. @returns {Theme} */
export function presentTheme() {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Shows the page in a theme, and remembers that. @param {Theme} theme */
export function chooseTheme(theme) {
  apply(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
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
    // As above: the system's choice holds.
    return null;
  }
}
