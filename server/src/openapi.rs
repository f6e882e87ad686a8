//! The API as an OpenAPI 3.1 document: one entry for each call, with all that it takes, answers and refuses. Bodies are
//! described by the wire types themselves; the API's tests hold every answer of the router against it.

mod call;
mod components;

use std::sync::LazyLock;

use onetimeshare_protocol::error::ErrorCode::{
    AccessDenied, IdMismatch, LeaseEnded, MethodUnknown, PartConflict, PartDigestMismatch,
    PartLengthMismatch, PartMissing, PartUnknown, PathUnknown, QuotaExceeded, RangeUnsatisfiable,
    RequestTimeout, RequestUnprocessable, TransferClaimed, TransferConflict, TransferGone,
    TransferLocked, TransferNotReady, TransferNotUploading, TransferTooLarge, TransferUnknown,
};
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::{
    ClaimAnswer, ClaimRequest, CompleteAnswer, ConfigAnswer, CreateAnswer, CreateRequest,
    PartsAnswer, PeekAnswer, PeekRequest, ReceiptAnswer, RenewAnswer, StatsAnswer,
};
use serde_json::{Value, json};

use self::call::Call;

/// The document's text. It is the same on every server of this version: what an operator sets is in `GET /config`.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

const DESCRIPTION: &str = "\
One-time transfers whose content the server cannot read. Everything is sealed by the sender's client and opened by the \
receiver's; the document says nothing of that.

Bytes are base64url without padding, canonical; times are Unix seconds in UTC; `_s` is a duration in seconds, `_len` a length \
in bytes. Requests with unknown, missing or doubled members are refused, and so is `null`; in answers, ignore members that you \
do not know. Bodies of requests need a `Content-Length`. What is no HTTP is refused before any of this, without a body.";

fn document() -> Value {
    let calls: Vec<Call> = [sender(), receiver(), server()]
        .into_iter()
        .flatten()
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "onetimeshare",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "sender", "description": "What the sender's client calls."},
            {"name": "receiver", "description": "What clients of those who hold the link call."},
            {"name": "server", "description": "What anyone may ask of the server itself."},
        ],
        "components": components::all(&calls),
        "paths": call::paths(calls),
    })
}

/// What goes on with a transfer from its id alone; the other calls follow a claim.
const OF_A_TRANSFER: &[&str] = &[
    "write_part",
    "list_parts",
    "complete",
    "receipt",
    "unlock",
    "burn",
    "peek",
    "claim",
];

fn sender() -> Vec<Call> {
    let create = Call::new("post", route::TRANSFERS, "create", "Create a transfer")
        .takes::<CreateRequest>()
        .answers::<CreateAnswer>(201, "It is ready, or waits for its parts.")
        .answers::<CreateAnswer>(200, "The same request was taken before: where it stands.")
        .leads_to(OF_A_TRANSFER, "$request.body#/id")
        .may_need_creator()
        .refuses(&[
            QuotaExceeded,
            TransferConflict,
            TransferTooLarge,
            IdMismatch,
            RequestUnprocessable,
        ]);
    let write_part = Call::new("put", route::PART, "write_part", "Send one part")
        .needs_owner()
        .takes_bytes("Exactly the bytes of this part.")
        .takes_header("Content-Digest", true, json!({
            "type": "string",
            "description": "The part's SHA-256 (RFC 9530); other algorithms may stand beside it.",
            "pattern": "sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:",
        }))
        .answers_nothing("It is durable, also when the same bytes were taken before.")
        .refuses(&[PartConflict, TransferNotUploading, TransferGone, RequestTimeout])
        .refuses(&[PartUnknown, PartLengthMismatch, PartDigestMismatch]);
    vec![
        create,
        write_part,
        Call::new("get", route::PARTS, "list_parts", "List the accepted parts")
            .needs_owner()
            .answers::<PartsAnswer>(200, "Those that need not be sent again.")
            .refuses(&[TransferGone]),
        Call::new("post", route::COMPLETE, "complete", "End the upload")
            .needs_owner()
            .answers::<CompleteAnswer>(200, "It can be claimed; said twice it succeeds twice.")
            .refuses(&[PartMissing, TransferGone]),
        Call::new(
            "get",
            route::TRANSFER,
            "receipt",
            "See what has become of it",
        )
        .needs_owner()
        .answers::<ReceiptAnswer>(200, "The receipt, until the tombstone ends."),
        Call::new("post", route::UNLOCK, "unlock", "Restore the attempts")
            .needs_owner()
            .answers_nothing("All attempts are there, also when none was lost.")
            .refuses(&[TransferGone]),
        Call::new("delete", route::TRANSFER, "burn", "Destroy the transfer")
            .needs_owner()
            .answers_nothing("It is gone, also when it was before."),
    ]
    .into_iter()
    .map(|call| {
        call.tagged("sender")
            .belongs_to_a_role()
            .costs()
            .asks_stores()
    })
    .collect()
}

