//! Folders that older versions wrote, as they lie in `tests/fixtures`: every later version finds all that is in them.

use super::*;
use crate::stage::{self, Parcel, Stage};

/// The same folder, written by this version.
async fn written(directory: &Path, parcels: &[Parcel]) -> Stage {
    let stage = Stage::new(directory).await;
    stage.fill(parcels).await;
    let at = stage.service.moment();
    stage.records.sweep(1000, at).await.unwrap();
    stage
}

/// Every statement that made the database's tables, without the blanks, which an upgrade sets in its own way.
fn layout(directory: &Path) -> Vec<String> {
    let conn = Connection::open(directory.join(DATABASE)).unwrap();
    let mut query = conn
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|statement| statement.unwrap().replace(char::is_whitespace, ""))
        .collect()
}

#[tokio::test]
async fn what_an_older_version_wrote_is_found_as_it_was() {
    let versions: Vec<_> = (1..schema::VERSION).collect();
    assert_eq!(versions, [1, 2], "a folder of every version is kept");
    for version in versions {
        check(version).await;
    }
}

async fn check(version: i64) {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let parcels = stage::written_by(version, old.path());
    let from_new = written(new.path(), &parcels).await;
    let from_old = Stage::later(old.path()).await;
    for parcel in &parcels {
        let portrait = from_old.portrait(parcel).await;
        assert_eq!(portrait, from_new.portrait(parcel).await, "{parcel:?}");
    }
    assert_eq!(
        from_old.records.totals().await.unwrap(),
        from_new.records.totals().await.unwrap()
    );
    // Objects are named at random; their number is not.
    let due = async |stage: &Stage| {
        let at = stage.service.moment();
        stage
            .records
            .take_deletions(1000, at)
            .await
            .unwrap()
            .objects
            .len()
    };
    assert_eq!(due(&from_old).await, due(&from_new).await);
    assert_eq!(layout(old.path()), layout(new.path()));
    // Of what it wrote nobody knows whose it is, and it counts for nobody.
    for parcel in &parcels {
        let held = from_old.records.held_by(&parcel.holder()).await.unwrap();
        assert_eq!(held, HeldBy::default());
        let held = from_new.records.held_by(&parcel.holder()).await.unwrap();
        assert_eq!(held.client.count, u64::from(parcel.fate.is_live()));
    }
}

/// What an older version leaves when it is killed: its last steps lie in its log alone.
#[tokio::test]
async fn a_log_that_an_older_version_left_is_taken_in() {
    for version in 1..schema::VERSION {
        let (old, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for directory in [&old, &killed] {
            stage::written_by(version, directory.path());
        }
        let burnt = async |directory: &Path| {
            let stage = Stage::later(directory).await;
            stage.records.totals().await.unwrap().stats.burnt
        };
        let conn = Connection::open(old.path().join(DATABASE)).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.execute("UPDATE counter SET burnt = burnt + 1000", [])
            .unwrap();
        for name in [DATABASE, "records.sqlite-wal"] {
            fs::copy(old.path().join(name), killed.path().join(name)).unwrap();
        }
        assert!(log_len(killed.path()) > 0);
        drop(conn);
        assert_eq!(
            burnt(killed.path()).await,
            burnt(old.path()).await,
            "of version {version}"
        );
        assert!(burnt(killed.path()).await > 1000);
    }
}
