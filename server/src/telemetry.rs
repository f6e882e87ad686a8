//! Log lines to stderr, as text or JSON, and spans for a collector in builds that have them. What may stand in lines is decided
//! where they are written, what in spans here; docs/logging.md and docs/monitoring.md list it.

#[cfg_attr(not(feature = "otel"), path = "telemetry/no_spans.rs")]
pub(crate) mod spans;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use self::spans::Exporting;
use crate::config::LogFormat;

/// The variables of the collector name none that spans could be sent to. It never repeats a value.
#[derive(Debug, thiserror::Error)]
#[error(
    "spans cannot be exported: OTEL_EXPORTER_OTLP_ENDPOINT must be like http://collector:4318, and \
     OTEL_EXPORTER_OTLP_TRACES_ENDPOINT like http://collector:4318/v1/traces"
)]
pub struct CannotExport;

/// Sends this process's log lines to stderr from now on, and spans to a collector if the environment `names_collector`, until
/// what is returned is dropped. Called once, by `main`.
pub fn start(
    filter: EnvFilter,
    format: LogFormat,
    names_collector: bool,
) -> Result<Exporting, CannotExport> {
    let is_colourful = std::io::stderr().is_terminal();
    subscriber(filter, format, is_colourful, std::io::stderr).init();
    spans::start(names_collector)
}

/// Where log lines go and what they look like; a test reads them from a writer of its own.
pub fn subscriber<W>(
    filter: EnvFilter,
    format: LogFormat,
    is_colourful: bool,
    writer: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_colourful)
        // A line that cannot be written is lost. Told on stderr, which is what cannot be written, it would be a panic.
        .log_internal_errors(false)
        .with_writer(writer);
    match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}
