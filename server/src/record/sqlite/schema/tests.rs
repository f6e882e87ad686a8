//! Upgrades as every later version will bring them: in order, each whole or not at all, and none twice.

use super::*;

const ADD_NOTE: Upgrade = Upgrade {
    to: 4,
    statements: "ALTER TABLE counter ADD COLUMN noted INTEGER NOT NULL DEFAULT 7;",
};

/// A table that others refer to, rebuilt, as a new CHECK needs it.
const REBUILD: Upgrade = Upgrade {
    to: 5,
    statements: "CREATE TABLE rebuilt (row INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT;
                 INSERT INTO rebuilt SELECT row, id FROM transfer;
                 DROP TABLE transfer;
                 ALTER TABLE rebuilt RENAME TO transfer;",
};

const BROKEN: Upgrade = Upgrade {
    to: 5,
    statements: "CREATE TABLE half (value INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
};

const CUTS_TIES: Upgrade = Upgrade {
    to: 5,
    statements: "DELETE FROM transfer;",
};

/// A database with one transfer, in whose row another table is tied.
fn database() -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    configure(&conn, true).unwrap();
    create(&mut conn).unwrap();
    conn.execute_batch(
        "INSERT INTO transfer VALUES (1, zeroblob(16), zeroblob(32), zeroblob(32), zeroblob(32), zeroblob(32),
            304, 1056, 8, 1, 60, 1, 1, 5, 0, 0, 60, 1, NULL, NULL, 60, NULL);
         INSERT INTO sealed VALUES (1, zeroblob(489));",
    )
    .unwrap();
    conn
}

fn version(conn: &Connection) -> i64 {
    let query = "PRAGMA user_version";
    conn.query_row(query, [], |row| row.get(0)).unwrap()
}

fn has_table(conn: &Connection, name: &str) -> bool {
    conn.table_exists(None, name).unwrap()
}

#[test]
fn upgrades_run_in_order_and_once() {
    let mut conn = database();
    upgrade(&mut conn, 3, &[ADD_NOTE, REBUILD]).unwrap();
    assert_eq!(version(&conn), 5);
    let noted: i64 = conn
        .query_row("SELECT noted FROM counter", [], |row| row.get(0))
        .unwrap();
    assert_eq!(noted, 7);
    // What is tied to the rebuilt table still is, and held to it again.
    let kept: i64 = conn
        .query_row(
            "SELECT count(*) FROM sealed JOIN transfer USING (row)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, 1);
    conn.execute("DELETE FROM transfer", []).unwrap_err();
    // Run again, the first would fail on a column that is there.
    upgrade(&mut conn, 5, &[ADD_NOTE, REBUILD]).unwrap();
    upgrade(&mut conn, 5, &[]).unwrap();
    assert_eq!(version(&conn), 5);
}

#[test]
fn an_upgrade_that_fails_is_undone_and_those_before_it_stand() {
    for failing in [BROKEN, CUTS_TIES] {
        let mut conn = database();
        upgrade(&mut conn, 3, &[ADD_NOTE, failing]).unwrap_err();
        assert_eq!(version(&conn), 4);
        assert!(!has_table(&conn, "half") && has_table(&conn, "counter"));
        let left: i64 = conn
            .query_row("SELECT count(*) FROM transfer", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 1);
        // A later program mends it, and goes on from where this one stopped.
        upgrade(&mut conn, 4, &[ADD_NOTE, REBUILD]).unwrap();
        assert_eq!(version(&conn), 5);
    }
}

#[test]
fn the_last_upgrade_makes_this_version() {
    let made: Vec<i64> = UPGRADES.iter().map(|upgrade| upgrade.to).collect();
    assert_eq!(made, (2..).take(made.len()).collect::<Vec<_>>());
    assert_eq!(made.last().copied().unwrap_or(1), VERSION);
}

#[test]
fn what_is_not_ours_is_recognised() {
    let check = |statements: &str, expected: &str| {
        let conn = database();
        conn.execute_batch(statements).unwrap();
        assert_eq!(format!("{:?}", recognise(&conn)), expected);
    };
    check("", "Ok(Version(3))");
    check("PRAGMA user_version = 0", "Err(Foreign)");
    check("PRAGMA application_id = 1", "Err(Foreign)");
    check(
        "PRAGMA user_version = 9",
        "Err(Newer { found: 9, known: 3 })",
    );
    let empty = Connection::open_in_memory().unwrap();
    assert_eq!(recognise(&empty).unwrap(), Found::New);
}
