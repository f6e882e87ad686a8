//! Room that is kept on the disk for steps that have to go on when it is full: claims, and everything that ends a transfer or
//! frees room. A file holds it, and gives way a slice at a time. While it is not whole, nothing new is to be taken.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::directory::private_file;

/// The reserve's file in the data directory.
const RESERVE: &str = "records.reserve";

/// How much is kept, in bytes: more than the log holds, so that what it holds can be moved to the database on a disk that
/// has no other room.
const RESERVE_LEN: u64 = 8 << 20;

/// How much is given up at once, in bytes: so little that others on the same disk do not take all of it in one gulp.
pub(super) const SLICE_LEN: u64 = 512 << 10;

/// A file of bytes that mean nothing, in the way of everybody else.
pub(super) struct Reserve {
    file: File,
    len: u64,
    is_whole: Arc<AtomicBool>,
    /// Whether the log says that the disk is full, and not yet that there is room again.
    has_given_way: bool,
}

impl Reserve {
    /// What is left of the reserve in `directory`; a new one is empty until it is filled.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let file = private_file(&directory.join(RESERVE))?;
        // What is left of a slice is no slice.
        let len = file.metadata()?.len() / SLICE_LEN * SLICE_LEN;
        Ok(Self {
            file,
            len,
            is_whole: Arc::new(AtomicBool::new(len >= RESERVE_LEN)),
            has_given_way: false,
        })
    }

    /// Whether all of it is there, for others to read at any time.
    pub(super) fn watch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_whole)
    }

    /// Whether all of it is there.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }

    /// Gives up a slice. False when nothing is left to give.
    pub(super) fn give_way(&mut self) -> bool {
        if self.len == 0 {
            return false;
        }
        self.is_whole.store(false, Ordering::Relaxed);
        if !self.has_given_way {
            self.has_given_way = true;
            tracing::warn!("no room is left on the disk: nothing new is taken until there is");
        }
        match self.cut(self.len.saturating_sub(SLICE_LEN)) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the reserve does not give way");
                false
            }
        }
    }

    /// Takes back what was given up, as far as there is room.
    pub(super) fn fill(&mut self) {
        if self.is_whole() {
            return;
        }
        if let Err(error) = self.grow() {
            tracing::debug!(%error, "the reserve cannot be filled yet");
            // A slice that found room for a part of it only would keep that from steps that need it.
            if let Err(error) = self.cut(self.len) {
                tracing::error!(%error, "the reserve does not give way");
            }
            return;
        }
        self.is_whole.store(true, Ordering::Relaxed);
        if self.has_given_way {
            self.has_given_way = false;
            tracing::info!("there is room on the disk again");
        }
    }

    /// Adds what is missing, in slices. Its bytes are random: a file system that compresses keeps no room for zeros.
    fn grow(&mut self) -> io::Result<()> {
        let mut slice = vec![0; usize::try_from(SLICE_LEN).map_err(io::Error::other)?];
        self.file.seek(SeekFrom::Start(self.len))?;
        while self.len < RESERVE_LEN {
            getrandom::fill(&mut slice).map_err(io::Error::other)?;
            self.file.write_all(&slice)?;
            self.len += SLICE_LEN;
        }
        self.file.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.len = len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_gives_way_in_slices_and_is_filled_again() {
        let directory = tempfile::tempdir().unwrap();
        let len = || fs::metadata(directory.path().join(RESERVE)).unwrap().len();
        let mut reserve = Reserve::open(directory.path()).unwrap();
        assert!(
            !reserve.is_whole() && !reserve.give_way(),
            "nothing is there yet"
        );
        reserve.fill();
        let watch = reserve.watch();
        assert!(reserve.is_whole() && len() == RESERVE_LEN);
        assert!(reserve.give_way());
        assert_eq!(len(), RESERVE_LEN - SLICE_LEN);
        assert!(!watch.load(Ordering::Relaxed));

        // A server that is started on what another one left.
        drop(reserve);
        let mut reserve = Reserve::open(directory.path()).unwrap();
        assert!(!reserve.is_whole());
        let mut slices = 0;
        while reserve.give_way() {
            slices += 1;
        }
        assert_eq!((slices, len()), (RESERVE_LEN / SLICE_LEN - 1, 0));
        reserve.fill();
        drop(reserve);
        assert!(Reserve::open(directory.path()).unwrap().is_whole());
    }
}
