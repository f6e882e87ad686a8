//! The rules of the pages and of the tests that drive them: heads, budgets, what may import what, and what must never be
//! written; each is a function of a path and a text, so that its own test can plant what it must find.

use crate::source::{self, Language, Token};

/// The most lines of a JavaScript module.
const LINES_MAX: usize = 250;

/// Where text could become markup or code. What was received is shown as text, always.
const SINKS: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "setHTMLUnsafe",
    "createContextualFragment",
    "parseFromString",
    "srcdoc",
    "eval",
    "Function",
];

/// Ways to the network, which one module alone takes.
const REQUESTS: &[&str] = &[
    "fetch",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "sendBeacon",
    "WebTransport",
];

/// The layers of `www/js`, from the inside out: each may import itself and what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// No request, no worker, no page.
    Pure,
    /// The server, the worker and the disk, each behind a module.
    Gate,
    /// Transfers, and the elements of the pages.
    Part,
    /// What a page consists of.
    Page,
}

/// Every rule of pages, style sheets and modules.
pub(crate) fn faults(path: &str, text: &str) -> Vec<String> {
    // What others made stays as they wrote it; www/vendor/README.md says what it is.
    if path.starts_with("www/vendor/") {
        return Vec::new();
    }
    let extension = path.rsplit('.').next().unwrap_or_default();
    let is_served = path.starts_with("www/") && !path.starts_with("www/test/");
    match extension {
        "js" | "mjs" => module(path, text, is_served),
        "html" if is_served => page(path, text),
        "css" if is_served => foreign(path, text),
        _ => Vec::new(),
    }
}

fn module(path: &str, text: &str, is_served: bool) -> Vec<String> {
    let code = source::code_of(text, Language::JavaScript);
    let mut found = Vec::new();
    found.extend(head(path, text));
    found.extend(budget(path, text));
    if is_served {
        found.extend(words(path, &code));
        found.extend(imports(path, text, &code));
        found.extend(foreign(path, &without_comments(text, &code)));
    }
    found
}

/// A module begins with `/** … @module */`, with a sentence in it.
fn head(path: &str, text: &str) -> Option<String> {
    let head = text
        .strip_prefix("/**")
        .and_then(|rest| rest.split_once("*/"));
    let has_sentence = head.is_some_and(|(head, _)| {
        let has_module = head.contains("@module");
        has_module
            && head
                .split("@module")
                .next()
                .is_some_and(|text| text.contains(char::is_alphabetic))
    });
    (!has_sentence)
        .then(|| format!("{path}:1: the module does not begin with a sentence in /** … @module */"))
}

/// A module that outgrew its budget does more than one thing. A catalogue is one long list of sentences, and tests
/// one long list of cases.
fn budget(path: &str, text: &str) -> Option<String> {
    if path.starts_with("www/js/text/") || path.contains(".test.") {
        return None;
    }
    let count = text.lines().count();
    (count > LINES_MAX).then(|| format!("{path}: {count} lines, at most {LINES_MAX}"))
}

/// No markup from text, and requests from one module alone.
fn words(path: &str, code: &str) -> Vec<String> {
    let tokens = source::tokens(code);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = |steps: usize| {
            index
                .checked_sub(steps)
                .and_then(|at| tokens.get(at))
                .map(|token| token.text)
        };
        let writes = token.text.starts_with("write")
            && before(1) == Some(".")
            && before(2) == Some("document");
        if writes || SINKS.contains(&token.text) {
            found.push(fault(
                path,
                code,
                token,
                "nothing becomes markup or code from text",
            ));
        }
        let is_own_method = match before(1) {
            Some("#") => true,
            Some(".") => {
                token.text == "fetch"
                    && !matches!(before(2), Some("window" | "self" | "globalThis"))
            }
            other => other == Some("typeof"),
        };
        let sends = REQUESTS.contains(&token.text) && !is_own_method;
        if sends && path != "www/js/api.js" {
            found.push(fault(
                path,
                code,
                token,
                "requests are made by api.js alone",
            ));
        }
    }
    found
}

/// Modules import what lies further in, elements never the API, workers only messages and WebAssembly.
fn imports(path: &str, text: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (offset, specifier) in specifiers(text, code) {
        let line = source::line_of(text, offset);
        let Some(target) = resolve(path, specifier) else {
            found.push(format!(
                "{path}:{line}: an import leaves the folder of the pages ({specifier})"
            ));
            continue;
        };
        if let Some(why) = refusal(path, &target) {
            found.push(format!("{path}:{line}: {why} ({specifier})"));
        }
    }
    found
}

/// Why `path` must not import `target`, both from the root of the repository.
fn refusal(path: &str, target: &str) -> Option<&'static str> {
    if target.starts_with("www/wasm/") {
        return (!path.ends_with(".worker.js"))
            .then_some("the WebAssembly is loaded by the worker alone");
    }
    if path.ends_with(".worker.js") || path == "www/sw.js" {
        let is_messages = target.ends_with(".messages.js");
        return (!is_messages).then_some("a worker imports messages and WebAssembly only");
    }
    if path.starts_with("www/js/ui/") && target == "www/js/api.js" {
        return Some("an element never calls the API");
    }
    (layer(target) > layer(path)).then_some("a module imports what lies further in only")
}

