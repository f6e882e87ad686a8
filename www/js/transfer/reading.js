/**
 * Reads a body from its connection and gives up one that stands still. Asks for nothing itself.
 *
 * @module
 */

/** A body that brings no byte for so long is asked for again. */
const STALL_MS = 30_000;

/**
 * The next bytes; nothing when the connection ended or was cut, which the caller tells apart by the body's length.
 *
 * @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader
 * @param {AbortSignal} signal
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>}
 */
export async function readNext(reader, signal) {
  const stall = setTimeout(() => void reader.cancel().catch(() => undefined), STALL_MS);
  try {
    const { value } = await reader.read();
    return value ?? null;
  } catch {
    signal.throwIfAborted();
    return null;
  } finally {
    clearTimeout(stall);
  }
}
