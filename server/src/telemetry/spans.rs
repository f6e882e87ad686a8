//! Spans of requests and of their calls to stores, exported by OTLP over HTTP. They hold words of this program, statuses and
//! request ids alone: never a path as it came, a header, a body, an address, or anything of a transfer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::trace::{
    FutureExt as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, TracerProvider as _,
};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{self as sdk, SdkTracer, SdkTracerProvider, SpanData};
use tracing::{info, warn};

use super::CannotExport;

/// What the exporter is called unless `OTEL_SERVICE_NAME` says otherwise; also the scope of all spans.
const NAME: &str = "onetimeshare";
/// The longest that an end waits for a collector.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// What begins spans. Without one there are none.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Spans go to the collector until this is dropped, which sends what is left and takes 5 s at most.
#[derive(Debug)]
pub struct Exporting(Option<SdkTracerProvider>);

/// Exports from now on, where the environment `names_collector`. Called once, by [`super::start`].
///
/// The library reads its own variables. Spans wait in a queue with a bound, and a thread of their own sends them: a collector
/// that is away or slow costs spans and nothing else.
pub(super) fn start(names_collector: bool) -> Result<Exporting, CannotExport> {
    if !names_collector {
        return Ok(Exporting(None));
    }
    // The library's own words may repeat a value.
    let inner = SpanExporter::builder().with_http().build();
    let exporter = Reported {
        inner: inner.map_err(|_| CannotExport)?,
        is_away: AtomicBool::new(false),
    };
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build();
    // A second start would be a second `main`.
    let _ = TRACER.set(provider.tracer(NAME));
    Ok(Exporting(Some(provider)))
}

/// What every span is of: this program by its name and version, and what the environment adds.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = || Resource::builder().with_attribute(version.clone());
    let resource = builder().build();
    let named = resource.get(&Key::from_static_str("service.name"));
    // What the library says where the environment has no name.
    if named.is_none_or(|name| name.as_str().starts_with("unknown_service")) {
        builder().with_service_name(NAME).build()
    } else {
        resource
    }
}

impl Drop for Exporting {
    fn drop(&mut self) {
        let Some(provider) = self.0.take() else {
            return;
        };
        // On a thread that may be left behind: looking up a name can take longer than the library's own bound.
        let (done, ended) = mpsc::channel();
        let flush = move || done.send(provider.shutdown_with_timeout(FLUSH_MAX).is_ok());
        let begun = thread::Builder::new().spawn(flush);
        if begun.is_err() || ended.recv_timeout(FLUSH_MAX) != Ok(true) {
            warn!("the collector did not take the last spans within 5 s: they are lost");
        }
    }
}

/// An exporter that says once when its spans are not taken, and once when they are again.
#[derive(Debug)]
struct Reported {
    inner: SpanExporter,
    is_away: AtomicBool,
}

impl sdk::SpanExporter for Reported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.inner.export(batch).await;
        let was_away = self.is_away.swap(outcome.is_err(), Ordering::Relaxed);
        match (was_away, outcome.is_err()) {
            // Without the library's words, which may hold the address with a password in it.
            (false, true) => warn!(
                "the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take spans: they are lost until it does"
            ),
            (true, false) => info!("the collector takes spans again"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Waits for the answer to a request within a span of its own, whose end says the status that `status_of` reads. One that no
/// route matches has no span.
///
/// It is the root of a trace, whatever the client says in `traceparent`: nobody outside chooses what is sampled.
pub(crate) async fn of_request<T>(
    (method, route, id): (&'static str, &str, &str),
    answer: impl Future<Output = T>,
    status_of: impl FnOnce(&T) -> u16,
) -> T {
    let Some(tracer) = TRACER.get().filter(|_| route != "none") else {
        return answer.await;
    };
    // The conventions' own words for a method that they do not know.
    let (name, method) = match method {
        "other" => (format!("HTTP {route}"), "_OTHER"),
        _ => (format!("{method} {route}"), method),
    };
    let span = SpanBuilder::from_name(name)
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("onetimeshare.request.id", id.to_owned()),
        ])
        .start_with_context(tracer, &Context::new());
    let context = Context::new().with_span(span);
    let answer = answer.with_context(context.clone()).await;
    let (span, status) = (context.span(), status_of(&answer));
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status),
    ));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
    span.end();
    answer
}

/// Waits for a call to a store; within a span below that of the request which it is made for, if there is one.
pub(crate) async fn of_call<T, E>(
    store: &'static str,
    operation: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(tracer) = TRACER.get().filter(|_| is_in_request()) else {
        return call.await;
    };
    let span = SpanBuilder::from_name(format!("{store}.{operation}"))
        .with_kind(SpanKind::Client)
        .start(tracer);
    let context = Context::current_with_span(span);
    let outcome = call.with_context(context.clone()).await;
    if outcome.is_err() {
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    outcome
}

/// Whether a request's span is begun and not ended here.
fn is_in_request() -> bool {
    Context::map_current(Context::has_active_span)
}