fn layer(path: &str) -> Layer {
    let own = path.strip_prefix("www/js/").unwrap_or(path);
    match own.split(['/', '.']).next().unwrap_or_default() {
        "start" | "send" | "open" | "manage" | "elsewhere" => Layer::Page,
        "transfer" | "ui" => Layer::Part,
        "api" | "crypto" | "save" => Layer::Gate,
        _ => Layer::Pure,
    }
}

/// The specifiers of every `import … "x"`, `from "x"` and `import("x")`, with their places.
fn specifiers<'a>(text: &'a str, code: &str) -> Vec<(usize, &'a str)> {
    let tokens = source::tokens(code);
    let mut found = Vec::new();
    for pair in tokens.windows(3) {
        let [word, next, after] = pair else { continue };
        if !matches!(word.text, "import" | "from") {
            continue;
        }
        let quote = if next.text == "(" { after } else { next };
        if matches!(quote.text, "\"" | "'") {
            let rest = text.get(quote.offset + 1..).unwrap_or_default();
            let specifier = rest.split(['"', '\'']).next().unwrap_or_default();
            found.push((quote.offset, specifier));
        }
    }
    found
}

/// The file that a relative specifier leads to; none outside of the pages' folder.
fn resolve(path: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        return None;
    }
    for step in specifier.split('/') {
        match step {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    let target = parts.join("/");
    target.starts_with("www/").then_some(target)
}

/// Nothing inline, and nothing from elsewhere: the policy that is sent with the page would refuse it.
fn page(path: &str, text: &str) -> Vec<String> {
    let mut found = foreign(path, text);
    for (index, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let mut refuse = |what: &str| found.push(format!("{path}:{}: {what}", index + 1));
        if lower.contains(" style=") || lower.contains("<style") {
            refuse("style stands in style sheets only");
        }
        let is_script =
            lower.contains("<script") && !lower.contains("src=") && !lower.contains("importmap");
        if is_script || lower.contains("javascript:") || has_handler(&lower) {
            refuse("script stands in modules only");
        }
    }
    found
}

/// Whether a line has an attribute such as `onclick=`.
fn has_handler(line: &str) -> bool {
    line.split_whitespace().any(|word| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.and_then(|name| name.strip_prefix("on"))
            .is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_lowercase())
            })
    })
}

/// No address of another host, except the names of XML vocabularies, which nobody fetches.
fn foreign(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for scheme in ["http://", "https://"] {
            let names = line
                .match_indices(scheme)
                .filter_map(|(at, _)| line.get(at..));
            let foreign = names
                .filter(|name| !name.starts_with("http://www.w3.org/"))
                .filter(|name| is_loaded(name));
            if foreign.count() > 0 {
                found.push(format!(
                    "{path}:{}: pages use nothing of another host",
                    index + 1
                ));
            }
        }
    }
    found
}

/// Whether an address goes on after its scheme: a bare scheme in a sentence or a comparison loads nothing.
fn is_loaded(address: &str) -> bool {
    let host = address.split("//").nth(1).unwrap_or_default();
    host.starts_with(|first: char| first.is_alphanumeric() || first == '[')
}

/// The text with its comments blanked and its strings kept.
fn without_comments(text: &str, code: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for ((offset, sign), line_end) in text.char_indices().map(|at| (at, at.1 == '\n')) {
        let kept = code.get(offset..).and_then(|rest| rest.chars().next()) == Some(sign)
            && !sign.is_whitespace();
        if kept && matches!(sign, '"' | '\'' | '`') {
            quote = if quote == Some(sign) {
                None
            } else {
                quote.or(Some(sign))
            };
        }
        let shown = kept || quote.is_some() || line_end;
        out.push(if shown { sign } else { ' ' });
    }
    out
}

