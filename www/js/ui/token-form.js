/**
 * `<token-form>`: asks for the create token. Emits `entered` with what was typed, and `left` when the person goes back instead.
 * Calls no server, and keeps nothing.
 *
 * @module
 */

import { keyOr, text } from "../text.js";
import { byId, within } from "./page.js";
import { SecretField } from "./secret-field.js";

/**
 * @typedef {import("../state.js").SendState} SendState
 * @typedef {{ typed: string, keep: boolean }} Entered
 */

/** The element; it holds the form. */
export class TokenForm extends HTMLElement {
  connectedCallback() {
    within(this, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      /** @type {Entered} */
      const detail = { typed: this.#field.value, keep: byId("keep-token", HTMLInputElement).checked };
      this.dispatchEvent(new CustomEvent("entered", { detail }));
    });
    byId("token-back", HTMLButtonElement).addEventListener("click", () => this.dispatchEvent(new Event("left")));
  }

  get #field() {
    return byId("token", HTMLInputElement);
  }

  /** @param {Extract<SendState, { name: "token" }>} state */
  show({ checking, trouble, resumable }) {
    const submit = byId("token-submit", HTMLButtonElement);
    submit.textContent = text(checking ? "send.token.checking" : "send.token.submit");
    // Not disabled: that would take the focus from whoever pressed it.
    submit.setAttribute("aria-disabled", String(checking));
    byId("token-back", HTMLButtonElement).hidden = !resumable;
    const place = byId("token-trouble", HTMLElement);
    place.hidden = trouble === null;
    place.textContent = trouble === null ? "" : text(keyOr(`send.token.trouble.${trouble}`, "send.token.trouble.network"));
    const isFaulty = trouble !== null && ["token.empty", "token.damaged", "create.unauthorized"].includes(trouble);
    if (isFaulty) this.#field.setAttribute("aria-invalid", "true");
    else this.#field.removeAttribute("aria-invalid");
    // The field is what is to do here; whoever comes reads, or hears, the title and what it is for with it.
    if (isFaulty || byId("token-title", HTMLElement).matches(":focus")) this.#field.focus();
  }

  /** Takes what was typed out of the page. */
  clear() {
    within(this, "form", HTMLFormElement).reset();
    within(this, "secret-field", SecretField).shown = false;
  }
}

/**
 * Says below the form that a token is in use, and how long.
 *
 * @param {{ token: string | null, isKept: boolean }} admission
 */
export function showToken({ token, isKept }) {
  byId("token-used", HTMLElement).hidden = token === null;
  byId("token-life", HTMLElement).textContent = text(isKept ? "send.token.kept" : "send.token.used");
}

customElements.define("token-form", TokenForm);
