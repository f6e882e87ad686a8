//! A server in memory, and what it answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use onetimeshare_server::alias::Aliases;
use onetimeshare_server::app::App;
use onetimeshare_server::blob::BlobStore;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::budget::{Budgets, Proxies, Rates};
use onetimeshare_server::clock::{Clock, MockClock};
use onetimeshare_server::creators::Creators;
use onetimeshare_server::metrics::{MeasuredBlobs, MeasuredRecords, Metrics, Scrape};
use onetimeshare_server::record::memory::MemoryStore;
use onetimeshare_server::record::{RecordStore, StoreId};
use onetimeshare_server::router::{metrics_router, router};
use onetimeshare_server::service::{Limits, Quota, Service, match_stores};
use onetimeshare_server::sweeper;
use onetimeshare_server::transfer::Periods;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::openapi;

/// When every test begins.
pub(crate) const START: u64 = 1_800_000_000;

/// Small, so that a body of a few parts is quick to send.
pub(crate) const LIMITS: Limits = Limits {
    transfer_size_max: 1 << 20,
    inline_max: 4096,
    part_len: 64 * 1024,
    ttl_max_s: 7 * 86_400,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};

const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3600,
    part_deadline_s: 1,
};

/// A server over stores in memory.
pub(crate) struct TestServer {
    pub(crate) router: Router,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) records: Arc<MemoryStore>,
    pub(crate) blobs: Arc<MemoryBlobs>,
    pub(crate) metrics: Arc<Metrics>,
    service: Arc<Service>,
}

impl TestServer {
    pub(crate) async fn new() -> Self {
        Self::with(PERIODS.lease_s, true).await
    }

    /// One with another lease, in seconds, or without counters.
    pub(crate) async fn with(lease_s: u64, shows_stats: bool) -> Self {
        Self::open(lease_s, shows_stats, (Budgets::endless(), LIMITS)).await
    }

    /// One that lets each of its clients, behind these proxies, hold so much.
    pub(crate) async fn bounded(quota: Quota, proxies: Proxies) -> Self {
        let budgets = Budgets::new(Rates::default(), proxies, None);
        let aliases = Aliases::of_holders(&StoreId([1; 16]), None);
        let creators = Arc::new(Creators::bounded(quota, aliases));
        Self::altered(budgets, |app| App { creators, ..app }).await
    }

    /// One that is set up in another way.
    pub(crate) async fn altered(budgets: Budgets, alter: impl FnOnce(App) -> App) -> Self {
        Self::make(PERIODS, (budgets, LIMITS), alter).await
    }

    /// One that lets its clients ask for so much, and takes what is large.
    pub(crate) async fn limited(budgets: Budgets) -> Self {
        let limits = Limits {
            transfer_size_max: 1 << 30,
            ..LIMITS
        };
        Self::open(PERIODS.lease_s, true, (budgets, limits)).await
    }

    /// One with the deadlines of a real one, for tests whose time is stepped, that takes what is large.
    pub(crate) async fn patient() -> Self {
        let periods = Periods {
            part_deadline_s: 600,
            ..PERIODS
        };
        let limits = Limits {
            transfer_size_max: 1 << 30,
            ..LIMITS
        };
        Self::make(periods, (Budgets::endless(), limits), |app| app).await
    }

    async fn open(lease_s: u64, shows_stats: bool, bounds: (Budgets, Limits)) -> Self {
        let periods = Periods { lease_s, ..PERIODS };
        Self::make(periods, bounds, |app| App { shows_stats, ..app }).await
    }

    async fn make(
        periods: Periods,
        (budgets, limits): (Budgets, Limits),
        alter: impl FnOnce(App) -> App,
    ) -> Self {
        let records = Arc::new(MemoryStore::new().unwrap());
        let blobs = Arc::new(MemoryBlobs::default());
        match_stores(records.as_ref(), blobs.as_ref())
            .await
            .unwrap();
        let clock = Arc::new(MockClock::new(START));
        let shared_records: Arc<dyn RecordStore> = Arc::<MemoryStore>::clone(&records);
        let shared_blobs: Arc<dyn BlobStore> = Arc::<MemoryBlobs>::clone(&blobs);
        let shared_clock: Arc<dyn Clock> = Arc::<MockClock>::clone(&clock);
        let metrics = Arc::new(Metrics::default());
        let service = Arc::new(Service::new(
            Arc::new(MeasuredRecords::new(shared_records, Arc::clone(&metrics))),
            Arc::new(MeasuredBlobs::new(shared_blobs, Arc::clone(&metrics))),
            shared_clock,
            limits,
            periods,
        ));
        let aliases = Aliases::of_holders(&records.store_id().await.unwrap(), None);
        let app = App {
            metrics: Arc::clone(&metrics),
            budgets: Arc::new(budgets),
            creators: Arc::new(Creators::bounded(Quota::default(), aliases)),
            ..App::new(Arc::clone(&service))
        };
        Self {
            router: router(alter(app)),
            clock,
            records,
            blobs,
            metrics,
            service,
        }
    }

    /// Sends one request, with a host.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        parts
            .headers
            .entry(HOST)
            .or_insert("localhost".parse().unwrap());
        self.send_raw(Request::from_parts(parts, body)).await
    }

    /// Sends one request as it is. Whatever is answered has to be in the OpenAPI document.
    pub(crate) async fn send_raw(&self, request: Request<Body>) -> Answer {
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
            json,
        };
        openapi::assert_documented(&method, &path, &answer);
        answer
    }

    /// A call without a body.
    pub(crate) async fn call(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        self.send(
            with_token(request(method, path), token)
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    /// A call with a JSON body.
    pub(crate) async fn call_json(&self, path: &str, token: Option<&str>, json: &Value) -> Answer {
        self.call_text(path, token, &json.to_string()).await
    }

    /// A call with a body that says to be JSON.
    pub(crate) async fn call_text(&self, path: &str, token: Option<&str>, text: &str) -> Answer {
        let request =
            with_token(request("POST", path), token).header(CONTENT_TYPE, "application/json");
        self.send(request.body(text.to_owned().into()).unwrap())
            .await
    }

    /// What is measured, as Prometheus reads it.
    pub(crate) async fn measured(&self) -> String {
        let (metrics, service) = (Arc::clone(&self.metrics), Arc::clone(&self.service));
        Scrape::new(metrics, service).text().await
    }

    /// The router of the listener that shows what is measured.
    pub(crate) fn metrics_router(&self) -> Router {
        let (metrics, service) = (Arc::clone(&self.metrics), Arc::clone(&self.service));
        metrics_router(Arc::new(Scrape::new(metrics, service)))
    }

    /// Removes what is due.
    pub(crate) async fn sweep(&self) {
        sweeper::sweep(&self.service).await.unwrap();
    }
}

pub(crate) fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

pub(crate) fn with_token(request: Builder, token: Option<&str>) -> Builder {
    match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// Null for an answer that is not JSON.
    pub(crate) json: Value,
}

impl Answer {
    /// Fails unless the answer has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.json);
        self
    }

    /// Fails unless the answer is this error, told as all errors are.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json["code"], code);
        assert!(
            answer.json["message"]
                .as_str()
                .is_some_and(|message| message.len() > 10),
            "{}",
            answer.json
        );
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    }

    /// A header's text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
