//! Groups of requests: one that fails is undone alone, and a group that cannot be committed is undone whole.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::thread::commit;
use super::*;
use crate::record::sqlite::reserve::SLICE_LEN;

/// The reserve of a directory of its own.
fn reserve() -> (tempfile::TempDir, Reserve) {
    let directory = tempfile::tempdir().unwrap();
    let mut reserve = Reserve::open(directory.path()).unwrap();
    reserve.fill();
    (directory, reserve)
}

fn database() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE kept (value INTEGER PRIMARY KEY, other BLOB);
         CREATE TABLE tied (value INTEGER REFERENCES kept (value) DEFERRABLE INITIALLY DEFERRED);",
    )
    .unwrap();
    conn
}

type Answer = oneshot::Receiver<StoreResult<usize>>;

/// A request that executes these statements, one after the other, and where its answer arrives.
fn request(statements: &'static [&'static str]) -> (Box<dyn Job>, Answer) {
    let (caller, answer) = oneshot::channel();
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let step = move |section: &Section<'_>| {
        for statement in statements {
            section.conn.execute(statement, [])?;
        }
        Ok(statements.len())
    };
    let request = Request {
        step,
        adds: Adds::Nothing,
        result: None,
        caller,
        _place: place,
    };
    (Box::new(request), answer)
}

fn run(conn: &Connection, requests: Vec<(Box<dyn Job>, Answer)>) -> Vec<StoreResult<usize>> {
    let (group, answers): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
    for job in commit(conn, group, &Cell::new(false)) {
        job.answer();
    }
    assert!(conn.is_autocommit(), "no transaction is left open");
    answers
        .into_iter()
        .map(|mut answer| answer.try_recv().unwrap())
        .collect()
}

fn kept(conn: &Connection) -> Vec<i64> {
    let mut query = conn
        .prepare("SELECT value FROM kept ORDER BY value")
        .unwrap();
    query
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_failing_request_is_undone_alone() {
    let conn = database();
    let answers = run(
        &conn,
        vec![
            request(&["INSERT INTO kept VALUES (1, NULL)"]),
            request(&[
                "INSERT INTO kept VALUES (2, NULL)",
                "INSERT INTO kept VALUES (1, NULL)",
            ]),
            request(&["INSERT INTO kept VALUES (3, NULL)"]),
        ],
    );
    assert!(
        matches!(answers[..], [Ok(1), Err(StoreError::Unreachable(_)), Ok(1)]),
        "{answers:?}"
    );
    assert_eq!(kept(&conn), [1, 3]);
}

#[test]
fn a_failing_commit_fails_everyone() {
    let conn = database();
    let answers = run(
        &conn,
        vec![
            request(&["INSERT INTO kept VALUES (1, NULL)"]),
            // A broken tie is found at COMMIT.
            request(&["INSERT INTO tied VALUES (9)"]),
        ],
    );
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(kept(&conn), [0; 0]);
    let answers = run(&conn, vec![request(&["INSERT INTO kept VALUES (1, NULL)"])]);
    assert!(
        matches!(answers[..], [Ok(1)]),
        "the next group is as before: {answers:?}"
    );
}

#[test]
fn a_full_store_says_so_and_goes_on() {
    let conn = database();
    conn.execute_batch("PRAGMA max_page_count = 8").unwrap();
    let answers = run(
        &conn,
        vec![
            request(&["INSERT INTO kept VALUES (1, NULL)"]),
            request(&["INSERT INTO kept VALUES (2, zeroblob(100000))"]),
            request(&["INSERT INTO kept VALUES (3, NULL)"]),
        ],
    );
    assert!(
        matches!(answers[1], Err(StoreError::Full(_))),
        "{answers:?}"
    );
    // Each that was told of success is kept, and no other.
    let told: Vec<i64> = [(0, 1), (2, 3)]
        .into_iter()
        .filter(|(place, _): &(usize, i64)| answers[*place].is_ok())
        .map(|(_, value)| value)
        .collect();
    assert_eq!(kept(&conn), told);
    assert!(told.contains(&3), "what comes after goes on: {answers:?}");
}

#[tokio::test]
async fn a_panic_is_undone_and_costs_nobody_else_anything() {
    let (_directory, reserve) = reserve();
    let writer = Writer::start(database(), reserve, Duration::from_secs(1)).unwrap();
    let answer: StoreResult<()> = writer
        .run(|section| {
            section
                .conn
                .execute_batch("CREATE TABLE left_behind (value)")?;
            panic!("a step that must not happen")
        })
        .await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
    let is_left = |section: &Section<'_>| {
        let mut query = section
            .conn
            .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'left_behind'")?;
        Ok(query.exists([])?)
    };
    assert!(!writer.run(is_left).await.unwrap());
    writer.scrub().await.unwrap();
}

