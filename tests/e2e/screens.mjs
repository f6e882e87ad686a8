/**
 * Takes the screenshots of docs/screens: every state a person meets, light and dark, wide and narrow, and a sheet that lists
 * them. Called with the folder to write into; it judges nothing.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withPalette } from "./lib/palette.mjs";
import { STATES, Scenery, THEMES, WIDTHS, showAs } from "./lib/states.mjs";
import { sleep } from "./lib/wait.mjs";

/** More than this, in bytes, and the pictures weigh on everybody who clones. */
const LEN_MAX = 65_536;
/** The last words of a page come after its state, in ms. */
const SETTLE_MS = 300;

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("name the folder for the pictures");

const scenery = await Scenery.open();
try {
  for (const state of STATES) await scenery.play(state, (page) => takeAll(page, state));
} finally {
  await scenery.close();
}
await writeFile(join(folder, "README.md"), sheet());

/**
 * @param {import("puppeteer-core").Page} page
 * @param {import("./lib/states.mjs").State} state
 */
async function takeAll(page, { name }) {
  await sleep(SETTLE_MS);
  for (const width of WIDTHS) {
    for (const theme of THEMES) {
      await showAs(page, theme, width);
      await shoot(page, fileOf(name, theme, width));
    }
  }
}

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} file
 */
async function shoot(page, file) {
  const picture = withPalette(await page.screenshot({ fullPage: true, captureBeyondViewport: true }));
  await writeFile(join(folder, file), picture);
  if (picture.length > LEN_MAX) console.warn(`${file} has ${picture.length} bytes, more than ${LEN_MAX}`);
}

/** @param {string} name @param {string} theme @param {number} width */
function fileOf(name, theme, width) {
  return `${name}-${theme}-${width}.png`;
}

/** The list of the pictures, as Markdown. */
function sheet() {
  const looks = WIDTHS.flatMap((width) => THEMES.map((theme) => ({ theme, width })));
  const head = looks.map(({ theme, width }) => `${theme}, ${width}`);
  const rows = STATES.map(({ name, what }) => {
    const links = looks.map(({ theme, width }) => `[look](${fileOf(name, theme, width)})`);
    return `| \`${name}\` | ${what} | ${links.join(" | ")} |`;
  });
  return `# What a person sees

Every state of the pages, light and dark, at 1280 and 320 CSS pixels. Written by \`cargo xtask screens\` from
\`tests/e2e/lib/states\`; \`tests/e2e/axe.test.mjs\` looks at the same states.

| State | What | ${head.join(" | ")} |
| --- | --- |${looks.map(() => " --- |").join("")}
${rows.join("\n")}
`;
}
