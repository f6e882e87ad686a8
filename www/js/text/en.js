/**
 * The English catalogue: every sentence the pages can say. A function where a number or a date stands in the sentence;
 * `*…*` makes words strong.
 *
 * @module
 */

import { enOpen } from "./en.open.js";
import { enManage } from "./en.manage.js";
import { enProblems } from "./en.problems.js";
import { enSend } from "./en.send.js";

/** @typedef {import("../format.js").Format} Format */

export const en = {
  "site.name": "onetimeshare",
  "site.theme": "Switch between light and dark",
  "site.skip": "Skip to the content",
  "site.new_tab": "(in a new tab)",
  "site.insecure":
    "This page came over plain http: whoever is on the way can read and change it. Texts and small files work; ask whoever runs this server to add TLS.",
  "footer.how": "How it works",
  "footer.how.seal":
    "Your browser encrypts before anything is sent. The key is in the part of the link after the “#”, which browsers never send to a server.",
  "footer.how.open":
    "A look at the link uses nothing up, so a mail scanner or a chat preview does no harm. Opening takes one of its opens, and only a person’s own gesture does that.",
  "footer.how.delete": (/** @type {{ known_s?: number }} */ v, /** @type {Format} */ f) =>
    `When the last open is delivered, or the time is over, the server deletes what it held. That it was there, and when it was opened, it still knows ${v.known_s === undefined ? "for a while" : `for ${f.duration(v.known_s)}`} after the time is over, so that a reader can tell.`,
  "footer.how.history":
    "Browsers remember addresses: until it is used up or over, a link in your history opens what it opens.",
  "footer.limits": (/** @type {{ size: number, life_s: number }} */ v, /** @type {Format} */ f) =>
    `Up to ${f.bytes(v.size)}, kept for at most ${f.duration(v.life_s)}.`,
  "footer.version": (/** @type {{ version: string }} */ v) => `Version ${v.version}`,

  "send.page": "Share a secret or files once · onetimeshare",
  "send.title": "Share it. *Once.*",
  "send.title.several": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) => `Share it. *Up to ${f.number(v.count)} times.*`,
  "send.lead": "Type a secret or add files, and get a link. It works once, unless you choose otherwise; the server cannot read what it holds.",
  "send.content": "What to share",
  "send.text": "Text to share",
  "send.text.placeholder": "Type a secret, paste, or drop files anywhere",
  "send.add": "Add files",
  "send.drop": "Drop them to add them",
  "send.files": "Files to share",
  "send.remove": (/** @type {{ name: string }} */ v) => `Remove ${v.name}`,
  "send.renamed": (/** @type {{ name: string }} */ v) => `will be called ${v.name}`,
  "send.text_as_file": (/** @type {{ name: string }} */ v) => `The text goes along as the file ${v.name}.`,
  "send.used": (/** @type {{ used: number, limit: number }} */ v, /** @type {Format} */ f) =>
    v.used === 0 ? `Up to ${f.bytes(v.limit)}` : `${f.bytes(v.used)} of ${f.bytes(v.limit)}`,
  "send.too_large": (/** @type {{ over: number }} */ v, /** @type {Format} */ f) =>
    `That is ${f.bytes(v.over)} too much for this server. Remove something.`,
  "send.too_many": (/** @type {{ limit: number }} */ v, /** @type {Format} */ f) =>
    `More than ${f.number(v.limit)} files do not fit in one transfer. Put them into an archive (zip) first.`,
  "send.empty": "Type something or add a file first.",
  "send.expires": "Expires after",
  "send.opens": "Opens",
  "send.opens.count": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    v.count === 1 ? "Once" : f.plural(v.count, { one: "# time", other: "# times" }),
  "send.duration": (/** @type {{ duration_s: number }} */ v, /** @type {Format} */ f) => f.duration(v.duration_s),
  "send.passphrase": "Passphrase",
  "send.passphrase.placeholder": "Optional",
  "send.passphrase.too_long": "This passphrase is too long: 1024 bytes are the most.",
  "send.passphrase.hint":
    "With a passphrase the link alone opens nothing. Tell it by another way than the link. Five wrong tries lock the transfer.",
  "send.submit": "Encrypt and get a link",
  "send.working": "Sending",
  "send.step.key": "Making the key",
  "send.step.sending": "Encrypting and sending",
  "send.step.finishing": "Finishing",
  "send.keep_open": "Keep this page open until the link is there.",
  "send.cancel": "Cancel",
  "send.done": "Your link is ready",
  "send.link": "Link",
  "send.promise": (/** @type {{ count: number, at: number }} */ v, /** @type {Format} */ f) =>
    v.count === 1
      ? `It can be opened *once*, until *${f.moment(v.at)}*. Then it is deleted.`
      : `It can be opened *${f.plural(v.count, { one: "# time", other: "# times" })}*, until *${f.moment(v.at)}*. Then it is deleted.`,
  "send.careful": (/** @type {{ count: number, with_passphrase: boolean }} */ v) =>
    `Whoever has the link${v.with_passphrase ? " and the passphrase" : ""} can open it. Send it to the one who should; opening it yourself uses ${v.count === 1 ? "it" : "an open"} up.`,
  "send.another": "Send another",
  "send.resume": "Go on",
  "send.give_up": "Give up and start anew",
  "send.edit": "Back to what you wrote",

  "copy.copy": "Copy",
  "copy.copied": "Copied",
  "copy.selected": "Selected, copy it now",
  "secret.show": "Show",
  "secret.hide": "Hide",

  "progress.bytes": (/** @type {{ at: number, total: number }} */ v, /** @type {Format} */ f) =>
    `${f.bytes(v.at)} of ${f.bytes(v.total)}`,
  "progress.speed": (/** @type {{ speed: number }} */ v, /** @type {Format} */ f) => `${f.bytes(v.speed)}/s`,
  "progress.left": (/** @type {{ left_s: number }} */ v, /** @type {Format} */ f) => `${f.duration(v.left_s)} left`,
  "progress.percent": (/** @type {{ percent: number }} */ v, /** @type {Format} */ f) => `${f.number(v.percent)} %`,
  "progress.wait": "The connection is gone. It is tried again by itself; nothing is lost.",

  "open.page": "Open what was sent to you · onetimeshare",
  "open.title": "Sent to *you.*",
  "open.lead":
    "It was encrypted before it left the sender, and is decrypted here, in your browser. The server in between cannot read it.",
  "open.loading": "Looking at the link. This uses nothing up.",
  "open.text.size": (/** @type {{ size: number }} */ v, /** @type {Format} */ f) => `a text (${f.bytes(v.size)})`,
  "open.files": (/** @type {{ count: number, size: number }} */ v, /** @type {Format} */ f) =>
    v.count === 1 ? `a file (${f.bytes(v.size)})` : `${f.plural(v.count, { one: "# file", other: "# files" })} (${f.bytes(v.size)})`,
  "open.what": (/** @type {{ what: string }} */ v) => `Someone sent you *${v.what}*.`,
  "open.once": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    v.count === 1
      ? "It can be opened once. Then it is gone, for you too."
      : `It can still be opened ${f.plural(v.count, { one: "# time", other: "# times" })}. Opening takes one of them.`,
  "open.until": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) => `Open it before *${f.moment(v.at)}*.`,
  "open.resume": "You have begun to open this here. You can go on; nothing more is used up.",
  "open.entries": "What it holds",
  "open.hold": "Hold to open",
  "open.holding": "Keep holding",
  "open.release": "Let go to open",
  "open.click": "Open",
  "open.click.again": "Click again to open",
  "open.hold.hint": "Press and hold for a moment, with the pointer or with Enter or Space.",
  "open.two_clicks": "Use two clicks instead",
  "open.locked_what": "Someone sent you something *behind a passphrase*.",
  "open.locked_size": (/** @type {{ size: number }} */ v, /** @type {Format} */ f) =>
    `It is at most ${f.bytes(v.size)}; names are shown after the passphrase.`,
  "open.passphrase": "Passphrase",
  "open.passphrase.submit": "Go on",
  "open.passphrase.hint": "The sender told it to you by another way. Checking it uses up no open.",
  "open.passphrase.checking": "Checking",
  "open.passphrase.offline": "The server did not answer. No open was used up; try again.",
  "open.passphrase.empty": "Type the passphrase first.",
  "open.attempts": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    `${f.plural(v.count, { one: "# try", other: "# tries" })} left before it locks.`,
  "open.passphrase.wrong": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    `That is not the passphrase. Nothing is lost; ${f.plural(v.count, { one: "# try is", other: "# tries are" })} left.`,
  "open.verifying": "Fetching, checking and decrypting",
  "open.stop": "Stop",
  "open.stop.once": "Stop, and lose it",
  "open.keep_open": "Keep this page open until everything is saved.",
  "open.save": "Save",
  "open.save_again": "Save again",
  "open.status.saving": (/** @type {{ at: number, total: number }} */ v, /** @type {Format} */ f) =>
    `${f.bytes(v.at)} of ${f.bytes(v.total)}`,
  "open.status.waiting":
    "Your browser is not taking this file. It may be asking you something; if not, save it here.",
  "open.status.stalled": "Your browser has stopped taking this file. If you cancelled it, stop here and open it again.",
  "open.status.held": "Complete, still checking",
  "open.status.given": "Verified, and given to your browser",
  "open.status.saved": "Saved and verified",
  "open.done.text": "Here it is",
  "open.done.files": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    f.plural(v.count, { one: "Saved", other: "All # files saved" }),
  "open.done.where": "In your browser’s folder for downloads, or where you chose.",
  "open.shown": "The text you were sent",
  "open.deleted": "The server has deleted it, and the link opens nothing any more. This page forgets the text when you leave it: copy or save it first.",
  "open.deleted.files": "The server has deleted it, and the link opens nothing any more.",
  "open.deleting": "Telling the server that everything arrived.",
  "open.unsure":
    "The server could not be told that everything arrived. It deletes by itself when your time to fetch is over.",
  "open.yourself": "Send something yourself",
  "open.retry": "Try again",

  "missing.title": "No link here",
  "missing.why": "This page opens a link that somebody sent you, and the address has no link in it any more.",
  "missing.todo": "Open the link again from the message you got it in: the whole of it, with what stands after the “#”.",
  "damaged.title": "This link is damaged",
  "damaged.why": "Some of its letters are missing or changed, as happens when a message breaks a line. Nothing was used up.",
  "damaged.todo": "Copy the whole link from the message, or ask the sender for it again.",
  "newer.title": "This link is newer than this page",
  "newer.why": "It was made by a newer version of onetimeshare. Nothing was used up.",
  "newer.todo": "Reload this page. If that changes nothing, the server has to be updated.",
  "unknown.title": "There is nothing behind this link",
  "unknown.why": "It has been gone for so long that the server has forgotten it, or it was never on this server.",
  "unknown.todo": "Ask the sender for a new link, and say that this one found nothing.",
  "gone.delivered.title": "This was opened already",
  "gone.lapsed.title": "This was opened already",
  "gone.delivered.why": (/** @type {{ at: number, claimed_at: number | null }} */ v, /** @type {Format} */ f) =>
    `It was opened on *${f.moment(v.claimed_at ?? v.at)}*, delivered and deleted.`,
  "gone.lapsed.why": (/** @type {{ at: number, claimed_at: number | null }} */ v, /** @type {Format} */ f) =>
    `It was opened on *${f.moment(v.claimed_at ?? v.at)}*. Whoever opened it never confirmed that everything arrived; the time to fetch it is over.`,
  "gone.opened.todo":
    "If that was not you, someone else had this link. Tell the sender, by another way than the link came: what was in it is no longer secret.",
  "gone.burnt.title": "The sender took this back",
  "gone.burnt.why": (/** @type {{ at: number, claimed_at: number | null }} */ v, /** @type {Format} */ f) =>
    `It was deleted on *${f.moment(v.at)}*, ${v.claimed_at ? `after it had been opened on *${f.moment(v.claimed_at)}*.` : "and nobody had opened it."}`,
  "gone.burnt.todo": "Ask the sender for a new link, if you should have had it.",
  "gone.expired.title": "The time for this is over",
  "gone.expired.why": (/** @type {{ at: number, claimed_at: number | null }} */ v, /** @type {Format} */ f) =>
    `It expired on *${f.moment(v.at)}* ${v.claimed_at ? `and had been opened on *${f.moment(v.claimed_at)}*.` : "and nobody had opened it."}`,
  "gone.expired.todo": "Ask the sender to send it again.",
  "gone.abandoned.title": "This was never finished",
  "gone.abandoned.why": (/** @type {{ at: number, claimed_at: number | null }} */ v, /** @type {Format} */ f) =>
    `The sender’s upload stopped before it was complete, and was removed on *${f.moment(v.at)}*.`,
  "gone.abandoned.todo": "Ask the sender to send it again.",
  "gone.other.title": "This is gone",
  "gone.other.why": "The server has deleted it.",
  "claimed.title": "Someone is opening this now",
  "claimed.why": (/** @type {{ at: number | null }} */ v, /** @type {Format} */ f) =>
    v.at
      ? `Every open is taken: the last one on *${f.moment(v.at)}*, by another browser than this one, which is still fetching it.`
      : "Every open is taken, by another browser than this one, which is still fetching it.",
  "claimed.todo":
    "If that is you, go on there. If it is not, someone else had this link: tell the sender, by another way than the link came.",
  "locked.title": "This is locked",
  "locked.why": "Its passphrase was tried wrongly too often. Those tries opened nothing: what is left of it waits until it expires.",
  "locked.todo": "Tell the sender that it locked, above all if those tries were not yours.",
  "incomplete.title": "This is still being sent",
  "incomplete.why": "The sender’s upload is not complete yet. This page looks again every few seconds.",
  "incomplete.todo": "Wait here, or come back with the link later.",
  "unsavable.title": "This browser cannot save this much",
  "unsavable.why": (/** @type {{ size: number }} */ v, /** @type {Format} */ f) =>
    `It would have to hold ${f.bytes(v.size)} in memory. Nothing was used up.`,

  ...enOpen,
  ...enSend,
  ...enManage,
  ...enProblems,
};
