//! Removes what is provably dead, for who repairs a data directory. Whether it is dead is decided anew in the step that removes
//! it, so that it is safe beside the server that uses the directory: SQLite lets one of the two write at a time.

use std::cell::Cell;
use std::path::Path;

use onetimeshare_protocol::id::TransferId;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::audit::{Standing, standing};
use super::directory::DATABASE;
use super::writer::Section;
use super::{OpenError, log, objects, rows, schema};
use crate::blob::ObjectName;
use crate::record::StoreResult;
use crate::record::step::Queued;
use crate::transfer::Moment;

/// The records of a data directory, opened for repair.
#[derive(Debug)]
pub struct Mender {
    conn: Connection,
    has_erased: Cell<bool>,
}

impl Mender {
    /// Opens the records in `directory`, which an [`super::audit::Audit`] has found to be of this version.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(directory.join(DATABASE), flags)?;
        schema::configure(&conn, true)?;
        Ok(Self {
            conn,
            has_erased: Cell::new(false),
        })
    }

    /// Queues an object for deletion that nothing names: one of a transfer that is gone, or, when it is older than any life
    /// (`is_old`), one of a transfer that is not known. Whether it did.
    pub fn queue_dead(&self, object: &ObjectName, is_old: bool, at: Moment) -> StoreResult<bool> {
        self.in_section(|section| {
            let is_dead = match standing(section.conn, object)? {
                Standing::StrayOfGone => true,
                Standing::StrayOfUnknown => is_old,
                Standing::Part | Standing::Queued | Standing::StrayOfLiving => false,
            };
            if is_dead {
                objects::queue(section.conn, object, Queued::doomed(long_ago(at)))?;
            }
            Ok(is_dead)
        })
    }

    /// Erases what is left of a transfer that is gone: its ciphertext, and its list of parts, whose objects are queued for
    /// deletion. Whether it is gone.
    pub fn erase_remains(&self, id: &TransferId, at: Moment) -> StoreResult<bool> {
        self.in_section(|section| {
            let stored = rows::load(section.conn, id)?;
            let Some(stored) = stored.filter(|stored| stored.transfer.is_gone()) else {
                return Ok(false);
            };
            rows::erase(section, stored.row, id, long_ago(at))?;
            Ok(true)
        })
    }

    /// Truncates the log when it holds something that was erased. False when somebody is reading it; then the server does it
    /// when it next erases something, and when it starts.
    pub fn close(self) -> StoreResult<bool> {
        if !self.has_erased.get() {
            return Ok(true);
        }
        Ok(!log::truncate(&self.conn)?)
    }

    fn in_section<T>(&self, step: impl FnOnce(&Section<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
        let section = Section {
            conn: &transaction,
            has_erased: &self.has_erased,
        };
        let result = step(&section)?;
        transaction.commit()?;
        Ok(result)
    }
}

/// The moment from which on what is queued is due at once: a server's clock may be behind this one's, and nothing dead is still
/// being written.
const fn long_ago(at: Moment) -> Moment {
    Moment { now: 0, ..at }
}

#[cfg(test)]
mod tests {
    use crate::record::sqlite::objects::due;
    use crate::stage::{Fate, PERIODS, START, first_version};

    use super::*;

    #[test]
    fn what_is_queued_is_due_whatever_the_servers_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let parcels = first_version(folder.path());
        let mut burnt = parcels.iter().filter(|parcel| parcel.fate == Fate::Burnt);
        let object = ObjectName {
            id: burnt.next().unwrap().id(),
            index: 0,
            random: 77,
        };
        let mender = Mender::open(folder.path()).unwrap();
        let at = Moment {
            now: START + 1_000_000,
            periods: PERIODS,
        };
        assert!(mender.queue_dead(&object, false, at).unwrap());
        let found = due(&mender.conn, 100, 1).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, object);
    }
}
