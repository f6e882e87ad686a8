//! Sending to a server that is busy, forgets, or lies; and content that changes on the way.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use onetimeshare_client::{Client, Content, Error, FileSource, SendOptions, Sending, Source, send};
use onetimeshare_crypto::Error as CryptoError;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::CreateToken;
use onetimeshare_protocol::transfer::{
    CompleteAnswer, ConfigAnswer, CreateAnswer, CreateRequest, PartsAnswer, Role, State,
};

use crate::scripted::{Lent, Scripted, done, json, refusal};

const PART_LEN: u64 = 65_536;
const EXPIRES_AT: u64 = 1_800_000_000;

fn config() -> ConfigAnswer {
    ConfigAnswer {
        version: "0".to_owned(),
        transfer_size_max: 1 << 30,
        inline_max: PART_LEN,
        part_len: PART_LEN,
        ttl_s_max: 604_800,
        ttl_s_default: 86_400,
        ttl_s_min: 60,
        claims_max: 100,
        lease_s: 600,
        upload_idle_s: 3600,
        tombstone_ttl_s: 86_400,
        needs_create_token: false,
        role: Role::Both,
        open_url: None,
    }
}

fn created(state: State) -> Vec<u8> {
    json(
        201,
        &CreateAnswer {
            state,
            part_len: PART_LEN,
            expires_at: (state == State::Ready).then_some(EXPIRES_AT),
        },
    )
}

fn parts(accepted: &[u64]) -> Vec<u8> {
    json(
        200,
        &PartsAnswer {
            part_len: PART_LEN,
            part_count: 3,
            accepted: accepted.to_vec(),
        },
    )
}

fn completed() -> Vec<u8> {
    json(
        200,
        &CompleteAnswer {
            state: State::Ready,
            expires_at: EXPIRES_AT,
        },
    )
}

/// A file of three parts.
fn file(source: Box<dyn Source>) -> Content<'static> {
    Content::Files(vec![FileSource {
        name: "a".to_owned(),
        media_type: String::new(),
        size: 150_000,
        source,
    }])
}

fn zeros() -> Content<'static> {
    file(Box::new(Cursor::new(vec![0; 150_000])))
}

/// The last word of each line: what was called.
fn calls(server: &Scripted) -> Vec<String> {
    let lines = server.lines().into_iter();
    lines
        .map(|line| {
            let (method, path) = line.split_once(' ').unwrap();
            let name = path.splitn(3, '/').nth(2).unwrap_or(path);
            format!("{method} {name}")
        })
        .collect()
}

