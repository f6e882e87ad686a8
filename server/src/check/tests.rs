//! A check of folders that are as they should be, and of folders in which one thing is not; what repairing removes, and that it
//! removes nothing else, also beside a server that is busy.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::Connection;

use super::*;
use crate::record::sqlite::SqliteStore;
use crate::stage::{self, Fate, LATER_S, LIMITS, PERIODS, Parcel, START, Stage};
use crate::sweeper::{BATCH, sweep, sweep_orphans};

const READ: CheckOptions = CheckOptions {
    is_deep: false,
    repairs: false,
};
const DEEP: CheckOptions = CheckOptions {
    is_deep: true,
    repairs: false,
};
const REPAIR: CheckOptions = CheckOptions {
    is_deep: false,
    repairs: true,
};

fn later() -> Moment {
    Moment {
        now: START + LATER_S,
        periods: PERIODS,
    }
}

/// Checks the records of `directory` and the blobs in it.
fn check_in(
    directory: &Path,
    options: CheckOptions,
    times: (Moment, u64),
    tell: &mut dyn FnMut(&dyn Display),
) -> Result<Summary, CheckError> {
    check((directory, &directory.join("blobs")), options, times, tell)
}

/// What is told of `directory`, at the moment of [`Stage::later`].
fn told(directory: &Path, options: CheckOptions) -> (Summary, Vec<String>) {
    let mut sentences = Vec::new();
    let mut tell = |sentence: &dyn Display| sentences.push(sentence.to_string());
    let times = (later(), LIMITS.age_max_s(&PERIODS));
    let summary = check_in(directory, options, times, &mut tell).unwrap();
    (summary, sentences)
}

/// A folder that the first version wrote and this one upgraded, with its parcels.
struct Folder {
    directory: tempfile::TempDir,
    parcels: Vec<Parcel>,
}

impl Folder {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let parcels = stage::first_version(directory.path());
        // It is upgraded, as by the server's start.
        drop(SqliteStore::open(directory.path()).unwrap());
        // Git keeps no times: all of it was written when the parcels were.
        for file in Survey::of(&directory.path().join("blobs"))
            .entries()
            .unwrap()
        {
            if let Entry::Object { object, .. } = file.unwrap() {
                set_age(&directory.path().join(format!("blobs/{object}")), 0);
            }
        }
        Self { directory, parcels }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn sql(&self, statements: &str) {
        let conn = Connection::open(self.path().join("records.sqlite")).unwrap();
        conn.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statements}"))
            .unwrap();
    }

    /// The transfer of this fate whose body is in parts.
    fn in_parts(&self, fate: Fate) -> TransferId {
        let mut parcels = self.parcels.iter();
        let found = parcels.find(|parcel| parcel.fate == fate && !parcel.is_inline());
        found.unwrap().id()
    }

    fn blob_folder(&self, id: &TransferId) -> PathBuf {
        self.path().join("blobs").join(id.to_text())
    }

    /// Some object of the transfer.
    fn object(&self, id: &TransferId) -> PathBuf {
        let mut files = fs::read_dir(self.blob_folder(id)).unwrap();
        files.next().unwrap().unwrap().path()
    }

    /// Puts an object there that nothing names.
    fn stray(&self, id: &TransferId, suffix: &str, age_s: u64) -> PathBuf {
        fs::create_dir_all(self.blob_folder(id)).unwrap();
        let path = self
            .blob_folder(id)
            .join(format!("0.00000000000000ff{suffix}"));
        fs::write(&path, "left over").unwrap();
        set_age(&path, age_s);
        path
    }

    /// Every file and what it holds, but for the index of the log, and a log in which nothing is.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        read_folder(self.path(), &mut found);
        found.remove(&self.path().join("records.sqlite-shm"));
        let log = self.path().join("records.sqlite-wal");
        found.retain(|path, content| *path != log || !content.is_empty());
        found
    }
}

fn read_folder(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, found);
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

fn set_age(path: &Path, age_s: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let written = UNIX_EPOCH + Duration::from_secs(later().now - age_s);
    file.set_modified(written).unwrap();
}

fn unknown() -> TransferId {
    TransferId::from_bytes([9; 16])
}

const OLD_S: u64 = 30 * 86_400;

