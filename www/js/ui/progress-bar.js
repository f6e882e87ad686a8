/**
 * `<progress-bar>`: how far a transfer is, in a bar and in words: the step, bytes, speed and time left; tells screen readers
 * at each quarter.
 *
 * @module
 */

import { Rate } from "../rate.js";
import { text } from "../text.js";
import { announce } from "./page.js";

/** The element; it makes its own parts. */
export class ProgressBar extends HTMLElement {
  #bar = document.createElement("progress");
  #step = document.createElement("p");
  #facts = document.createElement("p");
  #rate = new Rate();
  #quarter = 0;
  #shown_ms = 0;

  connectedCallback() {
    this.#step.className = "progress-step";
    this.#facts.className = "progress-facts quiet";
    this.#bar.setAttribute("aria-label", this.getAttribute("aria-label") ?? "");
    this.replaceChildren(this.#step, this.#bar, this.#facts);
  }

  /** Nothing is known yet: a bar without a length. */
  reset() {
    this.#rate = new Rate();
    this.#quarter = 0;
    this.#shown_ms = 0;
    this.#bar.removeAttribute("value");
    this.#facts.textContent = "";
  }

  /** @param {string} sentence What is being done. */
  set step(sentence) {
    this.#step.textContent = sentence;
    this.#step.classList.remove("warn");
    announce(sentence);
  }

  /** Says why nothing moves for now. @param {string} [sentence] The connection is gone, when nothing else is said. */
  wait(sentence = text("progress.wait")) {
    this.#step.textContent = sentence;
    this.#step.classList.add("warn");
    announce(sentence);
  }

  /**
   * @param {number} at Bytes done.
   * @param {number} total
   */
  update(at, total) {
    const now_ms = performance.now();
    this.#rate.note(now_ms, at);
    const whole = at >= total;
    // Ten times a second is as much as anyone can read.
    if (!whole && now_ms - this.#shown_ms < 100) return;
    this.#shown_ms = now_ms;
    this.#bar.max = Math.max(total, 1);
    this.#bar.value = total === 0 ? 1 : at;
    const speed = this.#rate.speed;
    const left_s = this.#rate.left_s(total);
    const facts = [text("progress.bytes", { at, total })];
    if (speed) facts.push(text("progress.speed", { speed }));
    if (left_s && !whole) facts.push(text("progress.left", { left_s }));
    this.#facts.textContent = facts.join(" · ");
    this.#speak(total === 0 ? 1 : at / total);
  }

  /** @param {number} share From 0 to 1. */
  #speak(share) {
    const quarter = Math.floor(share * 4);
    if (quarter <= this.#quarter) return;
    this.#quarter = quarter;
    announce(text("progress.percent", { percent: quarter * 25 }));
  }
}

customElements.define("progress-bar", ProgressBar);
