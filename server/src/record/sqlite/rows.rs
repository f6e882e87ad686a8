//! Transfers as rows: loading one whole, and keeping what a step has changed. It decides nothing.

use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{Cause, StatsAnswer};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::frame;
use super::objects;
use super::writer::Section;
use crate::record::{HeldBy, NewTransfer, StoreError, StoreResult};
use crate::transfer::{
    Fetches, Held, Holder, Lease, LeaseEnd, Moment, Phase, RECORD_LEN, Tally, Totals, Transfer,
};

/// A transfer as it lies in the database.
pub(super) struct Stored {
    pub(super) row: i64,
    pub(super) transfer: Transfer,
}

/// A count, length or time for SQLite, whose integers are signed.
pub(super) fn int(value: u64) -> StoreResult<i64> {
    i64::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is beyond 2^63")))
}

/// Like [`int`] for a time, of which the end of all numbers means never.
fn time(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column that holds a number which is never negative, in whatever width it is needed.
pub(super) fn uint<T: TryFrom<i64>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let value: i64 = row.get(column)?;
    T::try_from(value).map_err(|_| outside(row, column, value))
}

fn uint_or_null(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    let value: Option<i64> = row.get(column)?;
    value
        .map(|value| u64::try_from(value).map_err(|_| outside(row, column, value)))
        .transpose()
}

fn outside(row: &Row<'_>, column: &str, value: i64) -> Error {
    let place = row.as_ref().column_index(column).unwrap_or(usize::MAX);
    Error::IntegralValueOutOfRange(place, value)
}

fn bytes<const N: usize>(row: &Row<'_>, column: &str) -> rusqlite::Result<[u8; N]>
where
    [u8; N]: FromSql,
{
    row.get(column)
}

const UPLOADING: i64 = 0;
const READY: i64 = 1;
const GONE: i64 = 2;

const CAUSES: [(Cause, i64); 5] = [
    (Cause::Delivered, 0),
    (Cause::Lapsed, 1),
    (Cause::Burnt, 2),
    (Cause::Expired, 3),
    (Cause::Abandoned, 4),
];

const ENDS: [(LeaseEnd, i64); 3] = [
    (LeaseEnd::Delivered, 0),
    (LeaseEnd::Lapsed, 1),
    (LeaseEnd::Burnt, 2),
];

const FETCHES: [(Fetches, i64); 3] = [(Fetches::Many, 0), (Fetches::Once, 1), (Fetches::Begun, 2)];

fn code_of<T: PartialEq + Copy>(codes: &[(T, i64)], value: T) -> Option<i64> {
    let found = codes.iter().find(|(named, _)| *named == value);
    found.map(|(_, code)| *code)
}

fn value_of<T: Copy>(codes: &[(T, i64)], row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let code: i64 = row.get(column)?;
    let found = codes.iter().find(|(_, known)| *known == code);
    found
        .map(|(value, _)| *value)
        .ok_or_else(|| outside(row, column, code))
}

/// The columns of a phase: `phase`, `cause`, `ended_at`.
fn phase_columns(phase: Phase) -> (i64, Option<i64>, Option<i64>) {
    match phase {
        Phase::Uploading => (UPLOADING, None, None),
        Phase::Ready => (READY, None, None),
        Phase::Gone { cause, at } => (GONE, code_of(&CAUSES, cause), Some(time(at))),
    }
}

fn phase(row: &Row<'_>) -> rusqlite::Result<Phase> {
    match row.get::<_, i64>("phase")? {
        UPLOADING => Ok(Phase::Uploading),
        READY => Ok(Phase::Ready),
        GONE => Ok(Phase::Gone {
            cause: value_of(&CAUSES, row, "cause")?,
            at: uint(row, "ended_at")?,
        }),
        code => Err(outside(row, "phase", code)),
    }
}

pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let transfer = Transfer {
        id: TransferId::from_bytes(bytes(row, "id")?),
        link_verifier: LinkVerifier::from_bytes(bytes(row, "link_verifier")?),
        access_verifier: AccessVerifier::from_bytes(bytes(row, "access_verifier")?),
        owner_verifier: OwnerVerifier::from_bytes(bytes(row, "owner_verifier")?),
        create_digest: bytes(row, "create_digest")?,
        manifest_len: uint(row, "manifest_len")?,
        body_len: uint(row, "body_len")?,
        part_len: uint(row, "part_len")?,
        is_inline: row.get("is_inline")?,
        ttl_s: uint(row, "ttl_s")?,
        claims_max: uint(row, "claims_max")?,
        claims_left: uint(row, "claims_left")?,
        attempts_left: uint(row, "attempts_left")?,
        created_at: uint(row, "created_at")?,
        active_at: uint(row, "active_at")?,
        expires_at: uint_or_null(row, "expires_at")?,
        phase: phase(row)?,
        leases: Vec::new(),
        holder: row
            .get::<_, Option<[u8; 16]>>("holder")?
            .map(Holder::from_bytes),
    };
    Ok(Stored {
        row: row.get("row")?,
        transfer,
    })
}

fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
    let ended_at = uint_or_null(row, "ended_at")?;
    let end = ended_at.map(|at| value_of(&ENDS, row, "end").map(|end| (end, at)));
    Ok(Lease {
        claim_verifier: ClaimVerifier::from_bytes(bytes(row, "claim_verifier")?),
        claimed_at: uint(row, "claimed_at")?,
        renewed_at: uint(row, "renewed_at")?,
        expires_at: uint(row, "expires_at")?,
        fetches: value_of(&FETCHES, row, "fetches")?,
        end: end.transpose()?,
    })
}

/// The transfer of this id, with its leases and without its ciphertext.
pub(super) fn load(conn: &Connection, id: &TransferId) -> StoreResult<Option<Stored>> {
    Ok(find(conn, id)?)
}

/// Whether the record can be read from the database, and tells something that no version knows. Of a database that SQLite itself
/// finds damaged this is never so.
pub(super) fn is_undecodable(conn: &Connection, id: &TransferId) -> bool {
    matches!(
        find(conn, id),
        Err(Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..))
    )
}

fn find(conn: &Connection, id: &TransferId) -> rusqlite::Result<Option<Stored>> {
    let found = conn
        .prepare_cached("SELECT * FROM transfer WHERE id = ?1")?
        .query_row([id.as_bytes()], stored)
        .optional()?;
    let Some(mut stored) = found else {
        return Ok(None);
    };
    stored.transfer.leases = leases(conn, stored.row)?;
    Ok(Some(stored))
}

/// The leases of the transfer in this row, oldest first.
pub(super) fn leases(conn: &Connection, row: i64) -> rusqlite::Result<Vec<Lease>> {
    let mut query = conn.prepare_cached("SELECT * FROM lease WHERE row = ?1 ORDER BY place")?;
    let leases = query.query_map([row], lease)?;
    leases.collect()
}

/// The frame that holds the transfer's ciphertext; a living transfer always has one.
pub(super) fn sealed(conn: &Connection, row: i64) -> StoreResult<Vec<u8>> {
    let frame = conn
        .prepare_cached("SELECT frame FROM sealed WHERE row = ?1")?
        .query_row([row], |row| row.get(0))
        .optional()?;
    frame.ok_or_else(|| StoreError::Corrupt("a living transfer has no manifest".to_owned()))
}

