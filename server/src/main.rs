//! The server's program: settings, stores, sweeper, accept loop, and one sentence when it cannot start. It decides nothing
//! about transfers.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::{self, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use onetimeshare_server::app::App;
use onetimeshare_server::assets;
use onetimeshare_server::blob::BlobStore;
use onetimeshare_server::blob::folder::{FolderStore, make_private_folder};
use onetimeshare_server::blob::object::{Bucket, BucketStore};
use onetimeshare_server::check::check;
use onetimeshare_server::clock::{Clock as _, SystemClock};
use onetimeshare_server::config::{
    Action, BlobPlace, CheckOptions, Config, Faults, HealthcheckOptions, Invocation,
};
use onetimeshare_server::hashes::hashes;
use onetimeshare_server::healthcheck::{self, Question, Target};
use onetimeshare_server::http::{self, Deadlines};
use onetimeshare_server::metrics::{MeasuredBlobs, MeasuredRecords, Metrics, Scrape};
use onetimeshare_server::record::RecordStore;
use onetimeshare_server::record::sqlite::SqliteStore;
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_server::router::{metrics_router, router};
use onetimeshare_server::service::{Service, match_stores};
use onetimeshare_server::transfer::Moment;
use onetimeshare_server::{supervisor, sweeper, telemetry};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Shown by a build that has nothing to serve.
const NO_PAGES: &str =
    "onetimeshare-server was built without its web pages: run `cargo xtask wasm` and build again";

fn main() -> ExitCode {
    let Invocation { action, config } = match Invocation::from_process() {
        Ok(invocation) => invocation,
        // Help and the version go to stdout with 0, a command line that cannot be read to stderr with 2.
        Err(error) => error.exit(),
    };
    match (action, config) {
        (Action::Serve, Ok(config)) => {
            // Before `run` starts threads, as the sockets' names are taken out of the environment.
            let sockets = supervisor::take_sockets().context("cannot listen");
            match sockets.and_then(|sockets| run(config, sockets)) {
                Ok(()) => ExitCode::SUCCESS,
                // The alternate form joins the causes into one sentence.
                Err(error) => refuse(1, &format_args!("{error:#}")),
            }
        }
        (Action::Serve, Err(faults)) => refuse(1, &faults),
        (Action::Check(options), Ok(config)) => run_check(options, &config),
        (Action::Check(_), Err(faults)) => refuse(2, &faults),
        (Action::Healthcheck(options), config) => match run_healthcheck(&options, config) {
            Ok(sentence) => {
                tell(&sentence);
                ExitCode::SUCCESS
            }
            Err(sentence) => refuse(1, &sentence),
        },
        (Action::Hashes, _) => match tell_hashes() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(1, &format_args!("{error:#}")),
        },
    }
}

/// Says what browsers are given. The list is all that it is asked for, so that one which is not read whole is an error.
fn tell_hashes() -> Result<()> {
    if !assets::is_complete() {
        bail!(NO_PAGES);
    }
    let list = serde_json::to_string_pretty(&hashes()).context("the list cannot be written")?;
    writeln!(io::stdout(), "{list}").context("the list cannot be written")
}

/// Asks a running server. What is told of it; an error when it is not well.
#[tokio::main(flavor = "current_thread")]
async fn run_healthcheck(
    options: &HealthcheckOptions,
    config: Result<Config, Faults>,
) -> Result<String, String> {
    let target = if let Some(url) = &options.url {
        Target::parse(url)
            .ok_or("`--url` must be http://host:port, without a path or anything else")?
    } else {
        let config = config.map_err(|faults| faults.to_string())?;
        let first = config.listen.first().copied();
        first
            .and_then(Target::of_listener)
            .ok_or("`listen` leaves the port to the system: name it with --url http://host:port")?
    };
    let question = if options.is_live {
        Question::Live
    } else {
        Question::Ready
    };
    healthcheck::ask(&target, question).await
}

