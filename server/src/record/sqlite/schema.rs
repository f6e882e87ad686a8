//! The database's layout: made once, recognised by its application id, upgraded from older versions step by step, refused when
//! a newer version made it.
//!
//! Ciphertext lies in `sealed` alone, whose rows are inserted and deleted and never updated.

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;
use super::log::PATIENCE;
use crate::record::{StoreError, StoreId};

/// The schema that this version reads and writes; `PRAGMA user_version`.
pub(super) const VERSION: i64 = 3;

/// Marks a file as a record database of this program: "otsr" in ASCII.
const APPLICATION_ID: i64 = 0x6f74_7372;

/// What turns a database of one version into one of the next.
struct Upgrade {
    /// The version that it makes.
    to: i64,
    /// The statements that make it; they run in one transaction, in which no foreign key is enforced before its end.
    statements: &'static str,
}

/// Every upgrade since the first version, in order. Who changes [`TABLES`] raises [`VERSION`] and adds the same change here.
const UPGRADES: &[Upgrade] = &[
    Upgrade {
    // Counters of what is held. 8192 is the length of a record as it is counted, and 2 the phase of what is gone.
    to: 2,
    statements: "
        ALTER TABLE counter ADD COLUMN held_count INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE counter ADD COLUMN held_len INTEGER NOT NULL DEFAULT 0;
        UPDATE counter SET (held_count, held_len) =
            (SELECT count(*), coalesce(sum(8192 + manifest_len + body_len), 0) FROM transfer WHERE phase <> 2);",
},
Upgrade {
    // Whom a living transfer counts for; of those that are there nobody knows.
    to: 3,
    statements: "
        ALTER TABLE transfer ADD COLUMN holder BLOB CHECK (length(holder) = 16);
        CREATE INDEX transfer_holder ON transfer (holder, manifest_len, body_len) WHERE holder IS NOT NULL;",
}];

/// `part.random` and `deletion.random` are 64 bits read as a signed number. Times are Unix seconds.
const TABLES: &str = "
CREATE TABLE store (
    store_id BLOB NOT NULL CHECK (length(store_id) = 16)
) STRICT;

CREATE TABLE counter (
    created INTEGER NOT NULL DEFAULT 0,
    claimed INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    lapsed INTEGER NOT NULL DEFAULT 0,
    burnt INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    abandoned INTEGER NOT NULL DEFAULT 0,
    locked INTEGER NOT NULL DEFAULT 0,
    held_count INTEGER NOT NULL DEFAULT 0,
    held_len INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE transfer (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    link_verifier BLOB NOT NULL CHECK (length(link_verifier) = 32),
    access_verifier BLOB NOT NULL CHECK (length(access_verifier) = 32),
    owner_verifier BLOB NOT NULL CHECK (length(owner_verifier) = 32),
    create_digest BLOB NOT NULL CHECK (length(create_digest) = 32),
    manifest_len INTEGER NOT NULL,
    body_len INTEGER NOT NULL,
    part_len INTEGER NOT NULL CHECK (part_len > 0),
    is_inline INTEGER NOT NULL,
    ttl_s INTEGER NOT NULL,
    claims_max INTEGER NOT NULL,
    claims_left INTEGER NOT NULL,
    attempts_left INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    expires_at INTEGER,
    phase INTEGER NOT NULL,
    cause INTEGER,
    ended_at INTEGER,
    due_at INTEGER NOT NULL,
    holder BLOB CHECK (length(holder) = 16)
) STRICT;
CREATE INDEX transfer_due ON transfer (due_at);
CREATE INDEX transfer_holder ON transfer (holder, manifest_len, body_len) WHERE holder IS NOT NULL;

CREATE TABLE sealed (
    row INTEGER PRIMARY KEY REFERENCES transfer (row),
    frame BLOB NOT NULL
) STRICT;

CREATE TABLE lease (
    row INTEGER NOT NULL REFERENCES transfer (row),
    place INTEGER NOT NULL,
    claim_verifier BLOB NOT NULL CHECK (length(claim_verifier) = 32),
    claimed_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    fetches INTEGER NOT NULL,
    end INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (row, place),
    UNIQUE (row, claim_verifier)
) STRICT, WITHOUT ROWID;

CREATE TABLE part (
    row INTEGER NOT NULL REFERENCES transfer (row),
    part_index INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    random INTEGER NOT NULL,
    PRIMARY KEY (row, part_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE deletion (
    id BLOB NOT NULL CHECK (length(id) = 16),
    part_index INTEGER NOT NULL,
    random INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    final_at INTEGER NOT NULL,
    is_taken INTEGER NOT NULL,
    PRIMARY KEY (id, part_index, random)
) STRICT, WITHOUT ROWID;
CREATE INDEX deletion_due ON deletion (due_at);
";

/// Sets a connection up; `is_writer` for the one that may change anything.
pub(super) fn configure(conn: &Connection, is_writer: bool) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.busy_timeout(PATIENCE)?;
    // Sorting and statement journals never spill into a temporary file that nobody erases.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "secure_delete", "ON")?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    if !is_writer {
        conn.pragma_update(None, "query_only", "ON")?;
    }
    Ok(())
}

/// What a file turns out to be before anything in it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    New,
    /// A database of ours, of this version or an older one.
    Version(i64),
}