fn fault(path: &str, code: &str, token: &Token<'_>, message: &str) -> String {
    let line = source::line_of(code, token.offset);
    format!("{path}:{line}: {message} ({})", token.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "/**\n * A module.\n *\n * @module\n */\n";

    #[track_caller]
    fn refused(path: &str, code: &str, message: &str) {
        let found = faults(path, &format!("{HEAD}{code}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found.iter().all(|fault| fault.contains(message)),
            "{found:?}"
        );
    }

    #[track_caller]
    fn passes(path: &str, code: &str) {
        assert_eq!(faults(path, &format!("{HEAD}{code}")), Vec::<String>::new());
    }

    #[test]
    fn a_module_without_a_head_is_found() {
        for text in [
            "export {};\n",
            "/** @module */\n",
            "/** A module. */\n",
            "// A module. @module\n",
        ] {
            assert_eq!(faults("www/js/a.js", text).len(), 1, "{text}");
            assert_eq!(faults("tests/e2e/lib/a.mjs", text).len(), 1, "{text}");
        }
        passes("www/js/a.js", "export {};\n");
        passes("tests/e2e/lib/a.mjs", "export {};\n");
    }

    #[test]
    fn a_long_module_is_found() {
        refused("www/js/a.js", &"a();\n".repeat(LINES_MAX), "lines, at most");
        passes("www/js/a.js", &"a();\n".repeat(LINES_MAX - 5));
    }

    #[test]
    fn markup_from_text_is_found() {
        for code in [
            "a.innerHTML = b;",
            "a.outerHTML = b;",
            "a.insertAdjacentHTML('x', b);",
            "document.write(b);",
            "document.writeln(b);",
            "new Function(b);",
            "eval(b);",
            "a.srcdoc = b;",
        ] {
            refused("www/js/ui/a.js", code, "markup or code");
        }
        passes(
            "www/js/ui/a.js",
            "a.textContent = 'innerHTML'; // innerHTML\nstream.write(b);",
        );
        passes("www/test/a.test.js", "a.innerHTML = b;");
    }

    #[test]
    fn requests_outside_of_the_api_are_found() {
        for code in [
            "fetch('/a');",
            "new XMLHttpRequest();",
            "navigator.sendBeacon('/a');",
            "window.fetch('/a');",
        ] {
            refused("www/js/transfer/upload.js", code, "api.js alone");
            refused("www/sw.js", code, "api.js alone");
            passes("www/js/api.js", code);
        }
        passes(
            "www/sw.js",
            "addEventListener('fetch', (event) => event.respondWith(a));",
        );
        passes(
            "www/js/a.js",
            "/** @param {typeof fetch} a */\nconst b = prefetch(1);",
        );
    }

    #[test]
    fn imports_go_inwards_only() {
        refused(
            "www/js/ui/a.js",
            "import { Api } from \"../api.js\";",
            "never calls the API",
        );
        refused(
            "www/js/format.js",
            "import { a } from './transfer.js';",
            "further in",
        );
        refused(
            "www/js/api.js",
            "export { a } from \"./ui/a.js\";",
            "further in",
        );
        refused("www/js/transfer/a.js", "import '../send.js';", "further in");
        refused(
            "www/js/a.js",
            "import a from \"../../crypto/a.js\";",
            "leaves the folder",
        );
        refused(
            "www/js/a.js",
            "import a from \"puppeteer\";",
            "leaves the folder",
        );
        refused(
            "www/js/a.js",
            "const a = await import(\"//a\");",
            "leaves the folder",
        );
        refused(
            "www/js/a.js",
            "import init from \"../wasm/a.js\";",
            "the worker alone",
        );
        refused(
            "www/js/crypto.worker.js",
            "import { a } from \"./format.js\";",
            "a worker imports",
        );
        refused(
            "www/sw.js",
            "import { a } from \"./js/format.js\";",
            "a worker imports",
        );
        passes(
            "www/js/crypto.worker.js",
            "import init, {\n  A,\n} from \"../wasm/a.js\";",
        );
        passes(
            "www/js/send.js",
            "import { a } from \"./transfer/upload.js\";\nimport { Api } from \"./api.js\";",
        );
        passes(
            "www/js/save/stream-saver.js",
            "import { a } from \"../entries.js\";",
        );
        passes(
            "www/js/a.js",
            "// import a from \"../../crypto/a.js\";\nconst b = 'import \"x\"';",
        );
    }

    #[test]
    fn what_others_made_is_theirs() {
        passes("www/vendor/a/a.js", "eval(b)\n");
        refused("www/js/a.js", "eval(b)\n", "markup or code");
    }

    #[test]
    fn addresses_of_other_hosts_are_found() {
        refused(
            "www/js/a.js",
            "const a = \"https://example.org/x.js\";",
            "another host",
        );
        passes(
            "www/js/a.js",
            "// See https://example.org/.\nconst a = \"http://www.w3.org/2000/svg\";",
        );
        passes("www/js/a.js", "const a = b.startsWith(\"https://\");");
        assert_eq!(
            faults("www/css/a.css", "@import url(https://a.example/b.css);").len(),
            1
        );
        assert_eq!(
            faults("www/a.html", "<link href=\"http://a.example/b.css\">").len(),
            1
        );
    }

    #[test]
    fn what_stands_inline_in_a_page_is_found() {
        for line in [
            "<p style=\"color: red\">",
            "<style>p {}</style>",
            "<script>a()</script>",
            "<button onclick=\"a()\">",
            "<a href=\"javascript:a()\">",
        ] {
            assert_eq!(faults("www/a.html", line).len(), 1, "{line}");
        }
        let clean = "<script type=\"module\" src=\"js/a.js\"></script>\n<p class=\"one\" data-state=\"b\">once=twice</p>";
        assert_eq!(faults("www/a.html", clean), Vec::<String>::new());
    }
}