/// Said by a check of what it cannot look into.
const NO_BUCKETS: &str =
    "check looks into folders alone for now, and `blob-url` names a bucket: nothing was checked";

/// The same of records.
const NO_REDIS: &str = "check looks into data folders alone for now, and `redis-url` keeps the records in Redis: nothing was checked";

/// Told when a bucket does what nobody expects of something that is opened once.
const KEEPS_VERSIONS: &str = "the bucket of `blob-url` keeps versions: what is deleted stays in it, as ciphertext that opens with its link alone. \
     Suspend its versioning and remove the versions that are there, or give it a lifecycle rule that does within a day";

/// Checks the stores. 0 when all is well or was repaired, 1 when something is wrong, 3 when that cannot be said.
fn run_check(options: CheckOptions, config: &Config) -> ExitCode {
    let at = Moment {
        now: SystemClock::start().now(),
        periods: config.periods,
    };
    if config.redis.is_some() {
        return refuse(3, &NO_REDIS);
    }
    let age_max_s = config.limits.age_max_s(&config.periods);
    let mut tell = |sentence: &dyn Display| tell(sentence);
    if !config.unknown_variables.is_empty() {
        tell(&format_args!(
            "note: variables that name no setting are passed over: {} (--help lists the settings)",
            config.unknown_variables.join(" ")
        ));
    }
    let BlobPlace::Folder(blobs) = &config.blobs else {
        return refuse(3, &NO_BUCKETS);
    };
    let folders = (&*config.data_dir, &**blobs);
    match check(folders, options, (at, age_max_s), &mut tell) {
        Ok(summary) => {
            tell(&summary);
            ExitCode::from(u8::from(summary.faults > summary.repaired))
        }
        Err(error) => refuse(
            3,
            &format_args!("{} cannot be checked: {error}", config.data_dir.display()),
        ),
    }
}

/// Tells on stderr why a start or a check failed, before or without a log.
fn refuse(code: u8, reason: &dyn Display) -> ExitCode {
    // Where nobody reads it, the code tells it alone.
    let _ = writeln!(io::stderr(), "{reason}");
    ExitCode::from(code)
}

/// Tells the person who started it where it runs, or what a check found.
fn tell(line: &dyn Display) {
    // What is done goes on when nobody reads of it, and above all a repair.
    let _ = writeln!(io::stdout(), "{line}");
}

#[tokio::main]
async fn run(config: Config, sockets: Vec<net::TcpListener>) -> Result<()> {
    // One for everything that is encrypted, chosen before anything is. There is no other that it could lose to.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if !assets::is_complete() {
        bail!(NO_PAGES);
    }
    let Config {
        listen,
        data_dir,
        redis,
        blobs,
        limits,
        periods,
        shows_stats,
        metrics_listen,
        log,
        log_format,
        unknown_variables,
    } = config;
    telemetry::start(log, log_format);
    warn_of_unknown(&unknown_variables);
    // Before the stores: a port in use leaves no folder behind.
    let listeners = listen_on(sockets, &listen).await?;
    let own_listeners = bind(metrics_listen.as_slice(), "--metrics-listen").await?;
    let places = Places::of(&data_dir, redis.as_ref(), &blobs);
    let Stores {
        records,
        blobs,
        writing_ended,
    } = open_stores(&data_dir, blobs, redis, &places).await?;
    let metrics = Arc::new(Metrics::default());
    let service = Arc::new(Service::new(
        Arc::new(MeasuredRecords::new(records, Arc::clone(&metrics))),
        Arc::new(MeasuredBlobs::new(blobs, Arc::clone(&metrics))),
        Arc::new(SystemClock::start()),
        limits,
        periods,
    ));
    let mut signals = StopSignals::watch()?;
    announce_metrics(&own_listeners);
    announce(&listeners, &places);
    let stop = CancellationToken::new();
    let sweeping = sweeper::run(
        Arc::clone(&service),
        Arc::clone(&metrics),
        stop.child_token(),
    );
    let mut sweeping = tokio::spawn(sweeping);
    let app = App {
        shows_stats,
        metrics,
        ..App::new(service)
    };
    let mut serving = tokio::spawn(serve(app, listeners, own_listeners, stop.child_token()));
    supervisor::tell_ready();
    tokio::select! {
        told = signals.next() => told?,
        // None ends by itself: without them nothing is served, or kept, or erased, and a supervisor should see that.
        _ = &mut serving => bail!("the accept loop ended in a panic"),
        _ = &mut sweeping => bail!("the sweeper ended in a panic"),
        () = writing_ended.cancelled() => bail!("the record store's writing thread ended in a panic"),
    }
    info!("stopping: what is under way may end, for 20 seconds; a second signal cuts it off");
    supervisor::tell_stopping();
    stop.cancel();
    tokio::select! {
        served = serving => served.context("the accept loop ended in a panic")?,
        told = signals.next() => told?,
    }
    sweeping.await.context("the sweeper ended in a panic")?;
    Ok(())
}

