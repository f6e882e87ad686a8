/**
 * Names as an archive may hold them, so that unpacking it works and surprises nobody on any system. Pure: reads no file.
 *
 * @module
 */

/** What Windows keeps for devices, whatever stands behind a dot and however many blanks before it (superscript digits count too). */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))/i;
/** Signs that some disk gives another meaning, and those that no name holds. */
const RESERVED = /[<>:"|?*\\\u0000-\u001f\u007f-\u009f]/g;
/** Windows drops these at the end of a name, so that two names would become one. */
const TRAILING = /[. ]+$/;

/** What an archive is called that has no better name. */
const ARCHIVE_NAME = "onetimeshare";

/**
 * The names of an archive's files, in order: folders intact, what a platform reserves replaced by "_", and no two the same
 * to a disk that does not tell cases apart. A later one takes another name; none is lost and none leads outside.
 *
 * @param {string[]} names Components joined by "/".
 * @returns {string[]}
 */
export function archiveNames(names) {
  const plain = names.map((name) => name.split("/").filter((part) => part !== "").map(plainPart));
  const wanted = new Set(plain.flatMap((parts) => parts.map((_, depth) => fold(parts.slice(0, depth + 1).join("/")))));
  const tree = new Tree(wanted);
  return plain.map((parts) => tree.add(parts));
}

/**
 * What the archive of these entries is called: by the one folder they all lie in, if there is one.
 *
 * @param {string[]} names
 * @returns {string}
 */
export function archiveName(names) {
  const folders = new Set(names.map((name) => (name.includes("/") ? name.slice(0, name.indexOf("/")) : "")));
  const [only = ""] = folders;
  return `${folders.size === 1 && only !== "" ? only : ARCHIVE_NAME}.zip`;
}

/** The files and folders that an archive has so far. */
class Tree {
  /** What each place holds, by its folded path. @type {Map<string, "file" | "folder">} */
  #places = new Map();
  /** Where a folder went, by the path it wanted. @type {Map<string, string>} */
  #moved = new Map();
  #wanted;

  /** @param {Set<string>} wanted Folded paths that some entry wants; no other takes them. */
  constructor(wanted) {
    this.#wanted = wanted;
  }

  /**
   * @param {string[]} parts
   * @returns {string} The path it got.
   */
  add(parts) {
    let folder = "";
    let original = "";
    for (const part of parts.slice(0, -1)) {
      original = join(original, part);
      folder = this.#folder(original, join(folder, part));
    }
    const path = this.#free(join(folder, parts.at(-1) ?? "_"), "file");
    this.#places.set(fold(path), "file");
    return path;
  }

  /**
   * @param {string} original
   * @param {string} path
   */
  #folder(original, path) {
    const known = this.#moved.get(original);
    if (known !== undefined) return known;
    const free = this.#free(path, "folder");
    this.#places.set(fold(free), "folder");
    this.#moved.set(original, free);
    return free;
  }

  /**
   * @param {string} path
   * @param {"file" | "folder"} kind Folders may be one that is there, files never.
   */
  #free(path, kind) {
    let free = path;
    for (let number = 2; this.#isTaken(free, kind) || (free !== path && this.#wanted.has(fold(free))); number += 1) {
      free = numbered(path, number);
    }
    return free;
  }

  /**
   * @param {string} path
   * @param {"file" | "folder"} kind
   */
  #isTaken(path, kind) {
    const place = this.#places.get(fold(path));
    return place !== undefined && (kind === "file" || place === "file");
  }
}

/** @param {string} part */
function plainPart(part) {
  if (part === "." || part === "..") return part.replaceAll(".", "_");
  const plain = part.replace(RESERVED, "_").replace(TRAILING, (end) => "_".repeat(end.length));
  return DEVICE.test(plain) ? `_${plain}` : plain;
}

/**
 * Numbers the last component: "a/b.txt" becomes "a/b (2).txt".
 *
 * @param {string} path
 * @param {number} number
 */
export function numbered(path, number) {
  const start = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > start ? dot : path.length;
  return `${path.slice(0, end)} (${number})${path.slice(end)}`;
}

/** As a disk that is blind to cases and to composition sees it. @param {string} name */
export function fold(name) {
  return name.normalize("NFC").toLowerCase();
}

/** @param {string} folder @param {string} part */
function join(folder, part) {
  return folder === "" ? part : `${folder}/${part}`;
}