#[test]
fn a_small_body_goes_with_its_create_and_a_lost_answer_is_asked_for_again() {
    let server = Scripted::answering(vec![
        json(200, &config()),
        Vec::new(),
        created(State::Ready),
    ]);
    let machine = Arc::new(Lent::default());
    let client = server.client(&machine);
    let sent = send(&client, &SendOptions::default(), Content::Text("x")).unwrap();
    assert_eq!(sent.expires_at, EXPIRES_AT);
    assert!(sent.link.starts_with(&format!("{}/open#", server.base())));
    let (_, secret) = sent.link.split_once('#').unwrap();
    let shown = format!("{sent:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(
        !shown.contains(&sent.receipt.owner_token.to_text()),
        "{shown}"
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(
        asked[1].body, asked[2].body,
        "the same request, byte for byte"
    );
    let request: CreateRequest = serde_json::from_slice(&asked[2].body).unwrap();
    assert_eq!((request.ttl_s, request.claims_max), (86_400, 1));
    assert_eq!(request.body.map(|body| body.len()), Some(1056));
    assert_eq!(machine.pauses().len(), 1);
}

#[test]
fn a_create_token_goes_to_where_it_is_asked_for_and_nowhere_else() {
    let server = Scripted::answering(vec![
        json(200, &config()),
        created(State::Uploading),
        parts(&[]),
        done(),
        done(),
        done(),
        completed(),
    ]);
    let token = CreateToken::from_bytes([7; 32]);
    let options = SendOptions {
        create_token: Some(&token),
        ..SendOptions::default()
    };
    send(
        &server.client(&Arc::new(Lent::default())),
        &options,
        zeros(),
    )
    .unwrap();
    let text = token.to_text();
    let field = format!("authorization: Bearer {text}\n");
    for asked in server.asked() {
        let is_for_it = asked.line.ends_with("/config") || asked.line.ends_with("/transfers");
        assert_eq!(asked.head.contains(&field), is_for_it, "{}", asked.line);
        assert_eq!(asked.head.matches(&text).count(), usize::from(is_for_it));
        assert!(!asked.line.contains(&text), "{}", asked.line);
    }
}

#[test]
fn who_may_not_create_is_told_so_at_once() {
    let refused = || refusal(401, "create.unauthorized", "WWW-Authenticate: Bearer\r\n");
    let token = CreateToken::from_bytes([7; 32]);
    let check = |create_token, answers: Vec<Vec<u8>>, calls: usize| {
        let server = Scripted::answering(answers);
        let machine = Arc::new(Lent::default());
        let options = SendOptions {
            create_token,
            ..SendOptions::default()
        };
        let error = send(&server.client(&machine), &options, Content::Text("x")).unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::CreateUnauthorized));
        assert!(!error.to_string().contains(&token.to_text()), "{error}");
        let lines = server.lines();
        let creating = lines.iter().filter(|line| !line.starts_with("DELETE"));
        assert_eq!((creating.count(), machine.pauses().len()), (calls, 0));
    };
    check(Some(&token), vec![refused()], 1);
    check(None, vec![json(200, &config()), refused()], 2);
}

#[test]
fn links_lead_where_the_server_says_that_they_are_opened() {
    let sent_with = |open_url: &str| {
        let told = ConfigAnswer {
            open_url: Some(open_url.to_owned()),
            ..config()
        };
        let server = Scripted::answering(vec![json(200, &told), created(State::Ready)]);
        let client = server.client(&Arc::new(Lent::default()));
        send(&client, &SendOptions::default(), Content::Text("x"))
    };
    let sent = sent_with("https://share.example.org").unwrap();
    assert!(sent.link.starts_with("https://share.example.org/open#"));
    for faulty in [
        "",
        "javascript:alert(1)",
        "https://a.example/x",
        "https://a@b.example",
    ] {
        let error = sent_with(faulty).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{faulty}: {error}");
    }
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let busy = refusal(503, "store.unreachable", "Retry-After: 7\r\n");
    let server = Scripted::answering(vec![busy, json(200, &config()), created(State::Ready)]);
    let machine = Arc::new(Lent::default());
    send(
        &server.client(&machine),
        &SendOptions::default(),
        Content::Text("x"),
    )
    .unwrap();
    assert_eq!(machine.pauses(), [Duration::from_secs(7)]);
}

#[test]
fn a_server_that_is_asked_too_much_is_queued_at_and_no_failure() {
    // More refusals in a row than this client bears failures.
    let mut puts = 0;
    let server = Scripted::new(move |_, asked| match asked.line.rsplit('/').next() {
        Some("config") => json(200, &config()),
        Some("transfers") => created(State::Uploading),
        Some("parts") => parts(&[]),
        Some("complete") => completed(),
        _ => {
            puts += 1;
            if puts <= 12 {
                refusal(429, "request.rate_limited", "Retry-After: 9\r\n")
            } else {
                done()
            }
        }
    });
    let machine = Arc::new(Lent::default());
    send(&server.client(&machine), &SendOptions::default(), zeros()).unwrap();
    assert_eq!(machine.pauses(), [Duration::from_secs(9); 12]);
}

