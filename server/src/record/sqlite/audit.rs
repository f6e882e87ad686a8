//! A look at the records from outside, for who checks them. It changes nothing, and may be taken beside the server that uses
//! them: every look is one short snapshot, so that the log can be truncated in between.

use std::io::ErrorKind;
use std::path::Path;

use onetimeshare_protocol::id::TransferId;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, Transaction,
    TransactionBehavior, params,
};

use super::directory::DATABASE;
use super::rows::{self, Stored, uint};
use super::schema::{self, Found};
use super::{OpenError, frame, objects};
use crate::blob::ObjectName;
use crate::record::{StoreId, StoreResult};
use crate::transfer::Transfer;

/// Rows that one snapshot is read for.
const BATCH: i64 = 256;

/// The most complaints of SQLite's own that are passed on.
const COMPLAINTS_MAX: i64 = 20;

/// What stands in one transfer's rows.
#[derive(Debug)]
pub struct Look {
    /// Its name.
    pub id: TransferId,
    /// The record; none when it holds a value that no version of this program writes.
    pub transfer: Option<Transfer>,
    /// Whether the row of its ciphertext is well formed; none when there is no such row.
    pub is_frame_sound: Option<bool>,
    /// Whether columns that belong together are filled together, and leases are numbered without a gap.
    pub are_columns_sound: bool,
    /// How many parts are accepted.
    pub part_count: u64,
    /// The index behind the last accepted part.
    pub parts_end: u64,
    /// How many accepted parts are queued for deletion as well.
    pub queued_parts: u64,
}

/// A part as its record says that it lies in the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPart {
    /// Its object.
    pub object: ObjectName,
    /// How many bytes it has.
    pub len: u64,
    /// SHA-256 of it.
    pub digest: [u8; 32],
}

/// Some rows of a table, in its order.
#[derive(Debug)]
pub struct Batch<K, T> {
    /// What to go on from.
    pub last: K,
    /// At least one.
    pub rows: Vec<T>,
}

/// What the records say of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is an accepted part.
    Part,
    /// It waits for its deletion.
    Queued,
    /// Neither, and its transfer lives.
    StrayOfLiving,
    /// Neither, and its transfer is gone.
    StrayOfGone,
    /// Neither, and no transfer of its id is known.
    StrayOfUnknown,
}

/// The records of a data directory, opened for reading alone. SQLite may leave an empty log and its index beside them: others may
/// have them open too, and so they stay.
#[derive(Debug)]
pub struct Audit {
    conn: Connection,
}

