//! Several servers, each a process of its own, that share one Redis and one bucket: what holds of one holds of all of them
//! together, whichever is asked, and whatever breaks among them and what they share.

mod claims;
mod cluster;
mod cuts;
mod down;
mod failover;
mod http2;
mod kills;
mod objects;
mod steps;
mod stranger;
mod twin;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_tests::{S3, Server};

use crate::kills::SETTINGS;
use crate::load::client;
use crate::scale::{files_below, until};

/// The longest that anything may take to be as it was: stores that are back are found, and what is due is deleted.
const PATIENCE: Duration = Duration::from_mins(1);

/// Servers that share everything.
pub(crate) struct Fleet {
    pub(crate) servers: Vec<Server>,
    pub(crate) bucket: S3,
    variables: Vec<(String, String)>,
}

impl Fleet {
    /// So many servers over the Redis at `redis` and a bucket of their own.
    pub(crate) fn start(count: usize, redis: &str, settings: &[&str]) -> Self {
        let bucket = S3::s3s_fs();
        let variables = bucket.variables();
        Self::start_over(count, redis, settings, (bucket, variables))
    }

    /// The same over a bucket that these variables lead to.
    pub(crate) fn start_over(
        count: usize,
        redis: &str,
        settings: &[&str],
        (bucket, variables): (S3, Vec<(String, String)>),
    ) -> Self {
        let mut fleet = Self {
            servers: Vec::new(),
            bucket,
            variables,
        };
        fleet.servers = thread::scope(|scope| {
            let begin = || scope.spawn(|| fleet.another(redis, settings));
            let beginning: Vec<_> = (0..count).map(|_| begin()).collect();
            let begun = beginning.into_iter();
            begun
                .map(|server| server.join().expect("a server that begins"))
                .collect()
        });
        fleet
    }

    /// One more server over the same bucket, which is not counted among the others.
    pub(crate) fn another(&self, redis: &str, settings: &[&str]) -> Server {
        Server::start_with(&stores(redis, settings), self.variables.clone())
    }

    /// What one more server says that does not begin.
    #[track_caller]
    pub(crate) fn refused(&self, redis: &str, settings: &[&str]) -> String {
        Server::refused(&stores(redis, settings), self.variables.clone())
    }

    /// Where each of them listens.
    pub(crate) fn bases(&self) -> Vec<String> {
        self.servers.iter().map(Server::base).collect()
    }

    /// A client of each, which asks once.
    pub(crate) fn clients(&self) -> Vec<Client> {
        self.bases().iter().map(|base| client(base)).collect()
    }

    /// Waits until each says that its stores answer, without having been started again.
    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        for (client, server) in self.clients().iter().zip(&mut self.servers) {
            until("a server to be ready", PATIENCE, || client.readyz().is_ok());
            assert!(!server.has_ended(), "it ended by itself:\n{}", server.log());
        }
    }

    /// Every part that lies in the bucket.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        let mut files = files_below(self.bucket.folder());
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let of_part = |(index, random): (&str, &str)| {
                index.parse::<u64>().is_ok()
                    && random.len() == 16
                    && u64::from_str_radix(random, 16).is_ok()
            };
            name.split_once('.').is_some_and(of_part)
        });
        files
    }

    /// Waits until no part is left: within a minute, as is promised.
    #[track_caller]
    pub(crate) fn wait_for_no_part(&self) {
        until("every part to be deleted", PATIENCE, || {
            self.parts().is_empty()
        });
    }
}

/// The settings of a server over these stores.
fn stores<'a>(redis: &'a str, settings: &[&'a str]) -> Vec<&'a str> {
    [
        SETTINGS,
        &["--redis-url", redis],
        &["--blob-url", "s3://bucket/onetimeshare"],
        settings,
    ]
    .concat()
}
