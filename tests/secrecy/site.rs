//! A server with everything behind it that keeps something, and all of what is kept there.

use std::fs;
use std::path::PathBuf;

use onetimeshare_client::Client;
use onetimeshare_tests::{Redis, S3, Server};
use redis::Value;

use crate::memory;
use crate::scale::files_below;
use crate::subjects::Store;

/// Parts and inline bodies so short that a few kilobytes go every way there is.
const SETTINGS: &[&str] = &[
    "--part-size",
    "64KiB",
    "--inline-max",
    "4KiB",
    "--lease",
    "1h",
    "--metrics-listen",
    "127.0.0.1:0",
];

/// A server, and its Redis and its bucket where it has them.
pub(crate) struct Site {
    pub(crate) server: Server,
    behind: Option<(Redis, S3)>,
}

/// What is kept somewhere, and where that is.
pub(crate) struct Kept {
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

impl Site {
    /// One over SQLite and a folder, or over Redis and a bucket, that logs at this level.
    pub(crate) fn start(store: Store, level: &str) -> Self {
        let log = ["--log", level];
        if store == Store::Sqlite {
            let server = Server::start(&[SETTINGS, &log].concat());
            return Self {
                server,
                behind: None,
            };
        }
        // What it packs could not be searched.
        let redis = Redis::start(&["--rdbcompression", "no"]);
        let bucket = S3::s3s_fs();
        let url = redis.url();
        let stores = [
            "--redis-url",
            &url,
            "--blob-url",
            "s3://bucket/onetimeshare",
        ];
        let settings = [SETTINGS, &log, &stores].concat();
        let server = Server::start_with(&settings, bucket.variables());
        Self {
            server,
            behind: Some((redis, bucket)),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.server.base()).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.pid().unwrap()
    }

    /// Everything that lies in files, and in Redis as it answers.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let mut kept = read("data folder", files_below(&self.server.data_dir()));
        let open = memory::open_files(self.pid()).into_iter();
        kept.extend(open.map(|bytes| Kept {
            place: "open file".to_owned(),
            bytes,
        }));
        if let Some((redis, bucket)) = &self.behind {
            // Beside the log that it keeps anyway.
            assert_eq!(redis.ask(&["SAVE"]), "+OK\r\n");
            kept.extend(read("Redis's folder", files_below(redis.folder())));
            kept.extend(read("bucket", files_below(bucket.folder())));
            kept.push(Kept {
                place: "Redis".to_owned(),
                bytes: dump(redis),
            });
        }
        kept
    }
}

fn read(place: &str, files: Vec<PathBuf>) -> Vec<Kept> {
    let read = files.iter().filter_map(|path| {
        // One that was deleted meanwhile holds nothing any more.
        let bytes = fs::read(path).ok()?;
        let name = path.file_name()?.to_string_lossy();
        // A name can hold a secret as well.
        let bytes = [path.to_string_lossy().as_bytes(), b"\n", &bytes].concat();
        Some(Kept {
            place: format!("{place}, {name}"),
            bytes,
        })
    });
    read.collect()
}

/// Every key of every kind, with all that it holds.
fn dump(redis: &Redis) -> Vec<u8> {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut ask = |command: &str, arguments: &[&[u8]]| -> Vec<Vec<u8>> {
        strings(
            &redis::cmd(command)
                .arg(arguments)
                .query(&mut connection)
                .unwrap(),
        )
    };
    let mut dump = Vec::new();
    for key in ask("KEYS", &[b"*"]) {
        let held = match ask("TYPE", &[&key])[0].as_slice() {
            b"string" => ask("GET", &[&key]),
            b"hash" => ask("HGETALL", &[&key]),
            b"zset" => ask("ZRANGE", &[&key, b"0", b"-1"]),
            kind => panic!("keys of the kind {} are new here", kind.escape_ascii()),
        };
        dump.extend_from_slice(&key);
        for string in held {
            dump.push(b'\n');
            dump.extend_from_slice(&string);
        }
        dump.push(b'\n');
    }
    dump
}

fn strings(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => vec![bytes.clone()],
        Value::SimpleString(text) => vec![text.clone().into_bytes()],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        other => panic!("{other:?} is new here"),
    }
}