impl Audit {
    /// Opens the records in `directory`, which this version must know without an upgrade.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(DATABASE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags)
            .map_err(|error| not_opened(directory, &path, error))?;
        schema::configure(&conn, false)?;
        require_current(schema::recognise(&conn)?, schema::VERSION)?;
        Ok(Self { conn })
    }

    /// The id that the records were made with.
    pub fn store_id(&self) -> StoreResult<StoreId> {
        schema::store_id(&self.conn)
    }

    /// What SQLite itself finds wrong with the file, and rows that belong to no transfer.
    pub fn complaints(&self) -> StoreResult<Vec<String>> {
        let snapshot = self.snapshot()?;
        let mut complaints = match integrity(&snapshot) {
            // It gives up on what it cannot even read.
            Err(rusqlite::Error::SqliteFailure(failure, reason))
                if failure.code == ErrorCode::DatabaseCorrupt =>
            {
                vec![reason.unwrap_or_else(|| failure.to_string())]
            }
            found => found?,
        };
        let mut ties = snapshot.prepare("PRAGMA foreign_key_check")?;
        let tables = ties.query_map([], |row| row.get::<_, String>(0))?;
        for table in tables.take(20) {
            complaints.push(format!("a row of {} belongs to no transfer", table?));
        }
        for table in ["store", "counter"] {
            let count: i64 =
                snapshot.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })?;
            if count != 1 {
                complaints.push(format!("{table} has {count} rows instead of one"));
            }
        }
        Ok(complaints)
    }

    /// The next transfers after the row `after`; nothing at the end.
    pub fn looks(&self, after: i64) -> StoreResult<Option<Batch<i64, Look>>> {
        let snapshot = self.snapshot()?;
        let mut query = snapshot
            .prepare_cached("SELECT row FROM transfer WHERE row > ?1 ORDER BY row LIMIT ?2")?;
        let found = query.query_map([after, BATCH], |row| row.get(0))?;
        let found = found.collect::<Result<Vec<i64>, _>>()?;
        let Some(last) = found.last().copied() else {
            return Ok(None);
        };
        let looks = found.iter().map(|row| look(&snapshot, *row));
        let rows = looks.collect::<Result<_, _>>()?;
        Ok(Some(Batch { last, rows }))
    }

    /// The next parts of living transfers after `after`, a row and an index; nothing at the end.
    pub fn parts(&self, after: (i64, i64)) -> StoreResult<Option<Batch<(i64, i64), RecordedPart>>> {
        let snapshot = self.snapshot()?;
        let mut query = snapshot.prepare_cached(
            "SELECT p.row, p.part_index, p.random, p.digest, t.id, t.body_len, t.part_len
             FROM part p JOIN transfer t USING (row) WHERE (p.row, p.part_index) > (?1, ?2) AND t.phase <> 2
             ORDER BY p.row, p.part_index LIMIT ?3",
        )?;
        let found = query.query_map([after.0, after.1, BATCH], |row| {
            Ok(((row.get(0)?, row.get(1)?), recorded_part(row)?))
        })?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let Some(last) = found.last().map(|(place, _)| *place) else {
            return Ok(None);
        };
        let rows = found.into_iter().map(|(_, part)| part).collect();
        Ok(Some(Batch { last, rows }))
    }

    /// What the records say of an object.
    pub fn standing(&self, object: &ObjectName) -> StoreResult<Standing> {
        standing(&*self.snapshot()?, object)
    }

    /// How many objects wait for their deletion.
    pub fn queue_len(&self) -> StoreResult<u64> {
        let count = "SELECT count(*) AS queued FROM deletion";
        Ok(self.conn.query_row(count, [], |row| uint(row, "queued"))?)
    }

    fn snapshot(&self) -> rusqlite::Result<Transaction<'_>> {
        Transaction::new_unchecked(&self.conn, TransactionBehavior::Deferred)
    }
}

/// Why there was nothing to open, when that can be said better than SQLite does.
fn not_opened(directory: &Path, path: &Path, error: rusqlite::Error) -> OpenError {
    let reason = match path.try_exists() {
        Ok(false) => {
            format!("no {DATABASE} is in it: name the server's folder with --data-dir")
        }
        Err(fault) if fault.kind() == ErrorKind::PermissionDenied => {
            format!("{DATABASE} cannot be read ({fault}): run this as the server's user")
        }
        Err(fault) => format!("{DATABASE} cannot be read ({fault})"),
        Ok(true) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            format!("{DATABASE} cannot be read ({error}): run this as the server's user")
        }
        Ok(true) => return error.into(),
    };
    OpenError::Directory {
        path: directory.to_owned(),
        reason,
    }
}

/// Only what is laid out as this version knows it can be read.
fn require_current(found: Found, current: i64) -> Result<(), OpenError> {
    match found {
        Found::Version(version) if version == current => Ok(()),
        Found::Version(found) => Err(OpenError::Older {
            found,
            known: current,
        }),
        Found::New => Err(OpenError::Foreign),
    }
}

fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = conn.prepare(&format!("PRAGMA integrity_check({COMPLAINTS_MAX})"))?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?;
    lines
        .filter(|line| !matches!(line, Ok(line) if line == "ok"))
        .collect()
}

fn recorded_part(row: &Row<'_>) -> rusqlite::Result<RecordedPart> {
    let (index, body_len, part_len): (u64, u64, u64) = (
        uint(row, "part_index")?,
        uint(row, "body_len")?,
        uint(row, "part_len")?,
    );
    Ok(RecordedPart {
        object: ObjectName {
            id: TransferId::from_bytes(row.get("id")?),
            index,
            random: objects::unsigned(row.get("random")?),
        },
        len: part_len.min(body_len.saturating_sub(index.saturating_mul(part_len))),
        digest: row.get("digest")?,
    })
}

