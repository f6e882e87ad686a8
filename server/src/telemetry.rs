//! Log lines to stderr, as text or JSON. What may stand in them is decided where they are written; docs/logging.md lists it.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Sends this process's log lines to stderr from now on. Called once, by `main`.
pub fn start(filter: EnvFilter, format: LogFormat) {
    let is_colourful = std::io::stderr().is_terminal();
    subscriber(filter, format, is_colourful, std::io::stderr).init();
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
