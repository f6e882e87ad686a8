/**
 * The worker side of the cryptography: keys, link and passphrase live here and in the wasm; only proofs, sealed bytes and
 * verified plaintext leave. Never fetches anything but its own wasm and never touches storage.
 *
 * @module
 */

import init, {
  Link,
  Opener,
  Sealer,
  clean_name,
  content_digest,
  generate_claim_token,
} from "../wasm/onetimeshare_crypto.js";

/** @typedef {import("./crypto.messages.js").CryptoMethods} CryptoMethods */

/** @type {{ sealer: Sealer, content: Blob } | null} */
let sending = null;
/** @type {{ fragment: string, passphrase: string | undefined, opener: Opener | null }} */
const opening = { fragment: "", passphrase: undefined, opener: null };

const ready = init({ module_or_path: new URL("../wasm/onetimeshare_crypto_bg.wasm", import.meta.url) });

/** @type {{ [M in keyof CryptoMethods]: (args: CryptoMethods[M]["args"]) => CryptoMethods[M]["result"] | Promise<CryptoMethods[M]["result"]> }} */
const methods = {
  clean_names: ({ names }) => names.map((name) => clean_name(name)),

  seal({ manifest, passphrase, content }) {
    sending?.sealer.free();
    const sealer = new Sealer(JSON.stringify(manifest), passphrase || undefined);
    sending = { sealer, content };
    return {
      transfer_id: sealer.transfer_id,
      fragment: sealer.fragment,
      owner_token: sealer.owner_token,
      link_verifier: sealer.link_verifier,
      access_verifier: sealer.access_verifier,
      owner_verifier: sealer.owner_verifier,
      sealed_manifest: sealer.sealed_manifest,
      content_len: sealer.content_len,
      body_len: sealer.body_len,
    };
  },

  async seal_part({ index, part_len }) {
    if (!sending) throw coded("body.order");
    const { sealer, content } = sending;
    const source = sealer.part_source(index, part_len);
    const plain = await read(content.slice(source.offset, source.offset + source.len));
    // A file that shrank gives fewer bytes than were promised; sealing those would be sealing something else.
    if (plain.length !== source.len) throw coded("body.changed");
    const bytes = owned(sealer.seal_part(index, part_len, plain));
    plain.fill(0);
    return { bytes, digest: content_digest(bytes) };
  },

  read_link({ fragment }) {
    const link = new Link(fragment);
    forget();
    opening.fragment = fragment;
    const { transfer_id, link_proof, needs_passphrase } = link;
    link.free();
    return { transfer_id, link_proof, needs_passphrase };
  },

  derive({ passphrase }) {
    opening.passphrase = passphrase || undefined;
    const { transfer_id, link_proof, access_proof } = renew();
    return { transfer_id, link_proof, access_proof };
  },

  open_manifest: ({ sealed, body_len }) => JSON.parse(opener().open_manifest(sealed, body_len)),

  claim_token: () => generate_claim_token(),

  rewind() {
    renew();
    return null;
  },

  push({ bytes }) {
    const content = owned(opener().push(bytes));
    return { bytes: content, position: opener().position };
  },

  finish() {
    opener().finish();
    return null;
  },

  forget() {
    forget();
    return null;
  },
};

self.onmessage = async (/** @type {MessageEvent<import("./crypto.messages.js").CryptoCall>} */ event) => {
  const { id, method, args } = event.data;
  try {
    await ready;
    // The page's side is typed by the same table, so the arguments are those of the method.
    const run = /** @type {(args: unknown) => unknown} */ (methods[method]);
    const result = await run(args);
    self.postMessage({ id, result }, { transfer: buffersOf(result) });
  } catch (thrown) {
    self.postMessage({ id, error: codeOf(thrown), message: String(thrown) });
  }
};

/** The opener of the link read last, made anew. */
function renew() {
  opening.opener?.free();
  opening.opener = null;
  opening.opener = new Opener(opening.fragment, opening.passphrase);
  return opening.opener;
}

function opener() {
  if (!opening.opener) throw coded("body.order");
  return opening.opener;
}

/** Lets go of every key of a link; a rewind needs the link read again. */
function forget() {
  opening.opener?.free();
  Object.assign(opening, { fragment: "", passphrase: undefined, opener: null });
}

/**
 * @param {Blob} slice
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function read(slice) {
  try {
    return new Uint8Array(await slice.arrayBuffer());
  } catch {
    // The browser refuses a file that was changed, moved or is a folder; which of these it does not say.
    throw coded("source.unreadable");
  }
}

/**
 * Bytes in a buffer of their own, which can be transferred: a view into the wasm's memory cannot.
 *
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
function owned(bytes) {
  const { buffer } = bytes;
  const whole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return whole ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

/**
 * @param {unknown} result
 * @returns {ArrayBuffer[]}
 */
function buffersOf(result) {
  if (typeof result !== "object" || result === null || !("bytes" in result)) return [];
  return result.bytes instanceof Uint8Array && result.bytes.buffer instanceof ArrayBuffer ? [result.bytes.buffer] : [];
}

/** @param {string} code */
function coded(code) {
  return Object.assign(new Error(code), { code });
}

/** @param {unknown} thrown */
function codeOf(thrown) {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : "worker.failed";
}
