/**
 * The messages between a page and its crypto worker; types only, so that neither side pulls in the other's code.
 *
 * A call is `{ id, method, args }`; its answer `{ id, result }` or `{ id, error }`, the error being a stable code.
 *
 * @module
 */

/**
 * @typedef {import("./entries.js").Entry} Entry
 *
 * @typedef {object} Manifest What is in a transfer; held to every rule of the format before a page sees it.
 * @property {"text" | "files"} kind
 * @property {Entry[]} entries
 *
 * @typedef {object} Sealed What the server is given of a new transfer, and what makes its link.
 * @property {string} transfer_id
 * @property {string} fragment
 * @property {string} owner_token
 * @property {string} link_verifier
 * @property {string} access_verifier
 * @property {string} owner_verifier
 * @property {string} sealed_manifest
 * @property {number} content_len
 * @property {number} body_len
 *
 * @typedef {object} Proofs What a page shows the server to peek and claim; opens nothing.
 * @property {string} transfer_id
 * @property {string} link_proof
 * @property {string} access_proof
 *
 * @typedef {object} LinkFacts What a link says before any passphrase.
 * @property {string} transfer_id
 * @property {string} link_proof
 * @property {boolean} needs_passphrase
 */

/**
 * Every method of the worker, with its arguments and its result.
 *
 * @typedef {object} CryptoMethods
 * @property {{ args: { names: string[] }, result: string[] }} clean_names Names as sealing will keep them.
 * @property {{ args: { manifest: Manifest, passphrase: string, content: Blob }, result: Sealed }} seal
 *   Draws the keys of a new transfer; the content is read piece by piece by `seal_part`.
 * @property {{ args: { index: number, part_len: number }, result: { bytes: Uint8Array<ArrayBuffer>, digest: string } }} seal_part
 * @property {{ args: { fragment: string }, result: LinkFacts }} read_link
 * @property {{ args: { passphrase: string }, result: Proofs }} derive Of the link read last; runs Argon2id if it must.
 * @property {{ args: { sealed: string, body_len: number }, result: Manifest }} open_manifest
 * @property {{ args: Record<string, never>, result: string }} claim_token A new one.
 * @property {{ args: Record<string, never>, result: null }} rewind Starts the body anew, with the keys already derived.
 * @property {{ args: { bytes: Uint8Array<ArrayBuffer> }, result: { bytes: Uint8Array<ArrayBuffer>, position: number } }} push
 *   The next body bytes in, verified content out; `position` is where the body goes on.
 * @property {{ args: Record<string, never>, result: null }} finish Throws unless the whole body verified. Saving
 *   it may still fail, so the keys stay for a rewind.
 * @property {{ args: Record<string, never>, result: null }} forget Lets go of every key of the link, once all is saved.
 */

/**
 * @template {keyof CryptoMethods} M
 * @typedef {CryptoMethods[M]["args"]} CryptoArgs
 */

/**
 * @template {keyof CryptoMethods} M
 * @typedef {CryptoMethods[M]["result"]} CryptoResult
 */

/**
 * @typedef {{ id: number, method: keyof CryptoMethods, args: unknown }} CryptoCall
 * @typedef {{ id: number, result: unknown } | { id: number, error: string, message: string }} CryptoAnswer
 */

export {};
