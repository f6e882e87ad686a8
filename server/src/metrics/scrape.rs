//! One reading of all that is measured: what only a store or the system knows is asked for then. It never fails: what cannot be
//! had is told as that.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::debug;

use super::process::Figures;
use super::{Metrics, whole};
use crate::service::Service;

/// A record store that has not told its counters after so long is not waited for: a scrape has ten seconds in all.
const READ_MAX: Duration = Duration::from_secs(5);

/// What is measured, and what is read for it.
pub struct Scrape {
    metrics: Arc<Metrics>,
    service: Arc<Service>,
    /// Held while the store is asked: whoever reads often asks it no more often than it answers.
    reading: Mutex<()>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scrape")
    }
}

impl Scrape {
    /// Of a server that starts now.
    pub fn new(metrics: Arc<Metrics>, service: Arc<Service>) -> Self {
        let started_at = whole(service.moment().now);
        metrics.families.process.started_at.set(started_at);
        let len_max = service.storage_max().unwrap_or(0);
        metrics.families.stores.len_max.set(whole(len_max));
        Self {
            metrics,
            service,
            reading: Mutex::default(),
        }
    }

    /// Everything, as Prometheus reads it.
    pub async fn text(&self) -> String {
        self.read_counters().await;
        self.read_process();
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.metrics.registry)
            .expect("a text takes whatever is written to it");
        text
    }

    async fn read_counters(&self) {
        // Waiting for one's turn counts, too: however many read at once, each is told in time.
        let read = timeout(READ_MAX, async {
            let _reading = self.reading.lock().await;
            self.service.totals().await
        });
        let read = read.await;
        let is_read = match read {
            Ok(Ok(totals)) => {
                self.metrics.take(totals);
                true
            }
            Ok(Err(error)) => {
                debug!(?error, "the counters cannot be read");
                false
            }
            Err(_) => false,
        };
        let families = &self.metrics.families;
        families.totals.are_read.set(i64::from(is_read));
        let has_room = self.service.records().has_room();
        families.stores.have_room.set(i64::from(has_room));
    }

    fn read_process(&self) {
        let process = &self.metrics.families.process;
        let figures = Figures::read();
        let set = |gauge: &prometheus_client::metrics::gauge::Gauge, figure: Option<u64>| {
            gauge.set(whole(figure.unwrap_or_default()));
        };
        set(&process.resident, figures.resident_len);
        set(&process.open_fds, figures.open_count);
        set(&process.fds_max, figures.open_max);
        let cpu = figures.cpu.unwrap_or_default().as_secs_f64();
        process.cpu.inner().store(cpu.to_bits(), Ordering::Relaxed);
    }
}
