//! Waiting for replicas: a script that writes, and right behind it on the same connection `WAIT`, which knows of no other's writes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Pipeline, RedisError, ServerErrorKind, Value, from_redis_value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::fault::{failure, is_cut};
use super::{Connection, Failure, Link, node_of};
use crate::record::{StoreError, StoreResult};
use crate::redis::keys::Shard;
use crate::redis::script::Call;

/// How long replicas may take to say that they have what was written.
const REPLICA_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a call may wait for its turn to wait for replicas: not so long that what it keeps would have to be decided anew.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections on which replicas are waited for, one call at a time.
const WAITING_COUNT: usize = 16;

/// What a script that writes has answered.
pub(in crate::redis) struct Written<T> {
    pub(in crate::redis) told: T,
    /// Whether as many replicas as the terms ask for have what it wrote; as an error where they have not.
    pub(in crate::redis) replicated: StoreResult<()>,
}

impl<T> Written<T> {
    /// What was told, once the replicas have it.
    pub(in crate::redis) fn when_replicated(self) -> StoreResult<T> {
        self.replicated.map(|()| self.told)
    }
}

/// Connections on which nobody waits now.
pub(super) struct Waiting {
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            idle: Mutex::default(),
            turns: Semaphore::new(WAITING_COUNT),
        }
    }
}

impl Waiting {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Runs a script and sends `next` behind it, in one go: whatever becomes of the connection or the cluster, both are answered
    /// by the same server.
    async fn call_then<T: FromRedisValue>(
        &mut self,
        call: &Call,
        next: Cmd,
    ) -> Result<(T, Value), RedisError> {
        let mut both = redis::pipe();
        both.invoke_script(call.invocation()).add_command(next);
        let mut answers = self.ask_each(&both, call.shard()).await?;
        if answers.first().is_some_and(is_unknown_script) {
            match self {
                Self::Server(server) => call.invocation().load_async(server).await?,
                Self::Cluster(cluster) => call.invocation().load_async(cluster).await?,
            };
            answers = self.ask_each(&both, call.shard()).await?;
        }
        let mut answers = answers.into_iter();
        let told = answers.next().unwrap_or(Value::Nil).extract_error()?;
        Ok((
            from_redis_value(told)?,
            answers.next().unwrap_or(Value::Nil),
        ))
    }

    /// Sends `commands` to the server that holds `shard`. Its answers, errors among them.
    async fn ask_each(
        &mut self,
        commands: &Pipeline,
        shard: Shard,
    ) -> Result<Vec<Value>, RedisError> {
        match self {
            Self::Server(server) => {
                server
                    .send_packed_commands(commands, 0, commands.len())
                    .await
            }
            Self::Cluster(cluster) => {
                let commands = commands.clone();
                let count = commands.len();
                cluster
                    .route_pipeline(commands, 0, count, node_of(shard))
                    .await
            }
        }
    }
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}

impl Link {
    /// Runs a script that writes, and waits for as many replicas as the terms ask for.
    pub(in crate::redis) async fn call_and_wait<T: FromRedisValue + Send>(
        &self,
        call: &Call,
    ) -> Result<Written<T>, Failure> {
        if self.terms.replicas == 0 {
            let told = self.call_once(call).await?;
            let replicated = Ok(());
            return Ok(Written { told, replicated });
        }
        let unreachable = |text: &str| Failure::Refused(StoreError::Unreachable(text.to_owned()));
        let permit = timeout(TURN_TIMEOUT, self.waiting.turns.acquire())
            .await
            .map_err(|_| unreachable("too many calls wait for replicas"))?;
        let idle = self.waiting.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await.map_err(Failure::Refused)?,
        };
        let outcome = self.run_and_wait(call, &mut connection).await;
        // Only a connection that has answered everything is used again. One to a server without replicas may be to one that was
        // replaced.
        let is_sound = |written: &Written<T>| written.replicated.is_ok();
        if outcome.as_ref().is_ok_and(is_sound) {
            self.waiting.idle().push(connection);
        }
        drop(permit);
        outcome
    }

    /// The same of a script that may run twice, as it does where the connection turns out to have been cut.
    pub(in crate::redis) async fn repeat_and_wait<T: FromRedisValue + Send>(
        &self,
        call: &Call,
    ) -> Result<Written<T>, Failure> {
        if self.terms.replicas == 0 {
            let told = self.call(call).await?;
            let replicated = Ok(());
            return Ok(Written { told, replicated });
        }
        match self.call_and_wait(call).await {
            Err(Failure::Unclear(_)) => self.call_and_wait(call).await,
            written => written,
        }
    }

    async fn run_and_wait<T: FromRedisValue>(
        &self,
        call: &Call,
        connection: &mut Connection,
    ) -> Result<Written<T>, Failure> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.terms.replicas)
            .arg(REPLICA_TIMEOUT.as_millis().to_string());
        let outcome = connection.call_then(call, wait).await;
        if outcome.as_ref().is_err_and(is_cut) {
            // What has cut this one has cut those that wait, most likely, and each would cost its caller another try.
            self.waiting.idle().clear();
        }
        let (told, count) = outcome.map_err(failure)?;
        // A server that becomes a replica meanwhile answers with an error.
        let count: u32 = from_redis_value(count).unwrap_or(0);
        let replicated = if count < self.terms.replicas {
            Err(StoreError::Unreachable(format!(
                "{count} of {} replicas have what was written",
                self.terms.replicas
            )))
        } else {
            Ok(())
        };
        Ok(Written { told, replicated })
    }
}
