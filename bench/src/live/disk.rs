//! The disk alone: as many bytes as a call of the API commits, written over and synced.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use anyhow::Result;

/// About what SQLite writes to its log for one create.
const COMMIT_LEN: usize = 32 << 10;

/// A file that is written over, as a log that is reused.
pub(super) struct Disk {
    file: File,
    bytes: Vec<u8>,
}

impl Disk {
    /// Makes the file, or takes the one that is there.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let mut disk = Self {
            file: File::create(path)?,
            bytes: vec![7; COMMIT_LEN],
        };
        disk.sync()?;
        Ok(disk)
    }

    /// Writes and waits until the bytes would survive a power cut.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.file.rewind()?;
        self.file.write_all(&self.bytes)?;
        self.file.sync_data()?;
        Ok(())
    }
}
