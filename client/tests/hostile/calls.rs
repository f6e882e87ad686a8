//! Single calls: each way an answer can be wrong is told apart, and none is believed.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use onetimeshare_client::{Client, Error, Settings};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::{ClaimToken, OwnerToken, TransferId};

use crate::scripted::{Lent, Scripted, answer, done, refusal};

const ID: TransferId = TransferId::from_bytes([1; 16]);

/// What `config` makes of one answer.
fn config_error(answer: Vec<u8>) -> Error {
    let server = Scripted::answering(vec![answer]);
    let client = server.client(&Arc::new(Lent::default()));
    let error = client.config().expect_err("it is no configuration");
    assert_eq!(server.asked().len(), 1, "a single call is never repeated");
    error
}

#[track_caller]
fn foreign(answer: Vec<u8>, expected_status: u16, words: &str, transient: bool) {
    let error = config_error(answer);
    let Error::Protocol { status, reason, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*status, expected_status);
    assert!(reason.contains(words), "{reason}");
    assert_eq!(error.is_transient(), transient, "{error}");
}

#[test]
fn no_server_is_unreachable_and_nothing_was_carried_out() {
    // The other end of a connection: nobody listens there, and nobody else gets the port.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other_end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = other_end.local_addr().unwrap();
    let client = Client::new(&format!("http://{address}")).unwrap();
    let error = client.config().unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(error.is_transient() && !error.may_have_been_carried_out());
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_is_refused_where_it_was_left_out_and_nothing_is_sent() {
    let server = Scripted::answering(vec![done()]);
    let base = server.base().replace("http:", "https:");
    let error = Client::new(&base).unwrap().config().unwrap_err();
    assert!(matches!(error, Error::Insecure(_)), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn answers_that_break_off_are_cut_and_may_have_been_carried_out() {
    let whole = answer(200, "application/json", "", br#"{"version":"0"}"#);
    for len in [0, 5, 40, whole.len() - 1] {
        let error = config_error(whole[..len].to_vec());
        assert!(
            matches!(error, Error::Cut(_)),
            "after {len} bytes: {error:?}"
        );
        assert!(error.is_transient() && error.may_have_been_carried_out());
    }
}

#[test]
fn a_server_that_says_nothing_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings {
        stall_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let base = format!("http://{}", listener.local_addr().unwrap());
    let error = Client::with(&base, settings).unwrap().config().unwrap_err();
    assert!(matches!(error, Error::Cut(_)), "{error:?}");
}

#[test]
fn what_stands_in_front_is_named() {
    let html = |status| answer(status, "text/html", "", b"<h1>nginx</h1>");
    foreign(html(502), 502, "does not reach it", true);
    foreign(html(504), 504, "gave up waiting", true);
    foreign(html(413), 413, "of this size", false);
    foreign(html(404), 404, "no onetimeshare server", false);
    foreign(html(403), 403, "refuses the request", false);
    foreign(html(429), 429, "too many requests", true);
    foreign(html(200), 200, "not one of this service", false);
    foreign(done(), 204, "not one of this service", false);
}

#[test]
fn other_programs_and_nonsense_are_not_believed() {
    let typed = |body: &[u8]| answer(200, "application/json", "", body);
    foreign(typed(b"{}"), 200, "not what this call answers", false);
    foreign(typed(b"[1]"), 200, "not what this call answers", false);
    foreign(
        typed(b"{\"version\":7"),
        200,
        "not what this call answers",
        false,
    );
    foreign(
        answer(400, "application/json", "", b"{\"code\":\"new.code\"}"),
        400,
        "",
        false,
    );
    foreign(
        b"SSH-2.0-OpenSSH_10\r\n\r\n".to_vec(),
        0,
        "no HTTP server",
        false,
    );
    let mut endless = b"HTTP/1.1 200 X\r\nX: ".to_vec();
    endless.resize(1 << 20, b'x');
    foreign(endless, 0, "no HTTP server", false);
}

#[test]
fn answers_are_read_up_to_their_limit() {
    let long = vec![b' '; 1 << 20];
    let limited = answer(200, "application/json", "", &long);
    foreign(limited, 200, "longer than", false);
    let mut chunked =
        b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..32 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.resize(chunked.len() + 0x10000, b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    foreign(chunked, 200, "longer than", false);
    // An error's text beyond the limit is not ours either, but its status is as good.
    foreign(
        answer(503, "application/json", "", &long),
        503,
        "does not reach it",
        true,
    );
}

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 307, 308] {
        foreign(
            answer(status, "text/html", "Location: /elsewhere\r\n", b""),
            status,
            "leads to another",
            false,
        );
    }
}

#[test]
fn refusals_come_with_their_members_and_nothing_that_moves_a_cursor() {
    let body = br#"{"code":"access.denied","message":"wrong\u001b[2J \u0007one","attempts_left":4,"later":1}"#;
    let error = config_error(answer(403, "application/json", "Retry-After: 7\r\n", body));
    let Error::Api {
        status,
        body,
        retry_after_s,
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*status, *retry_after_s), (403, Some(7)));
    assert_eq!(body.members.attempts_left, Some(4));
    assert_eq!(error.code(), Some(ErrorCode::AccessDenied));
    assert_eq!(error.to_string(), "wrong[2J one (access.denied)");
    assert!(!error.is_transient());
}

#[test]
fn an_unreachable_store_has_consumed_nothing() {
    let error = config_error(refusal(503, "store.unreachable", ""));
    assert!(error.is_transient() && !error.may_have_been_carried_out());
}

#[test]
fn tokens_travel_in_the_authorization_field_and_nowhere_else() {
    let server = Scripted::answering(vec![done()]);
    let client = server.client(&Arc::new(Lent::default()));
    let owner = OwnerToken::from_bytes([2; 32]);
    let claimant = ClaimToken::from_bytes([3; 32]);
    client.put_part(&ID, &owner, 5, b"sealed").unwrap();
    client.unlock(&ID, &owner).unwrap();
    client.burn(&ID, &owner).unwrap();
    client.delivered(&ID, &claimant).unwrap();
    for asked in server.asked() {
        let text = if asked.line.ends_with("/delivered") {
            claimant.to_text()
        } else {
            owner.to_text()
        };
        assert!(
            asked
                .head
                .contains(&format!("authorization: Bearer {text}\n")),
            "{asked:?}"
        );
        assert_eq!(asked.head.matches(&text).count(), 1);
        assert!(!asked.line.contains(&text), "{}", asked.line);
    }
    let part = &server.asked()[0];
    assert_eq!(
        part.line,
        format!("PUT /api/v1/transfers/{}/parts/5", ID.to_text())
    );
    assert_eq!(part.body, b"sealed");
    assert!(
        part.head.contains("content-digest: sha-256=:"),
        "{}",
        part.head
    );
}

#[test]
fn a_body_is_only_the_range_that_was_asked_for_or_the_whole() {
    let octets = "application/octet-stream";
    let body = |answer: Vec<u8>| {
        let server = Scripted::answering(vec![answer]);
        let client = server.client(&Arc::new(Lent::default()));
        let body = client.body(&ID, &ClaimToken::from_bytes([3; 32]), Some(2..5));
        let asked = server.asked();
        assert!(
            asked[0].head.contains("range: bytes=2-4\n"),
            "{}",
            asked[0].head
        );
        body
    };
    let range = "Content-Range: bytes 2-4/9\r\n";
    let mut part = body(answer(206, octets, range, b"abc")).unwrap();
    let mut bytes = Vec::new();
    part.read_to_end(&mut bytes).unwrap();
    assert_eq!((part.start(), bytes.as_slice()), (2, &b"abc"[..]));
    assert_eq!(
        body(answer(200, octets, "", b"123456789")).unwrap().start(),
        0
    );
    for refused in [
        answer(206, octets, "Content-Range: bytes 1-4/9\r\n", b"abcd"),
        answer(206, octets, "", b"abc"),
        answer(206, "text/html", range, b"abc"),
        answer(200, "text/html", "", b"<h1>nginx</h1>"),
        done(),
    ] {
        let error = body(refused).err().unwrap();
        assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
    }
}
