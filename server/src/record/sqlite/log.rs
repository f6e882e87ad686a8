//! The write-ahead log as a file that keeps what was erased until it is truncated, and how long that waits for readers.

use std::time::Duration;

use rusqlite::Connection;

/// How long a step waits for another connection's.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long truncating waits for readers. The server's own are done by then; one that holds a snapshot for longer, a check of a
/// large database, must not keep everybody from writing for as long.
const TRUNCATE_PATIENCE: Duration = Duration::from_millis(20);

/// Moves what the log holds to the database, and truncates it. Whether somebody kept it from that; then it is to be tried again.
pub(super) fn truncate(conn: &Connection) -> rusqlite::Result<bool> {
    with_patience(conn, TRUNCATE_PATIENCE, |conn| {
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    })
}

fn with_patience<T>(
    conn: &Connection,
    patience: Duration,
    run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    conn.busy_timeout(patience)?;
    let ran = run(conn);
    conn.busy_timeout(PATIENCE)?;
    ran
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_truncating_is_impatient() {
        let conn = Connection::open_in_memory().unwrap();
        let patience = |conn: &Connection| {
            conn.query_row("PRAGMA busy_timeout", [], |row| row.get::<_, u16>(0))
        };
        assert_eq!(
            with_patience(&conn, TRUNCATE_PATIENCE, patience).unwrap(),
            20
        );
        assert_eq!(patience(&conn).unwrap(), 5000);
        with_patience(&conn, TRUNCATE_PATIENCE, |_| {
            Err::<(), _>(rusqlite::Error::InvalidQuery)
        })
        .unwrap_err();
        assert_eq!(patience(&conn).unwrap(), 5000);
    }
}
