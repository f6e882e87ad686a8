//! Figures move by exactly what happened, and hold nothing of a transfer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onetimeshare_client::LinkUrl;

use crate::{burn, guess, open, send_one, start};

/// The figures of the series that begin so.
fn of(text: &str, prefix: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
    lines
        .map(|line| {
            let (labels, figure) = line.rsplit_once(' ').unwrap();
            (labels.to_owned(), figure.parse().unwrap())
        })
        .collect()
}

#[track_caller]
fn assert_events(text: &str, expected: [(&str, u64); 7]) {
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(event, count)| (format!("{{event=\"{event}\"}}"), count))
        .collect();
    assert_eq!(of(text, "onetimeshare_transfer_events_total"), expected);
}

#[test]
fn figures_move_by_what_happened_and_outlive_a_restart() {
    let mut server = start();
    let none = [
        "abandoned",
        "burnt",
        "claimed",
        "created",
        "delivered",
        "expired",
        "locked",
    ];
    assert_events(&server.metrics(), none.map(|event| (event, 0)));

    let text = send_one(&server, 10, "right");
    let file = send_one(&server, 200_000, "right");
    let guessed = send_one(&server, 10, "right");
    guess(&text);
    open(&text, "right");
    open(&file, "right");
    for _ in 0..5 {
        guess(&guessed);
    }
    burn(&server, &guessed);
    let events = [
        ("abandoned", 0),
        ("burnt", 1),
        ("claimed", 2),
        ("created", 3),
        ("delivered", 2),
        ("expired", 0),
        ("locked", 1),
    ];
    let told = server.metrics();
    assert_events(&told, events);
    let answers = of(&told, "onetimeshare_http_requests_total");
    let answered = |route: &str, method: &str, status: u16| {
        let labels = format!(
            "{{route=\"/api/v1/transfers{route}\",method=\"{method}\",status=\"{status}\"}}"
        );
        answers.get(&labels).copied()
    };
    assert_eq!(answered("", "POST", 201), Some(3));
    assert_eq!(answered("/{id}/claim", "POST", 200), Some(2));
    assert_eq!(answered("/{id}/peek", "POST", 403), Some(6));
    assert_eq!(answered("/{id}/delivered", "POST", 204), Some(2));
    assert_eq!(answered("/{id}", "DELETE", 204), Some(1));
    let passed = of(&told, "onetimeshare_blob_bytes_total");
    let written = passed.get("{direction=\"written\"}");
    assert!(written.is_some_and(|&len| len > 200_000), "{passed:?}");
    assert_eq!(written, passed.get("{direction=\"read\"}"));

    server.restart();
    let told = server.metrics();
    assert_events(&told, events);
    assert_eq!(
        of(&told, "onetimeshare_http_requests_total"),
        BTreeMap::new()
    );
}

#[test]
fn figures_hold_nothing_of_a_transfer() {
    let server = start();
    let (text, file) = (
        send_one(&server, 10, "right"),
        send_one(&server, 200_000, "right"),
    );
    guess(&text);
    let claimants = [open(&text, "right"), open(&file, "right")];
    let told = server.metrics();
    for (sent, claimant) in [&text, &file].into_iter().zip(claimants) {
        let fragment = sent.link.split_once('#').unwrap().1;
        let id = sent.receipt.id.to_text();
        let owner = *sent.receipt.owner_token.as_bytes();
        let url = LinkUrl::parse(&sent.link).unwrap();
        let host = url.base().trim_start_matches("http://").to_owned();
        for secret in [
            fragment.to_owned(),
            id,
            URL_SAFE_NO_PAD.encode(owner),
            URL_SAFE_NO_PAD.encode(claimant),
            hex::encode(owner),
            hex::encode(claimant),
            host,
            "127.0.0.1".to_owned(),
        ] {
            assert!(!told.contains(&secret), "{secret} stands in\n{told}");
        }
    }
}
