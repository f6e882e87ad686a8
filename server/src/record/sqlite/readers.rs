//! The connections that read: a fixed few, each used by one blocking task at a time. They cannot write.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use super::schema;
use crate::record::{StoreError, StoreResult};

/// How many reads run at once. They are short; more would only contend for the processor.
const READERS: usize = 4;

/// A pool of reading connections on one database.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    /// On the database at `path`, which exists. Connections are opened when they are needed.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Arc::default(),
            places: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Runs `read` on one snapshot of what is committed.
    pub(super) async fn run<T, F>(&self, read: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let conn = pooled.map_or_else(|| open(&path), Ok)?;
            let result = {
                let snapshot = Transaction::new_unchecked(&conn, TransactionBehavior::Deferred)?;
                read(&snapshot)
            };
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(conn);
            result
        });
        reading
            .await
            .map_err(|error| StoreError::Unreachable(format!("a read was cut short: {error}")))?
    }
}

fn open(path: &std::path::Path) -> StoreResult<Connection> {
    let conn = Connection::open(path)?;
    schema::configure(&conn, false)?;
    Ok(conn)
}
