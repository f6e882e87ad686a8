/**
 * Profiles for Firefox. Half of what its start costs is what it does in a profile that is new: that is done once, and every
 * launch gets a copy of its own. No page was ever loaded in it.
 *
 * @module
 */

import { cp, mkdir, mkdtemp, realpath, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import puppeteer from "puppeteer-core";

const KEPT = fileURLToPath(new URL("../../../target/firefox-profiles/", import.meta.url));

/**
 * A profile in which Firefox has been started once, for one launch.
 *
 * @param {string} executablePath
 * @returns {Promise<string>} Its folder, for the caller to remove.
 */
export async function newProfile(executablePath) {
  const model = await modelOf(executablePath);
  const profile = await mkdtemp(join(tmpdir(), "onetimeshare-e2e-profile-"));
  await cp(model, profile, { recursive: true });
  return profile;
}

/** The profile to copy; another for each Firefox. @param {string} executablePath */
async function modelOf(executablePath) {
  const { mtimeMs, size } = await stat(await realpath(executablePath));
  const model = join(KEPT, `${Math.trunc(mtimeMs)}-${size}`);
  if (await isThere(model)) return model;
  await mkdir(KEPT, { recursive: true });
  const aside = await mkdtemp(join(KEPT, "new-"));
  const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, userDataDir: aside });
  await browser.close();
  // Of several that are made at once the first stays.
  await rename(aside, model).catch(async (error) => {
    await rm(aside, { recursive: true, force: true });
    if (!(await isThere(model))) throw error;
  });
  return model;
}

/** @param {string} path */
function isThere(path) {
  return stat(path).then(() => true, () => false);
}