/// Adds a new transfer with its ciphertext.
pub(super) fn insert(
    section: &Section<'_>,
    transfer: &Transfer,
    new: &NewTransfer,
    at: Moment,
) -> StoreResult<()> {
    let conn = section.conn;
    let (phase, cause, ended_at) = phase_columns(transfer.phase);
    conn.prepare_cached(
        "INSERT INTO transfer (id, link_verifier, access_verifier, owner_verifier, create_digest, manifest_len, body_len,
            part_len, is_inline, ttl_s, claims_max, claims_left, attempts_left, created_at, active_at, expires_at, phase,
            cause, ended_at, due_at, holder)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?
    .execute(params![
        transfer.id.as_bytes(),
        transfer.link_verifier.as_bytes(),
        transfer.access_verifier.as_bytes(),
        transfer.owner_verifier.as_bytes(),
        transfer.create_digest,
        int(transfer.manifest_len)?,
        int(transfer.body_len)?,
        int(transfer.part_len)?,
        transfer.is_inline,
        int(transfer.ttl_s)?,
        transfer.claims_max,
        transfer.claims_left,
        transfer.attempts_left,
        int(transfer.created_at)?,
        int(transfer.active_at)?,
        transfer.expires_at.map(time),
        phase,
        cause,
        ended_at,
        time(transfer.due_at(at.periods)),
        transfer.holder.as_ref().map(Holder::as_bytes),
    ])?;
    let row = conn.last_insert_rowid();
    let frame = frame::enclose(&new.manifest, new.body.as_deref().unwrap_or_default());
    conn.prepare_cached("INSERT INTO sealed (row, frame) VALUES (?1, ?2)")?
        .execute(params![row, frame])?;
    count(conn, Tally::between(None, transfer))
}

/// Keeps what a step has made of `before`, and erases the ciphertext when it is gone now.
pub(super) fn save(
    section: &Section<'_>,
    before: &Stored,
    after: &Transfer,
    at: Moment,
) -> StoreResult<()> {
    let (phase, cause, ended_at) = phase_columns(after.phase);
    section
        .conn
        .prepare_cached(
            "UPDATE transfer SET claims_left = ?2, attempts_left = ?3, active_at = ?4, expires_at = ?5, phase = ?6,
                cause = ?7, ended_at = ?8, due_at = ?9, holder = ?10
             WHERE row = ?1",
        )?
        .execute(params![
            before.row,
            after.claims_left,
            after.attempts_left,
            time(after.active_at),
            after.expires_at.map(time),
            phase,
            cause,
            ended_at,
            time(after.due_at(at.periods)),
            after.holder.as_ref().map(Holder::as_bytes),
        ])?;
    for (place, lease) in after.leases.iter().enumerate() {
        if before.transfer.leases.get(place) != Some(lease) {
            save_lease(section.conn, before.row, place, lease)?;
        }
    }
    if after.is_gone() && !before.transfer.is_gone() {
        erase(section, before.row, &after.id, at)?;
    }
    count(section.conn, Tally::between(Some(&before.transfer), after))
}

fn save_lease(conn: &Connection, row: i64, place: usize, lease: &Lease) -> StoreResult<()> {
    conn.prepare_cached(
        "INSERT INTO lease (row, place, claim_verifier, claimed_at, renewed_at, expires_at, fetches, end, ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (row, place) DO UPDATE SET
            renewed_at = excluded.renewed_at, expires_at = excluded.expires_at, fetches = excluded.fetches,
            end = excluded.end, ended_at = excluded.ended_at",
    )?
    .execute(params![
        row,
        i64::try_from(place).unwrap_or(i64::MAX),
        lease.claim_verifier.as_bytes(),
        time(lease.claimed_at),
        time(lease.renewed_at),
        time(lease.expires_at),
        code_of(&FETCHES, lease.fetches),
        lease.end.and_then(|(end, _)| code_of(&ENDS, end)),
        lease.end.map(|(_, at)| time(at)),
    ])?;
    Ok(())
}

/// Adds to the counters what the step that this runs in has counted.
fn count(conn: &Connection, tally: Tally) -> StoreResult<()> {
    if tally == Tally::default() {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE counter SET created = created + ?1, claimed = claimed + ?2, delivered = delivered + ?3,
            lapsed = lapsed + ?4, burnt = burnt + ?5, expired = expired + ?6, abandoned = abandoned + ?7,
            locked = locked + ?8, held_count = held_count + ?9, held_len = held_len + ?10",
    )?
    .execute(params![
        tally.created,
        tally.claimed,
        tally.delivered,
        tally.lapsed,
        tally.burnt,
        tally.expired,
        tally.abandoned,
        tally.locked,
        tally.held_count,
        tally.held_len,
    ])?;
    Ok(())
}

