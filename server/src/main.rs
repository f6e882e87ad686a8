//! The server's program: settings, stores, sweeper, accept loop, and one sentence when it cannot start. It decides nothing
//! about transfers.

#[path = "main/descriptors.rs"]
mod descriptors;
#[path = "main/stores.rs"]
mod stores;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::{self, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use onetimeshare_server::app::App;
use onetimeshare_server::assets;
use onetimeshare_server::budget::Budgets;
use onetimeshare_server::check::check;
use onetimeshare_server::clock::{Clock as _, SystemClock};
use onetimeshare_server::config::{
    Action, BlobPlace, CheckOptions, Config, Faults, HealthcheckOptions, Invocation,
};
use onetimeshare_server::create_tokens::{CreateTokens, Made, check_name};
use onetimeshare_server::hashes::hashes;
use onetimeshare_server::healthcheck::{self, Question, Target};
use onetimeshare_server::http::{self, Crowd, Deadlines};
use onetimeshare_server::metrics::{MeasuredBlobs, MeasuredRecords, Metrics, Scrape};
use onetimeshare_server::renewal::{self, HangUps};
use onetimeshare_server::router::{metrics_router, router};
use onetimeshare_server::service::Service;
use onetimeshare_server::tls::Tls;
use onetimeshare_server::transfer::Moment;
use onetimeshare_server::{supervisor, sweeper, telemetry};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::stores::{Places, Stores};

/// Shown by a build that has nothing to serve.
const NO_PAGES: &str =
    "onetimeshare-server was built without its web pages: run `cargo xtask wasm` and build again";

fn main() -> ExitCode {
    // One for everything that is encrypted, chosen before anything is. There is no other that it could lose to.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Invocation { action, config } = match Invocation::from_process() {
        Ok(invocation) => invocation,
        // Help and the version go to stdout with 0, a command line that cannot be read to stderr with 2.
        Err(error) => error.exit(),
    };
    match (action, config) {
        (Action::Serve, Ok(config)) => serve(config),
        // As for a command line: no start of the same will be any better.
        (Action::Serve, Err(faults)) => refuse(2, &faults),
        (Action::Check(options), Ok(config)) => run_check(options, &config),
        (Action::Check(_), Err(faults)) => refuse(2, &faults),
        (Action::Healthcheck(options), config) => match target(&options, config) {
            Ok(target) => run_healthcheck(&target, options.is_live),
            Err(sentence) => refuse(2, &sentence),
        },
        (Action::Hashes, _) => succeed(tell_hashes()),
        (Action::CreateToken(name), _) => match check_name(&name) {
            Ok(()) => succeed(tell_token(name)),
            Err(sentence) => refuse(2, &sentence),
        },
    }
}

/// Serves until it is told to stop.
fn serve(mut config: Config) -> ExitCode {
    let files = match Files::open(&mut config) {
        Ok(files) => files,
        // As for the settings that name them.
        Err(faults) => return refuse(2, &faults),
    };
    // Before `run` starts threads, as the sockets' names are taken out of the environment.
    let sockets = supervisor::take_sockets().context("cannot listen");
    succeed(sockets.and_then(|sockets| run(config, files, sockets)))
}

/// What is read from the files that settings name, and again on SIGHUP.
struct Files {
    tls: Option<Tls>,
    create_tokens: Option<Arc<CreateTokens>>,
}

impl Files {
    /// Reads all of them; what is wrong with any, a line for each fault.
    fn open(config: &mut Config) -> Result<Self, String> {
        let tls = config.tls.take().map(Tls::open).transpose();
        let path = config.creation.token_file.take();
        let create_tokens = path.map(|path| CreateTokens::open(path, config.limits));
        match (tls, create_tokens.transpose()) {
            (Ok(tls), Ok(create_tokens)) => Ok(Self {
                tls,
                create_tokens: create_tokens.map(Arc::new),
            }),
            (tls, create_tokens) => {
                let of_tls = tls.err().map(|faults| faults.to_string());
                let of_tokens = create_tokens.err().map(|faults| faults.to_string());
                let faults: Vec<_> = of_tls.into_iter().chain(of_tokens).collect();
                Err(faults.join("\n"))
            }
        }
    }
}

/// Ends as the outcome says.
fn succeed(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The alternate form joins the causes into one sentence.
        Err(error) => refuse(1, &format_args!("{error:#}")),
    }
}

