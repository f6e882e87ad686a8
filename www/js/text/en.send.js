/**
 * The English catalogue's sentences about folders, passphrases, receipts and create tokens on the sending page.
 *
 * @module
 */

/** @typedef {import("../format.js").Format} Format */

export const enSend = {
  "send.add_folder": "Add a folder",
  "send.remove_all": "Remove all",
  "send.more_files": (/** @type {{ count: number }} */ v, /** @type {Format} */ f) =>
    f.plural(v.count, { one: "and # more file", other: "and # more files" }),
  "send.missed": "Some of what you dropped could not be read, and is missing below.",
  "send.suggest": "Make up a passphrase",
  "send.suggested": "A passphrase of five words was made and is shown.",
  "send.strength.weak": (/** @type {{ guesses: number }} */ v, /** @type {Format} */ f) =>
    `Weak: roughly ${f.rough(v.guesses)} guesses. Five wrong tries lock it here, but a copy of the server’s disk would not hold.`,
  "send.strength.fair": (/** @type {{ guesses: number }} */ v, /** @type {Format} */ f) =>
    `Fair: roughly ${f.rough(v.guesses)} guesses. More than the five tries anyone has here; less than a copied disk should meet.`,
  "send.strength.strong": (/** @type {{ guesses: number }} */ v, /** @type {Format} */ f) =>
    `Strong: roughly ${f.rough(v.guesses)} guesses.`,
  "send.share": "Share",
  "send.qr": "Show it as a QR code",
  "send.qr.label": "QR code of the link. Whoever scans it has the link.",
  "send.protected": "Protected by a passphrase",
  "send.receipt": "Your receipt, for you alone",
  "send.receipt.for": "It shows whether this was opened, and lets you delete it. It opens nothing, so it is not the link to send.",
  "send.receipt.link": "Receipt link",
  "send.receipt.copy": "Copy the receipt",
  "send.receipt.keep": "Keep the receipt in this browser",
  "send.receipt.kept": "Kept. Whoever uses this browser can see and delete this transfer, but not open it.",
  "send.receipt.unkept": "This browser does not let pages keep anything. Copy the receipt instead.",
  "send.receipt.look": "Look at the receipt",
  "send.receipts": "Receipts kept in this browser",
  "send.passphrase.sent": "Its passphrase. Tell it by another way than the link",
  "send.passphrase.copy": "Copy the passphrase",
  "send.another.sure": "You have not copied the link yet, and this page has the only copy. Without it nobody can open what you sent.",
  "send.another.yes": "Drop the link, send another",
  "send.another.no": "Back to the link",
  "send.retrying": "It is tried again by itself every few seconds.",
  "send.token.title": "This server asks for a token",
  "send.token.lead": "Only people with a token can send from here. Whoever runs this server gives you one. Opening a link never needs it.",
  "send.token": "Create token",
  "send.token.keep": "Remember it in this browser",
  "send.token.keep.for": "If you do, whoever uses this browser can send with it. If not, you are asked for it each time this page is loaded.",
  "send.token.submit": "Continue",
  "send.token.checking": "Checking",
  "send.token.trouble.token.empty": "Enter the token first.",
  "send.token.trouble.token.damaged": "This is not a whole token: it begins with “ots_”, and 43 characters follow.",
  "send.token.trouble.create.unauthorized": "The server does not know this token. Check it, or ask whoever runs this server for a new one.",
  "send.token.trouble.withdrawn":
    "The server no longer takes the token that was used here. Enter another one to go on; what you wrote is still here.",
  "send.token.trouble.request.rate_limited": "The server is asked too much from your address right now. Wait a minute and try again.",
  "send.token.trouble.network": "The server did not answer. Try again.",
  "send.token.less": "This token allows less than you had chosen. Look at the choices, and send it again.",
  "send.token.other": "Use another token",
  "send.token.used": "A token is in use until you leave this page.",
  "send.token.kept": "A token is kept in this browser.",
  "send.token.forget": "Forget it",
  "progress.wait.busy": (/** @type {{ wait_s: number }} */ v, /** @type {Format} */ f) =>
    `The server is asked too much from your address. It goes on by itself in ${f.duration(v.wait_s)}.`,
  "progress.wait.server": "The server does not answer as it should; it may be restarting. It is tried again by itself; nothing is lost.",
};