fn warn_of_unknown(variables: &[String]) {
    if !variables.is_empty() {
        warn!(
            names = variables.join(" "),
            "variables that name no setting are passed over: --help lists the settings"
        );
    }
}

/// Where what is kept lies, for a person to read.
struct Places {
    folder: String,
    redis: Option<String>,
    bucket: Option<String>,
}

impl Places {
    fn of(data_dir: &Path, redis: Option<&(Address, Terms)>, blobs: &BlobPlace) -> Self {
        let folder = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Self {
            folder: folder.display().to_string(),
            redis: redis.map(|(address, _)| format!("the Redis at {address}")),
            bucket: match blobs {
                BlobPlace::Folder(_) => None,
                BlobPlace::Bucket(bucket) => Some(format!("the bucket {}", bucket.place())),
            },
        }
    }

    fn all(&self) -> String {
        match (self.far(), &self.redis, &self.bucket) {
            (None, ..) => self.folder.clone(),
            (Some(far), Some(_), Some(_)) => {
                format!("{far}, with parts on their way in {}", self.folder)
            }
            (Some(far), ..) => format!("{} and in {far}", self.folder),
        }
    }

    /// Those stores that are not in the data folder; none where all of them are.
    fn far(&self) -> Option<String> {
        let far: Vec<_> = self.redis.iter().chain(&self.bucket).cloned().collect();
        (!far.is_empty()).then(|| far.join(" and in "))
    }
}

/// Answers everybody on `listeners`, and whoever reads what is measured on `own`, each by a loop of its own, until `stop`.
async fn serve(
    app: App,
    listeners: Vec<TcpListener>,
    own: Vec<TcpListener>,
    stop: CancellationToken,
) {
    let metrics = Arc::clone(&app.metrics);
    let scrape = Scrape::new(Arc::clone(&metrics), Arc::clone(&app.service));
    let shown = http::serve(
        own,
        metrics_router(Arc::new(scrape)),
        Deadlines::default(),
        metrics.own_connections(),
        stop.clone(),
    );
    let served = http::serve(
        listeners,
        router(app),
        Deadlines::default(),
        metrics.connections(),
        stop,
    );
    tokio::join!(served, shown);
}

/// What is kept, and where.
struct Stores {
    records: Arc<dyn RecordStore>,
    blobs: Arc<dyn BlobStore>,
    /// Cancelled when the records cannot be written any more.
    writing_ended: CancellationToken,
}

