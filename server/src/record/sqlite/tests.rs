//! What only the SQLite store must do: keep everything over a restart, leave nothing of what it erased, and refuse a data
//! directory that is not its own.

mod damaged;
mod older_versions;
mod residue;
mod traces;

use std::fs;
use std::sync::Arc;

use super::*;
use crate::record::conformance::{self, Fixture, Sample};
use crate::transfer::Moment;

fn open(directory: &Path) -> Arc<dyn RecordStore> {
    Arc::new(SqliteStore::open(directory).unwrap())
}

/// Whether `needle` lies in any file of the directory.
fn lies_in(directory: &Path, needle: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let content = fs::read(entry.unwrap().path()).unwrap();
        content.windows(needle.len()).any(|window| window == needle)
    })
}

fn log_len(directory: &Path) -> u64 {
    fs::metadata(directory.join("records.sqlite-wal")).map_or(0, |file| file.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conforms() {
    let directory = tempfile::tempdir().unwrap();
    conformance::run_all(open(directory.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reopening_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let (inline, in_parts, spent, burnt) = (
        Sample::inline(2),
        Sample::in_parts(),
        Sample::inline(1),
        Sample::in_parts(),
    );
    t.create(&inline).await.unwrap();
    t.upload(&in_parts).await;
    t.upload(&burnt).await;
    t.create(&spent).await.unwrap();
    let claimed = t.claim(&inline, 1).await;
    t.claim(&spent, 1).await.unwrap();
    t.deliver(&spent, 1).await.unwrap();
    t.burn(&burnt).await.unwrap();
    t.claim_with(&inline, &AccessVerifier::from_bytes([0; 32]), 2)
        .await
        .unwrap_err();
    let (store_id, peek) = (t.store.store_id().await.unwrap(), t.peek(&inline).await);
    let (ended, object) = (t.peek(&spent).await, t.object(&in_parts, 1).await);
    let (receipt, stats) = (t.receipt(&inline).await, t.stats().await);
    let at = t.at;
    drop(t);

    let t = Fixture {
        store: open(directory.path()),
        at,
    };
    assert_eq!(t.store.store_id().await.unwrap(), store_id);
    assert_eq!(t.peek(&inline).await, peek);
    assert_eq!(t.claim(&inline, 1).await, claimed);
    assert_eq!(t.peek(&spent).await, ended);
    assert_eq!(
        (t.receipt(&inline).await, t.stats().await),
        (receipt, stats)
    );
    assert_eq!((stats.created, stats.claimed, stats.burnt), (4, 2, 1));
    assert_eq!(t.object(&in_parts, 1).await, object);
    assert!(object.is_some());
    assert_eq!(
        t.take().await.len(),
        3,
        "the burnt transfer's parts are still due"
    );
    assert_eq!(
        t.claim(&in_parts, 1).await.unwrap().manifest,
        in_parts.new.manifest
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_in_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let mut sample = Sample::inline(1);
    // Contents that no other row has.
    sample.new.body = Some(Bytes::from_static(b"a sealed body no one"));
    t.create(&sample).await.unwrap();
    let (manifest, body) = (&sample.new.manifest[..48], sample.new.body.clone().unwrap());
    assert!(lies_in(directory.path(), manifest) && lies_in(directory.path(), &body));
    t.store.scrub().await.unwrap();
    assert!(
        lies_in(directory.path(), manifest),
        "a living transfer is not erased"
    );

    t.claim(&sample, 1).await.unwrap();
    t.deliver(&sample, 1).await.unwrap();
    t.store.scrub().await.unwrap();
    assert!(!lies_in(directory.path(), manifest) && !lies_in(directory.path(), &body));

    // With a lease of 0 the claim itself is the end.
    let mut given = Sample::inline(1);
    given.new.body = Some(Bytes::from_static(b"one answer, one body"));
    t.create(&given).await.unwrap();
    let claimed = t.strict().claim(&given, 1).await.unwrap();
    assert_eq!(claimed.body, given.new.body);
    t.store.scrub().await.unwrap();
    assert!(!lies_in(directory.path(), &claimed.manifest[..48]));
    assert!(!lies_in(directory.path(), &claimed.body.unwrap()));
}

/// Rows among living ones, in an order that makes SQLite merge and split pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_leaves_nothing_among_the_living() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let samples: Vec<Sample> = (0..600).map(|_| Sample::inline(1)).collect();
    for sample in &samples {
        t.create(sample).await.unwrap();
    }
    let is_burnt = |place: usize| !place.is_multiple_of(7) && place * place % 11 != 3;
    for (place, sample) in samples.iter().enumerate() {
        if is_burnt(place) {
            t.burn(sample).await.unwrap();
        }
    }
    t.store.scrub().await.unwrap();
    assert_eq!(log_len(directory.path()), 0);
    let database = fs::read(directory.path().join(DATABASE)).unwrap();
    // Manifests repeat 32 bytes of their own.
    let found: std::collections::HashSet<&[u8]> = database.windows(32).collect();
    for (place, sample) in samples.iter().enumerate() {
        let is_found = found.contains(&sample.new.manifest[..32]);
        assert_eq!(is_found, !is_burnt(place), "{place}");
    }
}

/// Nobody calls for it: the writer itself truncates its log, while it is busy and when it is idle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_scrubs_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), Duration::from_millis(1)).unwrap();
    let t = Fixture::on(Arc::new(store)).await;
    for is_busy in [false, true] {
        let sample = Sample::inline(1);
        t.create(&sample).await.unwrap();
        let manifest = &sample.new.manifest[..48];
        assert!(lies_in(directory.path(), manifest));
        t.burn(&sample).await.unwrap();
        let scrubbed = async {
            while lies_in(directory.path(), manifest) {
                if is_busy {
                    t.store.probe().await.unwrap();
                } else {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), scrubbed)
            .await
            .unwrap();
    }
}

#[test]
fn a_used_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let error = SqliteStore::open(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("is used by another onetimeshare-server"),
        "{error}"
    );
    drop(store);
    SqliteStore::open(directory.path()).unwrap();
}

#[test]
fn a_newer_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(directory.path()).unwrap());
    let path = directory.path().join(DATABASE);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(
        SqliteStore::open(directory.path()).unwrap_err().to_string(),
        "this data directory was written by a newer version of onetimeshare-server (schema 7, this one knows 3); run that \
         version or another data directory"
    );
    assert_eq!(fs::read(&path).unwrap(), before, "nothing was changed");
}

#[test]
fn what_is_not_ours_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(DATABASE);
    fs::write(
        &path,
        "not a database, but long enough to be taken for the head of one",
    )
    .unwrap();
    let error = SqliteStore::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt(_)), "{error}");
    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE note (text TEXT)")
        .unwrap();
    let error = SqliteStore::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Foreign), "{error}");

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = SqliteStore::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn the_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("made");
    let _store = SqliteStore::open(&directory).unwrap();
    assert_eq!(
        fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_repeats_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_with(directory.path(), Duration::from_hours(1)).unwrap();
    let has_room = Arc::clone(&store.has_room);
    let t = Fixture::on(Arc::new(store)).await;
    let (sample, other) = (Sample::in_parts(), Sample::inline(1));
    t.create(&sample).await.unwrap();
    let part = |index, random| PartWrite {
        object: ObjectName {
            id: sample.id().clone(),
            index,
            random,
        },
        len: 8,
        digest: [7; 32],
    };
    assert_eq!(t.begin(&sample, &part(0, 1)).await, Ok(PartStart::Write));
    assert_eq!(t.accept(&sample, &part(0, 1)).await, Ok(true));
    has_room.store(false, Ordering::Relaxed);

    assert!(!t.create(&sample).await.unwrap().is_new);
    assert_eq!(t.begin(&sample, &part(0, 2)).await, Ok(PartStart::Accepted));
    let owner = &sample.new.creation.owner_verifier;
    let refused = t.store.begin_part(owner, &part(1, 3), t.at).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    let refused = t.store.create(other.new.clone(), t.at).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert!(!t.is_known(&other).await);
    let late = t.after(86_400);
    assert_eq!(late.take().await, [], "what is refused is not queued");
}

