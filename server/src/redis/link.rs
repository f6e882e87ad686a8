//! Connections to Redis: made when they are needed, looked at before they are used, given up when they fail. What was sent on
//! one that failed may have happened or not, and the caller is told so.

mod fault;
mod marks;
mod waiting;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr,
};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, RedisError,
    ScriptInvocation, TlsMode, Value, from_redis_value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use self::fault::{failure, is_cut, is_over, not_written_by_us, reason, unconnected};
use self::marks::Marks;
use self::waiting::Waiting;
use super::address::Address;
use super::inspect::{Inspection, Risk};
use super::keys::Shard;
use super::script::Call;
use crate::blob::BlobStore;
use crate::record::{StoreError, StoreResult};

/// How long connecting may take, greeting included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long making a connection may take, everything that is looked at before its first use included. Sentinels are asked one
/// after the other, each with a time limit of its own.
const READY_TIMEOUT: Duration = Duration::from_secs(6);

/// How long an answer may take. Longer than replicas are waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections that all calls share: each carries any number of them at once.
const SHARED_COUNT: usize = 4;

/// What the server asks of Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Dangers that the operator accepts.
    pub accepted: Vec<Risk>,
    /// How many replicas must have what was written before it is answered; 0 for none.
    pub replicas: u32,
    /// How often the append-only file is rewritten when something was erased, in seconds; 0 for never.
    pub rewrite_s: u64,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did not happen, or happened and must not be told yet.
    Refused(StoreError),
    /// It may have happened, or may happen yet.
    Unclear(String),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Unclear(reason) => Self::Unreachable(reason),
        }
    }
}

/// One connection: to a server, or to all that a cluster has.
#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    async fn call<T: FromRedisValue>(&mut self, call: &Call) -> Result<T, RedisError> {
        self.run(call.invocation()).await
    }

    async fn run<T: FromRedisValue>(
        &mut self,
        invocation: &ScriptInvocation<'static>,
    ) -> Result<T, RedisError> {
        match self {
            Self::Server(server) => invocation.invoke_async(server).await,
            Self::Cluster(cluster) => invocation.invoke_async(cluster).await,
        }
    }

    /// What every server that can be written to answers to `cmd`.
    async fn ask_all(&mut self, cmd: Cmd) -> Result<Vec<Value>, RedisError> {
        match self {
            Self::Server(server) => {
                let answer = server.send_packed_command(&cmd).await?;
                Ok(vec![answer.extract_error()?])
            }
            Self::Cluster(cluster) => {
                let everywhere =
                    RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match cluster.route_command(cmd, everywhere).await? {
                    Value::Map(answers) => {
                        let answers = answers.into_iter();
                        answers.map(|(_, answer)| answer.extract_error()).collect()
                    }
                    answer => Ok(vec![answer.extract_error()?]),
                }
            }
        }
    }

    /// Sends `cmd` to the server that holds `shard`.
    async fn ask_one(&mut self, cmd: Cmd, shard: Shard) -> Result<Value, RedisError> {
        let answer = match self {
            Self::Server(server) => server.send_packed_command(&cmd).await,
            Self::Cluster(cluster) => {
                let node = RoutingInfo::SingleNode(node_of(shard));
                cluster.route_command(cmd, node).await
            }
        };
        answer?.extract_error()
    }
}

/// The server of a cluster that holds `shard`.
fn node_of(shard: Shard) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(shard.seal(), SlotAddr::Master))
}

/// Where connections are made to.
enum Target {
    Server(Client),
    Cluster(ClusterClient),
    /// Asked anew for each connection, since another server may have the name by then.
    Sentinel(Mutex<SentinelClient>),
}

impl Target {
    fn new(address: &Address) -> Result<Self, RedisError> {
        match address {
            Address::Server(url) => Ok(Self::Server(Client::open(url.as_str())?)),
            Address::Cluster(urls) => {
                let builder = ClusterClient::builder(urls.iter().map(String::as_str))
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(ANSWER_TIMEOUT)
                    .overall_response_timeout(Some(ANSWER_TIMEOUT));
                Ok(Self::Cluster(builder.build()?))
            }
            Address::Sentinel {
                sentinels,
                name,
                user,
                password,
                database,
                has_tls,
            } => {
                let addresses = sentinels.iter().map(|(host, port)| {
                    if *has_tls {
                        ConnectionAddr::TcpTls {
                            host: host.clone(),
                            port: *port,
                            insecure: false,
                            tls_params: None,
                        }
                    } else {
                        ConnectionAddr::Tcp(host.clone(), *port)
                    }
                });
                let mut builder =
                    SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
                        .set_client_to_redis_db(*database);
                if *has_tls {
                    builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
                }
                if let Some(user) = user {
                    builder = builder.set_client_to_redis_username(user);
                }
                if let Some(password) = password {
                    builder = builder.set_client_to_redis_password(password);
                }
                Ok(Self::Sentinel(Mutex::new(builder.build()?)))
            }
        }
    }

