/**
 * Speed and time left of a running transfer, from byte counts; pure, the clock is a parameter.
 *
 * @module
 */

/** How far back the speed looks: long enough to be calm, short enough to be true. */
const WINDOW_MS = 6000;
/** No speed is named before this much time was seen. */
const SETTLE_MS = 800;

/** A sliding window over (time, bytes) samples. */
export class Rate {
  /** @type {{ at_ms: number, bytes: number }[]} */
  #samples = [];

  /**
   * @param {number} at_ms
   * @param {number} bytes Bytes done so far, in all.
   */
  note(at_ms, bytes) {
    this.#samples.push({ at_ms, bytes });
    while (this.#samples.length > 2 && at_ms - (this.#samples[0]?.at_ms ?? 0) > WINDOW_MS) this.#samples.shift();
  }

  /** Bytes per second, or null while unknown. */
  get speed() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at_ms - first.at_ms < SETTLE_MS) return null;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at_ms - first.at_ms));
  }

  /**
   * Seconds until `total` at the present speed, or null while unknown.
   *
   * @param {number} total
   */
  left_s(total) {
    const speed = this.speed;
    const last = this.#samples.at(-1);
    if (!speed || !last) return null;
    return Math.max(0, Math.ceil((total - last.bytes) / speed));
  }
}
