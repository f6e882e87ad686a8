//! The two stores, where the settings say that they are kept: opened, found to belong together, and bounded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use onetimeshare_server::alias::Aliases;
use onetimeshare_server::blob::BlobStore;
use onetimeshare_server::blob::folder::{FolderStore, free_len, make_private_folder, taken_len};
use onetimeshare_server::blob::object::{Bucket, BucketStore};
use onetimeshare_server::budget::Ledger;
use onetimeshare_server::config::{BlobPlace, StorageMax};
use onetimeshare_server::creators::Creators;
use onetimeshare_server::record::RecordStore;
use onetimeshare_server::record::sqlite::SqliteStore;
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_server::service::{Limits, Quota, match_stores};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Told when a bucket does what nobody expects of something that is opened once.
const KEEPS_VERSIONS: &str = "the bucket of `blob-url` keeps versions: what is deleted stays in it, as ciphertext that opens with its link alone. \
     Suspend its versioning and remove the versions that are there, or give it a lifecycle rule that does within a day";

/// Where what is kept lies, for a person to read.
pub(crate) struct Places {
    folder: String,
    redis: Option<String>,
    bucket: Option<String>,
}

impl Places {
    pub(crate) fn of(data_dir: &Path, redis: Option<&(Address, Terms)>, blobs: &BlobPlace) -> Self {
        let folder = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Self {
            folder: folder.display().to_string(),
            redis: redis.map(|(address, _)| format!("the Redis at {address}")),
            bucket: match blobs {
                BlobPlace::Folder(_) => None,
                BlobPlace::Bucket(bucket) => Some(format!("the bucket {}", bucket.place())),
            },
        }
    }

    pub(crate) fn all(&self) -> String {
        match (self.far(), &self.redis, &self.bucket) {
            (None, ..) => self.folder.clone(),
            (Some(far), Some(_), Some(_)) => {
                format!("{far}, with parts on their way in {}", self.folder)
            }
            (Some(far), ..) => format!("{} and in {far}", self.folder),
        }
    }

    /// Those stores that are not in the data folder; none where all of them are.
    fn far(&self) -> Option<String> {
        let far: Vec<_> = self.redis.iter().chain(&self.bucket).cloned().collect();
        (!far.is_empty()).then(|| far.join(" and in "))
    }
}

/// What is kept, and where.
pub(crate) struct Stores {
    pub(crate) records: Arc<dyn RecordStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    /// What clients have spent at all servers; none for one server alone.
    pub(crate) ledger: Option<Arc<dyn Ledger>>,
    /// What stands for whoever holds transfers here.
    pub(crate) aliases: Aliases,
    /// The folder of the blobs; none where they lie in a bucket.
    folder: Option<PathBuf>,
    /// Cancelled when the records cannot be written any more.
    pub(crate) writing_ended: CancellationToken,
}

impl Stores {
    /// The records and the blobs where they are kept, when they belong together.
    pub(crate) async fn open(
        data_dir: &Path,
        blobs: BlobPlace,
        redis: Option<(Address, Terms)>,
        places: &Places,
    ) -> Result<Self> {
        let at = || {
            format!(
                "cannot keep transfers in {} (choose another with --data-dir)",
                data_dir.display()
            )
        };
        make_private_folder(data_dir).with_context(at)?;
        let (blobs, folder): (Arc<dyn BlobStore>, _) = match blobs {
            BlobPlace::Folder(folder) => {
                let opened = FolderStore::open(&folder);
                let at = || format!("cannot keep blobs in {}", folder.display());
                (Arc::new(opened.with_context(at)?), Some(folder))
            }
            BlobPlace::Bucket(bucket) => (Arc::new(open_bucket(bucket, data_dir).await?), None),
        };
        let (writing_ended, aliases);
        let mut ledger: Option<Arc<dyn Ledger>> = None;
        let records: Arc<dyn RecordStore> = if let Some((address, terms)) = redis {
            writing_ended = CancellationToken::new();
            let records = RedisStore::open(&address, terms, Arc::clone(&blobs)).await;
            let records = records.context("cannot keep records in the Redis of --redis-url")?;
            ledger = Some(records.ledger(&address));
            aliases = records.aliases(&address);
            Arc::new(records)
        } else {
            let records = SqliteStore::open(data_dir).with_context(at)?;
            writing_ended = records.ended();
            aliases = Aliases::of_holders(&records.store_id().await.with_context(at)?, None);
            Arc::new(records)
        };
        match_stores(records.as_ref(), blobs.as_ref())
            .await
            // Where a store is elsewhere, another folder is no remedy.
            .with_context(|| match places.far() {
                None => at(),
                Some(far) => format!("cannot keep transfers in {far}"),
            })?;
        Ok(Self {
            records,
            blobs,
            ledger,
            aliases,
            folder,
            writing_ended,
        })
    }

    /// How much may be held in all, in bytes; none for as much as the stores take. Whoever set it up is told where transfers of
    /// the largest size never fit.
    pub(crate) fn bound(&self, setting: StorageMax, limits: &Limits) -> Result<Option<u64>> {
        let len = match (setting, &self.folder) {
            (StorageMax::Len(len), _) => len,
            (StorageMax::None, _) | (StorageMax::Unset, None) => return Ok(None),
            (StorageMax::Unset, Some(folder)) => share_of(folder)?,
        };
        if len < limits.transfer_size_max {
            warn!(
                "transfers as large as `max-transfer-size` never fit within `storage-max`, or within 80 % of the disk: set a smaller \
                 one, so that people are told so before they begin"
            );
        }
        Ok(Some(len))
    }
}

/// On which terms clients may create here. Whoever set it up is told where transfers of the largest size never fit.
pub(crate) fn creators(quota: Quota, limits: &Limits, aliases: Aliases) -> Creators {
    if quota
        .len_max
        .is_some_and(|len| len < limits.transfer_size_max)
    {
        warn!(
            "transfers as large as `max-transfer-size` never fit within `client-storage-max`: set a smaller one, so that people are told \
             so before they begin"
        );
    }
    Creators::bounded(quota, aliases)
}

/// 80 % of what is free where `folder` lies and what objects take there already: what never came does not make it more.
fn share_of(folder: &Path) -> Result<u64> {
    let free_len = free_len(folder).and_then(|free_len| Ok(free_len + taken_len(folder)?));
    let len = free_len.with_context(|| {
        format!(
            "cannot tell how much is free at {} (say with --storage-max how much may be held)",
            folder.display()
        )
    })?;
    Ok(len / 5 * 4)
}

async fn open_bucket(bucket: Bucket, data_dir: &Path) -> Result<BucketStore> {
    let store = BucketStore::open(bucket, &data_dir.join("spool")).await?;
    if store.keeps_versions() {
        warn!("{KEEPS_VERSIONS}");
    }
    Ok(store)
}
