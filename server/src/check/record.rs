//! What holds of every record at every time, whatever happened to its transfer: each way in which one can be damaged, in words.
//! It reads no clock: clocks are set back, and that is no damage.

use onetimeshare_protocol::limits::{self, ATTEMPTS_MAX, CLAIMS_MAX};
use onetimeshare_protocol::transfer::Cause;

use crate::record::sqlite::audit::Look;
use crate::transfer::{LeaseEnd, Phase, Transfer};

/// What is wrong with a record; nothing, usually. What is left of a transfer that is gone is told by [`remains`].
pub(super) fn faults(look: &Look) -> Vec<&'static str> {
    let Some(transfer) = &look.transfer else {
        return vec!["it holds a value that no version of this program writes"];
    };
    let mut rules = shape(transfer);
    rules.extend(life(transfer));
    rules.extend(belongings(look, transfer));
    rules
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, fault)| fault)
        .collect()
}

/// Whether anything but the tombstone is left of a transfer that is gone.
pub(super) fn remains(look: &Look) -> bool {
    let is_gone = look.transfer.as_ref().is_some_and(Transfer::is_gone);
    is_gone && (look.is_frame_sound.is_some() || look.part_count > 0)
}

/// Whether a rule holds, and what is wrong when it does not.
type Rule = (bool, &'static str);

fn shape(transfer: &Transfer) -> Vec<Rule> {
    let Transfer {
        body_len,
        claims_max,
        claims_left,
        attempts_left,
        ref leases,
        ..
    } = *transfer;
    let taken = claims_max.checked_sub(claims_left);
    vec![
        (
            limits::is_body_len(body_len),
            "the length of its body is none that a body has",
        ),
        (
            (1..=CLAIMS_MAX).contains(&claims_max),
            "the number of its opens is none that can be chosen",
        ),
        (
            taken.and_then(|taken| usize::try_from(taken).ok()) == Some(leases.len()),
            "its opens do not add up: those that are left, and the claims that were granted",
        ),
        (
            attempts_left <= ATTEMPTS_MAX,
            "it has more attempts left than there are",
        ),
    ]
}

fn life(transfer: &Transfer) -> Vec<Rule> {
    let leases = &transfer.leases;
    let has_ended_as = |end| {
        let mut ends = leases.iter().filter_map(|lease| lease.end);
        ends.any(|(told, _)| told == end)
    };
    let is_spent = transfer.claims_left == 0;
    let has_expiry = transfer.expires_at.is_some();
    match transfer.phase {
        Phase::Uploading => vec![
            (
                !transfer.is_inline,
                "it is uploading what came with its creation",
            ),
            (!has_expiry, "it expires before its upload is complete"),
            (
                leases.is_empty(),
                "it was opened before its upload was complete",
            ),
        ],
        Phase::Ready => vec![(has_expiry, "it never expires")],
        Phase::Gone { cause, .. } => vec![
            (
                !leases.iter().any(crate::transfer::Lease::is_live),
                "it is gone while somebody still holds a lease",
            ),
            (
                match cause {
                    Cause::Delivered => is_spent && has_ended_as(LeaseEnd::Delivered),
                    Cause::Lapsed => is_spent && has_ended_as(LeaseEnd::Lapsed),
                    Cause::Expired => has_expiry,
                    Cause::Abandoned => !has_expiry && leases.is_empty(),
                    Cause::Burnt => true,
                },
                "its end does not follow from what happened to it",
            ),
        ],
    }
}

fn belongings(look: &Look, transfer: &Transfer) -> Vec<Rule> {
    let is_gone = transfer.is_gone();
    let part_count = transfer.part_count();
    vec![
        (
            look.are_columns_sound,
            "columns that belong together are not filled together",
        ),
        (
            usize::try_from(transfer.manifest_len).is_ok_and(limits::is_manifest_len),
            "the length of its manifest is none that a manifest has",
        ),
        (
            is_gone || look.is_frame_sound.is_some(),
            "its ciphertext is missing",
        ),
        (
            is_gone || look.is_frame_sound != Some(false),
            "its ciphertext does not have the form that it is written in",
        ),
        (
            is_gone || look.parts_end <= part_count,
            "it has parts beyond the end of its body",
        ),
        (
            transfer.phase != Phase::Ready || look.part_count == part_count,
            "it is complete, but parts are missing",
        ),
        (
            look.queued_parts == 0,
            "parts of it are queued for deletion although it names them",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use onetimeshare_protocol::id::{
        AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
    };

    use super::*;
    use crate::transfer::{Fetches, Lease};

    fn transfer(phase: Phase) -> Transfer {
        let is_uploading = phase == Phase::Uploading;
        Transfer {
            id: TransferId::from_bytes([1; 16]),
            link_verifier: LinkVerifier::from_bytes([2; 32]),
            access_verifier: AccessVerifier::from_bytes([3; 32]),
            owner_verifier: OwnerVerifier::from_bytes([4; 32]),
            create_digest: [5; 32],
            manifest_len: 304,
            body_len: 1056,
            part_len: 1000,
            is_inline: false,
            ttl_s: 60,
            claims_max: 2,
            claims_left: 2,
            attempts_left: 5,
            created_at: 100,
            active_at: 100,
            expires_at: (!is_uploading).then_some(200),
            phase,
            leases: Vec::new(),
            holder: None,
        }
    }

    fn lease(end: Option<LeaseEnd>) -> Lease {
        Lease {
            claim_verifier: ClaimVerifier::from_bytes([6; 32]),
            claimed_at: 110,
            renewed_at: 110,
            expires_at: 120,
            fetches: Fetches::Many,
            end: end.map(|end| (end, 120)),
        }
    }

    fn look(transfer: Transfer) -> Look {
        let is_whole = transfer.phase == Phase::Ready && !transfer.is_inline;
        Look {
            id: transfer.id.clone(),
            is_frame_sound: (!transfer.is_gone()).then_some(true),
            are_columns_sound: true,
            part_count: if is_whole { 2 } else { 0 },
            parts_end: if is_whole { 2 } else { 0 },
            queued_parts: 0,
            transfer: Some(transfer),
        }
    }

    fn gone(cause: Cause) -> Phase {
        Phase::Gone { cause, at: 150 }
    }

    fn ended(cause: Cause, end: LeaseEnd) -> Transfer {
        Transfer {
            claims_left: 0,
            leases: vec![lease(Some(LeaseEnd::Lapsed)), lease(Some(end))],
            ..transfer(gone(cause))
        }
    }

    #[test]
    fn every_sound_record_passes() {
        let claimed = Transfer {
            claims_left: 0,
            leases: vec![lease(None), lease(Some(LeaseEnd::Delivered))],
            ..transfer(Phase::Ready)
        };
        let inline = Transfer {
            is_inline: true,
            ..transfer(Phase::Ready)
        };
        let abandoned = Transfer {
            expires_at: None,
            ..transfer(gone(Cause::Abandoned))
        };
        for sound in [
            transfer(Phase::Uploading),
            transfer(Phase::Ready),
            claimed,
            inline,
            abandoned,
            transfer(gone(Cause::Burnt)),
            transfer(gone(Cause::Expired)),
            ended(Cause::Delivered, LeaseEnd::Delivered),
            ended(Cause::Lapsed, LeaseEnd::Lapsed),
        ] {
            assert_eq!(faults(&look(sound.clone())), [""; 0], "{sound:?}");
            assert!(!remains(&look(sound)));
        }
    }

    /// One fault each, and its sentence has this in it.
    #[test]
    fn every_damage_is_told() {
        let check = |phase: Phase, damage: fn(&mut Transfer), expected: &str| {
            let mut damaged = transfer(phase);
            damage(&mut damaged);
            let found = faults(&look(damaged));
            assert!(
                matches!(&found[..], [fault] if fault.contains(expected)),
                "{expected}: {found:?}"
            );
        };
        check(Phase::Ready, |t| t.claims_left = 1, "do not add up");
        check(Phase::Ready, |t| t.claims_left = 3, "do not add up");
        check(
            Phase::Ready,
            |t| t.leases.push(lease(None)),
            "do not add up",
        );
        check(Phase::Ready, |t| t.attempts_left = 6, "more attempts");
        check(Phase::Ready, |t| t.expires_at = None, "never expires");
        check(
            Phase::Uploading,
            |t| t.expires_at = Some(9),
            "expires before",
        );
        check(
            Phase::Uploading,
            |t| t.is_inline = true,
            "is uploading what came",
        );
        check(
            Phase::Uploading,
            |t| (t.claims_left, t.leases) = (1, vec![lease(None)]),
            "opened before",
        );
        check(
            gone(Cause::Burnt),
            |t| (t.claims_left, t.leases) = (1, vec![lease(None)]),
            "still holds a lease",
        );
        let end = "does not follow";
        check(gone(Cause::Delivered), |_| {}, end);
        check(gone(Cause::Lapsed), |_| {}, end);
        check(gone(Cause::Abandoned), |_| {}, end);
        check(gone(Cause::Expired), |t| t.expires_at = None, end);
        let is_told = |transfer, expected: &str| {
            faults(&look(transfer))
                .iter()
                .any(|fault| fault.contains(expected))
        };
        assert!(is_told(ended(Cause::Delivered, LeaseEnd::Lapsed), end));
        let body_len = 1057;
        assert!(is_told(
            Transfer {
                body_len,
                ..transfer(Phase::Ready)
            },
            "none that a body"
        ));
        let (claims_max, claims_left) = (0, 0);
        let none = Transfer {
            claims_max,
            claims_left,
            ..transfer(Phase::Ready)
        };
        assert!(is_told(none, "none that can be chosen"));
    }

    #[test]
    fn what_belongs_to_a_record_is_looked_at() {
        let check = |phase: Phase, damage: fn(&mut Look), expected: &str| {
            let mut damaged = look(transfer(phase));
            damage(&mut damaged);
            let found = faults(&damaged);
            assert!(
                matches!(&found[..], [fault] if fault.contains(expected)),
                "{expected}: {found:?}"
            );
        };
        check(Phase::Ready, |l| l.transfer = None, "no version");
        check(Phase::Ready, |l| l.are_columns_sound = false, "columns");
        let damage = |l: &mut Look| l.transfer.as_mut().unwrap().manifest_len = 305;
        check(Phase::Ready, damage, "manifest");
        check(Phase::Ready, |l| l.is_frame_sound = None, "is missing");
        check(Phase::Ready, |l| l.is_frame_sound = Some(false), "the form");
        check(Phase::Ready, |l| l.part_count = 1, "parts are missing");
        check(Phase::Uploading, |l| l.parts_end = 3, "beyond the end");
        check(Phase::Ready, |l| l.queued_parts = 1, "queued for deletion");

        for damage in [
            |l: &mut Look| l.is_frame_sound = Some(true),
            |l: &mut Look| {
                l.part_count = 1;
            },
        ] {
            let mut damaged = look(transfer(gone(Cause::Burnt)));
            damage(&mut damaged);
            assert!(remains(&damaged));
            assert_eq!(faults(&damaged), [""; 0], "that is told once");
        }
    }
}
