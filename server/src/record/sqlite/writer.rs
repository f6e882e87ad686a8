//! The one thread that writes: it collects the requests that wait, runs each in a savepoint of one transaction, and answers
//! all of them once that transaction is durable. No caller is told of anything that a crash could undo.

mod thread;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use self::thread::Thread;
use super::reserve::Reserve;
use crate::record::{StoreError, StoreResult};

/// Requests that may wait; beyond these, callers wait to be let in.
const QUEUE_MAX: usize = 1024;

/// What a request's step works in: the open transaction.
pub(super) struct Section<'a> {
    pub(super) conn: &'a Connection,
    /// Set when ciphertext was erased, so that the log that still holds it is truncated.
    pub(super) has_erased: &'a Cell<bool>,
}

/// One request: a step, and somebody who waits for what it comes to.
pub(super) trait Job: Send {
    /// Runs the step; false when it failed and what it wrote is to be undone. It may be run again after it has failed.
    fn run(&mut self, section: &Section<'_>) -> bool;

    /// Nothing of what it did was kept, for this reason.
    fn fail(&mut self, fault: &StoreError);

    /// Whether it failed because the disk is full.
    fn lacks_room(&self) -> bool;

    /// Whether it is given up when the disk is full.
    fn is_dispensable(&self) -> bool;

    /// Bytes of ciphertext that it adds.
    fn added_len(&self) -> usize;

    /// Tells its caller what it came to.
    fn answer(self: Box<Self>);
}

/// What a step adds to the store, and so whether the reserve is open to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adds {
    /// Something new, with so many bytes of ciphertext: it can be refused.
    Bytes(usize),
    /// Nothing but a note of what happened: without it, nothing would ever end and free the disk.
    Nothing,
}

struct Request<T, F> {
    step: F,
    adds: Adds,
    result: Option<StoreResult<T>>,
    caller: oneshot::Sender<StoreResult<T>>,
    _place: OwnedSemaphorePermit,
}

impl<T, F> Job for Request<T, F>
where
    T: Send,
    F: Fn(&Section<'_>) -> StoreResult<T> + Send,
{
    fn run(&mut self, section: &Section<'_>) -> bool {
        // A step that panics is undone like any other that fails; the thread goes on for everybody else.
        let ran = catch_unwind(AssertUnwindSafe(|| (self.step)(section)))
            .unwrap_or_else(|_| Err(StoreError::Corrupt("a step panicked".to_owned())));
        let is_kept = ran.is_ok();
        self.result = Some(ran);
        is_kept
    }

    fn fail(&mut self, fault: &StoreError) {
        // Its own fault tells more than that of the group it was in.
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(same(fault)));
        }
    }

    fn lacks_room(&self) -> bool {
        matches!(self.result, Some(Err(StoreError::Full(_))))
    }

    fn is_dispensable(&self) -> bool {
        self.adds != Adds::Nothing
    }

    fn added_len(&self) -> usize {
        match self.adds {
            Adds::Bytes(len) => len,
            Adds::Nothing => 0,
        }
    }

    fn answer(self: Box<Self>) {
        let not_run = || StoreError::Unreachable("the request was not run".to_owned());
        // A caller who went away does not need the answer; what it asked for is done all the same.
        let _ = self
            .caller
            .send(self.result.unwrap_or_else(|| Err(not_run())));
    }
}

/// The same fault for another caller.
fn same(fault: &StoreError) -> StoreError {
    match fault {
        StoreError::Full(reason) => StoreError::Full(reason.clone()),
        StoreError::Corrupt(reason) => StoreError::Corrupt(reason.clone()),
        StoreError::Unreachable(reason) => StoreError::Unreachable(reason.clone()),
        StoreError::Unfit(reason) => StoreError::Unfit(reason.clone()),
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
    ended: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own. What was erased is scrubbed, and a reserve that gave way
    /// filled again if there is room, `tidy_after` later.
    pub(super) fn start(
        conn: Connection,
        reserve: Reserve,
        tidy_after: Duration,
    ) -> std::io::Result<Self> {
        let (commands, queue) = channel();
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        let thread = std::thread::Builder::new()
            .name("record-writer".to_owned())
            .spawn(move || {
                // Dropped by a panic too.
                let _end = end;
                Thread::new(conn, reserve, tidy_after).serve(&queue);
            })?;
        Ok(Self {
            commands: Some(commands),
            places: Arc::new(Semaphore::new(QUEUE_MAX)),
            ended,
            thread: Some(thread),
        })
    }

    /// Runs `step` in a transaction. It answers when that is durable; an error means that nothing of it was kept. Where the
    /// disk is full, the reserve gives way to it.
    pub(super) async fn run<T, F>(&self, step: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Section<'_>) -> StoreResult<T> + Send + 'static,
    {
        self.queue(step, Adds::Nothing).await
    }

    /// Like [`Writer::run`] for a step that adds so many bytes of ciphertext to the store, or asks to add some elsewhere: where
    /// the disk is full, it fails.
    pub(super) async fn add<T, F>(&self, len: usize, step: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Section<'_>) -> StoreResult<T> + Send + 'static,
    {
        self.queue(step, Adds::Bytes(len)).await
    }

    async fn queue<T, F>(&self, step: F, adds: Adds) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Section<'_>) -> StoreResult<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (caller, answer) = oneshot::channel();
        self.send(Command::Run(Box::new(Request {
            step,
            adds,
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

    /// Cancelled when the thread has ended, in a panic or because this was dropped.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
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

#[cfg(test)]
mod tests;
