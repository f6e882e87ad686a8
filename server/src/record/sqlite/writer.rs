//! The one thread that writes: it collects the requests that wait, runs each in a savepoint of one transaction, and answers
//! all of them once that transaction is durable. No caller is told of anything that a crash could undo.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use crate::record::{StoreError, StoreResult};

/// Requests that one transaction answers at most.
const GROUP_MAX: usize = 512;

/// Requests that may wait; beyond these, callers wait to be let in.
const QUEUE_MAX: usize = 1024;

/// A checkpoint that readers kept from finishing is tried again after this long.
const SCRUB_RETRY: Duration = Duration::from_secs(1);

/// How long the thread sleeps when nothing is asked and nothing is to be scrubbed.
const IDLE: Duration = Duration::from_hours(1);

/// What a request's step works in: the open transaction.
pub(super) struct Section<'a> {
    pub(super) conn: &'a Connection,
    /// Set when ciphertext was erased, so that the log that still holds it is truncated.
    pub(super) has_erased: &'a Cell<bool>,
}

/// One request: a step, and somebody who waits for what it comes to.
pub(super) trait Job: Send {
    /// Runs the step; false when it failed and what it wrote is to be undone.
    fn run(&mut self, section: &Section<'_>) -> bool;

    /// Answers, with `fault` when the whole transaction failed.
    fn answer(self: Box<Self>, fault: Option<&StoreError>);
}

struct Request<T, F> {
    step: Option<F>,
    result: Option<StoreResult<T>>,
    caller: oneshot::Sender<StoreResult<T>>,
    _place: OwnedSemaphorePermit,
}

impl<T, F> Job for Request<T, F>
where
    T: Send,
    F: FnOnce(&Section<'_>) -> StoreResult<T> + Send,
{
    fn run(&mut self, section: &Section<'_>) -> bool {
        // A step that panics is undone like any other that fails; the thread goes on for everybody else.
        self.result = self.step.take().map(|step| {
            catch_unwind(AssertUnwindSafe(|| step(section)))
                .unwrap_or_else(|_| Err(StoreError::Corrupt("a step panicked".to_owned())))
        });
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, fault: Option<&StoreError>) {
        let result = match (self.result, fault) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(fault)) => Err(same(fault)),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(StoreError::Unreachable(
                "the request was not run".to_owned(),
            )),
        };
        // A caller who went away does not need the answer; what it asked for is done all the same.
        let _ = self.caller.send(result);
    }
}

/// The same fault for another caller.
fn same(fault: &StoreError) -> StoreError {
    match fault {
        StoreError::Full(reason) => StoreError::Full(reason.clone()),
        StoreError::Corrupt(reason) => StoreError::Corrupt(reason.clone()),
        StoreError::Unreachable(reason) => StoreError::Unreachable(reason.clone()),
        StoreError::Interrupted => StoreError::Interrupted,
    }
}

enum Command {
    Run(Box<dyn Job>),
    Scrub(oneshot::Sender<StoreResult<()>>),
}

