//! Whether a bucket does what a store needs, tried before anything rests on it: an object is written, read and deleted. What
//! cannot be done is told in a sentence for whoever set it up, without any value of a setting.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, PutResult};

use super::bucket::Bucket;
use super::fault::{Fault, Kind};

/// What S3 calls the version of an object while it keeps none.
const NO_VERSION: &str = "null";

/// Why a bucket cannot be used, as its operator reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TrialError(String);

/// Tries it. Whether the bucket still gives out, under its version, what was deleted.
pub(super) async fn run(bucket: &Bucket) -> Result<bool, TrialError> {
    let random = getrandom::u64().map_err(|error| TrialError(format!("randomness: {error}")))?;
    let path = bucket.path(&format!("probe.{random:016x}"));
    let text = Bytes::from(format!("{random:016x}"));
    let written = bucket.put(&path, text.clone()).await;
    let written = written.map_err(|fault| explain(bucket, &fault, "written"))?;
    let found = look(bucket, &path)
        .await
        .map_err(|fault| explain(bucket, &fault, "read"))?;
    if found.as_ref() != Some(&text) {
        return Err(TrialError(
            "the bucket of `blob-url` does not give back what was just written".to_owned(),
        ));
    }
    let deleted = bucket.delete(std::slice::from_ref(&path)).await;
    deleted
        .into_iter()
        .collect::<Result<(), _>>()
        .map_err(|fault| explain(bucket, &fault, "deleted"))?;
    match look(bucket, &path).await {
        Ok(None) => {}
        Ok(Some(_)) => {
            return Err(TrialError(
                "the bucket of `blob-url` still gives out what was just deleted".to_owned(),
            ));
        }
        Err(fault) if fault.kind() == Kind::Refused => {
            return Err(TrialError(may_not_list(bucket)));
        }
        Err(fault) => return Err(explain(bucket, &fault, "read")),
    }
    Ok(is_kept(bucket, &path, written).await)
}

async fn look(bucket: &Bucket, path: &Path) -> Result<Option<Bytes>, Fault> {
    bucket.small(path, 1024).await
}

/// Whether what was deleted is still there as a version. Google names one in any case, S3 where it keeps them or has kept them.
async fn is_kept(bucket: &Bucket, path: &Path, written: PutResult) -> bool {
    let Some(version) = written.version.filter(|version| version != NO_VERSION) else {
        return false;
    };
    let options = GetOptions {
        version: Some(version),
        ..GetOptions::default()
    };
    match bucket.get(path, options).await {
        Ok(_) => true,
        // Who may not read versions is told of them all the same.
        Err(fault) => fault.kind() != Kind::Absent,
    }
}

/// A sentence on what could not be done, and where to look.
fn explain(bucket: &Bucket, fault: &Fault, done: &str) -> TrialError {
    let (told, variables) = (fault.told(), bucket.variables);
    if let (Kind::Silent | Kind::Refused, Some(missing)) = (fault.kind(), bucket.missing) {
        return TrialError(format!(
            "nothing can be {done} in the bucket of `blob-url` without credentials ({told}): set {missing}, since this machine gives \
             none that fit, and check the endpoint in the variables that begin with {variables}"
        ));
    }
    TrialError(match fault.kind() {
        Kind::NoBucket => format!(
            "there is no such bucket as `blob-url` names ({told}): make it, or correct its name or the endpoint"
        ),
        Kind::Refused => format!(
            "nothing can be {done} in the bucket of `blob-url` with these credentials ({told}): check the variables that begin \
             with {variables}, and that they may list, read, write and delete there"
        ),
        Kind::Elsewhere => format!(
            "the bucket of `blob-url` lies elsewhere ({told}): set its region or endpoint in the variables that begin with {variables}"
        ),
        Kind::Full => format!("the bucket of `blob-url` has no room ({told})"),
        Kind::Silent => format!(
            "the bucket of `blob-url` cannot be reached ({told}): check credentials and endpoint in the variables that begin with \
             {variables}, and the network"
        ),
        Kind::Absent | Kind::Beyond | Kind::Exists | Kind::Busy | Kind::Answered => format!(
            "nothing can be {done} in the bucket of `blob-url` ({told}): check its endpoint in the variables that begin with {variables}"
        ),
    })
}

/// S3 tells those who may not list that what is not there is forbidden.
fn may_not_list(bucket: &Bucket) -> String {
    format!(
        "with these credentials, what is missing in the bucket of `blob-url` cannot be told from what is forbidden: allow them to \
         list it (s3:ListBucket), or check the variables that begin with {}",
        bucket.variables
    )
}
