//! Whether a connection has anything under way, and whether that moves: what decides when a silent one is closed. It sees
//! only that bytes pass, never which.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep_until};

use crate::budget::Pending;

/// What one connection is doing.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<Now>>);

#[derive(Debug)]
struct Now {
    /// When each request that is under way last moved, by a number of its own.
    under_way: BTreeMap<u64, Instant>,
    next: u64,
    ended_at: Instant,
}

/// One request, from its head until the last byte of its answer.
#[derive(Debug)]
struct UnderWay {
    activity: Activity,
    number: u64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Now {
            under_way: BTreeMap::new(),
            next: 0,
            ended_at: Instant::now(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        // Every change is a single assignment, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self) -> Arc<UnderWay> {
        let number = {
            let mut now = self.lock();
            let number = now.next;
            now.next += 1;
            now.under_way.insert(number, Instant::now());
            number
        };
        Arc::new(UnderWay {
            activity: self,
            number,
        })
    }

    /// Answers a request by `answer` and watches the bytes of both.
    pub(super) async fn watch<E>(
        self,
        request: Request,
        answer: impl AsyncFnOnce(Request) -> Result<Response, E>,
    ) -> Result<Response, E> {
        let under_way = self.begin();
        let watch = |body| watched(body, Arc::clone(&under_way), None);
        let mut response = answer(request.map(watch)).await?;
        under_way.touch();
        let pending = response.extensions_mut().remove();
        Ok(response.map(|body| watched(body, under_way, pending)))
    }

    /// Waits until nothing has been under way for `idle`, or something that is has not moved for `stall`: one of many on a connection
    /// holds what it holds, however busy the others are.
    pub(super) async fn ended(&self, idle: Duration, stall: Duration) {
        loop {
            let ends_at = {
                let now = self.lock();
                let oldest = now.under_way.values().min();
                oldest.map_or(now.ended_at + idle, |moved_at| *moved_at + stall)
            };
            if ends_at <= Instant::now() {
                return;
            }
            sleep_until(ends_at).await;
        }
    }
}

/// The same body, which holds both until it is dropped: itself among what is under way here, and among what its client has under way.
fn watched(body: Body, under_way: Arc<UnderWay>, pending: Option<Arc<Pending>>) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _ = &pending;
        under_way.touch();
        frame
    }))
}

impl UnderWay {
    fn touch(&self) {
        let mut now = self.activity.lock();
        now.under_way.insert(self.number, Instant::now());
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut now = self.activity.lock();
        now.under_way.remove(&self.number);
        now.ended_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const IDLE: Duration = Duration::from_secs(10);
    const STALL: Duration = Duration::from_mins(2);

    async fn ends_after(activity: &Activity) -> Duration {
        let started = Instant::now();
        activity.ended(IDLE, STALL).await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_connection() {
        assert_eq!(ends_after(&Activity::new()).await, IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_ends_it_later() {
        let activity = Activity::new();
        let answer = async |_| Ok::<_, Infallible>(Response::new(Body::from("abc")));
        let Ok(response) = activity.clone().watch(Request::default(), answer).await;
        assert_eq!(ends_after(&activity).await, STALL);
        tokio::time::sleep(STALL).await;
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(ends_after(&activity).await, STALL, "a byte moved");
        drop(body);
        assert_eq!(
            ends_after(&activity).await,
            IDLE,
            "nothing is under way any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stands_still_among_others_that_move_ends_it() {
        let activity = Activity::new();
        let answer = async |_| Ok::<_, Infallible>(Response::new(Body::from("abc")));
        let Ok(_still) = activity.clone().watch(Request::default(), answer).await;
        let busy = async {
            loop {
                let Ok(moving) = activity.clone().watch(Request::default(), answer).await;
                moving.into_body().collect().await.unwrap();
                tokio::time::sleep(IDLE).await;
            }
        };
        let ended = tokio::select! {
            () = busy => unreachable!("it goes on"),
            ended = ends_after(&activity) => ended,
        };
        assert_eq!(ended, STALL);
    }
}
