//! Files over the life of the server: certificate and create tokens, read again on SIGHUP; the certificate is looked at once a day.
//! Nothing that goes wrong with them ends the server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval_at};
use tracing::{error, info};

use crate::clock::Clock;
use crate::create_tokens::CreateTokens;
use crate::metrics::Metrics;
use crate::supervisor;
use crate::tls::Tls;

/// How often an end that comes near is told.
const DAY: Duration = Duration::from_hours(24);

/// SIGHUP, watched from the moment this is made: from then on it ends nothing. Elsewhere than on unix there is none.
#[derive(Debug)]
pub struct HangUps {
    #[cfg(unix)]
    signal: Signal,
}

impl HangUps {
    /// Begins to watch.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next.
    #[cfg(unix)]
    async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::needless_pass_by_ref_mut, reason = "as on unix")]
    async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Tells how the certificate stands, now and, once its end comes near, every day; and reads it and the create tokens again at every
/// hang-up. Without either a hang-up changes nothing. It never ends by itself.
pub async fn renew(
    (tls, create_tokens): (Option<Tls>, Option<Arc<CreateTokens>>),
    mut hang_ups: HangUps,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
) {
    let tell = |tls: &Tls| {
        tls.tell(clock.now());
        metrics.certificate_ends_at(tls.validity().ends_at);
    };
    if let Some(tls) = &tls {
        tell(tls);
    }
    let mut days = interval_at(Instant::now() + DAY, DAY);
    loop {
        tokio::select! {
            () = hang_ups.next() => {
                if tls.is_none() && create_tokens.is_none() {
                    info!("SIGHUP changes nothing: no file is set that is read again (`tls-cert`, `create-token-file`)");
                    continue;
                }
                supervisor::tell_reloading();
                if let Some(tls) = &tls && reload(tls).await {
                    tell(tls);
                }
                if let Some(create_tokens) = &create_tokens {
                    reload_tokens(create_tokens).await;
                }
                supervisor::tell_ready();
            }
            _ = days.tick() => {
                let ending = tls.iter().filter(|tls| tls.validity().is_ending(clock.now()));
                ending.for_each(&tell);
            }
        }
    }
}

/// Reads both files again, where it holds nobody up. Whether they are in use now.
async fn reload(tls: &Tls) -> bool {
    let tls = tls.clone();
    let reloaded = spawn_blocking(move || tls.reload()).await;
    match reloaded {
        Ok(Ok(())) => true,
        Ok(Err(faults)) => {
            let faults = faults.to_string().replace('\n', "; ");
            error!(%faults, "the certificate is not renewed, and the one from before stays in use");
            false
        }
        Err(error) => {
            error!(%error, "the certificate is not renewed, and the one from before stays in use");
            false
        }
    }
}

/// The same of the create tokens. Whoever is taken out creates nothing more from here on; what is on its way goes on.
async fn reload_tokens(create_tokens: &Arc<CreateTokens>) {
    let tokens = Arc::clone(create_tokens);
    let reloaded = spawn_blocking(move || tokens.reload()).await;
    let fault = match reloaded {
        Ok(Ok(())) => {
            info!(
                count = create_tokens.count(),
                "the create tokens are read again"
            );
            return;
        }
        Ok(Err(faults)) => faults.to_string().replace('\n', "; "),
        Err(error) => error.to_string(),
    };
    error!(%fault, "the create tokens are not read again, and those from before stay in use");
}
