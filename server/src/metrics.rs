//! What this process measures: families of figures with few and fixed labels, and how they are written for Prometheus. No
//! label ever holds an id, an address, a name, or a path as it came.

mod families;
mod process;
mod scrape;
mod stores;

use std::time::Duration;

use onetimeshare_protocol::transfer::StatsAnswer;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::families::{Families, Labels};
pub use self::scrape::Scrape;
pub use self::stores::{MeasuredBlobs, MeasuredRecords};
use crate::budget::Budget;
use crate::record::StoreError;
use crate::service::ServiceError;
use crate::transfer::{Exceeded, Refusal, Totals};

/// The media type of what [`Scrape::text`] writes.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What stands in a budget's place where a client has as many requests under way as it may.
pub(crate) const AT_ONCE: &str = "at_once";

/// Everything that is measured, from the start of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    /// The matched route's template, or `none`.
    pub(crate) route: &'a str,
    /// One of few names.
    pub(crate) method: &'static str,
    /// Of the answer.
    pub(crate) status: u16,
    /// Until the head of the answer.
    pub(crate) took: Duration,
}

/// One of the two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Store {
    Records,
    Blobs,
}

impl Store {
    const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Blobs => "blobs",
        }
    }
}

/// What a sweeper's pass looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// What time has ended, and queued objects.
    Due,
    /// Objects that no record names.
    Orphans,
}

/// How many of something there are right now.
#[derive(Clone, Debug, Default)]
pub struct Level(Gauge);

impl Level {
    /// One more, until the answer is dropped.
    pub fn enter(&self) -> Present {
        self.0.inc();
        Present(self.0.clone())
    }
}

/// Counts in a [`Level`] for as long as it lives.
#[derive(Debug)]
pub struct Present(Gauge);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Why a connection was closed for want of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Who it is from has as many as one may.
    Each,
    /// Trusted proxies have all that they may.
    Proxies,
    /// All are taken, and nobody has more than who it is from.
    Full,
    /// It was open, and somebody who has fewer needed its place.
    Displaced,
}

impl NoPlace {
    const ALL: [Self; 4] = [Self::Each, Self::Proxies, Self::Full, Self::Displaced];

    const fn labels(self) -> Labels<1> {
        let name = match self {
            Self::Each => "each",
            Self::Proxies => "proxies",
            Self::Full => "full",
            Self::Displaced => "displaced",
        };
        Labels([("reason", name)])
    }
}

/// What is measured of the connections of one kind of listener.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    open: Level,
    refused: Family<Labels<1>, Counter>,
}

impl Connections {
    /// One more is open, until the answer is dropped.
    pub(crate) fn enter(&self) -> Present {
        self.open.enter()
    }

    /// Counts one that was closed for want of room.
    pub(crate) fn refused(&self, reason: NoPlace) {
        self.refused.get_or_create(&reason.labels()).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let (registry, families) = families::register();
        // A figure before the first that is counted, so that a rate can be told of it.
        for budget in Budget::ALL.map(Budget::name).into_iter().chain([AT_ONCE]) {
            let labels = Labels([("budget", budget)]);
            let _ = families.edge.stopped.get_or_create(&labels);
        }
        for reason in NoPlace::ALL {
            let _ = families.edge.refused.get_or_create(&reason.labels());
        }
        for reason in ["quota_count", "quota_bytes", "storage_max", "store_full"] {
            let labels = Labels([("reason", reason)]);
            let _ = families.edge.not_created.get_or_create(&labels);
        }
        for direction in ["read", "written"] {
            let _ = families
                .stores
                .blob_bytes
                .get_or_create(&Labels([("direction", direction)]));
        }
        Self { registry, families }
    }
}

impl Metrics {
    /// The open connections of those who send and open.
    pub fn connections(&self) -> Connections {
        self.open_at("main")
    }

    /// The open connections of those who read what is measured.
    pub fn own_connections(&self) -> Connections {
        self.open_at("metrics")
    }

