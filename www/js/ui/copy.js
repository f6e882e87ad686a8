/**
 * A button that copies a field's content: by the clipboard where there is one, else by selecting it for the person's own
 * keys, as on plain http. Emits `copied` from the button when the clipboard has it.
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
 * @param {() => string} [content] What is copied, where a field does not keep it as it is: it changes line ends.
 * @param {() => void} [reveal] Makes the field visible, where it may be hidden: only then can it be selected.
 */
export function wireCopy(button, field, content = () => field.value, reveal = () => {}) {
  let timer = 0;
  button.addEventListener("click", async () => {
    const is_copied = await copied(field, content(), reveal);
    const key = is_copied ? "copy.copied" : "copy.selected";
    if (is_copied) button.dispatchEvent(new CustomEvent("copied", { bubbles: true }));
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

/** @param {HTMLInputElement | HTMLTextAreaElement} field @param {string} content @param {() => void} reveal */
async function copied(field, content, reveal) {
  try {
    await navigator.clipboard.writeText(content);
    return true;
  } catch {
    // No clipboard here, or not allowed: the selected text can be copied by hand.
    reveal();
    field.focus();
    field.select();
    return false;
  }
}