/// The way to the writing thread. Dropping it lets the thread finish what is queued, and waits for that.
pub(super) struct Writer {
    commands: Option<Sender<Command>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own. What was erased is scrubbed `scrub_after` later at the latest.
    pub(super) fn start(conn: Connection, scrub_after: Duration) -> std::io::Result<Self> {
        let (commands, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("record-writer".to_owned())
            .spawn(move || Thread::new(conn, scrub_after).serve(&queue))?;
        Ok(Self {
            commands: Some(commands),
            places: Arc::new(Semaphore::new(QUEUE_MAX)),
            thread: Some(thread),
        })
    }

    /// Runs `step` in a transaction. It answers when that is durable; an error means that nothing of it was kept.
    pub(super) async fn run<T, F>(&self, step: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Section<'_>) -> StoreResult<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (caller, answer) = oneshot::channel();
        self.send(Command::Run(Box::new(Request {
            step: Some(step),
            result: None,
            caller,
            _place: place.map_err(|_| stopped())?,
        })))?;
        answer.await.map_err(|_| stopped())?
    }

    /// Truncates the log when it holds something that was erased.
    pub(super) async fn scrub(&self) -> StoreResult<()> {
        let (caller, answer) = oneshot::channel();
        self.send(Command::Scrub(caller))?;
        answer.await.map_err(|_| stopped())?
    }

    fn send(&self, command: Command) -> StoreResult<()> {
        let commands = self.commands.as_ref().ok_or_else(stopped)?;
        commands.send(command).map_err(|_| stopped())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to finish; its callers were told.
            let _ = thread.join();
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unreachable("the writing thread has stopped".to_owned())
}

struct Thread {
    conn: Connection,
    scrub_after: Duration,
    /// Since when the log holds something erased, and when scrubbing it is tried.
    scrub_at: Option<Instant>,
}

impl Thread {
    fn new(conn: Connection, scrub_after: Duration) -> Self {
        // A process that was killed may have left erased ciphertext in the log.
        let scrub_at = Some(Instant::now() + scrub_after);
        Self {
            conn,
            scrub_after,
            scrub_at,
        }
    }

    fn serve(mut self, queue: &Receiver<Command>) {
        loop {
            let wait = self
                .scrub_at
                .map_or(IDLE, |at| at.saturating_duration_since(Instant::now()));
            match queue.recv_timeout(wait) {
                Ok(first) => self.answer(first, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.scrub_at.is_some_and(|at| at <= Instant::now()) {
                let _ = self.scrub();
            }
        }
        if let Err(error) = self.scrub() {
            tracing::warn!(%error, "the record log was not truncated at the end");
        }
    }

    /// Runs what waits as one group. Scrubs come after it, so that they see what it erased.
    fn answer(&mut self, first: Command, queue: &Receiver<Command>) {
        let (mut group, mut scrubs) = (Vec::new(), Vec::new());
        for command in std::iter::once(first)
            .chain(queue.try_iter())
            .take(GROUP_MAX)
        {
            match command {
                Command::Run(job) => group.push(job),
                Command::Scrub(caller) => scrubs.push(caller),
            }
        }
        let has_erased = Cell::new(false);
        commit(&self.conn, group, &has_erased);
        if has_erased.get() {
            self.scrub_at
                .get_or_insert_with(|| Instant::now() + self.scrub_after);
        }
        for caller in scrubs {
            let _ = caller.send(self.scrub());
        }
    }

    fn scrub(&mut self) -> StoreResult<()> {
        if self.scrub_at.is_none() {
            return Ok(());
        }
        let truncated = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        let is_busy: bool = truncated.inspect_err(|error| {
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

/// Runs a group in one transaction, each job in a savepoint, and answers all of them when it is durable.
pub(super) fn commit(conn: &Connection, group: Vec<Box<dyn Job>>, has_erased: &Cell<bool>) {
    let section = Section { conn, has_erased };
    let mut ran: Vec<Box<dyn Job>> = Vec::with_capacity(group.len());
    for mut job in group {
        if let Err(error) = begin(conn) {
            finish(std::mem::take(&mut ran), Some(&error.into()));
            job.answer(Some(&StoreError::Unreachable("no transaction".to_owned())));
            continue;
        }
        match run_in_savepoint(&section, job.as_mut()) {
            Ok(()) => ran.push(job),
            Err(error) => {
                // SQLite gave up the whole transaction: nothing that ran in it was kept, and the next job begins another.
                let fault = StoreError::from(error);
                roll_back(conn);
                ran.push(job);
                finish(std::mem::take(&mut ran), Some(&fault));
            }
        }
    }
    if conn.is_autocommit() {
        return finish(ran, None);
    }
    match execute(conn, "COMMIT") {
        Ok(()) => finish(ran, None),
        Err(error) => {
            roll_back(conn);
            finish(ran, Some(&error.into()));
        }
    }
}

fn finish(ran: Vec<Box<dyn Job>>, fault: Option<&StoreError>) {
    for job in ran {
        job.answer(fault);
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

#[cfg(test)]
mod tests;
