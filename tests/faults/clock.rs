//! A wall clock that is set under a running server, by hours, to and fro: nothing that lives ends by it, nothing is given
//! twice. A restart takes the clock's word. The clock is set by `libfaketime`, for the server alone.

use std::fs;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::Cause;
use onetimeshare_tests::Server;

use crate::kills::{SETTINGS, wait_for_no_blob};
use crate::ledger::Ledger;
use crate::load::client;
use crate::scale::{row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, fresh};
use crate::wire::{self, Answer, Call, Heard};

/// Becomes the server, with a wall clock that the file `offset` sets, on a machine that started long ago.
const WITH_A_CLOCK: &[&str] = &[
    "unshare",
    "--user",
    "--map-root-user",
    "--time",
    "--boottime",
    "1000000",
    "sh",
    "-c",
    r#"[ -e offset ] || echo +0h > offset
       set -- "$0" "$@"
       for library in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1; do
         if [ -e "$library" ]; then
           exec env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE=offset FAKETIME_NO_CACHE=1 \
             FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 "$@"
         fi
       done
       echo "the tests of faults need libfaketime: install the package \`libfaketime\`" >&2; exit 1"#,
];

/// How far the clock is set, in hours: beyond every life, lease and deadline of these transfers.
const HOURS: i32 = 6;

struct Living {
    ready: Vec<Tale>,
    /// Claimed, by these claimants.
    claimed: Vec<Tale>,
    /// Without their last part.
    uploading: Vec<Tale>,
}

/// Transfers in every state that lives.
fn begin(client: &Client, rng: &mut fastrand::Rng) -> Living {
    let mut upload = |content_len: usize, is_whole: bool| {
        let secret = Secret::seal(rng, content_len, 1);
        let mut tale = Tale::new(secret, Ledger::default());
        let part_count = tale.secret.part_count();
        tale.call(client, &Call::Create);
        for index in 0..part_count.saturating_sub(u64::from(!is_whole)) {
            tale.call(client, &Call::Part(index));
        }
        if is_whole && part_count > 0 {
            tale.call(client, &Call::Complete);
        }
        tale
    };
    let mut living = Living {
        ready: vec![upload(1000, true), upload(2 * PART_LEN, true)],
        claimed: vec![upload(1000, true), upload(2 * PART_LEN, true)],
        uploading: vec![upload(2 * PART_LEN, false)],
    };
    for tale in &mut living.claimed {
        tale.call(client, &Call::Claim(fresh(rng)));
    }
    living
}

/// Sets the server's wall clock, and returns when it has swept by that time.
fn set(server: &Server, hours: i32, client: &Client, rng: &mut fastrand::Rng) {
    write_offset(server, hours);
    let mut other = Tale::new(Secret::seal(rng, 2 * PART_LEN, 1), Ledger::default());
    for call in [Call::Create, Call::Part(0), Call::Burn] {
        other.call(client, &call);
    }
    let folder = server
        .data_dir()
        .join("blobs")
        .join(other.secret.id().to_text());
    until("the sweep", Duration::from_mins(1), || !folder.exists());
}

fn write_offset(server: &Server, hours: i32) {
    let offset = server.data_dir().with_file_name("offset");
    let new = offset.with_extension("new");
    fs::write(&new, format!("{hours:+}h\n")).expect("the folder is ours");
    // At once: the server reads it whenever it asks for the time.
    fs::rename(new, offset).expect("the folder is ours");
}

impl Living {
    fn all(&mut self) -> impl Iterator<Item = &mut Tale> {
        let complete = self.ready.iter_mut().chain(&mut self.claimed);
        complete.chain(&mut self.uploading)
    }
}

#[test]
fn a_clock_that_is_set_ends_nothing_and_prolongs_nothing() {
    let mut rng = seeded("clock");
    let mut server = Server::start_under(WITH_A_CLOCK, SETTINGS);
    let clients = &[client(&server.base())];
    let [client] = clients;
    let mut living = begin(client, &mut rng);
    let rounds = short_or_long(1, 20);
    for hours in [HOURS, 0, -HOURS, 0].repeat(rounds) {
        set(&server, hours, client, &mut rng);
        for tale in living.all() {
            tale.check(clients, &mut rng);
        }
    }
    for tale in &mut living.uploading {
        tale.call(client, &Call::Part(tale.secret.part_count() - 1));
        tale.call(client, &Call::Complete);
    }
    for tale in living.all() {
        assert!(
            tale.ledger.is_complete(&tale.secret),
            "its upload was given up"
        );
        tale.open_and_end(clients, &mut rng);
    }
    wait_for_no_blob(&server);
    let told = server.log().matches("the machine's clock was set").count();
    assert_eq!(
        told,
        2 * rounds,
        "the operator is told of each:\n{}",
        server.log()
    );

    // A server that starts has no other clock.
    let mut living = begin(client, &mut rng);
    write_offset(&server, HOURS);
    server.restart();
    let ends = [
        (&living.ready, Cause::Expired),
        (&living.claimed, Cause::Lapsed),
        (&living.uploading, Cause::Abandoned),
    ];
    for (tales, cause) in ends {
        for tale in tales {
            let heard = wire::call(client, &Call::Peek { with_access: false }, &tale.secret);
            let Heard::Answer(Answer::Refused(body)) = heard else {
                panic!("it lives on: {heard:?}");
            };
            assert_eq!(
                (body.code, body.members.cause),
                (ErrorCode::TransferGone, Some(cause))
            );
        }
    }
    wait_for_no_blob(&server);
    row(
        "wall clock set by 6 hours, forward and back",
        &format!(
            "{} times over {} transfers in every state",
            4 * rounds,
            living.all().count()
        ),
        "nothing that lives ended, leases kept, told in the log; a restart takes the clock's time",
    );
}
