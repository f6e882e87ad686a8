//! Records that cannot be read: nobody can open them, and they are erased all the same, by their sender or when they are due.

use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;
use crate::transfer::Held;

/// Each way in which a row tells something that no version knows, as a statement on the row of `?1`.
const DAMAGES: [&str; 4] = [
    "UPDATE transfer SET phase = 99 WHERE id = ?1",
    "UPDATE transfer SET claims_left = -1 WHERE id = ?1",
    "UPDATE transfer SET expires_at = -1 WHERE id = ?1",
    "UPDATE lease SET fetches = 99 WHERE row = (SELECT row FROM transfer WHERE id = ?1)",
];

fn damage(directory: &Path, sample: &Sample, statement: &str) {
    let conn = Connection::open(directory.join(DATABASE)).unwrap();
    let changed = conn.execute(statement, [sample.id().as_bytes()]);
    assert_eq!(changed.unwrap(), 1, "{statement}");
}

async fn held(t: &Fixture) -> Held {
    t.store.totals().await.unwrap().held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_sender_can_burn_it() {
    for statement in DAMAGES {
        let directory = tempfile::tempdir().unwrap();
        let t = Fixture::on(open(directory.path())).await;
        let (damaged, sound) = (Sample::in_parts(), Sample::inline(1));
        t.create(&sound).await.unwrap();
        let held_before = held(&t).await;
        t.upload(&damaged).await;
        t.claim(&damaged, 1).await.unwrap();
        damage(directory.path(), &damaged, statement);
        assert!(
            matches!(
                t.store
                    .peek(
                        damaged.id(),
                        &damaged.new.creation.link_verifier,
                        None,
                        t.at
                    )
                    .await,
                Err(StoreError::Corrupt(_))
            ),
            "{statement}"
        );

        let stranger = OwnerVerifier::from_bytes([0; 32]);
        let refused = t.store.burn(damaged.id(), &stranger, t.at).await.unwrap();
        assert_eq!(refused, Err(Refusal::Unknown), "{statement}");
        t.burn(&damaged).await.unwrap();
        assert!(!t.is_known(&damaged).await, "{statement}");
        assert_eq!(held(&t).await, held_before, "{statement}");
        assert_eq!(t.take().await.len(), 3, "its parts are to be deleted");
        t.store.scrub().await.unwrap();
        let manifest = &damaged.new.manifest[..48];
        assert!(!lies_in(directory.path(), manifest), "{statement}");
        t.peek(&sound).await.unwrap();
        // Its id is free again, as of any that is not known.
        t.create(&damaged).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_erased_when_it_is_due_and_keeps_no_other_from_being_swept() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let later = Sample::inline(1);
    let mut damaged = Vec::new();
    for statement in DAMAGES {
        let sample = Sample::inline(1);
        t.create(&sample).await.unwrap();
        t.claim(&sample, 1).await.unwrap();
        damage(directory.path(), &sample, statement);
        damaged.push(sample);
    }
    let t = t.after(60);
    t.create(&later).await.unwrap();
    assert_eq!(t.store.sweep(2, t.at).await.unwrap(), 0, "none is due");
    assert!(t.is_known(&damaged[0]).await);

    let t = t.after(10 * 86_400);
    // They are due before it, and more than are swept at once.
    for expected in [2, 2, 1, 0] {
        assert_eq!(t.store.sweep(2, t.at).await.unwrap(), expected);
    }
    for sample in damaged.iter().chain([&later]) {
        assert!(!t.is_known(sample).await);
    }
    assert_eq!(held(&t).await, Held::default());
}

/// A page that SQLite finds damaged is no reason to erase what lies on others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_damaged_database_nothing_is_erased() {
    let directory = tempfile::tempdir().unwrap();
    let t = Fixture::on(open(directory.path())).await;
    let sample = Sample::inline(1);
    t.create(&sample).await.unwrap();
    let at = t.at;
    drop(t);
    let path = directory.path().join(DATABASE);
    let page: i64 = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'lease'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let place = u64::try_from(page).unwrap() * u64::try_from(frame::PAGE_LEN).unwrap();
    let mut database = fs::OpenOptions::new().write(true).open(&path).unwrap();
    database.seek(SeekFrom::Start(place)).unwrap();
    database.write_all(&[0xff; 100]).unwrap();

    let t = Fixture {
        store: open(directory.path()),
        at,
    };
    let owner = &sample.new.creation.owner_verifier;
    let burnt = t.store.burn(sample.id(), owner, t.at).await;
    assert!(matches!(burnt, Err(StoreError::Corrupt(_))), "{burnt:?}");
    let t = t.after(10 * 86_400);
    let swept = t.store.sweep(2, t.at).await;
    assert!(
        matches!(swept, Ok(0) | Err(StoreError::Corrupt(_))),
        "{swept:?}"
    );
    drop(t);
    let conn = Connection::open(&path).unwrap();
    let count = |table| {
        let query = format!("SELECT count(*) FROM {table}");
        conn.query_row(&query, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!((count("transfer"), count("sealed")), (1, 1));
}
