/**
 * The page of a server that only creates, where somebody came to open a link: leads on with the same link to the server that opens
 * them. It reads nothing of the link, and sends none of it anywhere.
 *
 * @module
 */

import { Api } from "./api.js";
import { elsewhere, takeFragment } from "./link.js";

// A link pasted into the address bar of this page changes nothing but the fragment; it is a new page all the same.
addEventListener("hashchange", () => location.reload());
if (location.hash.length > 1) void offer();

/** Without an answer everything stays as it is: the link is still in the address, for when the page is loaded again. */
async function offer() {
  const limits = await new Api().config().catch(() => null);
  const there = limits && elsewhere(limits, location);
  const way = document.getElementById("there");
  if (!there || !(way instanceof HTMLAnchorElement)) return;
  takeFragment(location, history);
  way.href = there;
  way.hidden = false;
  document.getElementById("there-note")?.removeAttribute("hidden");
}
