//! The page of measurements: what was measured, how, and the tables. Every number in it comes from the run.

use super::figures::{Crypto, Hostile, Live, Load};
use super::machine::Machine;
use super::table::Table;
use super::{crypto, hostile, live, load};

const HEAD: &str = "\
# Performance

Measured by one command that anybody can repeat: `{command}`. It builds what is released, measures, and writes this page; no figure here
is typed by hand. Trust the ratios: absolute numbers are of one machine. Rates, latencies and ratios of the first two chapters are medians over
alternated passes, peaks of memory the highest of any; the other tables are of one pass, whose calls are many.

## The machine
";

const NATIVE: &str = "\
## Sealing and opening
Command: `cargo xtask bench crypto`. In each cell: 10⁶ bytes a second on one thread, and the ratio to the first column. Contestants take turns in
every pass; every contestant is checked to open what it sealed, and ChaCha20-Poly1305 of different makers to give the same bytes.

### Native
RustCrypto and ring seal a message in one call: key set up, content copied once, sealed in place. onetimeshare is the whole path of a
body on top of RustCrypto: payload key (HKDF), padding, chunks of 64 KiB, record of tags, checks of padding.
";

const WASM: &str = "\
The module as it is served. Content goes in from JavaScript and the result comes back there, with the copies into and out of WebAssembly's memory; keys are
set up beforehand. onetimeshare is again the whole path of a body, and opening it derives the payload key. WebCrypto is called once for each message and
waited for; AES-256-GCM, which runs on the processor's own instructions, is there for reference. ChaCha20-Poly1305 stands where the engine has it.
";

const TIMES: &str = "\
### Before the first byte
Keys and manifest: drawing a link, deriving every key, sealing a manifest for one file. Argon2id (64 MiB, 3 passes, 1 lane) is what a passphrase adds on either
side; ratios are to ours natively.
";

const LOAD: &str = "\
## The service under load
Command: `cargo xtask bench load`. Each client has one connection and begins its next transfer when one is done; latencies are of whole transfers, from the first
request to the last answer. Generator and target share the processors. Every pass starts the target afresh on an empty folder, and the targets take turns. No target
logs requests.

| target | what it does for one transfer | what survives a power cut once it was answered |
| --- | --- | --- |
| onetimeshare | create, claim, delivered; for a file also its part, complete, and the body | everything: create, claim, and erasure are synced |
| control | PUT, GET, DELETE of the same bytes as a file: written aside, synced, renamed, folder synced | everything; it claims nothing and proves nothing |
| nginx | the same three requests | **nothing is synced: this is the ceiling without durability, and not the same promise** |

Ratios are to the control, which promises to keep what it took, as onetimeshare does. It syncs for every request; onetimeshare commits many requests at once.
";

const SMALL: &str = "\
### A text of 1 KiB
Proofs, keys and sealed bytes are made before the clock runs, so that the client's share stays small. One transfer is three requests.
";

const LARGE: &str = "\
### A file of 1 MiB
With sealing and opening in the client, for every target alike. One transfer is six requests for onetimeshare (create, one part, complete, claim, body, delivered)
and three for the others.
";

const UPLOADS: &str = "\
### Memory while large files arrive
The server's highest resident memory (VmHWM), before and after.
";

const LIVE: &str = "\
## Many waiting transfers
Command: `cargo xtask bench live`. Texts of 1 KiB that nobody has opened, put into the store through its own trait by many concurrent steps (no HTTP). Then the real
server: its start until the first answer, each call alone on one connection (create of new ones, peek and claim of old ones far apart), and how long it
takes, from its start, until as many have expired as fell due while no server ran. Create and claim are synced before they are answered. *disk alone* is the time to
write over and sync 32 KiB without any server, taken in turn with the calls: a disk that has just taken gigabytes may be slower. The database lies in the system's
page cache where memory allows.
";

const SLOW: &str = "\
## Hostile clients
Command: `cargo xtask bench hostile`. Normal clients send, open and erase texts of 1 KiB, about 300 a second, first alone and then beside the others; latencies are of
whole transfers. Generator and target share the processors.

