//! Request and answer bodies of the API. Requests refuse members they do not know, and doubled ones; times are Unix
//! seconds in UTC, durations end in `_s`, lengths in bytes end in `_len`.

use serde::{Deserialize, Serialize};

use crate::base64url;
use crate::id::{AccessProof, AccessVerifier, LinkProof, LinkVerifier, OwnerVerifier, TransferId};
#[cfg(feature = "openapi")]
use crate::openapi;

/// `POST /transfers`: everything a server will ever know of a transfer, and the whole body when it is small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// Follows from `link_verifier`; the server refuses one that does not.
    pub id: TransferId,
    /// SHA-256 of the link proof.
    pub link_verifier: LinkVerifier,
    /// SHA-256 of the access proof.
    pub access_verifier: AccessVerifier,
    /// SHA-256 of the owner token.
    pub owner_verifier: OwnerVerifier,
    /// The sealed manifest.
    #[serde(with = "base64url::bytes")]
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Manifest))]
    pub manifest: Vec<u8>,
    /// Length of the sealed body in bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::BodyLen))]
    pub body_len: u64,
    /// How long the transfer can be opened, in seconds from the moment it is ready.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Ttl))]
    pub ttl_s: u64,
    /// How many claimants it is given to.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::ClaimsMax))]
    pub claims_max: u32,
    /// The whole sealed body, required exactly when `body_len` is at most the server's `inline_max`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64url::bytes::optional"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Body, required = false))]
    pub body: Option<Vec<u8>>,
}

/// Where a transfer stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Created, but parts are missing.
    Uploading,
    /// Can be claimed.
    Ready,
    /// No more claims; somebody still fetches.
    Claimed,
    /// Only a tombstone is left.
    Gone,
}

/// Why a transfer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The last claimant's client said that everything arrived.
    Delivered,
    /// The last claimant's lease ended without a word.
    Lapsed,
    /// Its owner burnt it.
    Burnt,
    /// Its time was over before every open was taken.
    Expired,
    /// Its upload was never completed.
    Abandoned,
}

/// Answer to `POST /transfers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateAnswer {
    /// `ready` for a body sent inline, else `uploading`; on a repeat, the present state.
    pub state: State,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// When it expires; absent until it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<u64>,
}

/// Answer to `GET /transfers/{id}/parts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartsAnswer {
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// How many parts there are in all.
    pub part_count: u64,
    /// The indices of those accepted, ascending.
    pub accepted: Vec<u64>,
}

/// Answer to `POST /transfers/{id}/complete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompleteAnswer {
    /// `ready`, or where it stands when this was said before.
    pub state: State,
    /// When it expires.
    pub expires_at: u64,
}

/// `POST /transfers/{id}/peek`: looks without taking a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PeekRequest {
    /// Proof of holding the link.
    pub link_proof: LinkProof,
    /// With it, the answer holds the manifest; a wrong one costs an attempt.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub access_proof: Option<AccessProof>,
}

/// Answer to peek.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeekAnswer {
    /// Where it stands.
    pub state: State,
    /// When it was created.
    pub created_at: u64,
    /// When it expires; absent until it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<u64>,
    /// When it was last claimed; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub claimed_at: Option<u64>,
    /// Claims that are still to be had.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::ClaimsLeft))]
    pub claims_left: u32,
    /// Wrong access proofs it still bears; 0 means locked.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::AttemptsLeft))]
    pub attempts_left: u32,
    /// Length of the sealed body in bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::BodyLen))]
    pub body_len: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// The sealed manifest, to who has the access proof.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64url::bytes::optional"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Manifest, required = false))]
    pub manifest: Option<Vec<u8>>,
}

/// `POST /transfers/{id}/claim`, with the claim token as bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// Proof of holding the link.
    pub link_proof: LinkProof,
    /// Proof of holding the link and its passphrase.
    pub access_proof: AccessProof,
}

