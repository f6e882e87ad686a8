/**
 * Which sentences belong to which problem: a code becomes an icon, a headline, a why and a what-to-do. Pure but for the
 * catalogue.
 *
 * @module
 */

import { keyOr, text } from "./text.js";

/**
 * @typedef {import("./problem.js").Problem} Problem
 * @typedef {import("./state.js").OpenState} OpenState
 * @typedef {import("./text.js").TextKey} TextKey
 * @typedef {import("./ui/notice-panel.js").Notice} Notice
 */

/** @type {Record<string, string>} */
const ICONS = {
  missing: "link-broken",
  reloaded: "link-broken",
  "reloaded.finished": "check",
  damaged: "link-broken",
  newer: "link-broken",
  unknown: "gone",
  gone: "gone",
  claimed: "gone",
  locked: "lock",
  incomplete: "clock",
  offline: "offline",
  "network.none": "offline",
};

/**
 * Why nothing moves while something is tried again by itself.
 *
 * @param {number} wait_ms Until then.
 * @param {Problem} problem
 * @returns {string | undefined} Nothing where the connection is gone.
 */
export function waitWords(wait_ms, problem) {
  if (problem.status === 429) return text("progress.wait.busy", { wait_s: Math.ceil(wait_ms / 1000) });
  return problem.code === "network" ? undefined : text("progress.wait.server");
}

/**
 * Why an upload failed, or could not begin.
 *
 * @param {Problem} problem
 * @param {boolean} [with_token] Whether it was sent with a create token.
 * @returns {Notice}
 */
export function sendNotice(problem, with_token = false) {
  const notice = problemNotice(problem, "problem.send.title", "send.");
  if (!helpsAnotherToken(problem, with_token)) return notice;
  return { ...notice, why: text("quota.exceeded.token.why"), todo: text("quota.exceeded.token.todo") };
}

/**
 * Whether another token may have room where this one has none.
 *
 * @param {Problem} problem
 * @param {boolean} with_token
 */
export function helpsAnotherToken({ code }, with_token) {
  return code === "quota.exceeded" && with_token;
}

/**
 * Why nothing can be sent now: the server did not say its limits.
 *
 * @param {Problem} problem
 * @returns {Notice}
 */
export function unavailableNotice(problem) {
  return problem.code === "network" ? { ...plain("manage.offline"), icon: "offline" } : problemNotice(problem, "problem.title", "send.");
}

/**
 * Why a link cannot be opened, by the page's state.
 *
 * @param {OpenState} state One of those that are a notice.
 * @returns {Notice}
 */
export function openNotice(state) {
  switch (state.name) {
    case "gone":
      return goneNotice(state.problem);
    case "claimed": {
      const at = state.problem?.number("at") ?? state.problem?.number("claimed_at") ?? null;
      return { ...plain("claimed"), why: text("claimed.why", { at }) };
    }
    case "reloaded": {
      const { kept_until: at, fate } = state;
      if (fate !== null) return plain(`reloaded.${fate}`);
      return { ...plain("reloaded"), why: at === null ? text("reloaded.why") : text("reloaded.kept", { at }) };
    }
    case "offline":
      return plain(globalThis.navigator?.onLine === false ? "network.none" : "offline");
    case "refused":
      return problemNotice(state.problem, keyOr(`${state.problem.code}.title`, "problem.title"), "open.");
    case "failed":
      return failedNotice(state);
    default:
      return plain(state.name);
  }
}

/**
 * Why a receipt cannot be shown.
 *
 * @param {import("./manage-state.js").ManageState} state One of those that are a notice.
 * @returns {Notice}
 */
export function manageNotice(state) {
  if (state.name === "refused" || (state.name === "offline" && state.problem.code !== "network")) {
    return problemNotice(state.problem, "problem.title");
  }
  const name = state.name === "damaged" ? "receipt_damaged" : state.name;
  return { ...plain(`manage.${name}`), icon: ICONS[state.name] ?? "warn" };
}

/**
 * Why it did not arrive. Where everything is given once, no advice to go on holds.
 *
 * @param {Extract<OpenState, { name: "failed" }>} state
 * @returns {Notice}
 */
function failedNotice({ problem, once }) {
  const notice = problemNotice(problem, keyOr(`${problem.code}.title`, "problem.open.title"), "opening.");
  return once ? { ...notice, todo: text("body.once.todo") } : notice;
}

/** @param {string} name @returns {Notice} */
function plain(name) {
  return {
    icon: ICONS[name] ?? "warn",
    title: text(keyOr(`${name}.title`, "problem.title")),
    why: text(keyOr(`${name}.why`, "problem.unknown.why"), { code: name }),
    todo: text(keyOr(`${name}.todo`, "problem.unknown.todo")),
  };
}

/**
 * What became of it, and what that may mean. The same words whoever opened it: the page cannot know, the reader can.
 *
 * @param {Problem} problem
 * @returns {Notice}
 */
function goneNotice(problem) {
  const cause = problem.string("cause") ?? "other";
  const times = { at: problem.number("at") ?? 0, claimed_at: problem.number("claimed_at") };
  const opened = cause === "delivered" || cause === "lapsed" || times.claimed_at !== null;
  return {
    icon: "gone",
    title: text(keyOr(`gone.${cause}.title`, "gone.other.title")),
    why: text(keyOr(`gone.${cause}.why`, "gone.other.why"), times),
    todo: text(opened ? "gone.opened.todo" : keyOr(`gone.${cause}.todo`, "gone.expired.todo")),
  };
}

/**
 * @param {Problem} problem
 * @param {TextKey} title
 * @param {string} [side] What differs on one page, or while opening.
 * @returns {Notice}
 */
function problemNotice({ code }, title, side = "") {
  const why = keyOr(`${code}.why`, "problem.unknown.why");
  const todo = keyOr(`${code}.todo`, "problem.unknown.todo");
  return {
    icon: code === "network" ? "offline" : "warn",
    title: text(title),
    why: text(keyOr(`${code}.${side}why`, why), { code }),
    todo: text(keyOr(`${code}.${side}todo`, todo)),
  };
}