    fn open_at(&self, listener: &'static str) -> Connections {
        let edge = &self.families.edge;
        let labels = Labels([("listener", listener)]);
        Connections {
            open: Level(edge.connections.get_or_create_owned(&labels)),
            refused: edge.refused.clone(),
        }
    }

    /// Takes over when the certificate in use ends, in Unix seconds.
    pub(crate) fn certificate_ends_at(&self, at: u64) {
        self.families.certificate_ends_at.set(whole(at));
    }

    /// Requests that are not answered yet.
    pub(crate) fn requests_under_way(&self) -> &Level {
        &self.families.edge.under_way
    }

    /// Counts one request, and how long it took.
    pub(crate) fn answered(&self, answered: Answered<'_>) {
        let Answered {
            route,
            method,
            status,
            took,
        } = answered;
        let asked = families::Asked {
            route: route.to_owned(),
            method,
        };
        self.families
            .edge
            .durations
            .get_or_create(&asked)
            .observe(took.as_secs_f64());
        let answered = families::Told { asked, status };
        self.families.edge.answered.get_or_create(&answered).inc();
    }

    /// Counts a request that was stopped for the sake of this budget, or [`AT_ONCE`].
    pub(crate) fn stopped(&self, budget: &'static str) {
        let labels = Labels([("budget", budget)]);
        self.families.edge.stopped.get_or_create(&labels).inc();
    }

    /// Counts a new transfer that was not made for want of room.
    pub(crate) fn not_created(&self, error: &ServiceError) {
        let reason = match error {
            ServiceError::Refused(Refusal::OverQuota(Exceeded::Count(_))) => "quota_count",
            ServiceError::Refused(Refusal::OverQuota(Exceeded::Len(_))) => "quota_bytes",
            ServiceError::Refused(Refusal::NoRoom) => "storage_max",
            ServiceError::Store(StoreError::Full(_)) => "store_full",
            _ => return,
        };
        let labels = Labels([("reason", reason)]);
        self.families.edge.not_created.get_or_create(&labels).inc();
    }

    /// Counts one call to a store, and how long it took.
    fn called(
        &self,
        store: Store,
        operation: &'static str,
        took: Duration,
        error: Option<&StoreError>,
    ) {
        let labels = Labels([("store", store.name()), ("operation", operation)]);
        self.families
            .stores
            .durations
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        self.failed(store, operation, error);
    }

    /// Counts what a store could not do. An error that is none counts 0, so that there is a figure before the first.
    fn failed(&self, store: Store, operation: &'static str, error: Option<&StoreError>) {
        // A client that breaks off its upload is no fault of the store.
        let is_fault = error.is_some_and(|error| !matches!(error, StoreError::Interrupted));
        let labels = Labels([("store", store.name()), ("operation", operation)]);
        self.families
            .stores
            .errors
            .get_or_create(&labels)
            .inc_by(u64::from(is_fault));
    }

    /// Counts the figures of one pass of the sweeper. How many things it removed, if it came to its end; `now` in Unix seconds.
    pub(crate) fn swept(&self, pass: Pass, took: Duration, removed: Option<usize>, now: u64) {
        let labels = Labels([(
            "pass",
            match pass {
                Pass::Due => "due",
                Pass::Orphans => "orphans",
            },
        )]);
        let sweeps = &self.families.sweeps;
        sweeps
            .durations
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        let failures = sweeps.failures.get_or_create(&labels);
        failures.inc_by(u64::from(removed.is_none()));
        if let Some(removed) = removed {
            let removed = u64::try_from(removed).unwrap_or(u64::MAX);
            sweeps.removed.get_or_create(&labels).inc_by(removed);
            sweeps.succeeded_at.get_or_create(&labels).set(whole(now));
        }
    }

