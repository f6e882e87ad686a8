/**
 * The English catalogue's sentences of the page that shows a sender's receipt.
 *
 * @module
 */

/** @typedef {import("../format.js").Format} Format */
/** @typedef {{ at: number, count: number }} StepValues */

const opens = (/** @type {number} */ count, /** @type {Format} */ f) => f.plural(count, { one: "# open", other: "# opens" });

export const enManage = {
  "manage.page": "Receipt of what you sent · onetimeshare",
  "manage.title": "What became of *it.*",
  "manage.list.page": "Receipts kept in this browser · onetimeshare",
  "manage.list.title": "What you *sent.*",
  "manage.list.lead":
    "A receipt is kept here only if you ask for it. Whoever uses this browser can then look at that transfer and delete it, but not open it.",
  "manage.loading": "Asking the server. This uses nothing up.",
  "manage.careful": "This page opens nothing. Whoever has its link can see this and delete the transfer: keep it for yourself.",
  "manage.timeline": "What happened",
  "manage.facts": "What is left",
  "manage.head.uploading": "*Not sent* completely yet",
  "manage.head.waiting": "*Waiting* to be opened",
  "manage.head.fetching": "*Being fetched* right now",
  "manage.head.opened": "*Opened*, and can be opened again",
  "manage.head.none_left": "*Opened.* Nothing is left to open",
  "manage.head.locked": "*Locked*: too many wrong passphrases",
  "manage.head.delivered": "*Delivered* and deleted",
  "manage.head.lapsed": "*Opened*, never confirmed",
  "manage.head.burnt": "*You deleted it*",
  "manage.head.expired": "*Expired*",
  "manage.head.abandoned": "*Never sent* completely",
  "manage.head.gone": "*Gone*",
  "manage.step.created": "Created",
  "manage.step.uploading": "Still being sent. The link works when the upload is complete.",
  "manage.step.waiting": (/** @type {StepValues} */ v, /** @type {Format} */ f) => `Nobody has opened it. ${opens(v.count, f)} left.`,
  "manage.step.more": (/** @type {StepValues} */ v, /** @type {Format} */ f) => `It can be opened again: ${opens(v.count, f)} left.`,
  "manage.step.none_left": "Every open is used. The server is deleting it.",
  "manage.step.locked": "Locked: the passphrase was wrong too often. Nobody can open it unless you unlock it.",
  "manage.step.opened": (/** @type {StepValues} */ v, /** @type {Format} */ f) =>
    v.count === 1 ? "Opened" : `Opened again (open ${f.number(v.count)})`,
  "manage.step.fetching": "Being fetched. Not confirmed yet that everything arrived.",
  "manage.step.delivered": "Delivered: the reader’s browser confirmed that everything arrived",
  "manage.step.lapsed": "The time to fetch it ended without a confirmation. It may have arrived, in part or whole.",
  "manage.step.cut": "Cut off while being fetched, because you deleted it. It may have arrived in part.",
  "manage.step.burnt": "Deleted by you",
  "manage.step.expired": "Expired, and was deleted",
  "manage.step.abandoned": "The upload was never completed, and was deleted",
  "manage.step.deleted": "Deleted from the server",
  "manage.now": "Now",
  "manage.opens_left": (/** @type {{ left: number, most: number }} */ v, /** @type {Format} */ f) =>
    `*${f.number(v.left)}* of ${opens(v.most, f)} left`,
  "manage.tries_left": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    f.plural(v.count, { one: "*#* try left, after wrong passphrases", other: "*#* tries left, after wrong passphrases" }),
  "manage.until": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) => `Expires *${f.moment(v.at)}*`,
  "manage.size": (/** @type {{ size: number }} */ v, /** @type {Format} */ f) => `${f.bytes(v.size)} on the server, encrypted`,
  "manage.forgets": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) =>
    `The server remembers this until *${f.moment(v.at)}*, and then knows nothing of it.`,
  "manage.not_you": "If nobody you know opened it, someone else had the link. What was in it is then no longer secret: change it.",
  "manage.unlock": "Unlock it",
  "manage.unlock.for": "Gives back the tries. If they were not wasted by the one you sent it to, delete it instead: somebody has the link.",
  "manage.unlocked": "Unlocked. The passphrase can be tried again.",
  "manage.burn": "Delete it now",
  "manage.burn.sure": "Delete it? Nobody can open it afterwards, and it cannot be brought back.",
  "manage.burn.yes": "Yes, delete it",
  "manage.burn.no": "Keep it",
  "manage.burnt": "Deleted. The link opens nothing any more.",
  "manage.stale": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) =>
    `The server does not answer right now. This is as of ${f.moment(v.at)}; it is tried again by itself.`,
  "manage.failed": "That did not work. Try again.",
  "manage.refresh": "Look again",
  "manage.kept": "Kept in this browser",
  "manage.kept.none": "No receipt is kept in this browser. Open a receipt by the link you were given when you sent something.",
  "manage.kept.item": (/** @type {{ at: number, count: number }} */ v, /** @type {Format} */ f) =>
    `${v.count === 0 ? "A text" : f.plural(v.count, { one: "# file", other: "# files" })}, sent ${f.moment(v.at)}`,
  "manage.kept.until": (/** @type {{ at: number }} */ v, /** @type {Format} */ f) => `until ${f.moment(v.at)}`,
  "manage.kept.forget": "Forget",
  "manage.kept.forget_one": (/** @type {{ what: string }} */ v) => `Forget the receipt: ${v.what}`,
  "manage.kept.own": "For a while this browser also knows which links were made in it, without their keys, to warn whoever opens one here.",
  "manage.kept.all": "Forget all of this",
  "manage.kept.sure":
    "Forget every receipt, and which links were made here? What was sent stays on the server, and you can no longer look at it or delete it without its receipt link.",
  "manage.kept.yes": "Yes, forget all",
  "manage.kept.no": "Keep them",
  "manage.receipt_damaged.title": "This receipt link is damaged",
  "manage.receipt_damaged.why": "Some of its letters are missing or changed, as happens when a message breaks a line.",
  "manage.receipt_damaged.todo": "Copy the whole link from where you kept it. A link for opening does not work here.",
  "manage.reloaded.title": "The receipt’s link is no longer in the address",
  "manage.reloaded.why":
    "This page takes it out of the address as soon as it has read it, so that nobody reads it there; reloading or coming back finds none. Nothing was changed by that.",
  "manage.reloaded.todo": "Open the receipt’s link again from where you kept it.",
  "manage.unknown.title": "The server knows nothing of this",
  "manage.unknown.why": "It has been gone for so long that the server has forgotten it, it was never on this server, or this is not its receipt.",
  "manage.unknown.todo": "If it was sent to someone, ask them: the server has forgotten what became of it.",
  "manage.offline.title": "The server does not answer",
  "manage.offline.why": "You may be offline, or the server may be down or restarting. Nothing was changed.",
  "manage.offline.todo": "It is tried again by itself every few seconds.",
};
