/**
 * Sizes, dates, durations and lists as a person reads them, by Intl; pure.
 *
 * @module
 */

const UNITS = /** @type {const} */ (["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"]);

/** Formats for one language. */
export class Format {
  /** @type {string} */
  #locale;
  /** @type {string | undefined} */
  #zone;

  /**
   * @param {string} locale BCP 47.
   * @param {string} [zone] IANA time zone; the system's when absent.
   */
  constructor(locale, zone) {
    this.#locale = locale;
    this.#zone = zone;
  }

  /**
   * @param {number} value
   * @returns {string}
   */
  number(value) {
    return new Intl.NumberFormat(this.#locale).format(value);
  }

  /**
   * A number of which only the order matters: "2 trillion".
   *
   * @param {number} value
   * @returns {string}
   */
  rough(value) {
    return new Intl.NumberFormat(this.#locale, { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 1 }).format(value);
  }

  /**
   * A size in decimal units, as disks and networks count: "14 MB".
   *
   * @param {number} len Bytes.
   * @returns {string}
   */
  bytes(len) {
    let unit = 0;
    let value = len;
    // 999.5 would be rounded to 1000 of the smaller unit.
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return new Intl.NumberFormat(this.#locale, {
      style: "unit",
      unit: UNITS[unit] ?? "byte",
      unitDisplay: unit === 0 ? "long" : "short",
      maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
    }).format(value);
  }

  /**
   * A duration in its largest whole unit: "5 minutes", "1 day".
   *
   * @param {number} duration_s
   * @returns {string}
   */
  duration(duration_s) {
    const [unit, unit_s] = largestUnit(duration_s);
    return new Intl.NumberFormat(this.#locale, {
      style: "unit",
      unit,
      unitDisplay: "long",
      maximumFractionDigits: 0,
    }).format(Math.round(duration_s / unit_s));
  }

  /**
   * A moment, with the weekday, as far as the minute. A line may end behind its commas only, not between "5:39" and "PM".
   *
   * @param {number} at Unix seconds.
   * @returns {string}
   */
  moment(at) {
    const moment = new Intl.DateTimeFormat(this.#locale, {
      weekday: "short",
      day: "numeric",
      month: "short",
      hour: "numeric",
      minute: "2-digit",
      ...(this.#zone ? { timeZone: this.#zone } : {}),
    }).format(new Date(at * 1000));
    return moment.replace(/(?<!,) /g, "\u00a0");
  }

  /**
   * @param {string[]} items
   * @returns {string}
   */
  list(items) {
    return new Intl.ListFormat(this.#locale).format(items);
  }

  /**
   * Chooses the form for a number and puts the number in place of "#".
   *
   * @param {number} count
   * @param {{ one: string, other: string } & Partial<Record<Intl.LDMLPluralRule, string>>} forms
   * @returns {string}
   */
  plural(count, forms) {
    const rule = new Intl.PluralRules(this.#locale).select(count);
    return (forms[rule] ?? forms.other).replaceAll("#", this.number(count));
  }
}

/**
 * @param {number} duration_s
 * @returns {[unit: string, unit_s: number]}
 */
function largestUnit(duration_s) {
  if (duration_s >= 86_400) return ["day", 86_400];
  if (duration_s >= 3600) return ["hour", 3600];
  return duration_s >= 60 ? ["minute", 60] : ["second", 1];
}
