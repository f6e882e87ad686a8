/**
 * `<qr-code>`: a link as a QR code, drawn in the page: nothing is fetched and nothing leaves. Dark on light in either theme,
 * with the quiet zone that readers need.
 *
 * @module
 */

import { encode } from "../../vendor/uqr/uqr.js";
import { text } from "../text.js";

const SVG = "http://www.w3.org/2000/svg";
/** Modules of quiet zone (ISO/IEC 18004 asks for four). */
const BORDER = 4;

/** The element; it makes its own picture. */
export class QrCode extends HTMLElement {
  /** @param {string} link Empty to take the picture away. */
  set link(link) {
    this.replaceChildren(...(link === "" ? [] : [draw(link)]));
  }
}

/** @param {string} link */
function draw(link) {
  const { data: rows, size } = encode(link, { ecc: "M", border: BORDER });
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${size} ${size}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", text("send.qr.label"));
  picture.setAttribute("shape-rendering", "crispEdges");
  const floor = document.createElementNS(SVG, "rect");
  floor.setAttribute("width", String(size));
  floor.setAttribute("height", String(size));
  const dark = document.createElementNS(SVG, "path");
  const squares = rows.flatMap((row, y) => row.flatMap((is_dark, x) => (is_dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  dark.setAttribute("d", squares.join(""));
  picture.append(floor, dark);
  return picture;
}

customElements.define("qr-code", QrCode);