/// A request that ends the thread: a step's own panic would not.
struct Fatal;

impl Job for Fatal {
    fn run(&mut self, _section: &Section<'_>) -> bool {
        true
    }

    fn fail(&mut self, _fault: &StoreError) {}

    fn lacks_room(&self) -> bool {
        false
    }

    fn is_dispensable(&self) -> bool {
        false
    }

    fn added_len(&self) -> usize {
        0
    }

    fn answer(self: Box<Self>) {
        panic!("a panic outside of every step")
    }
}

#[tokio::test]
async fn the_end_of_the_thread_is_told() {
    let (_directory, reserve) = reserve();
    let writer = Writer::start(database(), reserve, Duration::from_secs(1)).unwrap();
    let ended = writer.ended();
    writer.run(|_| Ok(())).await.unwrap();
    assert!(!ended.is_cancelled());
    writer.send(Command::Run(Box::new(Fatal))).unwrap();
    let told = tokio::time::timeout(Duration::from_mins(1), ended.cancelled());
    told.await.unwrap();
    let answer = writer.run(|_| Ok(())).await;
    assert!(
        matches!(answer, Err(StoreError::Unreachable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn dropping_finishes_what_is_queued() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE kept (value INTEGER PRIMARY KEY)")
        .unwrap();
    let (_directory, reserve) = reserve();
    let writer = Writer::start(conn, reserve, Duration::from_secs(1)).unwrap();
    let commands = writer.commands.clone().unwrap();
    for _ in 0..2000 {
        let (job, _) = request(&["INSERT INTO kept DEFAULT VALUES"]);
        assert!(commands.send(Command::Run(job)).is_ok());
    }
    drop(commands);
    drop(writer);
    let conn = Connection::open(&path).unwrap();
    assert_eq!(kept(&conn).len(), 2000);
}

/// A step that finds the disk full this often, and how often it was run.
fn fails_full(
    times: usize,
) -> (
    Arc<AtomicUsize>,
    impl Fn(&Section<'_>) -> StoreResult<()> + Send + 'static,
) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let step = move |section: &Section<'_>| {
        section
            .conn
            .execute("INSERT INTO kept DEFAULT VALUES", [])?;
        if counted.fetch_add(1, Ordering::SeqCst) < times {
            Err(StoreError::Full("no room".to_owned()))
        } else {
            Ok(())
        }
    };
    (runs, step)
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_gives_way_to_the_rest() {
    let (directory, reserve) = reserve();
    let is_whole = reserve.watch();
    let slices_left = || {
        let file = std::fs::metadata(directory.path().join("records.reserve")).unwrap();
        file.len() / SLICE_LEN
    };
    let whole = slices_left();
    let writer = Writer::start(database(), reserve, Duration::from_hours(1)).unwrap();

    let (runs, step) = fails_full(1);
    let refused = writer.add(10, step).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert_eq!((runs.load(Ordering::SeqCst), slices_left()), (1, whole));

    // The first time it is run again once the log is free, and then for a slice each.
    for (times, slices) in [(1, 0), (3, 2)] {
        let (runs, step) = fails_full(times);
        writer.run(step).await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), times + 1);
        assert_eq!(slices_left(), whole - slices);
        assert_eq!(is_whole.load(Ordering::SeqCst), slices == 0);
    }
    let (_, step) = fails_full(usize::MAX);
    let refused = writer.run(step).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert_eq!(slices_left(), 0);
    let count = |section: &Section<'_>| {
        let count = section
            .conn
            .query_row("SELECT count(*) FROM kept", [], |row| row.get(0));
        Ok(count?)
    };
    let kept: i64 = writer.run(count).await.unwrap();
    assert_eq!(kept, 2, "what failed was undone");
}

#[tokio::test]
async fn the_reserve_is_filled_again_when_there_is_room() {
    let (_directory, reserve) = reserve();
    let is_whole = reserve.watch();
    let writer = Writer::start(database(), reserve, Duration::from_millis(1)).unwrap();
    let (_, step) = fails_full(usize::MAX);
    writer.run(step).await.unwrap_err();
    let filled = async {
        while !is_whole.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), filled)
        .await
        .unwrap();
}