    async fn connect(&self) -> Result<Connection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        match self {
            Self::Server(client) => client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map(Connection::Server),
            Self::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
            Self::Sentinel(client) => client
                .lock()
                .await
                .get_async_connection_with_config(&config)
                .await
                .map(Connection::Server),
        }
    }
}

/// A connection that is shared.
#[derive(Default)]
struct Slot {
    current: Mutex<Current>,
    /// How often connecting has failed.
    failed: AtomicU64,
}

struct Current {
    /// How often it was made anew.
    age: u64,
    connection: Option<Connection>,
    /// Why connecting has failed the last time.
    failure: StoreError,
}

impl Default for Current {
    fn default() -> Self {
        Self {
            age: 0,
            connection: None,
            failure: StoreError::Unreachable("not connected yet".to_owned()),
        }
    }
}

/// All connections to one Redis.
pub(super) struct Link {
    target: Target,
    /// Where that is, for a person to read.
    place: String,
    terms: Terms,
    shared: [Slot; SHARED_COUNT],
    turn: AtomicUsize,
    waiting: Waiting,
    told: StdMutex<BTreeSet<String>>,
    /// Since when no connection has come about.
    away_since: StdMutex<Option<Instant>>,
    blobs: Arc<dyn BlobStore>,
    marks: Marks,
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Link")
    }
}

impl Link {
    /// To Redis at `address`, whose blobs are in `blobs`; it connects when first used. Fails on an address that is none.
    pub(super) fn new(
        address: &Address,
        terms: Terms,
        blobs: Arc<dyn BlobStore>,
    ) -> StoreResult<Self> {
        Ok(Self {
            target: Target::new(address)
                .map_err(|error| StoreError::Unreachable(reason(&error)))?,
            place: address.to_string(),
            terms,
            shared: Default::default(),
            turn: AtomicUsize::new(0),
            waiting: Waiting::default(),
            told: StdMutex::default(),
            away_since: StdMutex::default(),
            blobs,
            marks: Marks::default(),
        })
    }

    /// What is asked of Redis.
    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Runs a script that may run twice.
    pub(super) async fn call<T: FromRedisValue + Send>(&self, call: &Call) -> Result<T, Failure> {
        self.on_shared(
            true,
            |mut connection| async move { connection.call(call).await },
        )
        .await
    }

    /// Runs a script that is none of a shard's, and may run twice.
    pub(super) async fn run<T: FromRedisValue + Send>(
        &self,
        invocation: &ScriptInvocation<'static>,
    ) -> StoreResult<T> {
        let run = |mut connection: Connection| async move { connection.run(invocation).await };
        Ok(self.on_shared(true, run).await?)
    }

    /// Runs a script that must be known to have run once, or not at all.
    async fn call_once<T: FromRedisValue + Send>(&self, call: &Call) -> Result<T, Failure> {
        self.on_shared(false, |mut connection| async move {
            connection.call(call).await
        })
        .await
    }

    /// Sends a command, which may run twice, to the server that holds `shard`.
    pub(super) async fn ask<T: FromRedisValue>(&self, shard: Shard, cmd: &Cmd) -> StoreResult<T> {
        let ask = |mut connection: Connection| async move {
            connection.ask_one(cmd.clone(), shard).await
        };
        let answer = self.on_shared(true, ask).await?;
        from_redis_value(answer).map_err(|_| not_written_by_us())
    }

    /// Sends a command to every server that can be written to.
    pub(super) async fn tell_all(&self, cmd: &Cmd) -> StoreResult<()> {
        let tell =
            |mut connection: Connection| async move { connection.ask_all(cmd.clone()).await };
        self.on_shared(false, tell).await?;
        Ok(())
    }

