//! Where parts wait until they are whole: in files that have no name, so that nothing of them outlives the process; and how much
//! of them is in memory at once, whatever the number of uploads.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::fs as tokio_fs;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::patience::TURN_MAX;
use crate::blob::ByteStream;
use crate::blob::folder::make_private_folder;
use crate::record::{StoreError, StoreResult};

/// Bytes of parts that are in memory at once, in all.
const LOADED_MAX: usize = 128 << 20;

/// The unit that memory is given out in, in bytes.
const GRAIN: usize = 1024;

/// Bytes that one part holds in memory while it arrives, at most.
const BUFFER_LEN: usize = 64 * 1024;

/// The folder of parts on their way.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    memory: Arc<Semaphore>,
}

/// A part that has arrived.
#[derive(Debug)]
pub(super) struct Spooled {
    file: File,
    len: u64,
}

/// A part in memory, and the room that it takes there.
#[derive(Debug)]
pub(super) struct Loaded {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Loaded {
    /// The part.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl Spool {
    /// In `folder`, which is made when it is not there, with access for its owner alone. It fails when nothing can be written there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        make_private_folder(folder)?;
        tempfile::tempfile_in(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            memory: Arc::new(Semaphore::new(LOADED_MAX / GRAIN)),
        })
    }

    /// Takes a part in. One that ends in an error leaves nothing.
    pub(super) async fn take(&self, mut body: ByteStream) -> StoreResult<Spooled> {
        let folder = self.folder.clone();
        let file = blocking(move || tempfile::tempfile_in(folder)).await?;
        let mut file = tokio_fs::File::from_std(file);
        file.set_max_buf_size(BUFFER_LEN);
        let mut len = 0;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            file.write_all(&piece).await?;
            len += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        }
        file.flush().await?;
        Ok(Spooled {
            file: file.into_std().await,
            len,
        })
    }

    /// Brings a part into memory when there is room for it.
    pub(super) async fn load(&self, part: Spooled) -> StoreResult<Loaded> {
        let Spooled { mut file, len } = part;
        let grains = len
            .div_ceil(u64::try_from(GRAIN).unwrap_or(u64::MAX))
            .min(u64::try_from(LOADED_MAX / GRAIN).unwrap_or(u64::MAX));
        let grains = u32::try_from(grains).unwrap_or(u32::MAX);
        let turn = Arc::clone(&self.memory).acquire_many_owned(grains);
        let room = timeout(TURN_MAX, turn)
            .await
            .map_err(|_| StoreError::Unreachable("it takes parts too slowly".to_owned()))?
            .map_err(|_| StoreError::Interrupted)?;
        let bytes = blocking(move || {
            let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
            file.seek(SeekFrom::Start(0))?;
            file.take(len).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        Ok(Loaded {
            bytes: Bytes::from(bytes.await?),
            _room: room,
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn zeros(len: usize) -> ByteStream {
        let piece = Bytes::from(vec![0; 1 << 20]);
        let pieces = (0..len.div_ceil(1 << 20))
            .map(move |at| Ok(piece.slice(..(len - (at << 20)).min(1 << 20))));
        stream::iter(pieces).boxed()
    }

    #[tokio::test]
    async fn what_waits_has_no_name_in_a_folder_that_is_private() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("spool");
        let spool = Spool::open(&folder).unwrap();
        let part = spool.take(zeros(3_000_000)).await.unwrap();
        assert_eq!(part.len, 3_000_000);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(spool.load(part).await.unwrap().bytes().len(), 3_000_000);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[tokio::test]
    async fn parts_are_loaded_while_there_is_memory_and_wait_for_more() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let mut loaded = Vec::new();
        for _ in 0..2 {
            let part = spool.take(zeros(64 << 20)).await.unwrap();
            loaded.push(spool.load(part).await.unwrap());
        }
        let small = || async { spool.take(zeros(1)).await.unwrap() };
        let part = small().await;
        tokio::time::pause();
        let refused = spool.load(part).await;
        assert!(
            matches!(refused, Err(StoreError::Unreachable(_))),
            "{refused:?}"
        );
        let part = small().await;
        let (waiting, ()) = tokio::join!(spool.load(part), async {
            tokio::time::sleep(TURN_MAX / 2).await;
            loaded.pop();
        });
        assert_eq!(waiting.unwrap().bytes().len(), 1);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let torn = zeros(10).chain(stream::iter([Err(StoreError::Interrupted)]));
        let taken = spool.take(torn.boxed()).await;
        assert!(matches!(taken, Err(StoreError::Interrupted)), "{taken:?}");
    }
}
