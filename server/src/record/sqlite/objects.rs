//! Parts and the deletion queue as rows: which objects of the blob store are wanted, and which are to go.

use onetimeshare_protocol::id::TransferId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{Stored, int, uint};
use crate::blob::ObjectName;
use crate::record::step::{Accepted, Queued};
use crate::record::{PartWrite, StoreResult};
use crate::transfer::Moment;

/// The 64 random bits of an object's name, as SQLite's signed integer.
const fn signed(random: u64) -> i64 {
    i64::from_be_bytes(random.to_be_bytes())
}

/// The reverse of [`signed`].
pub(super) const fn unsigned(random: i64) -> u64 {
    u64::from_be_bytes(random.to_be_bytes())
}

/// The accepted part at this index.
pub(super) fn accepted(conn: &Connection, row: i64, index: u64) -> StoreResult<Option<Accepted>> {
    // An index beyond what a row can hold is no part's.
    let Ok(index) = i64::try_from(index) else {
        return Ok(None);
    };
    let found = conn
        .prepare_cached("SELECT digest, random FROM part WHERE row = ?1 AND part_index = ?2")?
        .query_row([row, index], |row| {
            Ok(Accepted {
                digest: row.get("digest")?,
                random: unsigned(row.get("random")?),
            })
        })
        .optional()?;
    Ok(found)
}

/// The indices of the accepted parts, ascending.
pub(super) fn accepted_indices(conn: &Connection, row: i64) -> StoreResult<Vec<u64>> {
    let mut query =
        conn.prepare_cached("SELECT part_index FROM part WHERE row = ?1 ORDER BY part_index")?;
    let indices = query.query_map([row], |row| uint(row, "part_index"))?;
    Ok(indices.collect::<Result<_, _>>()?)
}

/// How many parts are accepted.
pub(super) fn accepted_count(conn: &Connection, row: i64) -> StoreResult<u64> {
    Ok(conn
        .prepare_cached("SELECT count(*) AS parts FROM part WHERE row = ?1")?
        .query_row([row], |row| uint(row, "parts"))?)
}

/// How many parts of a transfer are accepted and how many of its objects are queued, together.
pub(super) fn count(conn: &Connection, stored: &Stored) -> StoreResult<u64> {
    let queued = conn
        .prepare_cached("SELECT count(*) AS objects FROM deletion WHERE id = ?1")?
        .query_row([stored.transfer.id.as_bytes()], |row| uint(row, "objects"))?;
    Ok(accepted_count(conn, stored.row)?.saturating_add(queued))
}

/// Makes an object the part, and takes it from the deletion queue.
pub(super) fn accept(conn: &Connection, row: i64, part: &PartWrite) -> StoreResult<()> {
    let index = int(part.object.index)?;
    conn.prepare_cached(
        "INSERT INTO part (row, part_index, digest, random) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![row, index, part.digest, signed(part.object.random)])?;
    remove(conn, &part.object)
}

/// The object of an accepted part.
pub(super) fn find(
    conn: &Connection,
    id: &TransferId,
    index: u64,
) -> StoreResult<Option<ObjectName>> {
    let row: Option<i64> = conn
        .prepare_cached("SELECT row FROM transfer WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(accepted(conn, row, index)?.map(|part| ObjectName {
        id: id.clone(),
        index,
        random: part.random,
    }))
}

/// Queues every object of a transfer that is gone: its parts, and at once also what is still being written.
pub(super) fn doom_parts(
    conn: &Connection,
    row: i64,
    id: &TransferId,
    at: Moment,
) -> StoreResult<()> {
    let doomed = Queued::doomed(at);
    conn.prepare_cached(
        "UPDATE deletion SET due_at = min(due_at, ?2) WHERE id = ?1 AND NOT is_taken",
    )?
    .execute(params![id.as_bytes(), int(at.now)?])?;
    conn.prepare_cached(
        "INSERT INTO deletion (id, part_index, random, due_at, final_at, is_taken)
         SELECT ?2, part_index, random, ?3, ?4, 0 FROM part WHERE row = ?1
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        row,
        id.as_bytes(),
        int(doomed.due_at)?,
        int(doomed.final_at)?
    ])?;
    conn.prepare_cached("DELETE FROM part WHERE row = ?1")?
        .execute([row])?;
    Ok(())
}

fn queued_of(row: &Row<'_>) -> rusqlite::Result<Queued> {
    Ok(Queued {
        due_at: uint(row, "due_at")?,
        final_at: uint(row, "final_at")?,
        is_taken: row.get("is_taken")?,
    })
}

/// An object's place in the deletion queue.
pub(super) fn queued(conn: &Connection, object: &ObjectName) -> StoreResult<Option<Queued>> {
    // An index that no row can hold was never queued.
    let Ok(index) = i64::try_from(object.index) else {
        return Ok(None);
    };
    let found = conn
        .prepare_cached(
            "SELECT due_at, final_at, is_taken FROM deletion WHERE id = ?1 AND part_index = ?2 AND random = ?3",
        )?
        .query_row(
            params![object.id.as_bytes(), index, signed(object.random)],
            queued_of,
        )
        .optional()?;
    Ok(found)
}

/// Queues an object, or changes its place in the queue.
pub(super) fn queue(conn: &Connection, object: &ObjectName, queued: Queued) -> StoreResult<()> {
    conn.prepare_cached(
        "INSERT INTO deletion (id, part_index, random, due_at, final_at, is_taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id, part_index, random) DO UPDATE SET
            due_at = excluded.due_at, final_at = excluded.final_at, is_taken = excluded.is_taken",
    )?
    .execute(params![
        object.id.as_bytes(),
        int(object.index)?,
        signed(object.random),
        int(queued.due_at)?,
        int(queued.final_at)?,
        queued.is_taken
    ])?;
    Ok(())
}

/// Takes an object from the queue.
pub(super) fn remove(conn: &Connection, object: &ObjectName) -> StoreResult<()> {
    conn.prepare_cached("DELETE FROM deletion WHERE id = ?1 AND part_index = ?2 AND random = ?3")?
        .execute(params![
            object.id.as_bytes(),
            int(object.index)?,
            signed(object.random)
        ])?;
    Ok(())
}

/// Up to `limit` objects whose time has come, the longest due first.
pub(super) fn due(
    conn: &Connection,
    limit: usize,
    now: u64,
) -> StoreResult<Vec<(ObjectName, Queued)>> {
    let mut query =
        conn.prepare_cached("SELECT * FROM deletion WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = query.query_map([int(now)?, limit], |row| {
        let object = ObjectName {
            id: TransferId::from_bytes(row.get("id")?),
            index: uint(row, "part_index")?,
            random: unsigned(row.get("random")?),
        };
        Ok((object, queued_of(row)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
