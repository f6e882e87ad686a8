/**
 * A button that copies a field's content: by the clipboard where there is one, else by selecting it for the person's own
 * keys, as on plain http.
 *
 * @module
 */

import { text } from "../text.js";
import { announce, within } from "./page.js";
import { toast } from "./toast.js";

/** How long the button says that it worked. */
const SAY_MS = 2500;

/**
 * @param {HTMLButtonElement} button Holds a span with its words.
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 */
export function wireCopy(button, field) {
  let timer = 0;
  button.addEventListener("click", async () => {
    const key = (await copied(field)) ? "copy.copied" : "copy.selected";
    const words = within(button, "span", HTMLElement);
    words.textContent = text(key);
    announce(text(key));
    toast(text(key));
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      words.textContent = text("copy.copy");
    }, SAY_MS);
  });
}

/** @param {HTMLInputElement | HTMLTextAreaElement} field */
async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    // No clipboard here, or not allowed: the selected text can be copied by hand.
    field.focus();
    field.select();
    return false;
  }
}
