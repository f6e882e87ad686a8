//! What the writing thread does: it runs what waits in groups, truncates the log that holds what was erased, and when the disk
//! is full goes on with what must go on. It knows nothing of what a request means.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;

use super::{Command, Job, Section};
use crate::record::sqlite::log;
use crate::record::sqlite::reserve::Reserve;
use crate::record::{StoreError, StoreResult};

/// Requests that one transaction answers at most.
const GROUP_MAX: usize = 512;

/// Bytes of ciphertext that end a group: what one transaction adds to the log stays well below the reserve.
const GROUP_LEN_MAX: usize = 2 << 20;

/// A checkpoint that readers kept from finishing is tried again after this long.
const SCRUB_RETRY: Duration = Duration::from_secs(1);

/// How long the thread sleeps when nothing is asked and nothing is to be scrubbed.
const IDLE: Duration = Duration::from_hours(1);

/// Everything that the thread has to itself.
pub(super) struct Thread {
    conn: Connection,
    reserve: Reserve,
    /// How long erased ciphertext stays in the log, and a reserve that gave way not whole, at the least.
    tidy_after: Duration,
    /// Since when the log holds something erased, and when scrubbing it is tried.
    scrub_at: Option<Instant>,
    /// When the reserve is filled again, while it is not whole.
    fill_at: Option<Instant>,
}

impl Thread {
    pub(super) fn new(conn: Connection, reserve: Reserve, tidy_after: Duration) -> Self {
        // A process that was killed may have left erased ciphertext in the log.
        let scrub_at = Some(Instant::now() + tidy_after);
        let fill_at = (!reserve.is_whole()).then(|| Instant::now() + tidy_after);
        Self {
            conn,
            reserve,
            tidy_after,
            scrub_at,
            fill_at,
        }
    }

    pub(super) fn serve(mut self, queue: &Receiver<Command>) {
        loop {
            let due_at = [self.scrub_at, self.fill_at].into_iter().flatten().min();
            let wait = due_at.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()));
            match queue.recv_timeout(wait) {
                Ok(first) => self.answer(first, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.scrub_at.is_some_and(|at| at <= Instant::now()) {
                let _ = self.scrub();
            }
            if self.fill_at.is_some_and(|at| at <= Instant::now()) {
                self.reserve.fill();
                self.plan_filling();
            }
        }
        if let Err(error) = self.scrub() {
            tracing::warn!(%error, "the record log was not truncated at the end");
        }
    }

    /// Runs what waits as one group. Scrubs come after it, so that they see what it erased.
    fn answer(&mut self, first: Command, queue: &Receiver<Command>) {
        let (mut group, mut scrubs) = (Vec::new(), Vec::new());
        let mut group_len = 0_usize;
        for command in std::iter::once(first)
            .chain(queue.try_iter())
            .take(GROUP_MAX)
        {
            match command {
                Command::Run(job) => {
                    group_len = group_len.saturating_add(job.added_len());
                    group.push(job);
                }
                Command::Scrub(caller) => scrubs.push(caller),
            }
            if group_len >= GROUP_LEN_MAX {
                break;
            }
        }
        self.run(group);
        for caller in scrubs {
            let _ = caller.send(self.scrub());
        }
    }

    fn run(&mut self, group: Vec<Box<dyn Job>>) {
        let has_erased = Cell::new(false);
        for job in commit(&self.conn, group, &has_erased) {
            if job.lacks_room() {
                // What was begun of it lies behind the end of the log, ciphertext perhaps.
                has_erased.set(true);
                self.insist(job, &has_erased);
            } else {
                job.answer();
            }
        }
        if has_erased.get() {
            self.scrub_at
                .get_or_insert_with(|| Instant::now() + self.tidy_after);
        }
        self.plan_filling();
    }

