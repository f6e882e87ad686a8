//! What the calls of the document share by name: schemas, parameters, headers, tokens.

use onetimeshare_protocol::error::ErrorBody;
use onetimeshare_protocol::id::TransferId;
use onetimeshare_protocol::openapi::PartIndex;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::call::{Call, Schemas};

pub(super) const OWNER_TOKEN: &str = "owner_token";
pub(super) const CLAIM_TOKEN: &str = "claim_token";
pub(super) const CREATE_TOKEN: &str = "create_token";

const PLAIN: &str = "43 characters of base64url";

/// The headers of every answer there is.
pub(super) const EVERY_ANSWER: &[&str] = &["Cache-Control", "X-Request-Id"];

/// Headers that an answer may do without.
const OPTIONAL: &[&str] = &["RateLimit", "RateLimit-Policy"];

/// All of them.
pub(super) fn all(calls: &[Call]) -> Value {
    json!({
        "schemas": schemas(calls),
        "parameters": {
            "id": parameter::<TransferId>("id"),
            "index": parameter::<PartIndex>("index"),
        },
        "headers": headers(),
        "securitySchemes": {
            CREATE_TOKEN: bearer(
                "ots_ and 43 characters of base64url",
                "A create token, which whoever runs the server has given out. Where anybody may create, it changes nothing.",
            ),
            OWNER_TOKEN: bearer(PLAIN, "The owner token, which the sender's client made with the transfer."),
            CLAIM_TOKEN: bearer(PLAIN, "The claim token, which the receiver's client makes for its claim and keeps."),
        },
    })
}

/// A reference to a schema of this document.
pub(super) fn schema_reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn schemas(calls: &[Call]) -> Map<String, Value> {
    let mut shared = Schemas::new();
    add::<ErrorBody>(&mut shared);
    add::<TransferId>(&mut shared);
    add::<PartIndex>(&mut shared);
    calls
        .iter()
        .flat_map(|call| &call.schemas)
        .chain(&shared)
        .map(|(name, schema)| (name.clone(), json!(schema)))
        .collect()
}

fn add<T: ToSchema>(schemas: &mut Schemas) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}

fn parameter<T: ToSchema>(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": schema_reference(&T::name())})
}

fn bearer(form: &str, text: &str) -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": form,
        "description": text,
    })
}

fn headers() -> Map<String, Value> {
    let rows = [
        (
            "Cache-Control",
            "^no-store$",
            "Nothing of this may be kept.",
        ),
        (
            "X-Request-Id",
            "^[0-9a-f]{16}$",
            "What the server's log has about this request.",
        ),
        ("WWW-Authenticate", "^Bearer$", "How to send the token."),
        ("Allow", "", "The methods that this path takes."),
        (
            "Accept-Ranges",
            "^(?:bytes|none)$",
            "`none` for a body that is given once.",
        ),
        (
            "Content-Range",
            r"^bytes (?:\d+-\d+|\*)/\d+$",
            "Where these bytes begin and end, and the length of the whole.",
        ),
        (
            "Retry-After",
            r"^\d+$",
            "Seconds to wait before asking again.",
        ),
        (
            "RateLimit",
            r#"^"[a-z]+";r=0;t=\d+$"#,
            "The budget that is spent, and in how many seconds there is room in it (draft-ietf-httpapi-ratelimit-headers-10). Not where only \
             one transfer is meant.",
        ),
        (
            "RateLimit-Policy",
            r#"^"[a-z]+";q=\d+;w=\d+(?:;qu="content-bytes")?$"#,
            "How much there is of that budget, in so many seconds; requests, unless it says bytes.",
        ),
    ];
    rows.into_iter()
        .map(|(name, pattern, text)| {
            let mut schema = json!({"type": "string"});
            if !pattern.is_empty() {
                schema["pattern"] = pattern.into();
            }
            let is_required = !OPTIONAL.contains(&name);
            let header = json!({"required": is_required, "description": text, "schema": schema});
            (name.to_owned(), header)
        })
        .collect()
}