/// Answer to claim: the same for every repeat with the same token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimAnswer {
    /// When the right to fetch the body ends, unless renewed.
    pub lease_expires_at: u64,
    /// Length of the sealed body in bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::BodyLen))]
    pub body_len: u64,
    /// The sealed manifest.
    #[serde(with = "base64url::bytes")]
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Manifest))]
    pub manifest: Vec<u8>,
    /// The whole sealed body, when it was sent inline.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64url::bytes::optional"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::Body, required = false))]
    pub body: Option<Vec<u8>>,
}

/// Answer to `POST /transfers/{id}/renew`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewAnswer {
    /// When the lease ends now.
    pub lease_expires_at: u64,
}

/// What has become of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// Its claimant may still fetch.
    Live,
    /// Its claimant's client said that everything arrived.
    Delivered,
    /// It ended without a word.
    Lapsed,
    /// The owner burnt the transfer under it.
    Burnt,
}

/// One claim on a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptClaim {
    /// When it was granted.
    pub claimed_at: u64,
    /// What has become of it.
    pub state: ClaimState,
    /// When it ended; absent while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub at: Option<u64>,
}

/// Answer to `GET /transfers/{id}`: what a sender may know of what became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptAnswer {
    /// Where it stands.
    pub state: State,
    /// Why it is gone; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub cause: Option<Cause>,
    /// When it ended; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub at: Option<u64>,
    /// When it was created.
    pub created_at: u64,
    /// When it expires; absent when it was never ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<u64>,
    /// How many claims it was made for.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::ClaimsMax))]
    pub claims_max: u32,
    /// Claims that were not taken.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::ClaimsLeft))]
    pub claims_left: u32,
    /// Wrong access proofs it still bears; 0 means locked.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::AttemptsLeft))]
    pub attempts_left: u32,
    /// Length of the sealed body in bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::BodyLen))]
    pub body_len: u64,
    /// Every claim that was granted, oldest first.
    pub claims: Vec<ReceiptClaim>,
}

/// Answer to `GET /stats`: counts since the record store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsAnswer {
    /// Transfers that were created.
    pub created: u64,
    /// Claims that were granted.
    pub claimed: u64,
    /// Claims whose client said that everything arrived.
    pub delivered: u64,
    /// Claims that ended without a word.
    pub lapsed: u64,
    /// Transfers that their owners burnt.
    pub burnt: u64,
    /// Transfers whose time was over before every open was taken.
    pub expired: u64,
    /// Uploads that were never completed.
    pub abandoned: u64,
    /// Transfers that ran out of attempts, counted each time.
    pub locked: u64,
}

impl StatsAnswer {
    /// What the counts are called, here and wherever they are kept or shown.
    pub const NAMES: [&'static str; 8] = [
        "created",
        "claimed",
        "delivered",
        "lapsed",
        "burnt",
        "expired",
        "abandoned",
        "locked",
    ];

    /// The counts, in the order of [`StatsAnswer::NAMES`].
    pub const fn counts(&self) -> [u64; 8] {
        let Self {
            created,
            claimed,
            delivered,
            lapsed,
            burnt,
            expired,
            abandoned,
            locked,
        } = *self;
        [
            created, claimed, delivered, lapsed, burnt, expired, abandoned, locked,
        ]
    }

    /// The answer with these counts, in the order of [`StatsAnswer::NAMES`].
    pub const fn of(counts: [u64; 8]) -> Self {
        let [
            created,
            claimed,
            delivered,
            lapsed,
            burnt,
            expired,
            abandoned,
            locked,
        ] = counts;
        Self {
            created,
            claimed,
            delivered,
            lapsed,
            burnt,
            expired,
            abandoned,
            locked,
        }
    }
}

/// Which half of the calls a server takes. Servers of different roles may stand over the same stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All of them.
    #[default]
    Both,
    /// The sender's alone: creating, uploading, receipts, unlocking, burning.
    Create,
    /// Those alone that a link is opened by.
    Open,
}