#[test]
fn patience_ends() {
    let server = Scripted::answering(vec![refusal(503, "store.unreachable", "")]);
    let machine = Arc::new(Lent::default());
    let client = server.client(&machine);
    let error = send(&client, &SendOptions::default(), Content::Text("x")).unwrap_err();
    assert!(matches!(error, Error::Api { status: 503, .. }), "{error:?}");
    assert_eq!((server.asked().len(), machine.pauses().len()), (3, 2));
}

#[test]
fn only_what_the_server_does_not_have_is_sent_and_what_it_loses_is_sent_again() {
    let mut completes = 0;
    let mut cuts = 0;
    let server = Scripted::new(move |_, asked| match asked.line.rsplit('/').next() {
        Some("config") => json(200, &config()),
        Some("transfers") => created(State::Uploading),
        Some("parts") if completes == 0 => parts(&[1]),
        Some("parts") => parts(&[0, 1]),
        Some("complete") => {
            completes += 1;
            if completes == 1 {
                refusal(409, "part.missing", "")
            } else {
                completed()
            }
        }
        Some("2") if cuts == 0 => {
            cuts += 1;
            Vec::new()
        }
        _ => done(),
    });
    let client = server.client(&Arc::new(Lent::default()));
    let sent = send(&client, &SendOptions::default(), zeros()).unwrap();
    assert_eq!(sent.expires_at, EXPIRES_AT);
    let mut calls = calls(&server);
    // Both missing parts are on their way at once, in any order.
    calls[3..6].sort();
    let expected = [
        "GET config",
        "POST transfers",
        "GET parts",
        "PUT parts/0",
        "PUT parts/2",
        "PUT parts/2",
        "POST complete",
        "GET parts",
        "PUT parts/2",
        "POST complete",
    ];
    assert_eq!(calls, expected);
    let asked = server.asked();
    let mut bodies = asked.iter().filter(|asked| asked.line.ends_with("/2"));
    let first = &bodies.next().unwrap().body;
    assert!(
        bodies.all(|again| again.body == *first),
        "the same bytes again"
    );
}

#[test]
fn a_part_that_fails_for_good_ends_the_others() {
    let server = Scripted::new(|_, asked| match asked.line.rsplit('/').next() {
        Some("config") => json(200, &config()),
        Some("transfers") => created(State::Uploading),
        Some("parts") => parts(&[]),
        Some("0") => refusal(409, "part.conflict", ""),
        _ => done(),
    });
    let client = server.client(&Arc::new(Lent::default()));
    let error = send(&client, &SendOptions::default(), zeros()).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::PartConflict));
    let calls = calls(&server);
    assert!(
        !calls.iter().any(|call| call == "POST complete"),
        "{calls:?}"
    );
    assert!(calls.last().unwrap().starts_with("DELETE"), "{calls:?}");
}

#[test]
fn a_server_that_keeps_losing_parts_is_given_up_and_what_it_has_is_burnt() {
    let server = Scripted::new(|_, asked| match asked.line.rsplit('/').next() {
        Some("config") => json(200, &config()),
        Some("transfers") => created(State::Uploading),
        Some("parts") => parts(&[0, 1, 2]),
        Some("complete") => refusal(409, "part.missing", ""),
        _ => done(),
    });
    let client = server.client(&Arc::new(Lent::default()));
    let error = send(&client, &SendOptions::default(), zeros()).unwrap_err();
    assert!(error.to_string().contains("losing parts"), "{error}");
    assert!(
        server
            .lines()
            .last()
            .unwrap()
            .starts_with("DELETE transfers/")
    );
}

