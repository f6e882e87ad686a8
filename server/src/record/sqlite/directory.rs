//! The data directory: made for its owner alone, used by one process at a time. It never touches the records.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

use crate::record::StoreError;

/// The database's file in the data directory.
pub(super) const DATABASE: &str = "records.sqlite";

/// The file that a running server keeps locked.
const LOCK: &str = "records.lock";

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be made, read or written.
    #[error("the data directory {} cannot be used: {reason}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another process has it open.
    #[error("the data directory {} is used by another onetimeshare-server", .0.display())]
    InUse(PathBuf),
    /// A newer version has changed its layout.
    #[error(
        "this data directory was written by a newer version of onetimeshare-server (schema {found}, this one knows \
         {known}); run that version or another data directory"
    )]
    Newer {
        /// The schema it has.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// An older version has written it, and whoever asks does not upgrade it.
    #[error(
        "this data directory was written by an older version of onetimeshare-server (schema {found}, this one knows {known}); \
         serving upgrades it, and it can be checked after that"
    )]
    Older {
        /// The schema it has.
        found: i64,
        /// The schema that this version knows.
        known: i64,
    },
    /// The file is a database of another program.
    #[error(
        "the file {DATABASE} in the data directory is not a database of onetimeshare-server: name another folder with --data-dir"
    )]
    Foreign,
    /// The file is no database, or a broken one.
    #[error(
        "the file {DATABASE} in the data directory is damaged ({0}): restore it from a backup, together with its blobs"
    )]
    Corrupt(String),
    /// The disk is full.
    #[error("the record database cannot be opened, because the disk is full: {0}")]
    Full(String),
    /// Anything else that SQLite says.
    #[error("the record database cannot be opened: {0}")]
    Store(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(reason) => Self::Corrupt(reason),
            StoreError::Full(reason) => Self::Full(reason),
            other @ (StoreError::Unreachable(_)
            | StoreError::Unfit(_)
            | StoreError::Interrupted) => Self::Store(other.to_string()),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let reason = error.to_string();
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full(reason),
                // The index of the log could not grow.
                _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full(reason),
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(reason),
                _ => Self::Unreachable(reason),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt(reason),
            _ => Self::Unreachable(reason),
        }
    }
}

/// Makes the directory, for its owner alone, and locks it.
pub(super) fn lock(directory: &Path) -> Result<File, OpenError> {
    let refused = |error| refused(directory, &error);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(refused)?;
    let lock = private_file(&directory.join(LOCK)).map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// What the system says of the directory.
pub(super) fn refused(directory: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Directory {
        path: directory.to_owned(),
        reason: error.to_string(),
    }
}

/// Opens a file, made for its owner alone when it is not there: the directory may have been made for others too.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
