//! What is left of a transfer that has ended, in the server's own files and in its log: nothing, within a minute.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use onetimeshare_client::Client;
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_tests::Server;

use crate::ledger::Ledger;
use crate::load::client;
use crate::scale::{files_below, row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, fresh};
use crate::wire::Call;

pub(crate) const SETTINGS: &[&str] = &[
    "--part-size",
    "64KiB",
    "--inline-max",
    "4KiB",
    "--max-transfer-size",
    "16MiB",
    "--min-ttl",
    "1s",
    "--lease",
    "10s",
    "--log",
    "debug",
];

/// The promise: nothing is left a minute after the end. The last of them ends when its lease lapses, after ten seconds.
const PROMISED: Duration = Duration::from_secs(10 + 60);

/// How a transfer ends, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Delivered,
    Burnt,
    BurntInUpload,
    Expired,
    Lapsed,
    Never,
}

const ENDS: [End; 6] = [
    End::Delivered,
    End::Burnt,
    End::BurntInUpload,
    End::Expired,
    End::Lapsed,
    End::Never,
];

/// Lives a transfer up to its end, or to where only time is left. The transfer, and its proofs.
fn live(
    end: End,
    content_len: usize,
    client: &Client,
    rng: &mut fastrand::Rng,
) -> (Tale, Vec<Vec<u8>>) {
    let secret =
        Secret::seal(rng, content_len, 1).with_ttl(if end == End::Expired { 1 } else { 3600 });
    let mut tale = Tale::new(secret, Ledger::default());
    let claimant = fresh(rng);
    let proofs = tale.secret.proofs(&claimant);
    let mut calls = vec![Call::Create];
    calls.extend((0..tale.secret.part_count()).map(Call::Part));
    if end == End::BurntInUpload && !tale.secret.is_inline() {
        calls.push(Call::Burn);
    } else {
        calls.extend((!tale.secret.is_inline()).then_some(Call::Complete));
        calls.extend(calls_to(end, &tale, claimant));
    }
    for call in &calls {
        tale.call(client, call);
    }
    (tale, proofs)
}

fn calls_to(end: End, tale: &Tale, claimant: ClaimToken) -> Vec<Call> {
    let claim = Call::Claim(claimant.clone());
    let fetch = Call::Body(claimant.clone(), 0..tale.secret.create.body_len);
    let peek = Call::Peek { with_access: true };
    match end {
        End::Delivered => vec![peek, claim, fetch, Call::Delivered(claimant)],
        End::Burnt | End::BurntInUpload => vec![claim, Call::Burn],
        End::Lapsed => vec![claim],
        End::Expired | End::Never => Vec::new(),
    }
}

/// Where one of `needles` is found: the files' names and the log's.
fn found(needles: &AhoCorasick, server: &Server) -> Vec<String> {
    let mut places = found_in(needles, files_below(&server.data_dir()));
    if needles.is_match(&server.log()) {
        places.push("the log".to_owned());
    }
    places
}

/// Looks for all of `needles` at once.
pub(crate) fn search(needles: &[Vec<u8>]) -> AhoCorasick {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(needles)
        .expect("they are short and few")
}

/// The names of those of `files` in which one of `needles` is found.
pub(crate) fn found_in(needles: &AhoCorasick, mut files: Vec<PathBuf>) -> Vec<String> {
    files.retain(|file| {
        // One that is deleted at this moment holds nothing any more.
        needles.is_match(&fs::read(file).unwrap_or_default())
    });
    files.iter().map(|file| name_of(file)).collect()
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Each byte string as it is, and as it would stand in a text.
fn in_every_form(secrets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let forms = |secret: &Vec<u8>| {
        [
            secret.clone(),
            URL_SAFE_NO_PAD.encode(secret).into_bytes(),
            STANDARD_NO_PAD.encode(secret).into_bytes(),
            hex::encode(secret).into_bytes(),
        ]
    };
    secrets.iter().flat_map(forms).collect()
}

#[test]
fn nothing_is_left_of_what_has_ended() {
    let rounds = short_or_long(2, 20);
    let mut rng = seeded("residue");
    let server = Server::start(SETTINGS);
    let client = client(&server.base());
    let (mut dead, mut proofs, mut living) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (end, content_len) in ENDS
            .into_iter()
            .flat_map(|end| [(end, 2000), (end, PART_LEN + 5000)])
        {
            let (tale, its_proofs) = live(end, content_len, &client, &mut rng);
            proofs.extend(its_proofs);
            if end == End::Never {
                living.push(tale);
            } else {
                dead.extend(tale.secret.ciphertext());
            }
        }
    }
    let dead_forms = search(&in_every_form(&dead));
    let proof_forms = in_every_form(&proofs);
    until("the end of what has ended", PROMISED, || {
        found(&dead_forms, &server).is_empty()
    });
    // The search finds what is there.
    for tale in &living {
        let file = if tale.secret.is_inline() {
            "records.sqlite"
        } else {
            "0."
        };
        let places = found(&search(&tale.secret.ciphertext()), &server);
        assert!(
            places.iter().any(|place| place.starts_with(file)),
            "not found: {places:?}"
        );
    }
    assert_eq!(
        found(&search(&proof_forms), &server),
        Vec::<String>::new(),
        "a proof or token is kept"
    );
    let log = server.log();
    assert!(
        log.contains("DEBUG") && log.contains("/claim"),
        "the log is not at debug: {log}"
    );
    row(
        "delivered, burnt (uploading and ready), expired and lapsed beside living transfers",
        &format!(
            "{} strings of {} transfers, {} forms of their proofs",
            dead.len(),
            rounds * 10,
            proof_forms.len()
        ),
        "0 found in database, log of the database, blobs and debug log within a minute; all of the living",
    );
}

#[test]
fn the_search_finds_every_form() {
    let server = Server::start(SETTINGS);
    let secret = vec![vec![0xfb; 32]];
    for form in in_every_form(&secret) {
        let file = server.data_dir().join("planted");
        fs::write(&file, [b"before ", &form[..], b" after"].concat()).expect("the folder is ours");
        assert_eq!(
            found(&search(&in_every_form(&secret)), &server),
            ["planted"]
        );
    }
}