fn receiver() -> Vec<Call> {
    let body = Call::new("get", route::BODY, "body", "Fetch the sealed body")
        .needs_claimant()
        .takes_header("Range", false, json!({
            "type": "string",
            "description": "One range of bytes (RFC 9110). Anything else is ignored, and so is a range with `If-Range`.",
            "examples": ["bytes=1024-"],
        }))
        .answers_bytes(200, "All of it.", &["Accept-Ranges"])
        .answers_bytes(206, "The range.", &["Accept-Ranges", "Content-Range"])
        .refuses(&[LeaseEnded, TransferGone, RangeUnsatisfiable]);
    let head = Call::new(
        "head",
        route::BODY,
        "body_head",
        "Nothing: a body is only given, never looked at",
    )
    .refuses(&[MethodUnknown]);
    vec![
        Call::new("post", route::PEEK, "peek", "Look without taking a claim")
            .takes::<PeekRequest>()
            .answers::<PeekAnswer>(
                200,
                "Where it stands; with a right access proof, the manifest.",
            )
            .refuses(&[AccessDenied, TransferUnknown, TransferGone, TransferLocked]),
        Call::new("post", route::CLAIM, "claim", "Take a claim")
            .needs_claimant()
            .takes::<ClaimRequest>()
            .answers::<ClaimAnswer>(
                200,
                "The lease, and an inline body. The same token again: the same lease.",
            )
            .leads_to(&["body", "renew", "delivered"], "$request.path.id")
            .refuses(&[AccessDenied, TransferNotReady, TransferLocked])
            .refuses(&[TransferGone, TransferClaimed, LeaseEnded]),
        body,
        Call::new("post", route::RENEW, "renew", "Renew the lease")
            .needs_claimant()
            .answers::<RenewAnswer>(200, "It takes effect at most once a minute.")
            .refuses(&[LeaseEnded, TransferGone]),
        Call::new(
            "post",
            route::DELIVERED,
            "delivered",
            "Say that everything arrived",
        )
        .needs_claimant()
        .answers_nothing("The lease has ended; said twice it succeeds twice.")
        .refuses(&[LeaseEnded, TransferGone]),
    ]
    .into_iter()
    .map(|call| call.costs().asks_stores())
    .chain([head])
    .map(|call| call.tagged("receiver").belongs_to_a_role())
    .collect()
}

fn server() -> Vec<Call> {
    vec![
        Call::new("get", route::CONFIG, "config", "Read the limits")
            .answers::<ConfigAnswer>(
                200,
                "What this server takes, or what it takes by the create token that is shown.",
            )
            .may_need_creator()
            .costs(),
        Call::new("get", route::STATS, "stats", "Read the counters")
            .answers::<StatsAnswer>(200, "Counts since the record store was made.")
            .refuses(&[PathUnknown])
            .costs()
            .asks_stores(),
        Call::new("get", route::OPENAPI, "openapi", "Read this document").answers_json(
            200,
            "An OpenAPI document.",
            json!({"type": "object"}),
        ),
        Call::new(
            "get",
            route::HEALTHZ,
            "healthz",
            "Ask whether the process lives",
        )
        .answers_nothing("It does."),
        Call::new(
            "get",
            route::READYZ,
            "readyz",
            "Ask whether the stores answer",
        )
        .answers_nothing("They do.")
        .asks_stores(),
    ]
    .into_iter()
    .map(|call| call.tagged("server"))
    .collect()
}
