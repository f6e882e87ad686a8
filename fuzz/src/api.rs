//! Bodies of the API: what the server takes of requests, against a second reading; what a client makes of any answer; and that each is
//! written again as what it was read from.

use std::fmt::Debug;

use onetimeshare_protocol::error::{ErrorBody, ErrorCode};
use onetimeshare_protocol::id::{
    AccessProof, AccessVerifier, LinkProof, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::{
    ClaimAnswer, ClaimRequest, CompleteAnswer, ConfigAnswer, CreateAnswer, CreateRequest,
    PartsAnswer, PeekAnswer, PeekRequest, ReceiptAnswer, RenewAnswer, StatsAnswer,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::reading::Members;
use crate::server::{Sample, Server, post};

/// Longer requests are refused for their length alone.
const LEN_MAX: usize = 60_000;

/// The bytes as the body of each request, to the types and to the server; and of each answer, to the types.
pub fn api(bytes: &[u8]) {
    if bytes.len() > LEN_MAX {
        return;
    }
    thread_local!(static SERVER: Server = Server::new());
    SERVER.with(|server| {
        check(server, bytes, route::TRANSFERS, create);
        check(server, bytes, route::PEEK, peek);
        check(server, bytes, route::CLAIM, claim);
    });
    round_trip::<CreateAnswer>(bytes);
    round_trip::<PartsAnswer>(bytes);
    round_trip::<CompleteAnswer>(bytes);
    round_trip::<PeekAnswer>(bytes);
    round_trip::<ClaimAnswer>(bytes);
    round_trip::<RenewAnswer>(bytes);
    round_trip::<ReceiptAnswer>(bytes);
    round_trip::<StatsAnswer>(bytes);
    round_trip::<ConfigAnswer>(bytes);
    round_trip::<ErrorBody>(bytes);
}

/// One request: the second reading decides what the types and the server must make of it.
fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(
    server: &Server,
    bytes: &[u8],
    route: &str,
    read: fn(&Members) -> Option<T>,
) {
    let expected = Members::read(bytes).as_ref().and_then(read);
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let parsed = round_trip::<T>(bytes).filter(|_| is_object);
    assert!(parsed == expected, "two readings differ");
    // No transfer is there, so that peek and claim end with that, once they have been read.
    let sample = Sample::of(0, 0);
    let id = sample
        .path("")
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let path = route.replace("{id}", &id);
    let mut request = post(&path, bytes.to_vec());
    let token = format!("Bearer {}", sample.token("claimant"));
    let token = token.parse().expect("base64url is visible");
    request.headers_mut().insert("authorization", token);
    let code = server.ask(request).code();
    let is_taken = code != Some(ErrorCode::RequestMalformed);
    assert_eq!(is_taken, expected.is_some(), "{path} says {code:?}");
}

/// What is read is written as what is read as the same.
fn round_trip<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).expect("every value can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert!(again == read, "written and read again it is another");
    Some(read)
}

fn create(members: &Members) -> Option<CreateRequest> {
    let needed = [
        "id",
        "link_verifier",
        "access_verifier",
        "owner_verifier",
        "manifest",
        "body_len",
        "ttl_s",
        "claims_max",
    ];
    members.are(&needed, &["body"]).then_some(())?;
    let body = match members.value("body") {
        None => None,
        Some(_) => Some(members.bytes("body")?),
    };
    Some(CreateRequest {
        id: TransferId::from_bytes(members.array("id")?),
        link_verifier: LinkVerifier::from_bytes(members.array("link_verifier")?),
        access_verifier: AccessVerifier::from_bytes(members.array("access_verifier")?),
        owner_verifier: OwnerVerifier::from_bytes(members.array("owner_verifier")?),
        manifest: members.bytes("manifest")?,
        body_len: members.number("body_len")?,
        ttl_s: members.number("ttl_s")?,
        claims_max: members.number("claims_max")?.try_into().ok()?,
        body,
    })
}

fn peek(members: &Members) -> Option<PeekRequest> {
    members
        .are(&["link_proof"], &["access_proof"])
        .then_some(())?;
    let access_proof = match members.value("access_proof") {
        None => None,
        Some(_) => Some(AccessProof::from_bytes(members.array("access_proof")?)),
    };
    Some(PeekRequest {
        link_proof: LinkProof::from_bytes(members.array("link_proof")?),
        access_proof,
    })
}

fn claim(members: &Members) -> Option<ClaimRequest> {
    members
        .are(&["link_proof", "access_proof"], &[])
        .then_some(())?;
    Some(ClaimRequest {
        link_proof: LinkProof::from_bytes(members.array("link_proof")?),
        access_proof: AccessProof::from_bytes(members.array("access_proof")?),
    })
}
