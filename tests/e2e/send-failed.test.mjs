/**
 * Uploads that do not get through: a proxy that is not ours answers, the server is asked too much, its storage is full. Each is
 * a screen that says what to look for, and what can go on does. Faults are the proxy's in front of the server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Faults } from "./lib/fault.mjs";
import { compose, failAtOnce, press, reach, stateOf, wordsOf } from "./lib/pages.mjs";
import { Stage } from "./lib/stage.mjs";
import { refusal } from "./lib/states/answers.mjs";
import { until } from "./lib/wait.mjs";

const LIMIT = { timeout: 120_000 };
const KEPT = "not lost by a failure";

const stage = await Stage.open();
const faults = await Faults.start(stage.server.port);
after(async () => {
  await faults.stop();
  await stage.close();
});

/** What a proxy, or the server, answers to an upload, and what the page then says. */
const ENDS = [
  { status: 413, fault: { status: 413 }, says: /a proxy .* too large \(413\).*client_max_body_size/, goesOn: false },
  { status: 502, fault: { status: 502 }, says: /cannot reach the server behind it \(502\).*proxy_pass/, goesOn: true },
  { status: 504, fault: { status: 504 }, says: /gave up waiting .* \(504\).*proxy_read_timeout/, goesOn: true },
  { status: 507, fault: refusal(507, "store.full"), says: /storage is full/, goesOn: false },
  { status: 403, fault: refusal(403, "quota.exceeded"), says: /gives one sender/, goesOn: false },
  { status: 429, fault: refusal(429, "request.rate_limited"), says: /asked too much/, goesOn: true },
];

for (const browser of stage.browsers) {
  test(`${browser.name}: what stops an upload is named, and what can go on goes on`, LIMIT, async () => {
    const visit = await browser.visit(faults.origin);
    const { page, watch } = visit;
    // Giving up deletes what may have arrived, and nothing has.
    watch.expectStatus(404);
    try {
      for (const { status, fault, says, goesOn } of ENDS) {
        watch.expectStatus(status);
        await compose(page, faults.origin, { text: KEPT });
        faults.plan = (method, path) => (method === "POST" && path.endsWith("/transfers") ? fault : null);
        await press(page, "#send");
        await failAtOnce(page);
        assert.match(await wordsOf(page, "#notice-why"), says);
        faults.plan = () => null;
        await press(page, "#retry");
        if (goesOn) await reach(page, ["done"]);
        else await reach(page, ["start"]);
        if (!goesOn) assert.equal(await page.evaluate(() => document.querySelector("#text").value), KEPT);
      }
      assert.deepEqual(watch.faults, []);
    } finally {
      await visit.leave();
    }
  });

  test(`${browser.name}: a server that is asked too much is asked again when it said`, LIMIT, async () => {
    const visit = await browser.visit(faults.origin);
    const { page, watch } = visit;
    try {
      watch.expectStatus(429);
      await compose(page, faults.origin, { text: KEPT });
      let asked = 0;
      const busy = refusal(429, "request.rate_limited");
      const headers = { ...busy.headers, "Retry-After": "2" };
      faults.plan = (_, path) => (path.endsWith("/transfers") && (asked += 1) === 1 ? { ...busy, headers } : null);
      const since = performance.now();
      await press(page, "#send");
      await until("the wait", async () => /It goes on by itself in 2 seconds/.test(await wordsOf(page, "#progress")));
      assert.equal(await stateOf(page), "working");
      await reach(page, ["done"]);
      assert.ok(performance.now() - since >= 2000);
      assert.equal(asked, 2);
      assert.deepEqual(watch.faults, []);
    } finally {
      faults.plan = () => null;
      await visit.leave();
    }
  });
}