/// The counters as they stand.
pub(super) fn totals(conn: &Connection) -> StoreResult<Totals> {
    let mut query = conn.prepare_cached("SELECT * FROM counter")?;
    Ok(query.query_row([], |row| {
        let stats = StatsAnswer {
            created: uint(row, "created")?,
            claimed: uint(row, "claimed")?,
            delivered: uint(row, "delivered")?,
            lapsed: uint(row, "lapsed")?,
            burnt: uint(row, "burnt")?,
            expired: uint(row, "expired")?,
            abandoned: uint(row, "abandoned")?,
            locked: uint(row, "locked")?,
        };
        // Never below zero, but by a fault of this program: and that must not keep everything new away.
        let held = |column| Ok::<_, Error>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
        let held = Held {
            count: held("held_count")?,
            len: held("held_len")?,
        };
        Ok(Totals { stats, held })
    })?)
}

/// What a holder's living transfers take up, and what those of its site do: from the rows themselves, by an index that has only
/// those of holders.
pub(super) fn held_by(conn: &Connection, holder: &Holder) -> StoreResult<HeldBy> {
    let site = holder.site();
    let mut query = conn.prepare_cached(
        "SELECT count(*) AS site_count, coalesce(sum(manifest_len + body_len), 0) AS site_len,
            count(*) FILTER (WHERE holder = ?1) AS client_count,
            coalesce(sum(manifest_len + body_len) FILTER (WHERE holder = ?1), 0) AS client_len
         FROM transfer WHERE holder >= ?2 AND holder <= ?3",
    )?;
    let ends = [0, u8::MAX].map(|end| Holder::new(site, [end; 8]));
    let places = [holder, &ends[0], &ends[1]].map(Holder::as_bytes);
    let held = |row: &Row<'_>, count, len| {
        let count = uint::<u64>(row, count)?;
        let records_len = count.saturating_mul(RECORD_LEN);
        let len = uint::<u64>(row, len)?.saturating_add(records_len);
        Ok::<_, Error>(Held { count, len })
    };
    Ok(query.query_row(places, |row| {
        Ok(HeldBy {
            client: held(row, "client_count", "client_len")?,
            site: held(row, "site_count", "site_len")?,
        })
    })?)
}

/// Erases the ciphertext of a transfer that is gone, and queues its objects.
pub(super) fn erase(
    section: &Section<'_>,
    row: i64,
    id: &TransferId,
    at: Moment,
) -> StoreResult<()> {
    section
        .conn
        .prepare_cached("DELETE FROM sealed WHERE row = ?1")?
        .execute([row])?;
    objects::doom_parts(section.conn, row, id, at)?;
    section.has_erased.set(true);
    Ok(())
}

/// Erases a record that cannot be decoded, with all that belongs to it, whatever it may say. Nobody can open it any more, and no
/// tombstone could tell what it was.
pub(super) fn discard(section: &Section<'_>, id: &TransferId, at: Moment) -> StoreResult<()> {
    let conn = section.conn;
    let found = conn
        .prepare_cached("SELECT row FROM transfer WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(row) = found else {
        return Ok(());
    };
    erase(section, row, id, at)?;
    forget(section, row)?;
    // How much of what is held it was, it does not tell. Another damaged one may claim any length.
    conn.execute(
        "UPDATE counter SET (held_count, held_len) =
            (SELECT count(*), coalesce(sum(?1 + min(max(manifest_len, 0), ?3) + min(max(body_len, 0), ?3)), 0)
             FROM transfer WHERE phase <> ?2)",
        [int(RECORD_LEN)?, GONE, 1 << 40],
    )?;
    Ok(())
}

/// Removes a tombstone. What it had is erased already.
pub(super) fn forget(section: &Section<'_>, row: i64) -> StoreResult<()> {
    let conn = section.conn;
    conn.prepare_cached("DELETE FROM lease WHERE row = ?1")?
        .execute([row])?;
    conn.prepare_cached("DELETE FROM transfer WHERE row = ?1")?
        .execute([row])?;
    Ok(())
}