    /// Runs `run` on one of the shared connections; what `may_run_twice`, on a new one when that was cut: after Redis was away
    /// each of them turns out to be dead when it is next used.
    async fn on_shared<T, R: Future<Output = Result<T, RedisError>> + Send>(
        &self,
        may_run_twice: bool,
        run: impl Fn(Connection) -> R,
    ) -> Result<T, Failure> {
        let place = self.turn.fetch_add(1, Ordering::Relaxed) % SHARED_COUNT;
        let mut may_repeat = may_run_twice;
        loop {
            let (age, connection) = self.shared(place).await.map_err(Failure::Refused)?;
            let outcome = run(connection).await;
            if let Err(error) = &outcome
                && is_over(error)
            {
                self.give_up(place, age).await;
                if may_repeat && is_cut(error) {
                    may_repeat = false;
                    continue;
                }
            }
            return outcome.map_err(failure);
        }
    }

    /// The shared connection in `place`, and how often it was made anew. Who has waited while connecting failed does not try
    /// the same again: a Redis that hangs would let everybody wait for everybody before.
    async fn shared(&self, place: usize) -> StoreResult<(u64, Connection)> {
        let slot = &self.shared[place];
        let failed = slot.failed.load(Ordering::Relaxed);
        let mut current = slot.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.age, connection.clone()));
        }
        if slot.failed.load(Ordering::Relaxed) != failed {
            return Err(current.failure.clone());
        }
        match self.connect().await {
            Ok(connection) => {
                current.age += 1;
                current.connection = Some(connection.clone());
                Ok((current.age, connection))
            }
            Err(error) => {
                current.failure = error.clone();
                slot.failed.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Makes this connection anew when it is next needed.
    async fn give_up(&self, place: usize, age: u64) {
        let mut current = self.shared[place].current.lock().await;
        if current.age == age {
            current.connection = None;
        }
    }

    /// A new connection, to a Redis that keeps the terms.
    async fn connect(&self) -> StoreResult<Connection> {
        let connecting = async {
            let mut connection = self
                .target
                .connect()
                .await
                .map_err(|error| unconnected(&error, &self.place))?;
            let seen = look(&mut connection)
                .await
                .map_err(|error| unconnected(&error, &self.place))?;
            self.judge(&seen)?;
            self.check_marks(&mut connection).await?;
            Ok(connection)
        };
        let connected = timeout(READY_TIMEOUT, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(StoreError::Unreachable(format!(
                    "connecting to Redis at {} took too long",
                    self.place
                )))
            });
        self.note(connected.is_ok());
        connected
    }

    /// Tells that Redis is back, once, after it was not to be had.
    fn note(&self, is_connected: bool) {
        let mut away_since = self
            .away_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !is_connected {
            away_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = away_since.take() {
            info!(away_s = since.elapsed().as_secs(), "Redis is back");
        }
    }

    /// Looks whether Redis still keeps the terms.
    pub(super) async fn inspect_again(&self) -> StoreResult<()> {
        let look = |mut connection| async move { look(&mut connection).await };
        let judged = self.judge(&self.on_shared(true, look).await?);
        if judged.is_err() {
            // All of them lead to it.
            for slot in &self.shared {
                slot.current.lock().await.connection = None;
            }
        }
        judged
    }

    /// Whether what was seen of every server keeps the terms. What is to be warned about is told once.
    fn judge(&self, seen: &[Inspection]) -> StoreResult<()> {
        for inspection in seen {
            for warning in inspection.judge(&self.terms)? {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.insert(warning.clone()) {
                    warn!("{warning}");
                }
            }
        }
        Ok(())
    }
}

/// What every server says of itself that can be written to.
async fn look(connection: &mut Connection) -> Result<Vec<Inspection>, RedisError> {
    let mut fsync = redis::cmd("CONFIG");
    fsync.arg("GET").arg("appendfsync");
    // Hosted servers do not let everyone read their configuration.
    let fsyncs = connection.ask_all(fsync).await.unwrap_or_default();
    let mut fsyncs = fsyncs.into_iter().map(|answer| {
        let [_, value]: [String; 2] = from_redis_value::<Vec<String>>(answer)
            .ok()?
            .try_into()
            .ok()?;
        Some(value)
    });
    let told = connection.ask_all(redis::cmd("INFO")).await?;
    let inspections = told.into_iter().map(|told| {
        let told: String = from_redis_value(told).unwrap_or_default();
        Inspection::new(&told, fsyncs.next().flatten())
    });
    Ok(inspections.collect())
}