/// Looks whether a database is ours, and not newer than this program. It changes nothing.
pub(super) fn recognise(conn: &Connection) -> Result<Found, OpenError> {
    let number = |query| conn.query_row(query, [], |row| row.get::<_, i64>(0));
    let version = number("PRAGMA user_version")?;
    let application_id = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match (application_id, version, tables) {
        (0, 0, 0) => Ok(Found::New),
        (APPLICATION_ID, 1..=VERSION, _) => Ok(Found::Version(version)),
        (APPLICATION_ID, found, _) if found > VERSION => Err(OpenError::Newer {
            found,
            known: VERSION,
        }),
        _ => Err(OpenError::Foreign),
    }
}

/// Makes the tables of a new database, or brings an old one of ours to this version.
pub(super) fn prepare(conn: &mut Connection) -> Result<(), OpenError> {
    let found = recognise(conn)?;
    configure(conn, true)?;
    if found == Found::New {
        // The frames of `sealed` are laid out for pages of this size.
        let page_len = i64::try_from(super::frame::PAGE_LEN).expect("4096 is a small number");
        conn.pragma_update(None, "page_size", page_len)?;
    }
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Store(
            "it cannot keep a write-ahead log".to_owned(),
        ));
    }
    match found {
        Found::New => create(conn),
        Found::Version(version) => upgrade(conn, version, UPGRADES),
    }
}

/// Runs the upgrades that a database of version `from` lacks, each in a transaction of its own: one that fails, or that a
/// crash cuts off, leaves the version before it, and the next start goes on from there.
fn upgrade(conn: &mut Connection, from: i64, upgrades: &[Upgrade]) -> Result<(), OpenError> {
    let missing: Vec<_> = upgrades
        .iter()
        .filter(|upgrade| upgrade.to > from)
        .collect();
    let Some(last) = missing.last() else {
        return Ok(());
    };
    // A table that others refer to can only be rebuilt without this, and it cannot be changed inside a transaction.
    conn.pragma_update(None, "foreign_keys", "OFF")?;
    for upgrade in &missing {
        let section = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        section.execute_batch(upgrade.statements)?;
        if section.prepare("PRAGMA foreign_key_check")?.exists([])? {
            return Err(OpenError::Corrupt(format!(
                "its upgrade to schema {} left a row without its transfer",
                upgrade.to
            )));
        }
        section.pragma_update(None, "user_version", upgrade.to)?;
        section.commit()?;
    }
    conn.pragma_update(None, "foreign_keys", "ON")?;
    tracing::info!(from, to = last.to, "the record database was upgraded");
    Ok(())
}

fn create(conn: &mut Connection) -> Result<(), OpenError> {
    let store_id = StoreId::generate().map_err(|error| OpenError::Store(error.to_string()))?;
    let section = conn.transaction()?;
    section.execute_batch(TABLES)?;
    section.execute("INSERT INTO store (store_id) VALUES (?1)", [store_id.0])?;
    section.execute("INSERT INTO counter DEFAULT VALUES", [])?;
    section.pragma_update(None, "application_id", APPLICATION_ID)?;
    section.pragma_update(None, "user_version", VERSION)?;
    Ok(section.commit()?)
}

/// The id that the database was made with.
pub(super) fn store_id(conn: &Connection) -> Result<StoreId, StoreError> {
    let store_id = conn.query_row("SELECT store_id FROM store", [], |row| row.get(0))?;
    Ok(StoreId(store_id))
}

#[cfg(test)]
mod tests;
