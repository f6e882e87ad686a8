//! What the generators print and `cargo xtask bench` reads: the one file that both of them compile, since xtask depends on
//! nothing that depends on the server. Lengths in bytes; every list of numbers has one for each pass.

use serde::{Deserialize, Serialize};

/// Everything that was measured in one place: natively, under Node.js, or in a browser.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Crypto {
    /// Throughputs.
    pub(crate) speeds: Vec<Speed>,
    /// Durations of what has no length.
    pub(crate) times: Vec<Time>,
}

/// How fast messages of one length are sealed or opened.
#[derive(Deserialize, Serialize)]
pub(crate) struct Speed {
    /// Whose code.
    pub(crate) subject: String,
    /// `seal` or `open`.
    pub(crate) action: String,
    /// Of one message.
    pub(crate) message_len: u64,
    /// 10^6 bytes for each second.
    pub(crate) mb_s: Vec<f64>,
}

/// How long something takes.
#[derive(Deserialize, Serialize)]
pub(crate) struct Time {
    /// Whose code.
    pub(crate) subject: String,
    /// What it does.
    pub(crate) action: String,
    /// Milliseconds.
    pub(crate) ms: Vec<f64>,
}

/// The service under load.
#[derive(Deserialize, Serialize)]
pub(crate) struct Load {
    /// How long clients repeat their transfers, in each pass.
    pub(crate) pass_s: u64,
    /// One for each scenario, target and number of clients.
    pub(crate) cells: Vec<Cell>,
    /// Large uploads at once.
    pub(crate) uploads: Uploads,
}

/// One scenario, target and number of clients.
#[derive(Deserialize, Serialize)]
pub(crate) struct Cell {
    /// `small` or `large`.
    pub(crate) scenario: String,
    /// Who serves.
    pub(crate) target: String,
    /// How many clients at once.
    pub(crate) clients: usize,
    /// One for each pass.
    pub(crate) passes: Vec<Pass>,
}

/// What one pass came to.
#[derive(Deserialize, Serialize)]
pub(crate) struct Pass {
    /// Whole transfers for each second.
    pub(crate) rate: f64,
    /// Of one whole transfer.
    pub(crate) p50_ms: f64,
    /// Of one whole transfer.
    pub(crate) p95_ms: f64,
    /// Of one whole transfer.
    pub(crate) p99_ms: f64,
    /// The most memory that the target's first process ever held.
    pub(crate) peak_kib: u64,
}

/// Large uploads at once.
#[derive(Deserialize, Serialize)]
pub(crate) struct Uploads {
    /// How many.
    pub(crate) count: usize,
    /// Of each.
    pub(crate) content_len: u64,
    /// From the first byte to the last answer.
    pub(crate) seconds: f64,
    /// The most memory that the server ever held before the first upload.
    pub(crate) idle_kib: u64,
    /// And after the last.
    pub(crate) peak_kib: u64,
}

/// One number of live transfers.
#[derive(Deserialize, Serialize)]
pub(crate) struct Live {
    /// How many wait to be opened.
    pub(crate) count: u64,
    /// How fast they were put into the store, for each second.
    pub(crate) fill_rate: f64,
    /// Of the database, when nothing writes to it.
    pub(crate) database_len: u64,
    /// From the start of the process to its first answer.
    pub(crate) start_ms: Vec<f64>,
    /// How many more were due to expire.
    pub(crate) due: u64,
    /// From the erasure that wakes the sweeper until all of them had expired.
    pub(crate) sweep_s: f64,
    /// The most memory that the server ever held.
    pub(crate) peak_kib: u64,
    /// Each call alone, one after the other on one connection; and the disk beside them.
    pub(crate) calls: Vec<Call>,
}

/// One call of the API.
#[derive(Deserialize, Serialize)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// How often it was made.
    pub(crate) count: usize,
    /// The median.
    pub(crate) p50_ms: f64,
    /// The slowest but one in a hundred.
    pub(crate) p99_ms: f64,
}

/// Clients that mean harm.
#[derive(Deserialize, Serialize)]
pub(crate) struct Hostile {
    /// One for each pass, of the server and of the control by turns.
    pub(crate) slow: Vec<Slow>,
    /// One for each flood.
    pub(crate) floods: Vec<Flood>,
}

/// Slow clients beside normal ones.
#[derive(Deserialize, Serialize)]
pub(crate) struct Slow {
    /// Who serves.
    pub(crate) target: String,
    /// How many slow ones, a third of each kind.
    pub(crate) count: usize,
    /// Transfers of normal clients that were measured beside them.
    pub(crate) requests: usize,
    /// Of a whole transfer, without slow clients.
    pub(crate) quiet_p99_ms: f64,
    /// And with them.
    pub(crate) attacked_p99_ms: f64,
    /// By how much the most memory that the target ever held has grown.
    pub(crate) grown_kib: u64,
    /// How long the slow ones were watched.
    pub(crate) watched_s: u64,
    /// One for each kind.
    pub(crate) stays: Vec<Stay>,
}

/// How long slow clients of one kind stayed.
#[derive(Deserialize, Serialize)]
pub(crate) struct Stay {
    /// `heads`, `bodies` or `reads`.
    pub(crate) kind: String,
    /// When the last of them was let go of; none when some were kept until the end.
    pub(crate) gone_s: Option<u64>,
    /// How many were kept until the end.
    pub(crate) kept: usize,
}

/// One flood of HTTP/2 beside normal clients.
#[derive(Deserialize, Serialize)]
pub(crate) struct Flood {
    /// What is sent.
    pub(crate) name: String,
    /// How often, over all connections.
    pub(crate) steps: u64,
    /// On how many connections.
    pub(crate) connections: usize,
    /// How many of them the server ended.
    pub(crate) ended: usize,
    /// Why it did, if it said so (RFC 9113, section 7).
    pub(crate) goaway: Option<u32>,
    /// Of a whole transfer, without the flood.
    pub(crate) quiet_p99_ms: f64,
    /// And with it.
    pub(crate) attacked_p99_ms: f64,
    /// By how much the most memory that the server ever held has grown.
    pub(crate) grown_kib: u64,
}