#[test]
fn a_folder_that_is_well_is_left_as_it_was() {
    let folder = Folder::new();
    let before = folder.contents();
    let (summary, sentences) = told(folder.path(), DEEP);
    assert_eq!((summary.faults, &sentences[..]), (0, &[][..]));
    assert_eq!((summary.ready, summary.uploading, summary.gone), (8, 1, 12));
    assert_eq!((summary.parts, summary.queued), (10, 14));
    assert!(summary.to_string().ends_with("all is well"), "{summary}");
    assert!(folder.contents() == before, "nothing is changed or added");
    assert_eq!(
        told(folder.path(), REPAIR).0,
        summary,
        "there is nothing to repair"
    );
}

/// Another check, or any program that reads the records, may have them open without a lock of ours.
#[test]
fn the_index_of_the_log_is_left_to_who_has_it_open() {
    let folder = Folder::new();
    assert_eq!(told(folder.path(), READ).0.faults, 0);
    for name in ["records.sqlite-wal", "records.sqlite-shm"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(told(folder.path(), READ).0.faults, 0);
}

#[tokio::test]
async fn a_server_and_a_check_do_not_mind_each_other() {
    let folder = Folder::new();
    let stage = Stage::later(folder.path()).await;
    assert_eq!(told(folder.path(), DEEP).0.faults, 0);
    sweep(&stage.service).await.unwrap();
    let (summary, sentences) = told(folder.path(), DEEP);
    assert_eq!((summary.faults, &sentences[..]), (0, &[][..]));
    drop(stage);
    // As a server leaves it that was killed: with a log that holds something.
    let conn = Connection::open(folder.path().join("records.sqlite")).unwrap();
    conn.execute("UPDATE counter SET created = created", [])
        .unwrap();
    assert_eq!(told(folder.path(), READ).0.faults, 0);
    drop(conn);
}

/// One thing is wrong, and is told in one sentence that has `expected` in it. It names no transfer whole.
#[track_caller]
fn one_fault(options: CheckOptions, damage: impl FnOnce(&Folder), expected: &str) {
    let folder = Folder::new();
    damage(&folder);
    let before = folder.contents();
    let (summary, sentences) = told(folder.path(), options);
    assert!(
        matches!(&sentences[..], [told] if told.contains(expected)),
        "{expected}: {sentences:#?}"
    );
    assert_eq!((summary.faults, summary.repaired), (1, 0));
    assert!(
        summary.to_string().ends_with("1 thing is wrong"),
        "{summary}"
    );
    for parcel in &folder.parcels {
        assert!(
            !sentences[0].contains(&parcel.id().to_text()),
            "{sentences:?}"
        );
    }
    assert!(
        folder.contents() == before,
        "{expected}: nothing is changed"
    );
}

#[test]
fn what_is_wrong_with_a_part_is_told() {
    let part = |folder: &Folder| folder.object(&folder.in_parts(Fate::Ready));
    one_fault(
        READ,
        |folder| fs::remove_file(part(folder)).unwrap(),
        "is missing; whoever",
    );
    let cut = |folder: &Folder| {
        let file = fs::File::options().write(true).open(part(folder)).unwrap();
        file.set_len(7).unwrap();
    };
    one_fault(READ, cut, "has 7 bytes instead of");
    let flip = |folder: &Folder| {
        let path = part(folder);
        let mut bytes = fs::read(&path).unwrap();
        bytes[5] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    one_fault(DEEP, flip, "other bytes");
    let folder = Folder::new();
    flip(&folder);
    assert_eq!(
        told(folder.path(), READ).0.faults,
        0,
        "only a deep check reads"
    );
}

#[test]
fn what_is_wrong_with_a_record_is_told() {
    let check = |statements: &'static str, expected| {
        one_fault(READ, move |folder| folder.sql(statements), expected);
    };
    let live = "(SELECT min(row) FROM transfer WHERE phase = 1 AND is_inline)";
    let of_live = |statement: &str, expected| {
        let statement = format!("{statement} WHERE row = {live}");
        one_fault(READ, move |folder| folder.sql(&statement), expected);
    };
    of_live("UPDATE transfer SET claims_left = 0", "do not add up");
    of_live(
        "UPDATE transfer SET phase = 99",
        "no version of this program",
    );
    of_live(
        "UPDATE transfer SET cause = 1",
        "columns that belong together",
    );
    of_live("DELETE FROM sealed", "its ciphertext is missing");
    of_live(
        "UPDATE sealed SET frame = CAST(frame || x'00' AS BLOB)",
        "the form that it is written in",
    );
    check(
        "INSERT INTO deletion SELECT id, part_index, random, 2000000000, 2000000000, 0
         FROM part JOIN transfer USING (row) ORDER BY part.row, part_index LIMIT 1",
        "queued for deletion although",
    );
    check(
        "UPDATE transfer SET holder = zeroblob(16)
         WHERE row = (SELECT min(row) FROM transfer WHERE phase = 2)",
        "columns that belong together",
    );
    check("DELETE FROM counter", "counter has 0 rows");
    check(
        "INSERT INTO sealed VALUES (99999, zeroblob(9))",
        "a row of sealed belongs to no transfer",
    );
}

#[test]
fn a_damaged_database_is_told_and_never_repaired() {
    let folder = Folder::new();
    let path = folder.path().join("records.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    // The second page, on which a table begins.
    bytes[4096..4196].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let before = folder.contents();
    let (summary, sentences) = told(folder.path(), REPAIR);
    assert!(summary.faults > 0 && summary.repaired == 0);
    assert!(
        sentences[0].contains("restore it from a backup"),
        "{sentences:#?}"
    );
    assert!(folder.contents() == before);
}

#[test]
fn nothing_is_repaired_in_a_database_that_is_not_whole() {
    let folder = Folder::new();
    folder.stray(&unknown(), "", OLD_S);
    folder.sql("DELETE FROM counter");
    let before = folder.contents();
    let (summary, sentences) = told(folder.path(), REPAIR);
    assert_eq!((summary.faults, summary.repaired), (2, 0));
    assert!(
        sentences[1].starts_with("note: nothing is repaired"),
        "{sentences:#?}"
    );
    assert!(folder.contents() == before);
}

#[test]
fn stores_that_do_not_belong_together_are_told_alone() {
    let file = |folder: &Folder| folder.path().join("blobs/store-id");
    let write = |text: &'static str| move |folder: &Folder| fs::write(file(folder), text).unwrap();
    one_fault(READ, write("00ff"), "belongs to other records");
    one_fault(READ, write("no id"), "cannot be read: restore");
    one_fault(
        READ,
        |folder| fs::remove_file(file(folder)).unwrap(),
        "has no id",
    );
}

#[test]
fn a_summary_counts_in_words_that_fit() {
    let check = |faults, repaired, expected: &str| {
        let summary = Summary {
            faults,
            repaired,
            ..Summary::default()
        };
        assert_eq!(summary.to_string(), expected, "nothing was looked at");
    };
    check(0, 0, "all is well");
    check(1, 0, "1 thing is wrong");
    check(1, 1, "1 thing was wrong, and is repaired");
    check(3, 1, "3 things were wrong; 1 of them is repaired");
    check(3, 2, "3 things were wrong; 2 of them are repaired");
}

#[test]
fn strays_are_told_by_what_becomes_of_them() {
    let check = |find: fn(&Folder) -> TransferId, suffix: &'static str, age_s, expected| {
        let damage = move |folder: &Folder| {
            folder.stray(&find(folder), suffix, age_s);
        };
        one_fault(READ, damage, expected);
    };
    for suffix in ["", ".aside"] {
        check(
            |f| f.in_parts(Fate::Burnt),
            suffix,
            0,
            "transfer that is gone: --repair removes it",
        );
        check(
            |_| unknown(),
            suffix,
            OLD_S,
            "older than any transfer can be: --repair removes it",
        );
        check(
            |_| unknown(),
            suffix,
            86_400,
            "24 hours old; the server deletes it when",
        );
        check(
            |f| f.in_parts(Fate::Ready),
            suffix,
            OLD_S,
            "left alone until",
        );
    }
}

#[cfg(unix)]
#[test]
fn rights_of_others_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let chmod = |name: &'static str, mode| {
        move |folder: &Folder| {
            let set = |path: PathBuf, mode| {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            };
            set(folder.path().to_owned(), 0o755);
            set(folder.path().join(name), mode);
        }
    };
    one_fault(READ, chmod("blobs", 0o755), "every user of this machine");
    one_fault(
        READ,
        chmod("records.sqlite", 0o604),
        "every user of this machine",
    );
    let folder = Folder::new();
    chmod("blobs", 0o750)(&folder);
    let (summary, sentences) = told(folder.path(), READ);
    assert!(
        sentences[0].starts_with("note: the group of"),
        "{sentences:?}"
    );
    assert_eq!(summary.faults, 0);
    chmod("blobs", 0o755)(&folder);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let (_, sentences) = told(folder.path(), READ);
    assert!(sentences.is_empty(), "nobody comes to it: {sentences:?}");
}

