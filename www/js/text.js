/**
 * Every sentence of the pages, by key, out of the catalogue of the reader's language; fills the marked places of a page.
 * Never holds a sentence itself, and never makes markup out of one.
 *
 * @module
 */

import { Format } from "./format.js";
import { en } from "./text/en.js";

/**
 * @typedef {keyof typeof en} TextKey
 * @typedef {Record<string, any>} TextValues
 * @typedef {string | ((values: any, format: Format) => string)} Sentence
 * @typedef {{ language: string, sentences: Record<TextKey, Sentence> }} Catalogue
 */

/** @type {Catalogue[]} The first is the one to fall back to. */
const CATALOGUES = [{ language: "en", sentences: en }];

const { catalogue, locale } = choose(globalThis.navigator?.languages ?? []);

/** The language the page speaks. */
export const language = catalogue.language;

/** Formats of the reader's own region, as far as it speaks that language. */
export const format = new Format(locale);

/**
 * One sentence, with its values in place.
 *
 * @param {TextKey} key
 * @param {TextValues} [values]
 * @returns {string}
 */
export function text(key, values = {}) {
  const sentence = catalogue.sentences[key];
  return typeof sentence === "function" ? sentence(values, format) : sentence;
}

/**
 * The key if the catalogue has it, else the other.
 *
 * @param {string} key
 * @param {TextKey} otherwise
 * @returns {TextKey}
 */
export function keyOr(key, otherwise) {
  return Object.hasOwn(catalogue.sentences, key) ? /** @type {TextKey} */ (key) : otherwise;
}

/**
 * Puts the sentences into a page: `data-text` names what an element says; `data-label`, `data-placeholder` and `data-title`
 * fill those attributes. A word between asterisks is strong. What the page says from the beginning is left alone when it is in
 * the reader's language already.
 *
 * @param {ParentNode} root
 * @param {string} written The language of what it says.
 */
export function fillText(root, written) {
  for (const element of root.querySelectorAll("[data-text]")) {
    if (written === language && element.hasChildNodes()) continue;
    write(element, text(/** @type {TextKey} */ (element.getAttribute("data-text"))));
  }
  for (const [mark, attribute] of [["data-label", "aria-label"], ["data-placeholder", "placeholder"], ["data-title", "title"]]) {
    for (const element of root.querySelectorAll(`[${mark}]`)) {
      const key = /** @type {TextKey} */ (element.getAttribute(mark ?? ""));
      element.setAttribute(attribute ?? "", text(key));
    }
  }
}

/**
 * Writes a sentence into an element, with its strong words strong.
 *
 * @param {Element} element
 * @param {string} sentence
 */
export function write(element, sentence) {
  const pieces = sentence.split("*").map((piece, index) => {
    if (index % 2 === 0) return piece;
    const strong = document.createElement("strong");
    strong.textContent = piece;
    return strong;
  });
  element.replaceChildren(...pieces);
}

/**
 * @param {readonly string[]} wanted The reader's languages, best first.
 * @returns {{ catalogue: Catalogue, locale: string }}
 */
function choose(wanted) {
  for (const tag of wanted) {
    const found = CATALOGUES.find(({ language }) => tag === language || tag.startsWith(`${language}-`));
    if (found) return { catalogue: found, locale: tag };
  }
  const [first] = CATALOGUES;
  if (!first) throw new Error("there is no catalogue");
  return { catalogue: first, locale: first.language };
}
