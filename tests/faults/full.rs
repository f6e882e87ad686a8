//! A disk without room, down to the last byte: what would need more is refused, what gives room back goes on, and once there is
//! room everything does, without a restart. The disk is a small one in memory, in namespaces of the server's own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_tests::Server;

use crate::kills::{SETTINGS, wait_for_no_blob_in};
use crate::ledger::Ledger;
use crate::load::client;
use crate::scale::{row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, fresh};
use crate::wire::{Answer, Call, Heard};

/// Becomes the server, on a disk of 16 MiB that no other process sees, with its log on the same disk. Needs no rights but user
/// namespaces.
const ON_A_SMALL_DISK: &[&str] = &[
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    r#"mkdir -p data && mount -t tmpfs -o size=16m,mode=700 tmpfs data && exec "$0" "$@" 2> data/log"#,
];

/// Transfers of each way to end.
const EACH: usize = 3;

struct Disk {
    server: Server,
    client: Client,
    /// The data directory as this process reaches it.
    data_dir: PathBuf,
    rng: fastrand::Rng,
}

impl Disk {
    fn start(rng: fastrand::Rng) -> Self {
        let (_level, settings) = SETTINGS.split_last().expect("the last is what is logged");
        // Every request has a line, and soon no room for it.
        let settings = [settings, &["info"]].concat();
        let server = Server::start_under(ON_A_SMALL_DISK, &settings);
        let pid = server.pid().expect("it was just started");
        let inside = server.data_dir();
        let inside = inside.strip_prefix("/").expect("it is absolute");
        Self {
            client: client(&server.base()),
            data_dir: PathBuf::from(format!("/proc/{pid}/root")).join(inside),
            server,
            rng,
        }
    }

    fn seal(&mut self, content_len: usize) -> Tale {
        Tale::new(
            Secret::seal(&mut self.rng, content_len, 1),
            Ledger::with_faults(),
        )
    }

    /// A transfer that is ready; none when there was no room for it.
    fn upload(&mut self, content_len: usize) -> Option<Tale> {
        let mut tale = self.seal(content_len);
        let mut calls = vec![Call::Create];
        calls.extend((0..tale.secret.part_count()).map(Call::Part));
        calls.extend((!tale.secret.is_inline()).then_some(Call::Complete));
        for call in &calls {
            if is_full(&tale.call(&self.client, call)) {
                // What came so far would wait for the rest.
                tale.call(&self.client, &Call::Burn);
                return None;
            }
        }
        Some(tale)
    }

    fn filler(&self) -> PathBuf {
        self.data_dir.join("filler")
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("the disk is reached through /proc");
        for len in [64 * 1024, 4096, 1] {
            while filler.write_all(&vec![0; len]).is_ok() {}
        }
    }
}

fn is_full(heard: &Heard) -> bool {
    matches!(heard, Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::StoreFull)
}

/// What gives room back is never refused.
#[track_caller]
fn goes_on(tale: &mut Tale, client: &Client, call: &Call) {
    let heard = tale.call(client, call);
    assert!(
        matches!(
            heard,
            Heard::Answer(Answer::Done | Answer::Granted(_) | Answer::Bytes(_))
        ),
        "{call:?}: {heard:?}"
    );
}

/// Fills a disk, does everything that goes on, and makes room again. How many transfers lay on it.
fn fill_and_free(mut disk: Disk) -> usize {
    let mut ready = Vec::new();
    for _ in 0..EACH {
        for content_len in [1000, 2 * PART_LEN] {
            ready.push(disk.upload(content_len).expect("there is room yet"));
            ready.push(disk.upload(content_len).expect("there is room yet"));
        }
    }
    let mut uploads = 0;
    while let Some(tale) = disk.upload(4 * PART_LEN) {
        ready.push(tale);
        uploads += 1;
        assert!(uploads < 100, "16 MiB hold more than 25 MiB");
    }
    disk.fill();

    assert!(disk.upload(PART_LEN + 1000).is_none(), "there is no room");
    // Small ones fit into what the records have already, and only so many.
    let mut squeezed = 0;
    while let Some(tale) = disk.upload(1000) {
        ready.push(tale);
        squeezed += 1;
        assert!(squeezed < 1000, "a full disk takes more and more");
    }
    for (index, tale) in ready.iter_mut().enumerate() {
        if index % 2 == 0 {
            goes_on(tale, &disk.client, &Call::Burn);
            continue;
        }
        let claimant = fresh(&mut disk.rng);
        let whole = 0..tale.secret.create.body_len;
        goes_on(tale, &disk.client, &Call::Claim(claimant.clone()));
        goes_on(tale, &disk.client, &Call::Body(claimant.clone(), whole));
        goes_on(tale, &disk.client, &Call::Delivered(claimant));
        if index == EACH {
            // Somebody else takes what was given back so far.
            disk.fill();
        }
    }
    wait_for_no_blob_in(&disk.data_dir);

    fs::remove_file(disk.filler()).expect("the disk is reached through /proc");
    until("room for new transfers", Duration::from_mins(1), || {
        disk.upload(PART_LEN + 1000).is_some()
    });
    let mut tale = disk.upload(1000).expect("there is room again");
    goes_on(&mut tale, &disk.client, &Call::Claim(fresh(&mut disk.rng)));
    assert!(!disk.server.has_ended(), "it goes on after all that");
    ready.len()
}

#[test]
fn a_full_disk_refuses_new_transfers_and_gives_out_and_ends_old_ones() {
    let rounds = short_or_long(1, 20);
    let mut rng = seeded("full");
    let transfers: usize = (0..rounds)
        .map(|_| fill_and_free(Disk::start(rng.fork())))
        .sum();
    row(
        "a disk without a byte left",
        &format!("{rounds} times, {transfers} transfers"),
        "creates answer 507; claims, deliveries, burns and deletions go on; creates work again without a restart",
    );
}
