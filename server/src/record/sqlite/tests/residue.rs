//! Hundreds of transfers, dead and alive, through the real stores: of the dead nothing is left in any file, and the same search
//! finds them where one of the things that erase them is missing.

use super::traces::Traces;
use super::*;
use crate::stage::{Parcel, START, Stage};
use crate::sweeper::sweep;

/// Ten of each fate in each form: 210.
fn parcels() -> Vec<Parcel> {
    (0..10)
        .flat_map(|round| Parcel::each(100 * round))
        .collect()
}

/// The sealed manifest and body of each, where `is_meant`.
fn ciphertext(parcels: &[Parcel], is_meant: impl Fn(&Parcel) -> bool) -> Traces {
    let mut traces = Traces::default();
    for parcel in parcels.iter().filter(|parcel| is_meant(parcel)) {
        let name = format!("{parcel:?}");
        traces.add(&name, &parcel.manifest());
        traces.add(&name, &parcel.body());
    }
    traces
}

/// Whom each counts for, where `is_meant`.
fn holders(parcels: &[Parcel], is_meant: impl Fn(&Parcel) -> bool) -> Traces {
    let mut traces = Traces::default();
    for parcel in parcels.iter().filter(|parcel| is_meant(parcel)) {
        traces.add_short(&format!("{parcel:?}"), parcel.holder().as_bytes());
    }
    traces
}

/// Every proof and token of each. The server keeps none of them at any time.
fn secrets(parcels: &[Parcel]) -> Traces {
    let mut traces = Traces::default();
    for parcel in parcels {
        let name = format!("{parcel:?}");
        traces.add(&name, parcel.link().as_bytes());
        traces.add(&name, parcel.access().as_bytes());
        traces.add(&name, parcel.owner().as_bytes());
        traces.add(&name, parcel.claimant().as_bytes());
    }
    traces
}

/// A stage whose log is truncated only when it is told to.
async fn stage(directory: &Path) -> Stage {
    let records = SqliteStore::open_with(directory, Duration::from_hours(1)).unwrap();
    Stage::on(records, directory, START).await
}

#[tokio::test]
async fn of_the_dead_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let parcels = parcels();
    let dead = ciphertext(&parcels, |parcel| !parcel.fate.is_live());
    let stage = stage(directory.path()).await;
    stage.fill(&parcels).await;
    let log = fs::read(directory.path().join("records.sqlite-wal")).unwrap();
    assert!(
        !dead.in_bytes(&log).is_empty(),
        "before the log is truncated, it tells"
    );
    drop(log);
    sweep(&stage.service).await.unwrap();
    let left = dead.in_folder(directory.path());
    assert!(left.is_empty(), "{left:?}");
    let left = holders(&parcels, |parcel| !parcel.fate.is_live());
    let left = left.in_folder(directory.path());
    assert!(left.is_empty(), "holders of {left:?}");

    let live: Vec<Parcel> = parcels
        .iter()
        .filter(|parcel| parcel.fate.is_live())
        .copied()
        .collect();
    let found = ciphertext(&live, |_| true)
        .in_folder(directory.path())
        .len();
    assert_eq!(found, live.len(), "what is alive is there, and is seen");
    let found = holders(&live, |_| true).in_folder(directory.path()).len();
    assert_eq!(found, live.len(), "and so is whose it is");
    assert_eq!(secrets(&parcels).in_folder(directory.path()).len(), 0);
}

/// The control: a search that could find nothing would prove nothing.
#[tokio::test]
async fn without_secure_delete_the_dead_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut parcels = parcels();
    parcels.retain(Parcel::is_inline);
    let dead = ciphertext(&parcels, |parcel| !parcel.fate.is_live());
    let stage = stage(directory.path()).await;
    let forget_to_overwrite = |section: &Section<'_>| {
        section.conn.pragma_update(None, "secure_delete", "OFF")?;
        Ok(())
    };
    stage.records.writer.run(forget_to_overwrite).await.unwrap();
    stage.fill(&parcels).await;
    sweep(&stage.service).await.unwrap();
    assert!(!dead.in_folder(directory.path()).is_empty());
}
