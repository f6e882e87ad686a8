//! Every family of figures: its name, its unit in the name, what it says, and its labels. docs/monitoring.md has the same names.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::Level;

/// Bounds of durations in seconds: from an answer out of memory to a store that gives up.
const SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Names and values, all of them words of this program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Labels<const COUNT: usize>(pub(super) [(&'static str, &'static str); COUNT]);

impl<const COUNT: usize> EncodeLabelSet for Labels<COUNT> {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelSetEncoder<'_>,
    ) -> std::fmt::Result {
        self.0.encode(encoder)
    }
}

/// What a request asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    /// The template of a route of this program, or `none`.
    pub(super) route: String,
    pub(super) method: &'static str,
}

/// What it was told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Told {
    #[prometheus(flatten)]
    pub(super) asked: Asked,
    pub(super) status: u16,
}

/// Durations, by labels.
type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every family that is measured as things happen, or read at a scrape.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) edge: Edge,
    pub(super) totals: Totals,
    pub(super) stores: Stores,
    pub(super) sweeps: Sweeps,
    pub(super) process: Process,
    /// When the certificate in use ends.
    pub(super) certificate_ends_at: Gauge,
}

/// Requests, and the connections that they come over.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) answered: Family<Told, Counter>,
    pub(super) durations: Durations<Asked>,
    pub(super) under_way: Level,
    pub(super) connections: Family<Labels<1>, Gauge>,
    pub(super) refused: Family<Labels<1>, Counter>,
    pub(super) stopped: Family<Labels<1>, Counter>,
    pub(super) not_created: Family<Labels<1>, Counter>,
}

/// What the records count, for all servers that share them.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) events: Family<Labels<1>, Counter>,
    pub(super) lapsed: Gauge,
    pub(super) held_count: Gauge,
    pub(super) held_len: Gauge,
    pub(super) are_read: Gauge,
}

/// Calls to the two stores.
#[derive(Debug)]
pub(super) struct Stores {
    pub(super) durations: Durations<Labels<2>>,
    pub(super) errors: Family<Labels<2>, Counter>,
    pub(super) have_room: Gauge,
    pub(super) len_max: Gauge,
    pub(super) blob_bytes: Family<Labels<1>, Counter>,
}

/// Passes of the sweeper.
#[derive(Debug)]
pub(super) struct Sweeps {
    pub(super) durations: Durations<Labels<1>>,
    pub(super) failures: Family<Labels<1>, Counter>,
    pub(super) removed: Family<Labels<1>, Counter>,
    pub(super) succeeded_at: Family<Labels<1>, Gauge>,
}

/// What the system says of this process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) started_at: Gauge,
    pub(super) resident: Gauge,
    pub(super) cpu: Counter<f64, AtomicU64>,
    pub(super) open_fds: Gauge,
    pub(super) fds_max: Gauge,
}

/// Makes every family, and a registry that writes them.
pub(super) fn register() -> (Registry, Families) {
    let mut registry = Registry::default();
    let build = Info::new(Labels([("version", env!("CARGO_PKG_VERSION"))]));
    registry.register("onetimeshare_build", "What runs; always 1", build);
    let families = Families {
        edge: edge(&mut registry),
        totals: totals(&mut registry),
        stores: stores(&mut registry),
        sweeps: sweeps(&mut registry),
        process: process(&mut registry),
        certificate_ends_at: added(
            &mut registry,
            "onetimeshare_tls_certificate_expiry_timestamp_seconds",
            "When the certificate in use ends, since the Unix epoch; 0 without TLS of the server's own",
        ),
    };
    (registry, families)
}

fn edge(registry: &mut Registry) -> Edge {
    Edge {
        answered: added(
            registry,
            "onetimeshare_http_requests",
            "Requests answered, by the matched route's template, method and status",
        ),
        durations: durations(
            registry,
            "onetimeshare_http_request_duration_seconds",
            "From a request's head to the head of its answer",
        ),
        under_way: Level(added(
            registry,
            "onetimeshare_http_requests_in_flight",
            "Requests that are not answered yet",
        )),
        connections: added(
            registry,
            "onetimeshare_connections_open",
            "Open connections, by listener",
        ),
        refused: added(
            registry,
            "onetimeshare_connections_refused",
            "Connections that were closed for want of room, by what had none",
        ),
        stopped: added(
            registry,
            "onetimeshare_requests_stopped",
            "Requests that were stopped because their client had spent its budget, or had as many under way as it may",
        ),
        not_created: added(
            registry,
            "onetimeshare_creates_refused",
            "New transfers that were refused for want of room, by what had none",
        ),
    }
}

