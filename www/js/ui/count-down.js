/**
 * `<count-down>`: says when the page tries again by itself, second by second, and emits `elapsed` when it is time or the
 * network is back. Only the first sentence is announced.
 *
 * @module
 */

import { text } from "../text.js";
import { announce } from "./page.js";

/** The element; it is its own sentence. */
export class CountDown extends HTMLElement {
  #timer = 0;
  #at_ms = 0;

  connectedCallback() {
    addEventListener("online", () => !this.hidden && this.#elapse());
  }

  /** @param {number} wait_s From 1. */
  start(wait_s) {
    this.stop();
    this.#at_ms = performance.now() + wait_s * 1000;
    this.hidden = false;
    this.#tick();
    announce(this.textContent ?? "");
    this.#timer = window.setInterval(() => this.#tick(), 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.hidden = true;
  }

  #tick() {
    const left_s = Math.round((this.#at_ms - performance.now()) / 1000);
    if (left_s <= 0) return this.#elapse();
    this.textContent = text("open.again_in", { left_s });
  }

  #elapse() {
    clearInterval(this.#timer);
    this.textContent = text("open.again_now");
    this.dispatchEvent(new CustomEvent("elapsed"));
  }
}

customElements.define("count-down", CountDown);