#[tokio::test]
async fn one_object_that_cannot_be_deleted_does_not_keep_the_others() {
    let folder = Folder::new();
    let stuck = folder.stray(&unknown(), "", OLD_S);
    fs::create_dir(stuck.with_added_extension("aside")).unwrap();
    let others = [7, 8, 10].map(|id| folder.stray(&TransferId::from_bytes([id; 16]), "", OLD_S));
    let stage = Stage::later(folder.path()).await;
    assert_eq!(sweep_orphans(&stage.service).await.unwrap(), 3);
    assert!(stuck.exists());
    assert!(others.iter().all(|path| !path.exists()));
}

/// Of an operator who has shortened a period, what lives may be as old as what does not, and a listing may begin with either.
#[tokio::test]
async fn orphans_are_found_behind_more_than_a_batch_of_what_lives() {
    let folder = Folder::new();
    let living = folder.stray(&folder.in_parts(Fate::Ready), "", OLD_S);
    for random in 0..2 * BATCH {
        let old = living.with_file_name(format!("0.{random:016x}"));
        fs::write(&old, "left over").unwrap();
        set_age(&old, OLD_S);
    }
    let orphan = |id: u8| folder.stray(&TransferId::from_bytes([id; 16]), "", OLD_S);
    let orphans: Vec<_> = (100..124).map(orphan).collect();
    let stage = Stage::later(folder.path()).await;
    while sweep_orphans(&stage.service).await.unwrap() > 0 {}
    assert!(orphans.iter().all(|path| !path.exists()));
    assert!(living.exists());
}

