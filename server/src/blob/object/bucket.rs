//! Requests to one bucket, each bounded in time, and answered with values or a [`Fault`]. It knows no transfer.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    PutResult,
};
use tokio_util::task::AbortOnDropHandle;

use super::fault::{Fault, Kind};
use super::patience;
use crate::blob::ObjectName;

/// The most objects of one request: as many as Azure takes.
const BATCH: usize = 256;

/// How many objects are deleted at a time when they are deleted one by one.
const SINGLE_AT_ONCE: usize = 16;

/// A place in a bucket, and the way to it.
#[derive(Clone)]
pub struct Bucket {
    /// The way to it.
    pub(super) client: Arc<dyn ObjectStore>,
    /// The same way, for deletions that name one object in each request.
    pub(super) single: Arc<dyn ObjectStore>,
    /// What the name of every object begins with.
    pub(super) prefix: Path,
    /// Its address, which holds no credentials.
    pub(super) place: String,
    /// The variables that would hold credentials, where none of them is set.
    pub(super) missing: Option<&'static str>,
    /// What those variables begin with that say how to come to it.
    pub(super) variables: &'static str,
}

/// The library would print credentials.
impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bucket")
    }
}

/// What came of making an object that must not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Created {
    /// It is new.
    New,
    /// One is there.
    Exists,
}

impl Bucket {
    /// Its address, for a person to read: `s3://bucket/prefix`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The object of this name under the prefix.
    pub(super) fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    /// Where all parts lie.
    pub(super) fn parts(&self) -> Path {
        self.path("parts")
    }

    /// Where this part lies.
    pub(super) fn part(&self, object: &ObjectName) -> Path {
        self.path(&format!("parts/{object}"))
    }

    /// Writes an object in one request.
    pub(super) async fn put(&self, path: &Path, bytes: Bytes) -> Result<PutResult, Fault> {
        let step = patience::step(bytes.len());
        patience::within(step, self.client.put(path, bytes.into())).await
    }

    /// Writes an object unless it is there, as well as the store can tell.
    pub(super) async fn create(&self, path: &Path, bytes: Bytes) -> Result<Created, Fault> {
        let options = PutOptions::from(PutMode::Create);
        let put = self.client.put_opts(path, bytes.clone().into(), options);
        match patience::within(patience::step(bytes.len()), put).await {
            Ok(_) => Ok(Created::New),
            Err(fault) if fault.kind() == Kind::Exists => Ok(Created::Exists),
            // A store that does not know the condition; a fault of another kind will come again.
            Err(fault) if fault.kind() == Kind::Answered => {
                self.put(path, bytes).await.map(|_| Created::New)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Begins to read an object, or looks at it.
    pub(super) async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult, Fault> {
        patience::within(patience::step(0), self.client.get_opts(path, options)).await
    }

    /// The beginning of an object, at most `len_max` bytes of it; none if there is no such object.
    pub(super) async fn small(&self, path: &Path, len_max: u64) -> Result<Option<Bytes>, Fault> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..len_max)),
            ..GetOptions::default()
        };
        let found = match self.get(path, options).await {
            Err(fault) if fault.kind() == Kind::Absent => return Ok(None),
            found => found?,
        };
        patience::within(patience::step(0), found.bytes())
            .await
            .map(Some)
    }

    /// Deletes objects. What came of each, in their order; what is not there is as good as deleted.
    pub(super) async fn delete(&self, paths: &[Path]) -> Vec<Result<(), Fault>> {
        let mut results = Vec::with_capacity(paths.len());
        for batch in paths.chunks(BATCH) {
            results.extend(self.delete_batch(batch).await);
        }
        results
    }

    async fn delete_batch(&self, paths: &[Path]) -> Vec<Result<(), Fault>> {
        let answers = delete_with(&self.client, paths).await;
        // The library has one answer for a request that failed as a whole.
        let is_of_each =
            answers.len() == paths.len() && (paths.len() > 1 || answers.iter().all(Result::is_ok));
        if is_of_each {
            return answers;
        }
        let fault = answers.into_iter().find_map(Result::err);
        let fault = fault.unwrap_or_else(|| Fault::silent("fewer answers than objects"));
        if matches!(fault.kind(), Kind::Answered | Kind::Absent) {
            // It takes no such request, or gives up with the first object that it cannot delete: then the others go alone.
            return self.delete_singly(paths).await;
        }
        paths.iter().map(|_| Err(fault.clone())).collect()
    }

    async fn delete_singly(&self, paths: &[Path]) -> Vec<Result<(), Fault>> {
        let deletions = paths.iter().cloned().map(|path| {
            let single = Arc::clone(&self.single);
            async move {
                let answers = delete_with(&single, std::slice::from_ref(&path)).await;
                let answer = answers.into_iter().next();
                answer.unwrap_or_else(|| Err(Fault::silent("no answer for an object")))
            }
        });
        stream::iter(deletions)
            .buffered(SINGLE_AT_ONCE)
            .collect()
            .await
    }
}

/// Asks for the deletion of `paths`. One answer for each, in their order, or a single one when the request failed.
async fn delete_with(client: &Arc<dyn ObjectStore>, paths: &[Path]) -> Vec<Result<(), Fault>> {
    let paths: Vec<_> = paths.iter().cloned().map(Ok).collect();
    let client = Arc::clone(client);
    // In a task of its own, since the library panics at an answer about an object that it did not ask for.
    let deleting = tokio::spawn(async move {
        let answers = client.delete_stream(stream::iter(paths).boxed());
        answers.collect::<Vec<_>>().await
    });
    let deleting = AbortOnDropHandle::new(deleting);
    match tokio::time::timeout(patience::step(0), deleting).await {
        Ok(Ok(answers)) => answers.into_iter().map(deleted).collect(),
        Ok(Err(_)) => vec![Err(Fault::silent("an answer that makes no sense"))],
        Err(_) => vec![Err(Fault::silent("no answer in time"))],
    }
}

fn deleted(answer: object_store::Result<Path>) -> Result<(), Fault> {
    let fault = match answer {
        Ok(_) => return Ok(()),
        Err(error) => Fault::of(&error),
    };
    // A 404 that names no object may come from anywhere, and says nothing about it.
    if fault.kind() == Kind::Absent && fault.names_the_object() {
        return Ok(());
    }
    Err(fault)
}
