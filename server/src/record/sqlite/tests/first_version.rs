//! A folder that the first version wrote, as it lies in `tests/fixtures/v1`: every later version finds all that is in it.

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
async fn what_the_first_version_wrote_is_found_as_it_was() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let parcels = stage::first_version(old.path());
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
}
