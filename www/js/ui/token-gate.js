/**
 * The sending page's question for a create token: what happens when one is entered, forgotten, or no longer taken. Wires the form
 * to the admission; what the page is then, its states say.
 *
 * @module
 */

import { problemFrom } from "../problem.js";
import { text } from "../text.js";
import { ComposeForm } from "./compose-form.js";
import { byId } from "./page.js";
import { TokenForm, showToken } from "./token-form.js";

/**
 * @typedef {import("../state.js").SendState} SendState
 * @typedef {import("./token-form.js").Entered} Entered
 *
 * @typedef {object} GatedPage
 * @property {import("../admission.js").Admission} admission
 * @property {() => SendState} state
 * @property {(event: import("../state.js").SendEvent) => void} dispatch
 * @property {(limits: import("../api.js").Limits) => void} admit Lets the form be used within these limits.
 * @property {(limits: import("../api.js").Limits) => boolean} fits Whether what was about to be sent is within these limits.
 * @property {() => Promise<unknown>} goOn Sends it.
 * @property {() => Promise<void>} leave Goes back to what was written.
 */

/** @param {GatedPage} page */
export function wireGate(page) {
  const form = byId("token-form", TokenForm);
  form.addEventListener("entered", (event) => void enter(page, form, /** @type {CustomEvent<Entered>} */ (event).detail));
  form.addEventListener("left", () => void page.leave());
  byId("other-token", HTMLButtonElement).addEventListener("click", () => page.dispatch({ type: "exchange" }));
  byId("forget-token", HTMLButtonElement).addEventListener("click", () => {
    const state = page.state();
    if (state.name !== "start") return;
    forget(page);
    page.dispatch({ type: "ask", limits: state.limits, trouble: null });
  });
}

/** The server takes the token no more: another one is asked for, and nothing is lost. @param {GatedPage} page */
export function deny(page) {
  forget(page);
  page.dispatch({ type: "denied" });
}

/**
 * Asks the server about a token, and goes on where the person was.
 *
 * @param {GatedPage} page
 * @param {TokenForm} form
 * @param {Entered} entered
 */
async function enter(page, form, { typed, keep }) {
  const state = page.state();
  if (state.name !== "token" || state.checking) return;
  page.dispatch({ type: "check" });
  try {
    const limits = await page.admission.enter(typed, keep);
    form.clear();
    page.admit(limits);
    page.dispatch({ type: "admitted", limits, fits: page.fits(limits) });
  } catch (thrown) {
    page.dispatch({ type: "rejected", trouble: problemFrom(thrown).code });
    return;
  }
  if (page.state().name === "working") {
    await page.goOn();
    return;
  }
  if (state.resumable) {
    await page.leave();
    byId("compose-form", ComposeForm).complain(text("send.token.less"));
  }
  byId("text", HTMLTextAreaElement).focus();
}

/** @param {GatedPage} page */
function forget({ admission }) {
  admission.forget();
  showToken(admission);
}