/// Makes a create token: its table for a file, and the token for eyes alone. A table without its token would be of no use.
fn tell_token(name: String) -> Result<()> {
    let made = Made::new(name).context("the system gives no random bytes")?;
    let (mut people, mut file) = (io::stderr(), io::stdout());
    writeln!(
        people,
        "The token, which is shown this once: give it to whoever may create transfers.\n{}\n\n\
         Its table, for the file that --create-token-file names:",
        made.text()
    )
    .and_then(|()| write!(file, "{}", made.table()))
    .and_then(|()| file.flush())
    .context("the token cannot be written")
}

/// Says what browsers are given. The list is all that it is asked for, so that one which is not read whole is an error.
fn tell_hashes() -> Result<()> {
    if !assets::is_complete() {
        bail!(NO_PAGES);
    }
    let list = serde_json::to_string_pretty(&hashes()).context("the list cannot be written")?;
    writeln!(io::stdout(), "{list}").context("the list cannot be written")
}

/// Where a running server is asked. An error is a fault of the command line or the settings.
fn target(options: &HealthcheckOptions, config: Result<Config, Faults>) -> Result<Target, String> {
    if let Some(url) = &options.url {
        let target = Target::parse(url);
        return target.ok_or_else(|| {
            "`--url` must be http://host:port or https://host:port, without a path or anything else".to_owned()
        });
    }
    let config = config.map_err(|faults| faults.to_string())?;
    let first = config.listen.first().copied();
    let target = first
        .and_then(Target::of_listener)
        .ok_or("`listen` leaves the port to the system: name it with --url http://host:port")?;
    Ok(match config.tls {
        Some(files) => target.encrypted(files.certificate()),
        None => target,
    })
}

/// Asks a running server. 0 when it is well, 1 when it is not.
#[tokio::main(flavor = "current_thread")]
async fn run_healthcheck(target: &Target, is_live: bool) -> ExitCode {
    let question = if is_live {
        Question::Live
    } else {
        Question::Ready
    };
    match healthcheck::ask(target, question).await {
        Ok(sentence) => {
            tell(&sentence);
            ExitCode::SUCCESS
        }
        Err(sentence) => refuse(1, &sentence),
    }
}

/// Said by a check of what it cannot look into.
const NO_BUCKETS: &str =
    "check looks into folders alone for now, and `blob-url` names a bucket: nothing was checked";

/// The same of records.
const NO_REDIS: &str = "check looks into data folders alone for now, and `redis-url` keeps the records in Redis: nothing was checked";

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
async fn run(config: Config, files: Files, sockets: Vec<net::TcpListener>) -> Result<()> {
    if !assets::is_complete() {
        bail!(NO_PAGES);
    }
    // Dropped last, when every request has its answer.
    let _exporting = telemetry::start(config.log, config.log_format, config.names_collector)?;
    warn_of_unknown(&config.unknown_variables);
    let bounds = descriptors::fit(config.access.bounds);
    let Files { tls, create_tokens } = files;
    // Before the stores: a port in use leaves no folder behind.
    let listeners = listen_on(sockets, &config.listen).await?;
    let own_listeners = bind(config.metrics_listen.as_slice(), "--metrics-listen").await?;
    let places = Places::of(&config.data_dir, config.redis.as_ref(), &config.blobs);
    let stores = Stores::open(&config.data_dir, config.blobs, config.redis, &places).await?;
    let writing_ended = stores.writing_ended.clone();
    let storage_max = stores.bound(config.storage_max, &config.limits)?;
    let access = config.access;
    let creators = stores::creators(access.quota, &config.limits, stores.aliases);
    let (metrics, clock) = (Arc::new(Metrics::default()), Arc::new(SystemClock::start()));
    let service = Service::new(
        Arc::new(MeasuredRecords::new(stores.records, Arc::clone(&metrics))),
        Arc::new(MeasuredBlobs::new(stores.blobs, Arc::clone(&metrics))),
        Arc::<SystemClock>::clone(&clock),
        config.limits,
        config.periods,
    );
    let crowd = Crowd::new(bounds, access.proxies.clone(), metrics.connections());
    let budgets = Budgets::new(access.rates, access.proxies, stores.ledger);
    let app = App {
        shows_stats: config.shows_stats,
        contacts: config.contacts.into(),
        is_encrypted: tls.is_some(),
        metrics,
        budgets: Arc::new(budgets.with_requests_max(access.requests_max)),
        create_tokens,
        role: config.creation.role,
        open_url: config.creation.open_url.map(Arc::from),
        creators: Arc::new(creators),
        ..App::new(Arc::new(service.with_storage_max(storage_max)))
    };
    let mut signals = StopSignals::watch()?;
    let hang_ups = HangUps::watch().context("cannot watch for SIGHUP")?;
    announce_metrics(&own_listeners);
    announce(&listeners, tls.is_some(), &places);
    let stop = CancellationToken::new();
    let doors = Doors::of(listeners, tls, crowd, own_listeners);
    let mut tasks = Tasks::start(app, doors, (clock, hang_ups), &stop);
    supervisor::tell_ready();
    tokio::select! {
        told = signals.next() => told?,
        fault = tasks.fault() => return Err(fault),
        () = writing_ended.cancelled() => bail!("the record store's writing thread ended in a panic"),
    }
    info!("stopping: what is under way may end, for 20 seconds; a second signal cuts it off");
    supervisor::tell_stopping();
    stop.cancel();
    tasks.end(signals).await
}

