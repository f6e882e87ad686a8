/**
 * The English catalogue's sentences about choices and states of the opening page that its main part does not have.
 *
 * @module
 */

/** @typedef {import("../format.js").Format} Format */

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
  "reloaded.todo": "Open the link again, in this browser, from the message you got it in. What had begun here goes on, and takes nothing more.",
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
  "proxy.refused.title": "A proxy refused this",
  "proxy.not_found.title": "There is something else at this address",
  "proxy.foreign.title": "Something else answered",
  "manifest.open.title": "This does not belong together",
  "manifest.refused.title": "This is not safe to open",
  "body.open.title": "It was changed on its way",
  "body.once.title": "The connection broke",
  "body.once.why":
    "This server hands everything out once and keeps nothing for a second try, so what was missing is lost.",
  "body.once.todo": "Ask the sender to send it again.",
  "lease.ended.title": "Your time to fetch this is over",
  "save.cancelled.title": "The download was stopped",
  "save.failed.title": "It could not be written",
};