/// Answer to `GET /config`: what this server allows, so that a client can say so before any work starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigAnswer {
    /// The server's version.
    pub version: String,
    /// The most content of one transfer, in bytes.
    pub transfer_size_max: u64,
    /// Sealed bodies of at most so many bytes are sent inside the create request.
    pub inline_max: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// The longest life a sender may choose, in seconds.
    pub ttl_s_max: u64,
    /// The life that pages offer first, in seconds.
    pub ttl_s_default: u64,
    /// The shortest life, in seconds.
    pub ttl_s_min: u64,
    /// The most claims a sender may allow.
    #[cfg_attr(feature = "openapi", schema(value_type = openapi::ClaimsMax))]
    pub claims_max: u32,
    /// How long a lease lasts when it is not renewed, in seconds; 0 when a body is given once and never resumed.
    pub lease_s: u64,
    /// An upload without an accepted part for so many seconds is abandoned.
    pub upload_idle_s: u64,
    /// How long after its expiry, or its end if that is later, the tombstone of a transfer is kept, in seconds.
    pub tombstone_ttl_s: u64,
    /// Whether only holders of a create token may create transfers. With one as bearer, the limits in this answer are that token's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub needs_create_token: bool,
    /// Which half of the calls this server takes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub role: Role,
    /// Where links lead that are made here, as `https://HOST[:PORT]`; to this server itself when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub open_url: Option<String>,
}

/// Refuses `null` where a member may be absent: there is one way to leave something out.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROOF: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn refused<T: for<'de> Deserialize<'de>>(json: &str) -> String {
        serde_json::from_str::<T>(json)
            .map(|_| ())
            .expect_err(json)
            .to_string()
    }

    #[test]
    fn counts_have_the_names_that_they_are_sent_with() {
        let counts = [1, 2, 3, 4, 5, 6, 7, 8];
        let stats = StatsAnswer::of(counts);
        assert_eq!(stats.counts(), counts);
        let sent = serde_json::to_value(stats).expect("counts are plain");
        for (name, count) in StatsAnswer::NAMES.iter().zip(counts) {
            assert_eq!(sent.get(name), Some(&count.into()), "{name}");
        }
    }

    #[test]
    fn requests_refuse_what_they_do_not_know() {
        let peek = |members: &str| format!("{{{members}}}");
        let link = format!("\"link_proof\":\"{PROOF}\"");
        assert!(serde_json::from_str::<PeekRequest>(&peek(&link)).is_ok());
        assert!(
            refused::<PeekRequest>(&peek(&format!("{link},\"x\":1"))).contains("unknown field")
        );
        assert!(
            refused::<PeekRequest>(&peek(&format!("{link},{link}"))).contains("duplicate field")
        );
        assert!(refused::<PeekRequest>("{}").contains("missing field"));
        assert!(
            refused::<PeekRequest>(&peek(&format!("{link},\"access_proof\":null")))
                .contains("invalid type")
        );
    }

    #[test]
    fn answers_accept_what_they_do_not_know() {
        let json = r#"{"lease_expires_at":5,"later":true}"#;
        assert_eq!(
            serde_json::from_str::<RenewAnswer>(json).expect(json),
            RenewAnswer {
                lease_expires_at: 5
            }
        );
    }

    #[test]
    fn limits_of_an_older_server_hold_for_everybody() {
        let json = r#"{"version":"0","transfer_size_max":1,"inline_max":1,"part_len":1,"ttl_s_max":1,"ttl_s_default":1,
            "ttl_s_min":1,"claims_max":1,"lease_s":1,"upload_idle_s":1,"tombstone_ttl_s":1}"#;
        let config: ConfigAnswer = serde_json::from_str(json).expect(json);
        assert!(!config.needs_create_token);
        assert_eq!((config.role, config.open_url), (Role::Both, None));
    }
}