/// The records and the blobs where they are kept, when they belong together.
async fn open_stores(
    data_dir: &Path,
    blobs: BlobPlace,
    redis: Option<(Address, Terms)>,
    places: &Places,
) -> Result<Stores> {
    let at = || {
        format!(
            "cannot keep transfers in {} (choose another with --data-dir)",
            data_dir.display()
        )
    };
    make_private_folder(data_dir).with_context(at)?;
    let blobs: Arc<dyn BlobStore> = match blobs {
        BlobPlace::Folder(folder) => {
            let opened = FolderStore::open(&folder);
            let at = || format!("cannot keep blobs in {}", folder.display());
            Arc::new(opened.with_context(at)?)
        }
        BlobPlace::Bucket(bucket) => Arc::new(open_bucket(bucket, data_dir).await?),
    };
    let writing_ended;
    let records: Arc<dyn RecordStore> = if let Some((address, terms)) = redis {
        writing_ended = CancellationToken::new();
        let records = RedisStore::open(&address, terms, Arc::clone(&blobs)).await;
        Arc::new(records.context("cannot keep records in the Redis of --redis-url")?)
    } else {
        let records = SqliteStore::open(data_dir).with_context(at)?;
        writing_ended = records.ended();
        Arc::new(records)
    };
    match_stores(records.as_ref(), blobs.as_ref())
        .await
        // Where a store is elsewhere, another folder is no remedy.
        .with_context(|| match places.far() {
            None => at(),
            Some(far) => format!("cannot keep transfers in {far}"),
        })?;
    Ok(Stores {
        records,
        blobs,
        writing_ended,
    })
}

async fn open_bucket(bucket: Bucket, data_dir: &Path) -> Result<BucketStore> {
    let store = BucketStore::open(bucket, &data_dir.join("spool")).await?;
    if store.keeps_versions() {
        warn!("{KEEPS_VERSIONS}");
    }
    Ok(store)
}

/// The sockets that were handed over; without any, new ones at these addresses.
async fn listen_on(
    sockets: Vec<net::TcpListener>,
    addresses: &[SocketAddr],
) -> Result<Vec<TcpListener>> {
    if sockets.is_empty() {
        return bind(addresses, "--listen").await;
    }
    let sockets = sockets.into_iter().map(TcpListener::from_std);
    let listeners: io::Result<_> = sockets.collect();
    listeners.context("cannot listen on the sockets that were handed over")
}

async fn bind(addresses: &[SocketAddr], setting: &str) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.with_context(|| {
            format!("cannot listen on {address} (choose another with {setting})")
        })?);
    }
    Ok(listeners)
}

/// Tells where the service is and where it keeps what it is given.
fn announce(listeners: &[TcpListener], places: &Places) {
    let addresses: Vec<_> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let urls: Vec<_> = addresses
        .iter()
        .map(|address| format!("http://{address}"))
        .collect();
    tell(&format_args!(
        "onetimeshare listens on {} and keeps its data in {}",
        urls.join(" and "),
        places.all()
    ));
    if addresses.iter().any(|address| !address.ip().is_loopback()) {
        tell(
            &"Without https in front, browsers on other machines send and open only texts and small files: put it behind \
               a proxy with TLS for the rest, and so that nobody on the way can change the pages.",
        );
    }
    info!(addresses = urls.join(" "), "started");
}

/// Tells where what is measured can be read, before the line that says that everything is up.
fn announce_metrics(listeners: &[TcpListener]) {
    for listener in listeners {
        let Ok(address) = listener.local_addr() else {
            continue;
        };
        tell(&format_args!(
            "onetimeshare shows its metrics at http://{address}/metrics"
        ));
        if !address.ip().is_loopback() {
            tell(
                &"Everyone who reaches that address can read them: keep it within a network of your own.",
            );
        }
    }
}

/// What tells this process to stop, watched from the moment it is made, so that none comes too early.
struct StopSignals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

impl StopSignals {
    fn watch() -> Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?,
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?,
        })
    }

    /// Waits for the next of them.
    #[cfg(unix)]
    async fn next(&mut self) -> Result<()> {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        Ok(())
    }

    /// Waits for an interrupt.
    #[cfg(not(unix))]
    #[expect(clippy::needless_pass_by_ref_mut, reason = "as on unix")]
    async fn next(&mut self) -> Result<()> {
        tokio::signal::ctrl_c()
            .await
            .context("cannot watch for an interrupt")
    }
}
