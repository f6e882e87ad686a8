//! The steps of a transfer's life on rows: load it, run the pure step, keep what that changed. Policy is none of theirs.

use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use rusqlite::{Connection, OptionalExtension};

use super::rows::{self, Stored};
use super::writer::Section;
use super::{frame, objects};
use crate::record::step::{self, Queued};
use crate::record::{BodyPlace, Created, NewTransfer, PartWrite, StoreError, StoreResult};
use crate::token::is_same;
use crate::transfer::{Moment, Outcome, Peek, Refusal, Transfer};

/// What a caller brings to show that a transfer is its business.
pub(super) enum Proof {
    Link(LinkVerifier),
    Owner(OwnerVerifier),
    Claim(ClaimVerifier),
}

impl Proof {
    /// Whether it fits the transfer. An unknown id costs what a wrong proof costs: the same queries, each of which finds a row, and
    /// the same comparisons. To find none would take a microsecond less, which shows over enough guesses: so it is the next
    /// transfer in the order of ids that is found, or the latest behind the last of them.
    pub(super) fn fits(&self, conn: &Connection, id: &TransferId) -> StoreResult<bool> {
        let found = conn
            .prepare_cached(
                "SELECT row, id, link_verifier, owner_verifier FROM transfer WHERE row = ifnull(
                    (SELECT row FROM transfer WHERE id >= ?1 ORDER BY id LIMIT 1), (SELECT max(row) FROM transfer))",
            )?
            .query_row([id.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        // Only of no transfer at all there is none.
        let (row, found_id, link, owner): (i64, [u8; 16], [u8; 32], [u8; 32]) =
            found.unwrap_or((-1, [0; 16], [0; 32], [0; 32]));
        let is_known = row >= 0 && found_id == *id.as_bytes();
        let fits = match self {
            Self::Link(presented) => is_same(presented.as_bytes(), &link),
            Self::Owner(presented) => is_same(presented.as_bytes(), &owner),
            // The index is searched for a hash that the caller cannot steer: its time tells nothing about a stored one.
            Self::Claim(presented) => conn
                .prepare_cached("SELECT 1 FROM lease WHERE row = ?1 AND claim_verifier = ?2")?
                .exists((row, presented.as_bytes()))?,
        };
        Ok(is_known & fits)
    }
}

/// Loads the transfer, runs one step on it, and keeps what it changed, whatever the outcome.
pub(super) fn in_section<T>(
    section: &Section<'_>,
    id: &TransferId,
    at: Moment,
    run: impl FnOnce(&Section<'_>, &Stored, &mut Transfer) -> StoreResult<Outcome<T>>,
) -> StoreResult<Outcome<T>> {
    let Some(before) = rows::load(section.conn, id)? else {
        return Ok(Err(Refusal::Unknown));
    };
    let mut after = before.transfer.clone();
    let outcome = settled(&mut after, at, |transfer| run(section, &before, transfer))?;
    if after != before.transfer {
        rows::save(section, &before, &after, at)?;
    }
    Ok(outcome)
}

/// [`step::run`] for a step that also asks the database.
fn settled<T>(
    transfer: &mut Transfer,
    at: Moment,
    run: impl FnOnce(&mut Transfer) -> StoreResult<Outcome<T>>,
) -> StoreResult<Outcome<T>> {
    let mut fault = None;
    let outcome = step::run(transfer, at, |transfer| {
        run(transfer).unwrap_or_else(|error| {
            fault = Some(error);
            Err(Refusal::Unknown)
        })
    });
    fault.map_or(Ok(outcome), Err)
}

/// The transfer as it is now, on a copy: time's work is seen and left to the writer.
pub(super) fn read<T>(
    conn: &Connection,
    id: &TransferId,
    at: Moment,
    run: impl FnOnce(&Stored, &mut Transfer) -> StoreResult<Outcome<T>>,
) -> StoreResult<Outcome<T>> {
    let Some(stored) = rows::load(conn, id)? else {
        return Ok(Err(Refusal::Unknown));
    };
    let mut copy = stored.transfer.clone();
    settled(&mut copy, at, |transfer| run(&stored, transfer))
}

/// The sealed manifest, and the body when it was sent inline.
pub(super) fn ciphertext(
    conn: &Connection,
    stored: &Stored,
) -> StoreResult<(Bytes, Option<Bytes>)> {
    let frame = rows::sealed(conn, stored.row)?;
    let manifest_len = usize::try_from(stored.transfer.manifest_len).unwrap_or(usize::MAX);
    let manifest = Bytes::copy_from_slice(frame::manifest(&frame, manifest_len)?);
    if !stored.transfer.is_inline {
        return Ok((manifest, None));
    }
    let body_len = usize::try_from(stored.transfer.body_len).unwrap_or(usize::MAX);
    let body = Bytes::copy_from_slice(frame::body(&frame, manifest_len, body_len)?);
    Ok((manifest, Some(body)))
}

/// Where the body lies, for who may fetch it: `fetched` says whether, and if this is the only time.
pub(super) fn body_place(
    conn: &Connection,
    stored: &Stored,
    fetched: Outcome<bool>,
) -> StoreResult<Outcome<BodyPlace>> {
    let is_whole = match fetched {
        Ok(is_whole) => is_whole,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let inline = if stored.transfer.is_inline {
        ciphertext(conn, stored)?.1
    } else {
        None
    };
    Ok(Ok(BodyPlace {
        body_len: stored.transfer.body_len,
        part_len: stored.transfer.part_len,
        inline,
        is_whole,
    }))
}

/// Stores a new transfer, unless one of its id stands, or `require_room` has an objection.
pub(super) fn create(
    section: &Section<'_>,
    new: &NewTransfer,
    at: Moment,
    require_room: impl FnOnce() -> StoreResult<()>,
) -> StoreResult<Outcome<Created>> {
    let standing = in_section(section, &new.creation.id, at, |_, _, transfer| {
        Ok(if transfer.create_digest == new.creation.create_digest {
            Ok(Created::of(transfer, false, at.now))
        } else {
            Err(Refusal::Conflict)
        })
    })?;
    if standing != Err(Refusal::Unknown) {
        return Ok(standing);
    }
    if let Some(refusal) = &new.refusal {
        return Ok(Err(refusal.clone()));
    }
    require_room()?;
    // What stands under this id after all is a tombstone whose time is over.
    if let Some(forgotten) = rows::load(section.conn, &new.creation.id)? {
        rows::forget(section, forgotten.row)?;
    }
    let transfer = Transfer::create(new.creation.clone(), at.now);
    rows::insert(section, &transfer, new, at)?;
    Ok(Ok(Created::of(&transfer, true, at.now)))
}

/// Makes a written object the part, or dooms it.
pub(super) fn accept_part(
    section: &Section<'_>,
    owner: &OwnerVerifier,
    part: &PartWrite,
    at: Moment,
) -> StoreResult<Outcome<bool>> {
    let conn = section.conn;
    let mut standing = None;
    let outcome = in_section(section, &part.object.id, at, |_, stored, transfer| {
        let accepted = objects::accepted(conn, stored.row, part.object.index)?;
        let queued = objects::queued(conn, &part.object)?;
        standing = accepted;
        let outcome = step::accept_part(transfer, owner, part, (accepted, queued), at);
        if outcome == Ok(true) && accepted.is_none() {
            objects::accept(conn, stored.row, part)?;
        }
        Ok(outcome)
    })?;
    if step::is_lost(&outcome, part, standing) {
        let queued = objects::queued(conn, &part.object)?.unwrap_or_else(|| Queued::doomed(at));
        let due_at = queued.due_at.min(at.now);
        objects::queue(conn, &part.object, Queued { due_at, ..queued })?;
    }
    Ok(outcome)
}

/// What a peek shows, with the manifest when it may be seen.
pub(super) type Seen = (Peek, Option<Bytes>);

/// A peek without the writer; none when the proof is wrong and has to be counted.
pub(super) fn glance(
    conn: &Connection,
    id: &TransferId,
    (link, access): (&LinkVerifier, Option<&AccessVerifier>),
    at: Moment,
) -> StoreResult<Option<Outcome<Seen>>> {
    if !Proof::Link(link.clone()).fits(conn, id)? {
        return Ok(Some(Err(Refusal::Unknown)));
    }
    let mut is_counted = false;
    let outcome = read(conn, id, at, |stored, transfer| {
        let attempts_left = transfer.attempts_left;
        let peeked = transfer.peek(link, access, at);
        is_counted = transfer.attempts_left != attempts_left;
        shown(conn, stored, peeked)
    })?;
    Ok((!is_counted).then_some(outcome))
}

/// What a peek has come to, with what it shows.
pub(super) fn shown(
    conn: &Connection,
    stored: &Stored,
    peeked: Outcome<Peek>,
) -> StoreResult<Outcome<Seen>> {
    Ok(match peeked {
        Err(refusal) => Err(refusal),
        Ok(peek) if peek.shows_manifest => Ok((peek, Some(ciphertext(conn, stored)?.0))),
        Ok(peek) => Ok((peek, None)),
    })
}

/// Burns it for its owner, also when its record is damaged: it is erased then, and leaves no tombstone.
pub(super) fn burn(
    section: &Section<'_>,
    id: &TransferId,
    owner: &OwnerVerifier,
    at: Moment,
) -> StoreResult<Outcome<()>> {
    // Whose it is was seen before.
    if rows::is_undecodable(section.conn, id) {
        tracing::error!(?id, "a damaged record is burnt: it is erased");
        return rows::discard(section, id, at).map(Ok);
    }
    in_section(section, id, at, |_, _, transfer| {
        Ok(transfer
            .authorize_owner(owner)
            .map(|()| transfer.burn(at.now)))
    })
}

/// Settles one transfer that is due, or forgets it. One whose record is damaged is erased: what time would have made of it
/// cannot be told, and nobody can open it.
fn sweep_one(section: &Section<'_>, id: &TransferId, at: Moment) -> StoreResult<()> {
    if rows::is_undecodable(section.conn, id) {
        tracing::error!(?id, "a damaged record is due: it is erased");
        return rows::discard(section, id, at);
    }
    let Some(before) = rows::load(section.conn, id)? else {
        return Ok(());
    };
    let mut after = before.transfer.clone();
    after.settle(at);
    // Kept even when nothing changed: it is due at another time when an operator has changed a period.
    rows::save(section, &before, &after, at)?;
    if after.is_forgotten(at) {
        rows::forget(section, before.row)?;
    }
    Ok(())
}

/// One of several steps in a section: of one that fails nothing is kept.
fn alone(section: &Section<'_>, step: impl FnOnce() -> StoreResult<()>) -> StoreResult<()> {
    let execute = |statement| -> StoreResult<()> {
        section.conn.prepare_cached(statement)?.execute([])?;
        Ok(())
    };
    execute("SAVEPOINT one")?;
    let done = step();
    if done.is_err() {
        execute("ROLLBACK TO one")?;
    }
    execute("RELEASE one")?;
    done
}

/// Settles or forgets up to `limit` transfers that are due. How many.
pub(super) fn sweep(section: &Section<'_>, limit: usize, at: Moment) -> StoreResult<usize> {
    let due: Vec<TransferId> = section
        .conn
        .prepare_cached("SELECT id FROM transfer WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2")?
        .query_map(
            [rows::int(at.now)?, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| row.get(0).map(TransferId::from_bytes),
        )?
        .collect::<Result<_, _>>()?;
    let mut swept = 0;
    for id in &due {
        match alone(section, || sweep_one(section, id, at)) {
            Ok(()) => swept += 1,
            // One damaged page must not keep all others for ever.
            Err(error @ StoreError::Corrupt(_)) => {
                tracing::error!(%error, ?id, "a record cannot be swept");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(swept)
}