/// As a check does that reads a large database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_read_is_truncated_later_and_written_on() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let (burnt, other) = (Sample::inline(1), Sample::inline(1));
    t.create(&burnt).await.unwrap();
    let reader = Connection::open(directory.path().join(DATABASE)).unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    schema::store_id(&snapshot).unwrap();
    t.burn(&burnt).await.unwrap();
    let scrubbed = t.store.scrub().await;
    assert!(
        matches!(&scrubbed, Err(StoreError::Unreachable(reason)) if reason.contains("being read")),
        "{scrubbed:?}"
    );
    t.create(&other).await.unwrap();
    drop(snapshot);
    t.store.scrub().await.unwrap();
    assert_eq!(log_len(directory.path()), 0);
}

/// What is settled on a read is left to the writer, and answered all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let sample = Sample::inline(1);
    t.create(&sample).await.unwrap();
    t.claim(&sample, 1).await.unwrap();
    t.store.scrub().await.unwrap();
    let before = log_len(directory.path());
    let late = Moment {
        now: t.at.now + 100_000,
        ..t.at
    };
    let t = Fixture { at: late, ..t };
    t.peek(&sample).await.unwrap_err();
    t.peek_with(&sample, &AccessVerifier::from_bytes([0; 32]))
        .await
        .unwrap_err();
    t.fetch(&sample, 1).await.unwrap_err();
    t.accepted(&sample).await.unwrap_err();
    t.store
        .claim(
            sample.id(),
            (
                &LinkVerifier::from_bytes([0; 32]),
                &AccessVerifier::from_bytes([0; 32]),
            ),
            &ClaimVerifier::from_bytes([0; 32]),
            t.at,
        )
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(log_len(directory.path()), before);
    t.deliver(&sample, 1).await.unwrap_err();
    assert!(
        log_len(directory.path()) > before,
        "a step through the writer keeps it"
    );
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_alone_in_a_directory_that_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let _store = SqliteStore::open(directory.path()).unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
}

/// An id that is not there is looked up by finding another, whose proofs are worth nothing for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbours_proofs_fit_no_id_but_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let [before, beyond] = [[0; 16], [255; 16]].map(TransferId::from_bytes);
    let sample = Sample::inline(1);
    let proofs = &sample.new.creation;
    let (link, access) = (&proofs.link_verifier, &proofs.access_verifier);
    let (owner, claimant) = (&proofs.owner_verifier, ClaimVerifier::from_bytes([7; 32]));
    let refusals = async |id: &TransferId| {
        [
            t.store.peek(id, link, None, t.at).await.unwrap().err(),
            t.store
                .claim(id, (link, access), &claimant, t.at)
                .await
                .unwrap()
                .err(),
            t.store.fetch(id, &claimant, t.at).await.unwrap().err(),
            t.store.receipt(id, owner, t.at).await.unwrap().err(),
        ]
    };
    let all_unknown = [const { Some(Refusal::Unknown) }; 4];
    assert_eq!(refusals(sample.id()).await, all_unknown, "no transfer");
    t.create(&sample).await.unwrap();
    assert_eq!(refusals(sample.id()).await, [const { None }; 4]);
    for id in [before, beyond] {
        assert_eq!(refusals(&id).await, all_unknown, "{id:?}");
    }
}