    /// Takes over the counters of the records.
    fn take(&self, totals: Totals) {
        let Totals { stats, held } = totals;
        self.families.totals.held_count.set(whole(held.count));
        self.families.totals.held_len.set(whole(held.len));
        for (event, count) in StatsAnswer::NAMES.into_iter().zip(stats.counts()) {
            if event == "lapsed" {
                // One that turns out to be a delivery is taken back: a gauge.
                self.families.totals.lapsed.set(whole(count));
                continue;
            }
            let counter = self
                .families
                .totals
                .events
                .get_or_create_owned(&Labels([("event", event)]));
            // A fail-over of Redis may forget the last of them. To Prometheus a counter that falls has begun anew, and has
            // counted all of it again.
            counter
                .inner()
                .fetch_max(count, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// A figure as gauges hold it.
fn whole(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure of this series, as it is written.
    fn figure(metrics: &Metrics, series: &str) -> Option<String> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &metrics.registry).unwrap();
        let mut lines = text.lines();
        lines.find_map(|line| Some(line.strip_prefix(series)?.strip_prefix(' ')?.to_owned()))
    }

    #[track_caller]
    fn check(metrics: &Metrics, series: &str, expected: &str) {
        assert_eq!(
            figure(metrics, series).as_deref(),
            Some(expected),
            "{series}"
        );
    }

    #[test]
    fn a_pass_that_breaks_off_is_a_failure_and_no_success() {
        let metrics = Metrics::default();
        let took = Duration::from_millis(3);
        let success = "onetimeshare_sweep_last_success_timestamp_seconds{pass=\"due\"}";
        metrics.swept(Pass::Due, took, None, 1_800_000_000);
        assert_eq!(figure(&metrics, success), None);
        check(
            &metrics,
            "onetimeshare_sweep_failures_total{pass=\"due\"}",
            "1",
        );
        metrics.swept(Pass::Due, took, Some(7), 1_800_000_001);
        metrics.swept(Pass::Due, took, None, 1_800_000_002);
        metrics.swept(Pass::Orphans, took, Some(0), 1_800_000_003);
        check(&metrics, success, "1800000001");
        check(
            &metrics,
            "onetimeshare_sweep_failures_total{pass=\"due\"}",
            "2",
        );
        check(
            &metrics,
            "onetimeshare_sweep_failures_total{pass=\"orphans\"}",
            "0",
        );
        check(&metrics, "onetimeshare_swept_total{pass=\"due\"}", "7");
        check(
            &metrics,
            "onetimeshare_sweep_duration_seconds_count{pass=\"due\"}",
            "3",
        );
    }

    #[test]
    fn counters_never_fall_and_lapses_may() {
        let metrics = Metrics::default();
        let stats = |created, lapsed| StatsAnswer {
            created,
            lapsed,
            ..StatsAnswer::default()
        };
        let created = "onetimeshare_transfer_events_total{event=\"created\"}";
        for (told, expected) in [
            ((5, 2), ("5", "2")),
            ((3, 1), ("5", "1")),
            ((6, 0), ("6", "0")),
        ] {
            metrics.take(Totals {
                stats: stats(told.0, told.1),
                ..Totals::default()
            });
            check(&metrics, created, expected.0);
            check(&metrics, "onetimeshare_claims_lapsed", expected.1);
        }
    }

    #[test]
    fn what_was_never_stopped_or_refused_has_a_figure() {
        let metrics = Metrics::default();
        for series in [
            "requests_stopped_total{budget=\"create\"}",
            "requests_stopped_total{budget=\"at_once\"}",
            "creates_refused_total{reason=\"store_full\"}",
            "connections_refused_total{reason=\"each\"}",
            "connections_refused_total{reason=\"proxies\"}",
            "connections_refused_total{reason=\"full\"}",
            "connections_refused_total{reason=\"displaced\"}",
            "blob_bytes_total{direction=\"read\"}",
        ] {
            check(&metrics, &format!("onetimeshare_{series}"), "0");
        }
    }

    #[test]
    fn levels_count_what_is_there() {
        let metrics = Metrics::default();
        let series = "onetimeshare_connections_open{listener=\"main\"}";
        let (one, other) = (metrics.connections().enter(), metrics.connections().enter());
        check(&metrics, series, "2");
        drop(one);
        check(&metrics, series, "1");
        drop(other);
        check(&metrics, series, "0");
    }
}
