//! The promises of docs/architecture.md and docs/threat-model.md under faults. Of one machine: kills, failing writes, cut
//! connections, a full disk, a clock that is set. Of several servers: what breaks among them, their Redis and their bucket. Each
//! test drives the real server as a process, and is short here and long by `cargo xtask faults`. None knows the server's code.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that cannot go on says why"
)]

mod clock;
mod cuts;
mod failing;
mod floods;
mod full;
mod kills;
mod ledger;
mod load;
mod many;
mod proxy;
mod residue;
mod secret;
mod starts;
mod strace;
mod tale;
mod wire;

use onetimeshare_tests::scale;