    /// Answers a job that found no room. Unless it can be refused, it is run again, alone, for as long as room can be made for
    /// it: the log begins again from its start once the database holds all of it, and the reserve gives way.
    fn insist(&mut self, mut job: Box<dyn Job>, has_erased: &Cell<bool>) {
        let mut is_first = true;
        while job.lacks_room() && !job.is_dispensable() {
            let is_moved = checkpoint(&self.conn).is_ok();
            let has_gained = (is_first && is_moved) || self.reserve.give_way();
            if !has_gained {
                break;
            }
            is_first = false;
            let Some(ran) = commit(&self.conn, vec![job], has_erased).pop() else {
                return;
            };
            job = ran;
        }
        job.answer();
    }

    fn plan_filling(&mut self) {
        self.fill_at = if self.reserve.is_whole() {
            None
        } else {
            self.fill_at
                .filter(|at| *at > Instant::now())
                .or_else(|| Some(Instant::now() + self.tidy_after))
        };
    }

    fn scrub(&mut self) -> StoreResult<()> {
        if self.scrub_at.is_none() {
            return Ok(());
        }
        let truncated = loop {
            match log::truncate(&self.conn).map_err(StoreError::from) {
                Err(StoreError::Full(_)) if self.reserve.give_way() => {}
                truncated => break truncated,
            }
        };
        let is_busy = truncated.inspect_err(|error| {
            tracing::warn!(%error, "the record log could not be truncated");
            self.scrub_at = Some(Instant::now() + SCRUB_RETRY);
        })?;
        if is_busy {
            self.scrub_at = Some(Instant::now() + SCRUB_RETRY);
            return Err(StoreError::Unreachable(
                "the record log is being read".to_owned(),
            ));
        }
        self.scrub_at = None;
        Ok(())
    }
}

/// Moves to the database what the log holds and nobody reads there.
fn checkpoint(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Runs a group in one transaction, each job in a savepoint. It comes back when all that succeeded is durable; the rest has
/// failed, and nothing of it was kept.
pub(super) fn commit(
    conn: &Connection,
    group: Vec<Box<dyn Job>>,
    has_erased: &Cell<bool>,
) -> Vec<Box<dyn Job>> {
    let section = Section { conn, has_erased };
    let mut ran: Vec<Box<dyn Job>> = Vec::with_capacity(group.len());
    // Where in `ran` those begin that the open transaction holds, or the next.
    let mut open_from = 0;
    for mut job in group {
        if let Err(error) = begin(conn) {
            job.fail(&error.into());
            ran.push(job);
            continue;
        }
        let fault = run_in_savepoint(&section, job.as_mut()).err();
        ran.push(job);
        if let Some(error) = fault {
            // SQLite gave up the whole transaction: nothing that ran in it was kept, and the next job begins another.
            roll_back(conn);
            fail(ran.iter_mut().skip(open_from), &error.into());
            open_from = ran.len();
        }
    }
    if !conn.is_autocommit()
        && let Err(error) = execute(conn, "COMMIT")
    {
        roll_back(conn);
        fail(ran.iter_mut().skip(open_from), &error.into());
    }
    ran
}

fn fail<'a>(jobs: impl Iterator<Item = &'a mut Box<dyn Job>>, fault: &StoreError) {
    for job in jobs {
        job.fail(fault);
    }
}

fn begin(conn: &Connection) -> rusqlite::Result<()> {
    if conn.is_autocommit() {
        execute(conn, "BEGIN IMMEDIATE")
    } else {
        Ok(())
    }
}

fn run_in_savepoint(section: &Section<'_>, job: &mut dyn Job) -> rusqlite::Result<()> {
    execute(section.conn, "SAVEPOINT request")?;
    let is_kept = job.run(section);
    if !is_kept {
        execute(section.conn, "ROLLBACK TO request")?;
    }
    execute(section.conn, "RELEASE request")
}

fn roll_back(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(error) = execute(conn, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction that failed could not be rolled back");
    }
}

fn execute(conn: &Connection, statement: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(statement)?.execute([]).map(|_| ())
}
