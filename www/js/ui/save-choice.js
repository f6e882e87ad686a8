/**
 * `<save-choice>`: each file by itself, or all in one archive; decided before anything is claimed. Shown only where there is
 * something to choose.
 *
 * @module
 */

import { within } from "./page.js";

/**
 * @typedef {import("../save.js").SaveChoice} SaveChoice
 * @typedef {import("../save.js").Form} Form
 */

/** The element; it holds one radio button for each form, and a sentence for when only the archive is possible. */
export class SaveChoiceElement extends HTMLElement {
  /** @param {SaveChoice | null} choice Null when nothing is saved to files. */
  show(choice) {
    const both = choice !== null && choice.each !== null && choice.zip !== null;
    within(this, "fieldset", HTMLFieldSetElement).hidden = !both;
    within(this, ".only-zip", HTMLElement).hidden = choice === null || choice.each !== null;
    for (const radio of this.#radios) radio.checked = radio.value === choice?.form;
  }

  /** @returns {Form} */
  get form() {
    return this.#radios.find((radio) => radio.checked)?.value === "zip" ? "zip" : "each";
  }

  get #radios() {
    return [...this.querySelectorAll("input")];
  }
}

customElements.define("save-choice", SaveChoiceElement);
