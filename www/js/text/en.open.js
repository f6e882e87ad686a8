/**
 * The English catalogue's sentences about choices and states of the opening page that its main part does not have.
 *
 * @module
 */

/** @typedef {import("../format.js").Format} Format */

/** What helps where everything is handed out once. */
const AFTER_ONCE =
  "Open the link again to see whether there is an open left; a look takes nothing. If there is none, ask the sender to send it again.";

export const enOpen = {
  "open.own":
    "This link was made in this browser. Opening it here uses up an open that is meant for somebody else.",
  "open.strict":
    "This server hands everything out once and keeps nothing for a second try: if the connection breaks meanwhile, it is lost. Open it where the network is good.",
  "open.form": "Save them",
  "open.form.zip": "All in one archive (zip), folders intact",
  "open.form.each": "One by one; the browser may ask about each",
  "open.form.only_zip": "They are saved as one archive (zip), folders intact.",
  "open.archive": "The archive",
  "open.done.archive": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    `Saved as one archive, with ${f.plural(v.count, { one: "# file", other: "# files" })}`,
  "open.covered": (/** @type {{ size: number, lines: number }} */ v, /** @type {Format} */ f) =>
    `Covered, in case somebody can see this screen: ${f.bytes(v.size)}, ${f.plural(v.lines, { one: "# line", other: "# lines" })}. You can copy or save it without showing it.`,
  "open.remaining": (/** @type {{ count: number, at: number | null }} */ v, /** @type {Format} */ f) =>
    `Delivered. It can still be opened ${f.plural(v.count, { one: "# time", other: "# times" })}${v.at ? `, until ${f.moment(v.at)}` : ""}; then the server deletes it.`,
  "open.others": (/** @type {{ lease_s: number }} */ v, /** @type {Format} */ f) =>
    `Delivered. Someone else is still fetching it: the server deletes it when they have it, or ${f.duration(v.lease_s)} after they stop.`,
  "open.kept": "Delivered. The server did not say what it still has; it deletes it when the last open is over, or when it expires.",
  "open.handed.title": "Is everything in your downloads?",
  "open.handed":
    "This browser takes files from a page without saying whether it kept them. Look among your downloads; what is not there can be saved again from here, as long as this page stays open.",
  "open.handed.kept": "The server deletes it when you have confirmed, or when you have been gone for a while.",
  "open.handed.once": "The server has deleted it: until you have found it, it is in this page alone.",
  "open.handed.yes": "Yes, everything is saved",
  "open.again_in": (/** @type {{ left_s: number }} */ v, /** @type {Format} */ f) => `Trying again by itself in ${f.duration(v.left_s)}.`,
  "open.again_now": "Trying again.",

  "unsavable.todo": "Open the same link in another browser on this device, outside of the app that showed it, or on a computer.",
  "unsavable.insecure":
    "Over plain http, browsers let a page hold files in memory only. With TLS (an https address) it could stream them to disk, however large: ask whoever runs this server.",
  "reloaded.title": "The link is no longer in the address",
  "reloaded.why":
    "This page takes the key out of the address as soon as it has read it, so that nobody reads it there; reloading or coming back finds no link. Nothing was used up by that.",
  "reloaded.kept": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) =>
    `This page takes the key out of the address as soon as it has read it, so reloading finds no link. What you began to open in this browser is kept for you until *${f.moment(v.at)}*.`,
  "reloaded.todo": "Open the link again, in this browser, from the message you got it in. A look takes nothing, and what had begun here goes on.",
  "reloaded.finished.title": "You have opened this",
  "reloaded.finished.why": "Everything arrived, and this page has forgotten it, as it does whenever it is left or loaded again.",
  "reloaded.finished.todo":
    "What you saved is where your browser puts downloads. Opening the link again takes a further open, if there is one left; a look at it takes nothing.",
  "reloaded.once.title": "This was begun, and left",
  "reloaded.once.why":
    "This server hands everything out once and keeps nothing for a second try, so what had not arrived when this page was left or loaded again is lost.",
  "reloaded.once.todo": AFTER_ONCE,
  "outdated.title": "This browser is too old for this page",
  "outdated.why":
    "It lacks something that opening needs, such as WebAssembly in a worker, or a setting or an extension forbids it. Nothing was used up.",
  "outdated.todo": "Open the same link in a current Chrome, Edge, Firefox or Safari (from spring 2024 on), outside of the app that showed it.",
  "offline.title": "The server does not answer",
  "offline.why": "You may be offline, or the server is being restarted. Nothing was used up.",
  "offline.todo": "Wait here, or check your connection.",
  "network.none.title": "You are offline",
  "network.none.why": "This device has no network. Nothing was used up.",
  "network.none.todo": "Connect it; this page goes on as soon as it is.",

  "request.rate_limited.open.todo": "Nothing was used up. Leave this page open; it waits as long as the server asks.",
  "store.unreachable.open.todo": "Nothing was used up. Leave this page open.",
  "server.internal.open.todo": "Nothing was used up. Leave this page open; if it stays, tell whoever runs this server.",
  "proxy.bad_gateway.open.todo": "Nothing was used up. Leave this page open; if it stays, tell whoever runs this server.",
  "proxy.unavailable.open.todo": "Nothing was used up. Leave this page open; if it stays, tell whoever runs this server.",
  "proxy.timeout.open.todo": "Nothing was used up. Leave this page open; if it stays, tell whoever runs this server.",
  "store.unreachable.title": "The server is starting or busy (503)",
  "server.internal.title": "The server failed",
  "request.rate_limited.title": "Too many requests (429)",
  "proxy.bad_gateway.title": "The server is not reached (502)",
  "proxy.unavailable.title": "The server is not available (503)",
  "proxy.timeout.title": "The server takes too long (504)",
  "proxy.too_large.title": "A proxy refuses this (413)",
  "proxy.too_large.open.why":
    "Not this server but a proxy in front of it refused to pass this on as too large (413), though opening a link sends very little. Nothing was used up.",
  "proxy.too_large.open.todo": "Tell whoever runs this server, and open the link again when that is mended.",
  "proxy.timeout.open.why": "A proxy gave up waiting for the server behind it (504). The server may be busy, or be restarting.",
  "proxy.refused.open.todo": "Nothing was used up. Log in where you have to, or tell whoever runs this server.",
  "proxy.not_found.open.todo": "Nothing was used up. Tell whoever runs this server.",
  "proxy.foreign.open.todo": "Nothing was used up. Log in where you have to, try another network, or tell whoever runs this server.",
  "network.opening.todo": "Check your connection, then try again here: it takes nothing more.",
  "proxy.refused.title": "A proxy refused this",
  "proxy.not_found.title": "There is something else at this address",
  "proxy.foreign.title": "Something else answered",
  "manifest.open.title": "This does not belong together",
  "manifest.refused.title": "This is not safe to open",
  "body.open.title": "It was changed on its way",
  "body.once.title": "The connection broke",
  "body.once.why":
    "This server hands everything out once and keeps nothing for a second try, so what was missing is lost.",
  "body.once.todo": AFTER_ONCE,
  "body.stopped.title": "You stopped this",
  "body.stopped.why": "This server hands everything out once and keeps nothing for a second try, so what had not arrived is lost.",
  "body.stopped.todo": AFTER_ONCE,
  "lease.ended.title": "Your time to fetch this is over",
  "save.cancelled.title": "The download was stopped",
  "save.failed.title": "It could not be written",
  "save.lost.title": "The download was dropped",
};