fn look(conn: &Connection, row: i64) -> StoreResult<Look> {
    let id: [u8; 16] = conn
        .prepare_cached("SELECT id FROM transfer WHERE row = ?1")?
        .query_row([row], |row| row.get(0))?;
    let (part_count, parts_end, queued_parts) = conn
        .prepare_cached(
            "SELECT count(*) AS parts, ifnull(max(p.part_index) + 1, 0) AS parts_end, count(d.id) AS queued
             FROM part p LEFT JOIN deletion d ON d.id = ?2 AND d.part_index = p.part_index AND d.random = p.random
             WHERE p.row = ?1",
        )?
        .query_row(params![row, id], |row| {
            Ok((uint(row, "parts")?, uint(row, "parts_end")?, uint(row, "queued")?))
        })?;
    let are_columns_sound = conn
        .prepare_cached(
            "SELECT (phase = 2) = (cause IS NOT NULL) AND (phase = 2) = (ended_at IS NOT NULL) AND is_inline IN (0, 1)
                AND (phase <> 2 OR holder IS NULL)
                AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.row = t.row AND (end IS NULL) <> (l.ended_at IS NULL))
                AND (SELECT count(*) = ifnull(max(place) + 1, 0) AND ifnull(min(place), 0) = 0 FROM lease l WHERE l.row = t.row)
             FROM transfer t WHERE row = ?1",
        )?
        .query_row([row], |row| row.get(0))?;
    let stored = match loaded(conn, row) {
        // Whatever a column holds, the next transfers are looked at.
        Err(rusqlite::Error::SqliteFailure(failure, reason)) => {
            return Err(rusqlite::Error::SqliteFailure(failure, reason).into());
        }
        loaded => loaded.ok(),
    };
    let frame: Option<Vec<u8>> = conn
        .prepare_cached("SELECT frame FROM sealed WHERE row = ?1")?
        .query_row([row], |row| row.get(0))
        .optional()?;
    let is_frame_sound = frame.map(|frame| {
        let content_len = stored.as_ref().and_then(content_len);
        content_len.is_some_and(|content_len| frame::is_sound(&frame, content_len))
    });
    Ok(Look {
        id: TransferId::from_bytes(id),
        transfer: stored.map(|stored| stored.transfer),
        is_frame_sound,
        are_columns_sound,
        part_count,
        parts_end,
        queued_parts,
    })
}

fn loaded(conn: &Connection, row: i64) -> rusqlite::Result<Stored> {
    let mut stored = conn
        .prepare_cached("SELECT * FROM transfer WHERE row = ?1")?
        .query_row([row], rows::stored)?;
    stored.transfer.leases = rows::leases(conn, row)?;
    Ok(stored)
}

/// Bytes of ciphertext in a transfer's frame.
fn content_len(stored: &Stored) -> Option<usize> {
    let body_len = if stored.transfer.is_inline {
        usize::try_from(stored.transfer.body_len).ok()?
    } else {
        0
    };
    let manifest_len = usize::try_from(stored.transfer.manifest_len).ok()?;
    manifest_len.checked_add(body_len)
}

/// What the records say of an object, in one snapshot or section.
pub(super) fn standing(conn: &Connection, object: &ObjectName) -> StoreResult<Standing> {
    if objects::queued(conn, object)?.is_some() {
        return Ok(Standing::Queued);
    }
    let found: Option<(i64, bool)> = conn
        .prepare_cached("SELECT row, phase = 2 FROM transfer WHERE id = ?1")?
        .query_row([object.id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((row, is_gone)) = found else {
        return Ok(Standing::StrayOfUnknown);
    };
    let accepted = objects::accepted(conn, row, object.index)?;
    Ok(match accepted {
        Some(part) if part.random == object.random => Standing::Part,
        _ if is_gone => Standing::StrayOfGone,
        _ => Standing::StrayOfLiving,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_that_is_known_is_read() {
        assert!(require_current(Found::Version(2), 2).is_ok());
        let told = |found| require_current(found, 2).unwrap_err().to_string();
        assert!(told(Found::Version(1)).contains("serving upgrades it"));
        assert!(told(Found::New).contains("is not a database of"));
    }
}