/// What goes on beside each other while the server runs.
struct Tasks {
    serving: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    renewing: JoinHandle<Option<()>>,
}

impl Tasks {
    /// Begins with all of it, until `stop`.
    fn start(
        app: App,
        doors: Doors,
        (clock, hang_ups): (Arc<SystemClock>, HangUps),
        stop: &CancellationToken,
    ) -> Self {
        let (service, metrics) = (Arc::clone(&app.service), Arc::clone(&app.metrics));
        let sweeping = sweeper::run(service, Arc::clone(&metrics), stop.child_token());
        let renewing = renewal::renew(
            (doors.tls.clone(), app.create_tokens.clone()),
            hang_ups,
            clock,
            metrics,
        );
        Self {
            sweeping: tokio::spawn(sweeping),
            renewing: tokio::spawn(stop.child_token().run_until_cancelled_owned(renewing)),
            serving: tokio::spawn(doors.serve(app, stop.child_token())),
        }
    }

    /// Waits for the first that ends by itself. None should: without it nothing is served, or erased, and a supervisor is to see that.
    async fn fault(&mut self) -> anyhow::Error {
        let what = tokio::select! {
            _ = &mut self.serving => "accept loop",
            _ = &mut self.sweeping => "sweeper",
            _ = &mut self.renewing => "renewal of files",
        };
        anyhow!("the {what} ended in a panic")
    }

    /// Waits until all of it has ended, as it was told to; a second signal cuts off whoever is still served.
    async fn end(self, mut signals: StopSignals) -> Result<()> {
        tokio::select! {
            served = self.serving => served.context("the accept loop ended in a panic")?,
            told = signals.next() => told?,
        }
        self.sweeping.await.context("the sweeper ended in a panic")
    }
}

fn warn_of_unknown(variables: &[String]) {
    if !variables.is_empty() {
        warn!(
            names = variables.join(" "),
            "variables that name no setting are passed over: --help lists the settings"
        );
    }
}

/// Where people and Prometheus come in.
struct Doors {
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    crowd: Crowd,
    /// For what is measured, always in the clear.
    own: Vec<TcpListener>,
}

impl Doors {
    fn of(
        listeners: Vec<TcpListener>,
        tls: Option<Tls>,
        crowd: Crowd,
        own: Vec<TcpListener>,
    ) -> Self {
        Self {
            listeners,
            tls,
            crowd,
            own,
        }
    }

    /// Answers everybody, each kind of door by a loop of its own, until `stop`.
    async fn serve(self, app: App, stop: CancellationToken) {
        let (metrics, budgets) = (Arc::clone(&app.metrics), Arc::clone(&app.budgets));
        let scrape = Scrape::new(Arc::clone(&metrics), Arc::clone(&app.service));
        let shown = http::serve(
            self.own,
            None,
            metrics_router(Arc::new(scrape)),
            Deadlines::default(),
            Crowd::unbounded(metrics.own_connections()),
            stop.clone(),
        );
        let served = http::serve(
            self.listeners,
            self.tls,
            router(app),
            Deadlines::default(),
            self.crowd,
            stop.clone(),
        );
        tokio::join!(served, shown, budgets.run_sweeps(stop));
    }
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
fn announce(listeners: &[TcpListener], is_encrypted: bool, places: &Places) {
    let addresses: Vec<_> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let scheme = if is_encrypted { "https" } else { "http" };
    let urls: Vec<_> = addresses
        .iter()
        .map(|address| format!("{scheme}://{address}"))
        .collect();
    tell(&format_args!(
        "onetimeshare listens on {} and keeps its data in {}",
        urls.join(" and "),
        places.all()
    ));
    if !is_encrypted && addresses.iter().any(|address| !address.ip().is_loopback()) {
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
