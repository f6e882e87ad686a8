//! What a transfer looks like in Redis: JSON for the record and each lease, short texts for parts and queue entries. A text of
//! any other form was not written by this version, and is told so.

use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::Cause;
use serde::{Deserialize, Serialize};

use crate::record::{Accepted, Queued, StoreError, StoreResult};
use crate::transfer::{Fetches, Holder, Lease, LeaseEnd, Phase, Transfer};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    id: TransferId,
    link: LinkVerifier,
    access: AccessVerifier,
    owner: OwnerVerifier,
    digest: [u8; 32],
    /// Not told by the first versions.
    #[serde(default)]
    manifest_len: u64,
    body_len: u64,
    part_len: u64,
    is_inline: bool,
    ttl_s: u64,
    claims_max: u32,
    claims_left: u32,
    attempts_left: u32,
    created_at: u64,
    active_at: u64,
    expires_at: Option<u64>,
    phase: PhaseText,
    /// Only of what lives, where somebody may hold only so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum PhaseText {
    Uploading,
    Ready,
    Gone { cause: Cause, at: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaseText {
    claimant: ClaimVerifier,
    claimed_at: u64,
    renewed_at: u64,
    expires_at: u64,
    fetches: FetchesText,
    end: Option<(EndText, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FetchesText {
    Many,
    Once,
    Begun,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndText {
    Delivered,
    Lapsed,
    Burnt,
}

fn encode<T: Serialize>(text: &T) -> Vec<u8> {
    serde_json::to_vec(text).expect("numbers, texts and lists of them are always JSON")
}

fn decode<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> StoreResult<T> {
    // The library's own words could repeat what stands there.
    serde_json::from_slice(text)
        .map_err(|_| StoreError::Corrupt(format!("{what} in Redis that this version cannot read")))
}

/// The record, less its leases.
pub(super) fn record(transfer: &Transfer) -> Vec<u8> {
    let phase = match transfer.phase {
        Phase::Uploading => PhaseText::Uploading,
        Phase::Ready => PhaseText::Ready,
        Phase::Gone { cause, at } => PhaseText::Gone { cause, at },
    };
    encode(&RecordText {
        id: transfer.id.clone(),
        link: transfer.link_verifier.clone(),
        access: transfer.access_verifier.clone(),
        owner: transfer.owner_verifier.clone(),
        digest: transfer.create_digest,
        manifest_len: transfer.manifest_len,
        body_len: transfer.body_len,
        part_len: transfer.part_len,
        is_inline: transfer.is_inline,
        ttl_s: transfer.ttl_s,
        claims_max: transfer.claims_max,
        claims_left: transfer.claims_left,
        attempts_left: transfer.attempts_left,
        created_at: transfer.created_at,
        active_at: transfer.active_at,
        expires_at: transfer.expires_at,
        phase,
        holder: transfer.holder.map(Holder::to_text),
    })
}

/// The transfer of a record and its leases.
pub(super) fn parse_transfer(record: &[u8], leases: &[Vec<u8>]) -> StoreResult<Transfer> {
    let text: RecordText = decode(record, "a record")?;
    let leases = leases.iter().map(|lease| parse_lease(lease));
    let holder = text.holder.map(|holder| {
        let unread = || StoreError::Corrupt("a holder in Redis that is none".to_owned());
        Holder::parse(&holder).ok_or_else(unread)
    });
    Ok(Transfer {
        id: text.id,
        link_verifier: text.link,
        access_verifier: text.access,
        owner_verifier: text.owner,
        create_digest: text.digest,
        manifest_len: text.manifest_len,
        body_len: text.body_len,
        part_len: text.part_len,
        is_inline: text.is_inline,
        ttl_s: text.ttl_s,
        claims_max: text.claims_max,
        claims_left: text.claims_left,
        attempts_left: text.attempts_left,
        created_at: text.created_at,
        active_at: text.active_at,
        expires_at: text.expires_at,
        phase: match text.phase {
            PhaseText::Uploading => Phase::Uploading,
            PhaseText::Ready => Phase::Ready,
            PhaseText::Gone { cause, at } => Phase::Gone { cause, at },
        },
        leases: leases.collect::<StoreResult<_>>()?,
        holder: holder.transpose()?,
    })
}

/// One lease.
pub(super) fn lease(lease: &Lease) -> Vec<u8> {
    let end = lease.end.map(|(end, at)| {
        let end = match end {
            LeaseEnd::Delivered => EndText::Delivered,
            LeaseEnd::Lapsed => EndText::Lapsed,
            LeaseEnd::Burnt => EndText::Burnt,
        };
        (end, at)
    });
    encode(&LeaseText {
        claimant: lease.claim_verifier.clone(),
        claimed_at: lease.claimed_at,
        renewed_at: lease.renewed_at,
        expires_at: lease.expires_at,
        fetches: match lease.fetches {
            Fetches::Many => FetchesText::Many,
            Fetches::Once => FetchesText::Once,
            Fetches::Begun => FetchesText::Begun,
        },
        end,
    })
}

fn parse_lease(text: &[u8]) -> StoreResult<Lease> {
    let text: LeaseText = decode(text, "a lease")?;
    let end = text.end.map(|(end, at)| {
        let end = match end {
            EndText::Delivered => LeaseEnd::Delivered,
            EndText::Lapsed => LeaseEnd::Lapsed,
            EndText::Burnt => LeaseEnd::Burnt,
        };
        (end, at)
    });
    Ok(Lease {
        claim_verifier: text.claimant,
        claimed_at: text.claimed_at,
        renewed_at: text.renewed_at,
        expires_at: text.expires_at,
        fetches: match text.fetches {
            FetchesText::Many => Fetches::Many,
            FetchesText::Once => Fetches::Once,
            FetchesText::Begun => Fetches::Begun,
        },
        end,
    })
}

/// An accepted part: 32 bytes of SHA-256, then its object's random in hex, which is what `commit.lua` takes from there.
pub(super) fn part(accepted: Accepted) -> Vec<u8> {
    let mut text = accepted.digest.to_vec();
    text.extend_from_slice(format!("{:016x}", accepted.random).as_bytes());
    text
}

/// The part of such a text.
pub(super) fn parse_part(text: &[u8]) -> StoreResult<Accepted> {
    let parse = || {
        let (digest, random) = text.split_first_chunk::<32>()?;
        let random = std::str::from_utf8(random).ok()?;
        Some(Accepted {
            digest: *digest,
            random: u64::from_str_radix(random, 16).ok()?,
        })
    };
    parse().ok_or_else(|| StoreError::Corrupt("a part in Redis that is none".to_owned()))
}

/// Times are scores of sorted sets, which are exact up to here: 285 million years.
const TIME_MAX: u64 = 1 << 53;

/// A time, of which the end of all numbers means never.
pub(super) fn time(at: u64) -> String {
    at.min(TIME_MAX).to_string()
}

/// A queue entry, less the time that it is due at.
pub(super) fn queued(queued: Queued) -> String {
    format!("{}:{}", time(queued.final_at), u8::from(queued.is_taken))
}

/// The entry of such a text, behind the time that it is due at.
pub(super) fn parse_queued(text: &str) -> StoreResult<Queued> {
    let parse = || {
        let mut fields = text.split(':');
        let queued = Queued {
            due_at: fields.next()?.parse().ok()?,
            final_at: fields.next()?.parse().ok()?,
            is_taken: fields.next()? == "1",
        };
        fields.next().is_none().then_some(queued)
    };
    parse().ok_or_else(|| StoreError::Corrupt("a queue entry in Redis that is none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer() -> Transfer {
        let lease = |fetches, end| Lease {
            claim_verifier: ClaimVerifier::from_bytes([9; 32]),
            claimed_at: 11,
            renewed_at: 12,
            expires_at: 13,
            fetches,
            end,
        };
        Transfer {
            id: TransferId::from_bytes([1; 16]),
            link_verifier: LinkVerifier::from_bytes([2; 32]),
            access_verifier: AccessVerifier::from_bytes([3; 32]),
            owner_verifier: OwnerVerifier::from_bytes([4; 32]),
            create_digest: [5; 32],
            manifest_len: 304,
            body_len: 1,
            part_len: 2,
            is_inline: true,
            ttl_s: 3,
            claims_max: 4,
            claims_left: 5,
            attempts_left: 6,
            created_at: 7,
            active_at: 8,
            expires_at: Some(u64::MAX),
            phase: Phase::Uploading,
            leases: vec![
                lease(Fetches::Many, None),
                lease(Fetches::Once, Some((LeaseEnd::Lapsed, 14))),
                lease(Fetches::Begun, Some((LeaseEnd::Delivered, 15))),
                lease(Fetches::Many, Some((LeaseEnd::Burnt, 16))),
            ],
            holder: None,
        }
    }

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let causes = [
            Cause::Delivered,
            Cause::Lapsed,
            Cause::Burnt,
            Cause::Expired,
            Cause::Abandoned,
        ];
        let gone = causes.map(|cause| Phase::Gone { cause, at: 17 });
        for phase in gone.into_iter().chain([Phase::Uploading, Phase::Ready]) {
            let holder = Holder::new([0; 8], [18; 8]);
            let written = Transfer {
                phase,
                holder: (!matches!(phase, Phase::Gone { .. })).then_some(holder),
                ..transfer()
            };
            let leases: Vec<_> = written.leases.iter().map(lease).collect();
            assert_eq!(parse_transfer(&record(&written), &leases).unwrap(), written);
        }
    }

    #[test]
    fn parts_and_queue_entries_are_read_as_they_were_written() {
        let accepted = Accepted {
            digest: [0xff; 32],
            random: 0x0a,
        };
        assert_eq!(parse_part(&part(accepted)).unwrap(), accepted);
        for is_taken in [false, true] {
            let written = Queued {
                due_at: 5,
                final_at: 6,
                is_taken,
            };
            let text = format!("{}:{}", time(written.due_at), queued(written));
            assert_eq!(parse_queued(&text).unwrap(), written);
        }
        assert_eq!(time(u64::MAX), "9007199254740992");
    }

    #[test]
    fn texts_of_another_form_are_corrupt() {
        let is_corrupt = |error: StoreError| matches!(error, StoreError::Corrupt(_));
        let good = record(&transfer());
        let unknown = String::from_utf8(good.clone())
            .unwrap()
            .replace("ttl_s", "ttl");
        let held = Transfer {
            holder: Some(Holder::new([0; 8], [0xaa; 8])),
            ..transfer()
        };
        let held = String::from_utf8(record(&held)).unwrap();
        let nobody = held.replace("aaaa", "AAAA");
        for text in [
            &b""[..],
            b"{}",
            b"[]",
            unknown.as_bytes(),
            nobody.as_bytes(),
        ] {
            assert!(is_corrupt(parse_transfer(text, &[]).unwrap_err()));
            assert!(is_corrupt(
                parse_transfer(&good, &[text.to_vec()]).unwrap_err()
            ));
        }
        for text in [&[0; 31][..], &[0; 33], &[0; 48]] {
            assert!(is_corrupt(parse_part(text).unwrap_err()));
        }
        for text in ["", "1:2", "1:2:0:3", "a:2:0", "1:-2:0"] {
            assert!(is_corrupt(parse_queued(text).unwrap_err()), "{text}");
        }
    }
}