### Slow clients
A third of them sends a byte of a head every second, a third a byte of a part, a third reads a byte of an answer of 32 MiB, from 21 addresses. A connection is gone when
the server's end of it is. The control is the same router on the same stores, served by `axum::serve`: the router alone ends the bodies.
";

const FLOODS: &str = "\
### Floods of HTTP/2
Four connections at once, each followed by the next when it was ended, a hundred at most. A connection that was not ended has sent all its frames and was left.
";

/// Everything that one run found.
pub(super) struct Page {
    command: String,
    machine: Machine,
    /// By place, the native one first; empty when it was not measured.
    pub(super) crypto: Vec<(String, Crypto)>,
    /// None when it was not measured.
    pub(super) load: Option<Load>,
    /// Empty when it was not measured.
    pub(super) live: Vec<Live>,
    /// None when it was not measured.
    pub(super) hostile: Option<Hostile>,
}

impl Page {
    /// With no figure so far.
    pub(super) const fn new(command: String, machine: Machine) -> Self {
        Self {
            command,
            machine,
            crypto: Vec::new(),
            load: None,
            live: Vec::new(),
            hostile: None,
        }
    }

    /// The whole page.
    pub(super) fn text(&self) -> String {
        let mut machine = Table::new(["", ""]);
        for fact in self.machine.facts() {
            machine.row(fact);
        }
        let mut sections = vec![HEAD.replace("{command}", &self.command) + &machine.text()];
        if let Some(((_, native), others)) = self.crypto.split_first() {
            let passes = native.speeds.first().map_or(0, |speed| speed.mb_s.len());
            let explained = format!("{NATIVE}Medians of {passes} passes, here as below.\n");
            sections.push(with(&explained, &crypto::speeds(native)));
            for (index, (place, figures)) in others.iter().enumerate() {
                let explained = if index == 0 { WASM } else { "" };
                let heading = format!("### {place}\n{explained}");
                sections.push(with(&heading, &crypto::speeds(figures)));
            }
            sections.push(with(TIMES, &crypto::times(&self.crypto)));
        }
        if let Some(load) = &self.load {
            let passes = load.cells.first().map_or(0, |cell| cell.passes.len());
            let length = format!(
                "Medians of {passes} passes of {} s for each row.\n",
                load.pass_s
            );
            sections.push(format!("{LOAD}{length}"));
            sections.push(with(SMALL, &load::scenario(load, "small")));
            sections.push(with(LARGE, &load::scenario(load, "large")));
            sections.push(with(UPLOADS, &load::uploads(load)));
        }
        if !self.live.is_empty() {
            sections.push(with(LIVE, &live::table(&self.live)));
        }
        if let Some(hostile) = &self.hostile {
            sections.push(with(SLOW, &hostile::slow(hostile)));
            sections.push(with(FLOODS, &hostile::floods(hostile)));
        }
        sections.join("\n")
    }
}

/// A table begins after an empty line.
fn with(text: &str, table: &str) -> String {
    format!("{text}\n{table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let machine = Machine::with("kernel", "Linux 6");
        Page::new("cargo xtask bench live".to_owned(), machine)
    }

    #[test]
    fn what_was_not_measured_is_not_told() {
        let text = page().text();
        assert!(text.starts_with("# Performance\n"), "{text}");
        assert!(text.contains("`cargo xtask bench live`"), "{text}");
        assert!(text.ends_with("| kernel | Linux 6 |\n"), "{text}");
        assert!(!text.contains("nginx"), "{text}");
    }

    #[test]
    fn every_place_has_a_table_under_a_heading_of_its_own() {
        let mut page = page();
        page.crypto = ["Native", "WebAssembly in Node.js", "WebAssembly in Firefox"]
            .map(|place| (place.to_owned(), Crypto::default()))
            .into();
        let text = page.text();
        let headings: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("###"))
            .collect();
        let expected = [
            "### Native",
            "### WebAssembly in Node.js",
            "### WebAssembly in Firefox",
            "### Before the first byte",
        ];
        assert_eq!(headings, expected);
        assert_eq!(text.matches("The module as it is served.").count(), 1);
    }
}