#[test]
fn lengths_of_parts_that_are_none_are_refused() {
    let huge = |size| {
        Content::Files(vec![FileSource {
            name: "a".to_owned(),
            media_type: String::new(),
            size,
            source: Box::new(Cursor::new(Vec::new())),
        }])
    };
    // The last would be more parts than any transfer has.
    for (part_len, size) in [
        (0, 150_000),
        (1 << 40, 150_000),
        (u64::MAX, 150_000),
        (1, 1 << 40),
    ] {
        let created = CreateAnswer {
            state: State::Uploading,
            part_len,
            expires_at: None,
        };
        let server = Scripted::answering(vec![json(201, &created)]);
        let client = server.client(&Arc::new(Lent::default()));
        let mut sending = prepare(&client, huge(size));
        let error = sending.create().unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
        assert_eq!(sending.part_count(), 0);
    }
}

fn prepare(client: &Client, content: Content<'static>) -> Sending<'static> {
    Sending::prepare(client, &config(), &SendOptions::default(), content).unwrap()
}

/// A file that somebody writes into while it is sent.
struct Edited(Cursor<Vec<u8>>, Arc<AtomicBool>);

impl Read for Edited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.load(Ordering::Relaxed) {
            self.0.get_mut().fill(1);
        }
        self.0.read(buffer)
    }
}

impl Seek for Edited {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
fn content_that_changed_never_leaves_as_what_was_sealed_before() {
    let server = Scripted::answering(vec![created(State::Uploading), done()]);
    let client = server.client(&Arc::new(Lent::default()));
    let is_edited = Arc::new(AtomicBool::new(false));
    let source = Edited(Cursor::new(vec![0; 150_000]), Arc::clone(&is_edited));
    let mut sending = prepare(&client, file(Box::new(source)));
    sending.create().unwrap();
    sending.put_part(0).unwrap();
    sending.put_part(0).unwrap();
    is_edited.store(true, Ordering::Relaxed);
    for index in [0, 1] {
        // Part 1 begins within a chunk that was sealed with part 0.
        let error = sending.put_part(index).unwrap_err();
        assert!(
            matches!(error, Error::Crypto(CryptoError::BodyChanged)),
            "{error:?}"
        );
    }
    sending.burn().unwrap();
    let expected = ["POST transfers", "PUT parts/0", "PUT parts/0", "DELETE "];
    let calls = calls(&server);
    assert_eq!(calls.len(), expected.len(), "{calls:?}");
    for (call, expected) in calls.iter().zip(expected) {
        assert!(call.starts_with(expected), "{call}");
    }
}

#[test]
fn a_file_that_changed_its_length_is_burnt_and_told() {
    let server = Scripted::new(|_, asked| match asked.line.rsplit('/').next() {
        Some("config") => json(200, &config()),
        Some("transfers") => created(State::Uploading),
        Some("parts") => parts(&[]),
        _ => done(),
    });
    let client = server.client(&Arc::new(Lent::default()));
    let short = file(Box::new(Cursor::new(vec![0; 149_999])));
    let error = send(&client, &SendOptions::default(), short).unwrap_err();
    assert!(
        matches!(error, Error::Crypto(CryptoError::BodyChanged)),
        "{error:?}"
    );
    assert!(
        server
            .lines()
            .last()
            .unwrap()
            .starts_with("DELETE transfers/")
    );
}

#[test]
fn burning_what_was_never_created_is_no_failure() {
    let server = Scripted::answering(vec![refusal(404, "transfer.unknown", "")]);
    let client = server.client(&Arc::new(Lent::default()));
    prepare(&client, zeros()).burn().unwrap();
}

#[test]
fn names_that_the_format_refuses_are_told_before_anything_is_sent() {
    let server = Scripted::answering(vec![json(200, &config())]);
    let client = server.client(&Arc::new(Lent::default()));
    let content = Content::Files(vec![FileSource {
        name: "../a".to_owned(),
        media_type: String::new(),
        size: 0,
        source: Box::new(Cursor::new(Vec::new())),
    }]);
    let error = Sending::prepare(&client, &config(), &SendOptions::default(), content).err();
    assert!(
        matches!(error, Some(Error::Crypto(CryptoError::ManifestRefused(_)))),
        "{error:?}"
    );
    assert_eq!(server.asked().len(), 0);
}
