//! The seals of the shards: each holds the store's id, so that no script touches a stranger's.

use futures_util::future::try_join_all;

use crate::blob::BlobStore;
use crate::record::{StoreError, StoreId, StoreResult};
use crate::redis::keys::Shard;
use crate::redis::link::Link;

/// The store's id: the one that every shard is sealed with, or a new one where none is. A store that its `blobs` know was sealed
/// whole: where a shard has lost its seal, it has lost what it held.
pub(super) async fn adopt(link: &Link, blobs: &dyn BlobStore) -> StoreResult<StoreId> {
    let drawn = StoreId::generate()?;
    let set = |shard: Shard, value: String| async move {
        let mut set = redis::cmd("SET");
        set.arg(shard.seal()).arg(value).arg("NX");
        link.ask::<Option<String>>(shard, &set).await
    };
    let sealed = seals(link).await?;
    if is_sealed_in_part(&sealed) && blobs.store_id().await?.is_some() {
        // Whoever gave the blobs their id had sealed every shard before.
        if is_sealed_in_part(&seals(link).await?) {
            return Err(StoreError::Corrupt(
                "a part of this Redis was emptied: bring back what that node held, or begin with an empty pair of stores".to_owned(),
            ));
        }
    }
    let mut known = sealed.iter().flatten();
    let seal = if let Some(seal) = known.next() {
        seal.clone()
    } else {
        // Of servers that start at once, the first to seal this shard names the store.
        let first = Shard::first();
        set(first, format!("{drawn:?}")).await?;
        link.ask(first, &seal_of(first)).await?
    };
    // A full Redis takes no seal, and needs none that it has.
    for (shard, _) in Shard::all_from(0)
        .zip(&sealed)
        .filter(|(_, found)| found.is_none())
    {
        set(shard, seal.clone()).await?;
    }
    if seals(link)
        .await?
        .iter()
        .any(|found| found.as_ref() != Some(&seal))
    {
        return Err(StoreError::Corrupt(
            "parts of this Redis belong to different stores: begin with an empty one".to_owned(),
        ));
    }
    StoreId::parse(&seal)
        .ok_or_else(|| StoreError::Corrupt("Redis holds no id that is one".to_owned()))
}

fn is_sealed_in_part(seals: &[Option<String>]) -> bool {
    seals.contains(&None) && seals.iter().any(Option::is_some)
}

fn seal_of(shard: Shard) -> redis::Cmd {
    let mut get = redis::cmd("GET");
    get.arg(shard.seal());
    get
}

pub(super) async fn seals(link: &Link) -> StoreResult<Vec<Option<String>>> {
    let seals =
        Shard::all_from(0).map(|shard| async move { link.ask(shard, &seal_of(shard)).await });
    try_join_all(seals).await
}
