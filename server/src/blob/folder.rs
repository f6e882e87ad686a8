//! Objects as files of one folder: written aside, synced, renamed, and unlinked. It never follows a link out of the folder:
//! every path is made from an [`ObjectName`], which cannot hold a separator or a dot name.
//!
//! ```text
//! ROOT/store-id
//! ROOT/{id}/{index}.{random}         a whole object
//! ROOT/{id}/{index}.{random}.aside   one that is being written
//! ```

pub mod survey;

use std::fs;
use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::fs as tokio_fs;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio_util::io::ReaderStream;

use self::survey::{Entry, Survey};
use super::{
    BlobStore, ByteStream, MARK, ObjectName, STORE_ID, parse_mark, parse_store_id, store_id_text,
};
use crate::record::{StoreError, StoreId, StoreResult};

/// Bytes that one transfer holds in memory on its way in or out.
const BUFFER_LEN: usize = 64 * 1024;

const ASIDE: &str = "aside";
const PROBE: &str = "probe";

/// Objects in a folder of their own.
#[derive(Clone, Debug)]
pub struct FolderStore {
    root: PathBuf,
}

impl FolderStore {
    /// Opens `root`, which is made when it is not there, with access for its owner alone. It fails when nothing can be written there.
    pub fn open(root: &Path) -> io::Result<Self> {
        make_private_folder(root)?;
        let probe = root.join(PROBE);
        fs::write(&probe, [])?;
        fs::remove_file(&probe)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    fn folder(&self, object: &ObjectName) -> PathBuf {
        self.root.join(object.id.to_text())
    }

    fn path(&self, object: &ObjectName) -> PathBuf {
        self.root.join(object.to_string())
    }

    /// Makes the object's folder and the file aside in it. A sweep may remove an empty folder in between: then once more.
    async fn create_aside(&self, object: &ObjectName) -> io::Result<tokio_fs::File> {
        let (folder, aside) = (self.folder(object), aside(&self.path(object)));
        let mut tries_left = 8;
        loop {
            match tokio_fs::create_dir(&folder).await {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            match tokio_fs::File::create_new(&aside).await {
                Err(error) if error.kind() == ErrorKind::NotFound && tries_left > 0 => {
                    tries_left -= 1;
                }
                created => {
                    // Also when another part has made the folder: it may not have come to this yet, or have failed at it.
                    sync_folder(&self.root).await?;
                    return created;
                }
            }
        }
    }

    /// Writes a small file beside the objects' folders, in place of any earlier.
    async fn write_note(&self, name: &str, text: &str) -> StoreResult<()> {
        let path = self.root.join(name);
        let mut file = tokio_fs::File::create(aside(&path)).await?;
        file.write_all(text.as_bytes()).await?;
        file.sync_all().await?;
        tokio_fs::rename(aside(&path), &path).await?;
        Ok(sync_folder(&self.root).await?)
    }

    async fn write_aside(&self, object: &ObjectName, mut body: ByteStream) -> StoreResult<()> {
        let mut file = BufWriter::with_capacity(BUFFER_LEN, self.create_aside(object).await?);
        while let Some(piece) = body.next().await {
            file.write_all(&piece?).await?;
        }
        file.flush().await?;
        file.into_inner().sync_all().await?;
        let path = self.path(object);
        tokio_fs::rename(aside(&path), &path).await?;
        sync_folder(&self.folder(object)).await?;
        Ok(())
    }
}

#[async_trait]
impl BlobStore for FolderStore {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        let written = self.write_aside(object, body).await;
        if written.is_err() {
            // The object is queued for deletion all the same; this only frees the room sooner.
            let _ = self.delete(object).await;
        }
        written
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        let mut file = match tokio_fs::File::open(self.path(object)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if file.metadata().await?.len() < range.end {
            return Err(StoreError::Corrupt(format!(
                "{object:?} is shorter than its part"
            )));
        }
        file.seek(SeekFrom::Start(range.start)).await?;
        let bytes = ReaderStream::with_capacity(
            file.take(range.end.saturating_sub(range.start)),
            BUFFER_LEN,
        );
        Ok(Some(bytes.map_err(StoreError::from).boxed()))
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        let path = self.path(object);
        remove(tokio_fs::remove_file(aside(&path)).await)?;
        remove(tokio_fs::remove_file(path).await)?;
        // The folder goes with its last object; one that is not empty stays, and that is no fault.
        let _ = tokio_fs::remove_dir(self.folder(object)).await;
        Ok(())
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        let root = self.root.clone();
        let listed =
            tokio::task::spawn_blocking(move || list_old(&root, now.saturating_sub(age_s), limit));
        Ok(listed.await.map_err(io::Error::other)??)
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        match tokio_fs::read_to_string(self.root.join(STORE_ID)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The folder itself must be there: a mount that went away is not a store without an id.
                tokio_fs::metadata(&self.root).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
            Ok(text) => parse_store_id(&text).map(Some),
        }
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        let path = self.root.join(STORE_ID);
        if tokio_fs::try_exists(&path).await? {
            return Err(StoreError::Corrupt(
                "the blob folder has an id already".to_owned(),
            ));
        }
        self.write_note(STORE_ID, &store_id_text(store_id)).await
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        match tokio_fs::read_to_string(self.root.join(MARK)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
            Ok(text) => parse_mark(&text).map(Some),
        }
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.write_note(MARK, &format!("{mark}\n")).await
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

fn aside(path: &Path) -> PathBuf {
    path.with_added_extension(ASIDE)
}

/// What is not there is as good as removed.
fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes what happened to a folder's entries durable.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    tokio_fs::File::open(folder).await?.sync_all().await
}

/// Makes a folder, and those above it, that nobody else may look into. One that is there already is left as it is.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How many bytes are free where `folder` lies, for programs without special rights.
pub fn free_len(folder: &Path) -> io::Result<u64> {
    #[cfg(target_os = "linux")]
    {
        let found = rustix::fs::statvfs(folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// How many bytes the objects in `folder` take.
pub fn taken_len(folder: &Path) -> io::Result<u64> {
    Survey::of(folder).entries()?.try_fold(0_u64, |sum, entry| {
        Ok(match entry? {
            Entry::Object { len, .. } => sum.saturating_add(len),
            Entry::Leftover(_) | Entry::Foreign(_) => sum,
        })
    })
}

fn list_old(root: &Path, until: u64, limit: usize) -> io::Result<Vec<ObjectName>> {
    let old = Survey::of(root).entries()?.filter_map(|entry| match entry {
        Ok(Entry::Object {
            object, written_at, ..
        }) => (written_at <= until).then_some(Ok(object)),
        // What is not named like an object is not ours to touch.
        Ok(Entry::Foreign(_) | Entry::Leftover(_)) => None,
        Err(error) => Some(Err(error)),
    });
    old.take(limit).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::blob::conformance;

    #[tokio::test]
    async fn conforms() {
        let folder = tempfile::tempdir().unwrap();
        conformance::run_all(Arc::new(FolderStore::open(folder.path()).unwrap())).await;
    }

    #[tokio::test]
    async fn nothing_lies_about_after_delete() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let object = conformance::object(1);
        store
            .write(&object, conformance::body(&[b"abc"]))
            .await
            .unwrap();
        let half = conformance::object(2);
        store
            .write(&half, conformance::torn_body(b"abc"))
            .await
            .unwrap_err();
        for object in [object, half] {
            store.delete(&object).await.unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_objects_take_is_their_lengths_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let store = FolderStore::open(directory.path()).unwrap();
        assert_eq!(taken_len(directory.path()).unwrap(), 0);
        for (number, body) in [(1, &b"abc"[..]), (2, b"defgh")] {
            let object = conformance::object(number);
            let body = conformance::body(&[body]);
            store.write(&object, body).await.unwrap();
        }
        fs::write(directory.path().join("not-ours"), [0; 99]).unwrap();
        assert_eq!(taken_len(directory.path()).unwrap(), 8);
        assert!(free_len(directory.path()).unwrap() > 0);
        taken_len(&directory.path().join("nowhere")).unwrap_err();
        free_len(&directory.path().join("nowhere")).unwrap_err();
    }

    #[tokio::test]
    async fn a_folder_that_went_away_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("blobs");
        let store = FolderStore::open(&root).unwrap();
        fs::remove_dir(&root).unwrap();
        assert!(matches!(
            store.store_id().await,
            Err(StoreError::Unreachable(_))
        ));
    }

    #[test]
    fn a_folder_that_cannot_be_written_does_not_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(FolderStore::open(&file.path().join("blobs")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        FolderStore::open(&parent.path().join("a/b")).unwrap();
        let mode = fs::metadata(parent.path().join("a"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
