/**
 * The pages and the catalogue fit together: every sentence asked for exists, every sentence is used, and nothing in a page
 * would be stopped by the content security policy.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Format } from "../js/format.js";
import { openNotice, sendNotice } from "../js/notices.js";
import { Problem } from "../js/problem.js";
import { en } from "../js/text/en.js";

const WWW = fileURLToPath(new URL("..", import.meta.url));
const PAGES = ["index.html", "open.html", "manage.html"];
/** What a server of one half gives instead of those that it does not have: written as it is read, and started for one button. */
const HALF = ["only-creates.html"];
/** Those that are read without any script. */
const STILL = ["unknown.html", "only-opens.html"];
/** All there are. */
const ALL = [...PAGES, ...HALF, ...STILL];
/** What pages may point at besides assets. */
const OWN_ADDRESSES = ["/", "/manage", "/manifest.webmanifest", "#main"];
const scripts = readdirSync(join(WWW, "js"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".js"))
  .map((name) => join("js", name));
const read = (/** @type {string} */ name) => readFileSync(join(WWW, name), "utf8");
const code = scripts.filter((name) => !name.startsWith("js/text/")).map(read).join("\n");
const keys = new Set(Object.keys(en));

test("every sentence that a page or a module names is in the catalogue", () => {
  const asked = PAGES.flatMap((page) => [...read(page).matchAll(/data-(?:text|label|placeholder|title)="([^"]+)"/g)]);
  const called = [...code.matchAll(/\b(?:text|keyOr|startPage)\(\s*"([^"]+)"/g)];
  const missing = [...asked, ...called].map(([, key]) => key ?? "").filter((key) => !keys.has(key));
  assert.deepEqual(missing, []);
  assert.ok(asked.length > 30 && called.length > 30);
});

test("what a page says before its scripts are there is what the catalogue says", () => {
  const format = new Format("en");
  const sentence = (/** @type {string | undefined} */ key) => {
    const found = en[/** @type {keyof typeof en} */ (key)];
    return typeof found === "function" ? /** @type {(values: object, format: Format) => string} */ (found)({}, format) : found;
  };
  for (const page of PAGES) {
    const html = read(page);
    const words = [...html.matchAll(/\sdata-text="([^"]+)"[^>]*>((?:[^<]|<\/?strong>)+)</g)];
    for (const [, key, said] of words) assert.equal(said?.replace(/<\/?strong>/g, "*"), sentence(key), `${page}, ${key}`);
    const marked = [...html.matchAll(/\sdata-(label|placeholder|title)="([^"]+)"\s+(?:aria-label|placeholder|title)="([^"]+)"/g)];
    for (const [, , key, said] of marked) assert.equal(said, sentence(key), `${page}, ${key}`);
    assert.ok(words.length > 5 && marked.length >= 2, page);
  }
});

test("each page is one that can be started", () => {
  const named = [...PAGES, ...HALF].map((page) => read(page).match(/<html [^>]*data-page="([^"]+)"/)?.[1]);
  const startable = [...read("js/start.js").matchAll(/^ {2}(\w+): \(\) => import\("\.\/(\w+)\.js"\),$/gm)];
  for (const [, page, module] of startable) assert.equal(page, module);
  assert.deepEqual(named, startable.map(([, page]) => page));
});

test("every sentence in the catalogue is used", () => {
  const sources = [...PAGES.map(read), code].join("\n");
  const made = [
    /^(missing|reloaded|outdated|network\.none|damaged|newer|unknown|gone|claimed|locked|incomplete|unsavable|offline)\./,
    /\.(title|why|todo)$/,
    /^(send\.step|open\.status|send\.strength|send\.token\.trouble)\./,
    /^manage\.(head|step|receipt_damaged|unknown|offline)\./,
  ];
  const unused = [...keys].filter((key) => !sources.includes(`"${key}"`) && !made.some((form) => form.test(key)));
  assert.deepEqual(unused, []);
});

test("every sentence can be said", () => {
  const values = { count: 2, size: 1e6, at: 1.7e9, total: 2e6, limit: 9, over: 9, used: 9, name: "n", life_s: 9, duration_s: 60 };
  const more = {
    speed: 9, left_s: 9, percent: 25, what: "w", claimed_at: 1.7e9, code: "c", version: "1", lines: 3, lease_s: 600,
    guesses: 1e9, wait_s: 9, left: 1, most: 2,
  };
  const format = new Format("en");
  for (const [key, sentence] of Object.entries(en)) {
    const said = typeof sentence === "function" ? sentence(/** @type {any} */ ({ ...values, ...more }), format) : sentence;
    assert.match(said, /\S/, key);
    assert.doesNotMatch(said, /undefined|NaN|\[object/, key);
    assert.equal(said.split("*").length % 2, 1, `${key} has a lone asterisk`);
  }
});

test("sentences say what is so, with a passphrase or without, for one open or several", () => {
  const format = new Format("en");
  const careful = en["send.careful"];
  assert.match(careful({ count: 1, with_passphrase: false }), /has the link can open it.* uses it up/);
  assert.match(en["send.title.several"]({ count: 3 }, format), /Up to 3 times/);
  assert.match(careful({ count: 3, with_passphrase: true }), /has the link and the passphrase can open it.* uses an open up/);
  assert.match(en["footer.how.delete"]({}, format), /knows for a while after/);
  assert.match(en["footer.how.delete"]({ known_s: 3 * 86_400 }, format), /knows for 3 days after/);
  // It may have been opened before it locked.
  assert.doesNotMatch(en["locked.why"], /unopened/);
  const all = Object.values(en).filter((sentence) => typeof sentence === "string").join("\n");
  // How long the server remembers is its setting.
  assert.doesNotMatch(all, /(for|over) a day/);
});

test("a proxy's answer to an upload names what to look for", () => {
  for (const [code, setting] of [["proxy.too_large", "client_max_body_size"], ["proxy.bad_gateway", "proxy_pass"], ["proxy.timeout", "proxy_read_timeout"]]) {
    assert.ok(sendNotice(new Problem(String(code))).why.includes(String(setting)), code);
  }
});

test("each problem has a why and a todo of its own, an unknown one names its code", () => {
  const codes = [...keys].filter((key) => /^[a-z]+\.[a-z_]+\.why$/.test(key)).map((key) => key.replace(/\.why$/, ""));
  for (const one of codes) assert.ok(keys.has(`${one}.todo`) || one.startsWith("gone.") || one === "problem.unknown", one);
  assert.match(sendNotice(new Problem("brand.new")).why, /brand\.new/);
  assert.equal(sendNotice(new Problem("store.full")).why, en["store.full.why"]);
  const over = new Problem("quota.exceeded", { status: 403, members: { count_max: 300 } });
  assert.equal(sendNotice(over).why, en["quota.exceeded.why"]);
  assert.match(sendNotice(over).todo ?? "", /receipt.* expired/);
  // With a token it is not the network's others that are in the way.
  assert.equal(sendNotice(over, true).why, en["quota.exceeded.token.why"]);
  assert.match(sendNotice(over, true).todo, /receipt.* expired.* another token/);
  assert.equal(sendNotice(new Problem("store.full"), true).why, en["store.full.why"]);
  assert.equal(over.passing, false, "it is not tried again by itself");
});

test("gone says when it was opened and what that may mean", () => {
  const gone = (/** @type {object} */ members) =>
    openNotice({ name: "gone", problem: new Problem("transfer.gone", { status: 410, members: { ...members } }) });
  const opened = gone({ cause: "delivered", at: 1.7e9, claimed_at: 1.6e9 });
  assert.match(opened.why, /13\sSept?|Sep\s13/);
  assert.equal(opened.todo, en["gone.opened.todo"]);
  assert.match(gone({ cause: "expired", at: 1.7e9 }).why, /nobody had opened it/);
  assert.equal(gone({ cause: "burnt", at: 1.7e9, claimed_at: 1.6e9 }).todo, en["gone.opened.todo"]);
  assert.equal(gone({ cause: "something new", at: 1.7e9 }).title, en["gone.other.title"]);
});

test("pages hold nothing that the content security policy forbids", () => {
  for (const page of ALL) {
    const html = read(page);
    assert.doesNotMatch(html, /\sstyle=|\son[a-z]+=|<style|javascript:/i, page);
    const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>/g)].map(([tag]) => tag);
    assert.deepEqual(inline, STILL.includes(page) ? [] : ['<script type="importmap">'], page);
    assert.equal(html.includes('<script type="importmap"></script>'), !STILL.includes(page), page);
    const addresses = [...html.matchAll(/\s(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? "");
    assert.deepEqual(addresses.filter((address) => !address.startsWith("/assets/") && !OWN_ADDRESSES.includes(address)), []);
    for (const address of addresses.filter((one) => one.startsWith("/assets/"))) {
      assert.ok(readFileSync(join(WWW, address.replace("/assets/", "").replace(/#.*/, ""))).length > 0, address);
    }
  }
});

test("every password is in a form, as browsers want it, and no form leads anywhere", () => {
  for (const page of ALL) {
    const html = read(page);
    assert.doesNotMatch(html.replace(/<form[\s\S]*?<\/form>/g, ""), /type="password"/, page);
    assert.doesNotMatch(html, /\s(?:form)?action=|method="(?!dialog")/, page);
  }
});

test("each icon that is named is drawn", () => {
  const drawn = new Set([...read("icons.svg").matchAll(/<symbol id="([^"]+)"/g)].map(([, id]) => id));
  const named = ALL.flatMap((page) => [...read(page).matchAll(/icons\.svg#([a-z-]+)/g)].map(([, id]) => id));
  assert.deepEqual(named.filter((id) => !drawn.has(id)), []);
});

test("ids are unique on a page, and each that a module looks for exists on one", () => {
  const all = new Set();
  for (const page of ALL) {
    const ids = [...read(page).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, page);
    for (const id of ids) all.add(id);
  }
  const wanted = [...code.matchAll(/byId\("([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(wanted.filter((id) => !all.has(id)), []);
});

test("modules depend only downwards: pages, then transfer and ui, then api, crypto and save, then what is pure", () => {
  const layer = (/** @type {string} */ name) => {
    if (/^js\/(start|send|open|manage|elsewhere)\.js$/.test(name)) return 3;
    if (/^js\/(transfer|ui)\//.test(name)) return 2;
    return /^js\/(api|crypto|crypto\.worker|save|trusted)\.js$|^js\/save\//.test(name) ? 1 : 0;
  };
  const wrong = [];
  let seen = 0;
  for (const name of scripts) {
    const imports = [...read(name).matchAll(/^(?:import|\} from) ?(?:[^;]*? from )?"(\.[^"]+)"/gm)];
    for (const [, target] of imports) {
      const to = relative(WWW, normalize(join(WWW, dirname(name), target ?? "")));
      seen += 1;
      if (to.startsWith("wasm/") && name === "js/crypto.worker.js") continue;
      if (layer(to) > layer(name) || (name.startsWith("js/ui/") && to === "js/api.js")) wrong.push(`${name} -> ${to}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(seen > 60);
});
