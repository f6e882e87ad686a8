//! Creating a transfer and taking its parts: everything is checked before anything is written.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use onetimeshare_protocol::id::{OwnerToken, OwnerVerifier, TransferId};
use onetimeshare_protocol::limits;
use onetimeshare_protocol::transfer::CreateRequest;
use sha2::{Digest, Sha256};

use super::capacity::Reservation;
use super::even::{answer, evenly};
use super::{Invalid, Limits, Service, ServiceError, ServiceResult, Terms};
use crate::blob::{ByteStream, ObjectName};
use crate::record::{Created, NewTransfer, PartStart, PartWrite, StoreError, require_room};
use crate::token;
use crate::transfer::{Creation, Refusal};

/// One part as it is announced by its request's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartUpload {
    /// Which part.
    pub index: u64,
    /// How many bytes will come.
    pub len: u64,
    /// Their SHA-256.
    pub digest: [u8; 32],
}

impl Service {
    /// Whether a create request is one that this server may take from who may choose within `limits`.
    pub fn check(&self, request: &CreateRequest, limits: &Limits) -> ServiceResult<()> {
        Ok(check(request, limits)?)
    }

    /// Creates a transfer on these terms, or answers a repeat of the same request with where it stands, whoever repeats it.
    pub async fn create(&self, request: CreateRequest, terms: &Terms) -> ServiceResult<Created> {
        check(&request, &self.limits)?;
        let new = self.announce(request, terms);
        if !self.room.bounds(terms) {
            return answer(self.records.create(new, self.moment())).await;
        }
        let reserving = self
            .room
            .reserve(&new.creation, terms, self.records.as_ref());
        let reserved = reserving.await?;
        let new = NewTransfer {
            // A repeat of a request that was taken is answered, however full it is by now.
            refusal: reserved.as_ref().err().cloned(),
            ..new
        };
        let (records, at) = (Arc::clone(&self.records), self.moment());
        // A client that goes away ends neither the store's work nor what is reserved for it.
        let creating = tokio::spawn(async move {
            let created = answer(records.create(new, at)).await;
            let may_be_kept = match &created {
                Ok(created) => created.is_new,
                Err(ServiceError::Store(error)) => !matches!(error, StoreError::Full(_)),
                Err(_) => false,
            };
            let reservations = reserved.unwrap_or_default();
            if may_be_kept {
                reservations.into_iter().for_each(Reservation::keep);
            }
            created
        });
        creating.await.map_err(|_| {
            ServiceError::Store(StoreError::Unreachable(
                "its step ended in a panic".to_owned(),
            ))
        })?
    }

    /// What a request asks to be stored.
    fn announce(&self, request: CreateRequest, terms: &Terms) -> NewTransfer {
        let create_digest = digest(&request);
        let creation = Creation {
            id: request.id,
            link_verifier: request.link_verifier,
            access_verifier: request.access_verifier,
            owner_verifier: request.owner_verifier,
            create_digest,
            manifest_len: u64::try_from(request.manifest.len()).unwrap_or(u64::MAX),
            body_len: request.body_len,
            part_len: self.limits.part_len,
            is_inline: request.body.is_some(),
            ttl_s: request.ttl_s,
            claims_max: request.claims_max,
            // Where nothing is bounded nobody has to know whose it is.
            holder: terms.bounded_holder(),
        };
        NewTransfer {
            creation,
            manifest: request.manifest.into(),
            body: request.body.map(Bytes::from),
            refusal: None,
        }
    }

    /// Writes one part. When it answers, the part is durable and accepted; when it fails, the upload stands as before.
    pub async fn write_part(
        &self,
        id: &TransferId,
        owner: &OwnerToken,
        part: PartUpload,
        body: ByteStream,
    ) -> ServiceResult<()> {
        let owner = token::owner_verifier(owner);
        let object = ObjectName {
            id: id.clone(),
            index: part.index,
            random: draw()?,
        };
        let PartUpload { len, digest, .. } = part;
        let write = PartWrite {
            object,
            len,
            digest,
        };
        let beginning = self.records.begin_part(&owner, &write, self.moment());
        match evenly(beginning).await? {
            Ok(PartStart::Write) => {}
            Ok(PartStart::Accepted) => return Ok(()),
            Err(Refusal::PartLength { expected }) => {
                return Err(Invalid::PartLen { expected }.into());
            }
            Err(refusal) => return Err(refusal.into()),
        }
        let deadline = Duration::from_secs(self.periods.part_deadline_s);
        let written =
            tokio::time::timeout(deadline, self.write_checked(&write, &owner, body)).await;
        // What was begun lies in the deletion queue, whatever happens from here on.
        written.map_err(|_| Invalid::PartTimeout)??;
        let is_part = answer(self.records.accept_part(&owner, &write, self.moment())).await?;
        if !is_part {
            // Another object of the same content is the part; this one is due for deletion.
            self.erased.notify_one();
        }
        Ok(())
    }

