/**
 * A short word at the foot of the page that goes by itself. For eyes only: screen readers are told by the live region.
 *
 * @module
 */

/** How long it stays. */
const STAY_MS = 2500;

/** @param {string} sentence */
export function toast(sentence) {
  document.querySelector(".toast")?.remove();
  const shown = document.createElement("p");
  shown.className = "toast";
  shown.setAttribute("aria-hidden", "true");
  shown.textContent = sentence;
  document.body.append(shown);
  setTimeout(() => shown.remove(), STAY_MS);
}