#[test]
fn what_only_looks_like_an_object_is_noted_and_left() {
    let folder = Folder::new();
    let blobs = folder.blob_folder(&unknown());
    fs::create_dir(&blobs).unwrap();
    // An index that no part can have, and no row can hold.
    fs::write(blobs.join("18446744073709551615.00000000000000ff"), "mine").unwrap();
    fs::create_dir_all(blobs.join("0.00000000000000ff/mine")).unwrap();
    let (summary, sentences) = told(folder.path(), REPAIR);
    assert_eq!((summary.faults, sentences.len()), (0, 2), "{sentences:?}");
    assert!(
        sentences
            .iter()
            .all(|told| told.contains("none of the server's")),
        "{sentences:?}"
    );
}

#[test]
fn what_is_not_the_servers_is_noted() {
    let folder = Folder::new();
    let blobs = folder.path().join("blobs");
    fs::write(blobs.join("README"), "mine").unwrap();
    fs::write(blobs.join("probe"), "").unwrap();
    fs::create_dir(blobs.join("lost+found")).unwrap();
    fs::write(blobs.join("lost+found/1"), "").unwrap();
    let before = folder.contents();
    let (summary, mut sentences) = told(folder.path(), REPAIR);
    sentences.sort();
    assert_eq!((summary.faults, sentences.len()), (0, 3), "{sentences:?}");
    assert!(
        sentences.iter().all(|told| told.starts_with("note: ")),
        "{sentences:?}"
    );
    assert!(
        sentences.iter().any(|told| told.contains("cut off")),
        "{sentences:?}"
    );
    assert!(folder.contents() == before);
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    let check = |directory: &Path, expected: &str| {
        let times = (later(), 0);
        let error = check_in(directory, REPAIR, times, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    let empty = tempfile::tempdir().unwrap();
    check(
        empty.path(),
        "no records.sqlite is in it: name the server's folder with --data-dir",
    );
    assert_eq!(
        fs::read_dir(empty.path()).unwrap().count(),
        0,
        "nothing is made"
    );
    let folder = Folder::new();
    folder.sql("PRAGMA user_version = 9");
    check(folder.path(), "a newer version");
    folder.sql("PRAGMA application_id = 9");
    check(
        folder.path(),
        "not a database of onetimeshare-server: name another folder with --data-dir",
    );
    fs::write(folder.path().join("records.sqlite"), [7; 8192]).unwrap();
    check(folder.path(), "restore it from a backup");
    check(
        &folder.path().join("records.sqlite"),
        "records.sqlite cannot be read (",
    );
    let folder = Folder::new();
    fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    check(
        folder.path(),
        "its folder of blobs is missing: is the right disk mounted?",
    );
}

#[tokio::test]
async fn repairing_removes_the_dead_and_nothing_else() {
    let folder = Folder::new();
    let is_gone = [Fate::Burnt, Fate::Delivered].map(|fate| folder.in_parts(fate));
    let dead = [
        folder.stray(&is_gone[0], "", 0),
        folder.stray(&is_gone[1], ".aside", 0),
        folder.stray(&unknown(), "", OLD_S),
    ];
    let kept = [
        folder.stray(&TransferId::from_bytes([8; 16]), "", 60),
        folder.stray(&folder.in_parts(Fate::Ready), "", OLD_S),
    ];
    // A tombstone with ciphertext, and one with parts.
    folder.sql(
        "INSERT INTO sealed SELECT max(row), zeroblob(4521) FROM transfer WHERE phase = 2;
         INSERT INTO part SELECT min(row), 0, zeroblob(32), 5 FROM transfer WHERE phase = 2 AND NOT is_inline;",
    );
    assert_eq!(told(folder.path(), READ).0.faults, 7);
    let (summary, sentences) = told(folder.path(), REPAIR);
    assert_eq!((summary.faults, summary.repaired), (7, 5), "{sentences:#?}");
    for (then, expected) in [("queued for deletion", 3), ("erased", 2)] {
        let then = format!("it is {then} now");
        let found = sentences.iter().filter(|told| told.ends_with(&then));
        assert_eq!(found.count(), expected, "{sentences:#?}");
    }
    assert!(
        summary
            .to_string()
            .ends_with("7 things were wrong; 5 of them are repaired")
    );
    assert!(
        dead.iter().all(|path| path.exists()),
        "the server deletes them"
    );
    assert_eq!(told(folder.path(), REPAIR).0.faults, 2);

    let stage = Stage::later(folder.path()).await;
    sweep(&stage.service).await.unwrap();
    assert!(dead.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
    let other = Folder::new();
    let untouched = Stage::later(other.path()).await;
    for parcel in &folder.parcels {
        assert_eq!(
            stage.portrait(parcel).await,
            untouched.portrait(parcel).await
        );
    }
    assert_eq!(told(folder.path(), DEEP).0.faults, 2);
}

/// Ends the thread beside a test, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Repairs over and over, as if every object were older than any life, while transfers are sent, opened and ended: it finds
/// nothing wrong at any moment, and takes nothing from anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repairing_beside_a_busy_server_takes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let stage = Stage::new(directory.path()).await;
    let parcels: Vec<Parcel> = (0..2).flat_map(|round| Parcel::each(100 * round)).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let repairing = scope.spawn(|| {
            let mut rounds = 0;
            while !is_over.load(Ordering::SeqCst) || rounds == 0 {
                let mut sentences = Vec::new();
                let mut tell = |sentence: &dyn Display| sentences.push(sentence.to_string());
                let summary = check_in(directory.path(), REPAIR, (later(), 0), &mut tell).unwrap();
                assert_eq!(summary.faults, 0, "{sentences:?}");
                rounds += 1;
            }
            rounds
        });
        let living = async {
            stage.fill(&parcels).await;
            sweep(&stage.service).await.unwrap();
            sweep(&stage.service).await.unwrap();
        };
        let over = Over(&is_over);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(living));
        drop(over);
        assert!(repairing.join().unwrap() > 0);
    });
    for parcel in &parcels {
        stage.portrait(parcel).await;
    }
    let (summary, sentences) = told(directory.path(), DEEP);
    assert_eq!(summary.faults, 0, "{sentences:?}");
    assert_eq!((summary.ready, summary.parts), (16, 20));
}