fn totals(registry: &mut Registry) -> Totals {
    Totals {
        events: added(
            registry,
            "onetimeshare_transfer_events",
            "Transfers created, burnt, expired, abandoned and locked, and claims made and delivered, of all servers of the same \
             records since these were made",
        ),
        lapsed: added(
            registry,
            "onetimeshare_claims_lapsed",
            "Claims that ended without a word, of all servers; one that turns out to be delivered is taken back",
        ),
        held_count: added(
            registry,
            "onetimeshare_transfers_held",
            "Transfers that are not gone, of all servers",
        ),
        held_len: added(
            registry,
            "onetimeshare_transfers_held_bytes",
            "Bytes that they take up, or will when all their parts have come; what is gone is not counted any more",
        ),
        are_read: added(
            registry,
            "onetimeshare_counters_read",
            "1 when the figures of all servers were read for this scrape, 0 when they are those of an earlier one",
        ),
    }
}

fn stores(registry: &mut Registry) -> Stores {
    Stores {
        durations: durations(
            registry,
            "onetimeshare_store_duration_seconds",
            "How long a store took, by store and operation; a blob's write includes waiting for its sender",
        ),
        errors: added(
            registry,
            "onetimeshare_store_errors",
            "Calls that a store could not serve: unreachable, full or damaged",
        ),
        have_room: added(
            registry,
            "onetimeshare_records_have_room",
            "1 while new transfers are taken, 0 while the record store is full",
        ),
        len_max: added(
            registry,
            "onetimeshare_storage_max_bytes",
            "How much all transfers together may take up; 0 for as much as there is",
        ),
        blob_bytes: added(
            registry,
            "onetimeshare_blob_bytes",
            "Bytes of parts that passed through this server, by direction",
        ),
    }
}

fn sweeps(registry: &mut Registry) -> Sweeps {
    Sweeps {
        durations: durations(
            registry,
            "onetimeshare_sweep_duration_seconds",
            "How long a pass of the sweeper took",
        ),
        failures: added(
            registry,
            "onetimeshare_sweep_failures",
            "Passes of the sweeper that broke off",
        ),
        removed: added(
            registry,
            "onetimeshare_swept",
            "Transfers and objects that this server's sweeper settled or deleted",
        ),
        succeeded_at: added(
            registry,
            "onetimeshare_sweep_last_success_timestamp_seconds",
            "When a pass of the sweeper last came to its end",
        ),
    }
}

fn process(registry: &mut Registry) -> Process {
    Process {
        started_at: added(
            registry,
            "process_start_time_seconds",
            "When the process started, since the Unix epoch",
        ),
        resident: added(
            registry,
            "process_resident_memory_bytes",
            "Memory of the process that is in use",
        ),
        cpu: added(
            registry,
            "process_cpu_seconds",
            "Processor time that the process has used",
        ),
        open_fds: added(
            registry,
            "process_open_fds",
            "File descriptors that are open",
        ),
        fds_max: added(
            registry,
            "process_max_fds",
            "File descriptors that may be open",
        ),
    }
}

/// A family of its type's usual kind, and registered.
fn added<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, meaning: &str) -> M {
    let family = M::default();
    registry.register(name, meaning, family.clone());
    family
}

fn durations<L>(registry: &mut Registry, name: &str, meaning: &str) -> Durations<L>
where
    L: EncodeLabelSet + Clone + std::fmt::Debug + Eq + std::hash::Hash + Send + Sync + 'static,
{
    let family: Durations<L> = Family::new_with_constructor(|| Histogram::new(SECONDS));
    registry.register(name, meaning, family.clone());
    family
}
