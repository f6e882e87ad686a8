//! Records that cannot be read: nobody can open them, and they are erased all the same, by their sender or when they are due.

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
    for statement in &DAMAGES[..3] {
        let sample = Sample::inline(1);
        t.create(&sample).await.unwrap();
        damage(directory.path(), &sample, statement);
        damaged.push(sample);
    }
    let t = t.after(60);
    t.create(&later).await.unwrap();
    assert_eq!(t.store.sweep(2, t.at).await.unwrap(), 0, "none is due");
    assert!(t.is_known(&damaged[0]).await);

    let t = t.after(10 * 86_400);
    // They are due before it, and more than are swept at once.
    assert_eq!(t.store.sweep(2, t.at).await.unwrap(), 2);
    assert_eq!(t.store.sweep(2, t.at).await.unwrap(), 2);
    for sample in damaged.iter().chain([&later]) {
        assert!(!t.is_known(sample).await);
    }
    assert_eq!(held(&t).await, Held::default());
}
