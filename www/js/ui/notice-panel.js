/**
 * `<notice-panel>`: why something cannot go on, in a headline, one sentence of why and one of what to do.
 *
 * @module
 */

import { write } from "../text.js";
import { byId, iconAddress } from "./page.js";

/**
 * @typedef {object} Notice
 * @property {string} icon Name of an icon.
 * @property {string} title
 * @property {string} why
 * @property {string} todo May be empty.
 */

/** The element; it holds the icon, the title and the two sentences. */
export class NoticePanel extends HTMLElement {
  /** @param {Notice} notice */
  show(notice) {
    byId("notice-icon", SVGUseElement).setAttribute("href", iconAddress(notice.icon));
    write(byId("notice-title", HTMLElement), notice.title);
    write(byId("notice-why", HTMLElement), notice.why);
    write(byId("notice-todo", HTMLElement), notice.todo);
  }
}

customElements.define("notice-panel", NoticePanel);
