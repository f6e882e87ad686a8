//! A transfer that ends while a part of it is being written, in a folder as servers keep it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::{Cause, PartUpload, Refusal, ServiceError};
use crate::stage::{Fate, Parcel, Stage};
use crate::sweeper::sweep;

#[tokio::test]
async fn a_part_that_is_swept_while_it_is_written_is_told_the_end_and_no_fault_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(folder.path()).await;
    let mut parcels = Parcel::each(1).into_iter();
    let parcel = parcels
        .find(|parcel| parcel.fate == Fate::Uploading && !parcel.is_inline())
        .unwrap();
    stage.fill(&[parcel]).await;

    let body = parcel.body();
    let third = Bytes::copy_from_slice(&body[6000..9000]);
    let part = PartUpload {
        index: 2,
        len: 3000,
        digest: Sha256::digest(&third).into(),
    };
    let service = &stage.service;
    // Between its two halves the sender thinks better of it, and everything is swept.
    let pieces = stream::iter([third.slice(..1500), third.slice(1500..)]).enumerate();
    let pieces = pieces.then({
        let service = Arc::clone(service);
        move |(place, piece)| {
            let service = Arc::clone(&service);
            async move {
                if place == 1 {
                    service.burn(&parcel.id(), &parcel.owner()).await.unwrap();
                    assert_eq!(sweep(&service).await.unwrap(), 3, "its parts, and this one");
                }
                Ok(piece)
            }
        }
    });
    let written = service
        .write_part(&parcel.id(), &parcel.owner(), part, pieces.boxed())
        .await;
    assert!(
        matches!(
            &written,
            Err(ServiceError::Refused(Refusal::Gone {
                cause: Cause::Burnt,
                ..
            }))
        ),
        "{written:?}"
    );
}
