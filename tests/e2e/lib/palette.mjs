/**
 * Makes pictures of pages small: of a PNG with three or four bytes for each pixel, one with a palette of 256 of its colours,
 * by how common and how vivid they are. Letters keep their shades, and a small sign its colour; a photograph would not.
 *
 * @module
 */

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS_MAX = 256;
/** Between the strongest and the weakest channel, what makes a colour count as twice as common: greys are many, and near each other. */
const VIVID = 8;

/**
 * @param {Uint8Array} png With 8 bits a channel, not interlaced, as browsers write them.
 * @returns {Buffer}
 */
export function withPalette(png) {
  const chunks = chunksOf(Buffer.from(png));
  const head = chunks.find(({ type }) => type === "IHDR").bytes;
  const [width, height, depth, kind] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]];
  const pixel_len = { 2: 3, 6: 4 }[kind];
  if (depth !== 8 || !pixel_len) throw new Error(`a PNG of kind ${kind} with ${depth} bits is not expected`);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ bytes }) => bytes));
  const pixels = unfilter(inflateSync(packed), width * pixel_len, height, pixel_len);
  const { palette, places } = paletteOf(pixels, pixel_len);
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at += 1) {
    rows[at + 1 + Math.floor(at / width)] = places.get(pixels.readUIntBE(at * pixel_len, 3));
  }
  const outline = Buffer.from(head);
  outline[9] = 3;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", outline),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** @param {Buffer} png @returns {{ type: string, bytes: Buffer }[]} */
function chunksOf(png) {
  const chunks = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const len = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), bytes: png.subarray(at + 8, at + 8 + len) });
    at += len + 12;
  }
  return chunks;
}

/** @param {string} type @param {Buffer} bytes */
function chunk(type, bytes) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), bytes]);
  const [len, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  len.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([len, named, sum]);
}

/**
 * Undoes the filter of each row (PNG specification, section 9).
 *
 * @param {Buffer} raw
 * @param {number} row_len Bytes.
 * @param {number} height
 * @param {number} pixel_len Bytes.
 */
function unfilter(raw, row_len, height, pixel_len) {
  const pixels = Buffer.alloc(row_len * height);
  for (let row = 0; row < height; row += 1) {
    const from = row * (row_len + 1);
    for (let at = 0; at < row_len; at += 1) {
      const to = row * row_len + at;
      const left = at < pixel_len ? 0 : pixels[to - pixel_len];
      const up = row === 0 ? 0 : pixels[to - row_len];
      const corner = row === 0 || at < pixel_len ? 0 : pixels[to - row_len - pixel_len];
      pixels[to] = raw[from + 1 + at] + foretold(raw[from], left, up, corner);
    }
  }
  return pixels;
}

/** @param {number} filter @param {number} left @param {number} up @param {number} corner */
function foretold(filter, left, up, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const near = left + up - corner;
  const [by_left, by_up, by_corner] = [left, up, corner].map((one) => Math.abs(near - one));
  if (by_left <= by_up && by_left <= by_corner) return left;
  return by_up <= by_corner ? up : corner;
}

/**
 * The colours that matter most, and for every colour its place among them or that of the nearest.
 *
 * @param {Buffer} pixels
 * @param {number} pixel_len Bytes.
 */
function paletteOf(pixels, pixel_len) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += pixel_len) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const weights = new Map([...counts].map(([colour, count]) => [colour, count * (1 + spread(colour) / VIVID)]));
  const colours = [...counts.keys()].sort((a, b) => weights.get(b) - weights.get(a));
  const kept = colours.slice(0, COLOURS_MAX);
  const places = new Map(kept.map((colour, place) => [colour, place]));
  for (const colour of colours.slice(COLOURS_MAX)) places.set(colour, nearest(kept, colour));
  const palette = Buffer.alloc(kept.length * 3);
  kept.forEach((colour, place) => palette.writeUIntBE(colour, place * 3, 3));
  return { palette, places };
}

/** @param {number} colour @returns {number} From 0, a grey, to 255. */
function spread(colour) {
  const channels = channelsOf(colour);
  return Math.max(...channels) - Math.min(...channels);
}

/** @param {number} colour @returns {number[]} */
function channelsOf(colour) {
  return [16, 8, 0].map((shift) => (colour >> shift) & 255);
}

/** @param {number[]} kept @param {number} colour @returns {number} A place. */
function nearest(kept, colour) {
  const wanted = channelsOf(colour);
  const far = kept.map((one) => channelsOf(one).reduce((sum, channel, index) => sum + (channel - wanted[index]) ** 2, 0));
  return far.indexOf(Math.min(...far));
}
