/**
 * `<hold-button>`: a button that fires when it is let go after having been held for 0.8 s, by pointer, Enter or Space: a
 * gesture that a person makes and a scanner does not. A switch turns it into two clicks. Emits `held`.
 *
 * @module
 */

import { text } from "../text.js";
import { announce, within } from "./page.js";

/** How long it is held; the ring's CSS animation lasts as long. */
const HOLD_MS = 800;
/** Two clicks closer than this are one double click, which is no second thought. */
const APART_MS = 350;
const KEYS = new Set(["Enter", " "]);

/** The element; it holds the button, whose span is its words, and the switch. */
export class HoldButton extends HTMLElement {
  /** When the hold began, or null. @type {number | null} */
  #since = null;
  /** When the first of two clicks came, or null. @type {number | null} */
  #clicked = null;
  #timer = 0;

  connectedCallback() {
    const button = this.#button;
    button.addEventListener("pointerdown", (event) => event.button === 0 && this.#press(event));
    button.addEventListener("pointerup", () => this.#letGo());
    for (const type of ["pointercancel", "pointerleave", "blur"]) button.addEventListener(type, () => this.#drop());
    button.addEventListener("keydown", (event) => this.#key(event));
    button.addEventListener("keyup", (event) => KEYS.has(event.key) && this.#letGo());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("click", () => this.#click());
    this.#switch.addEventListener("change", () => this.reset());
    this.reset();
  }

  /** As if it had not been touched. */
  reset() {
    this.#drop();
    this.#clicked = null;
    this.#say(this.#switch.checked ? "open.click" : "open.hold");
    within(this, "#hold-hint", HTMLElement).hidden = this.#switch.checked;
  }

  get #button() {
    return within(this, "button", HTMLButtonElement);
  }

  get #switch() {
    return within(this, "input", HTMLInputElement);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!KEYS.has(event.key) || this.#switch.checked) return;
    // The keys' own click would come on top of the hold.
    event.preventDefault();
    if (!event.repeat) this.#press(event);
  }

  /** @param {Event} event */
  #press(event) {
    if (this.#switch.checked) return;
    this.#since = event.timeStamp;
    this.#button.classList.add("holding");
    this.#say("open.holding");
    this.#timer = window.setTimeout(() => {
      this.#say("open.release");
      this.#button.classList.add("held");
      announce(text("open.release"));
    }, HOLD_MS);
  }

  #letGo() {
    const held = this.#since !== null && performance.now() - this.#since >= HOLD_MS;
    this.#drop();
    if (held) this.#fire();
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#button.classList.remove("holding", "held");
    if (this.#since !== null) this.#say("open.hold");
    this.#since = null;
  }

  #click() {
    if (!this.#switch.checked) return;
    const now_ms = performance.now();
    if (this.#clicked !== null && now_ms - this.#clicked >= APART_MS) {
      this.#clicked = null;
      this.#fire();
      return;
    }
    this.#clicked ??= now_ms;
    this.#say("open.click.again");
    announce(text("open.click.again"));
  }

  #fire() {
    this.dispatchEvent(new CustomEvent("held"));
  }

  /** @param {import("../text.js").TextKey} key */
  #say(key) {
    within(this.#button, "span", HTMLElement).textContent = text(key);
  }
}

customElements.define("hold-button", HoldButton);