    /// Writes the bytes as an object; the store is told to give it up when they are not what was announced.
    async fn write_checked(
        &self,
        part: &PartWrite,
        owner: &OwnerVerifier,
        body: ByteStream,
    ) -> ServiceResult<()> {
        let fault = Arc::new(OnceLock::new());
        let service = self.clone();
        let body = body.map(move |piece| {
            // What is under way must not take what the record store has just let go of.
            require_room(service.records.has_room())?;
            piece
        });
        let checked = check_bytes(body.boxed(), part.len, part.digest, Arc::clone(&fault));
        let written = self.blobs.write(&part.object, checked).await;
        match fault.get() {
            Some(invalid) => Err(Invalid::clone(invalid).into()),
            None => match written {
                Ok(()) => Ok(()),
                Err(StoreError::Interrupted) => Err(StoreError::Interrupted.into()),
                Err(error) => Err(self.why_unwritten(part, owner, error).await),
            },
        }
    }

    /// Why a part was not written: the store's error, unless the transfer has ended meanwhile. Then a sweep deletes what is being
    /// written of it, folder and all, and the store is not to blame.
    async fn why_unwritten(
        &self,
        part: &PartWrite,
        owner: &OwnerVerifier,
        error: StoreError,
    ) -> ServiceError {
        let id = &part.object.id;
        match self.records.parts(id, owner, self.moment()).await {
            Ok(Err(refusal)) => refusal.into(),
            Ok(Ok(_)) | Err(_) => error.into(),
        }
    }
}

/// Passes `body` through. Unless exactly `len` bytes of `digest` come, it ends in an error, so that the store gives the
/// object up, and says in `fault` what was wrong.
fn check_bytes(
    body: ByteStream,
    len: u64,
    digest: [u8; 32],
    fault: Arc<OnceLock<Invalid>>,
) -> ByteStream {
    let refuse = move |invalid| {
        // A stream ends with its first error, so that there is never a second fault to tell.
        let _ = fault.set(invalid);
        StoreError::Interrupted
    };
    let start = (body, Sha256::new(), len, refuse);
    let checked = stream::try_unfold(
        start,
        move |(mut body, mut hasher, left, refuse)| async move {
            let Some(piece) = body.next().await.transpose()? else {
                return match <[u8; 32]>::from(hasher.finalize()) == digest {
                    _ if left > 0 => Err(refuse(Invalid::PartLen { expected: len })),
                    false => Err(refuse(Invalid::PartDigest)),
                    true => Ok(None),
                };
            };
            let piece_len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            let left = left
                .checked_sub(piece_len)
                .ok_or_else(|| refuse(Invalid::PartLen { expected: len }))?;
            hasher.update(&piece);
            Ok(Some((piece, (body, hasher, left, refuse))))
        },
    );
    checked.boxed()
}

/// A number that no other writer of the same part will draw.
fn draw() -> ServiceResult<u64> {
    getrandom::u64().map_err(|error| {
        ServiceError::Store(StoreError::Unreachable(format!("randomness: {error}")))
    })
}

fn check(request: &CreateRequest, limits: &Limits) -> Result<(), Invalid> {
    let Limits {
        transfer_size_max,
        inline_max,
        ttl_min_s,
        ttl_max_s,
        claims_max,
        ..
    } = *limits;
    if token::transfer_id(&request.link_verifier) != request.id {
        return Err(Invalid::Id);
    }
    if !limits::is_manifest_len(request.manifest.len()) {
        return Err(Invalid::ManifestLen);
    }
    if !limits::is_body_len(request.body_len) {
        return Err(Invalid::BodyLen);
    }
    if limits::body_len(transfer_size_max)
        .is_none_or(|body_len_max| request.body_len > body_len_max)
    {
        return Err(Invalid::TooLarge { transfer_size_max });
    }
    match &request.body {
        None if request.body_len <= inline_max => return Err(Invalid::BodyMissing { inline_max }),
        Some(_) if request.body_len > inline_max => {
            return Err(Invalid::BodyNotInline { inline_max });
        }
        Some(body) if u64::try_from(body.len()) != Ok(request.body_len) => {
            return Err(Invalid::InlineLen);
        }
        _ => {}
    }
    if !(ttl_min_s..=ttl_max_s).contains(&request.ttl_s) {
        return Err(Invalid::Ttl {
            min_s: ttl_min_s,
            max_s: ttl_max_s,
        });
    }
    if !(1..=claims_max).contains(&request.claims_max) {
        return Err(Invalid::Claims { max: claims_max });
    }
    Ok(())
}

/// SHA-256 over everything a create request says, each variable part behind its length, so that a repeat is known whatever
/// its JSON looks like.
fn digest(request: &CreateRequest) -> [u8; 32] {
    let CreateRequest {
        id,
        link_verifier,
        access_verifier,
        owner_verifier,
        manifest,
        body_len,
        ttl_s,
        claims_max,
        body,
    } = request;
    let mut hasher = Sha256::new_with_prefix(b"onetimeshare create");
    hasher.update(id.as_bytes());
    hasher.update(link_verifier.as_bytes());
    hasher.update(access_verifier.as_bytes());
    hasher.update(owner_verifier.as_bytes());
    hasher.update(body_len.to_be_bytes());
    hasher.update(ttl_s.to_be_bytes());
    hasher.update(claims_max.to_be_bytes());
    for bytes in [Some(manifest), body.as_ref()] {
        let len = bytes.map_or(u64::MAX, |bytes| {
            u64::try_from(bytes.len()).unwrap_or(u64::MAX)
        });
        hasher.update(len.to_be_bytes());
        hasher.update(bytes.map_or(&[][..], Vec::as_slice));
    }
    hasher.finalize().into()
}
