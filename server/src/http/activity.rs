//! Whether a connection has anything under way, and whether that moves: what decides when a silent one is closed. It sees
//! only that bytes pass, never which.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep_until};

/// What one connection is doing.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<Now>>);

#[derive(Debug)]
struct Now {
    under_way: usize,
    moved_at: Instant,
}

/// One request, from its head until the last byte of its answer.
struct UnderWay(Activity);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Now {
            under_way: 0,
            moved_at: Instant::now(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        // Every change is a single assignment, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        self.lock().moved_at = Instant::now();
    }

    /// Answers a request by `answer` and watches the bytes of both.
    pub(super) async fn watch<E>(
        self,
        request: Request,
        answer: impl AsyncFnOnce(Request) -> Result<Response, E>,
    ) -> Result<Response, E> {
        self.lock().under_way += 1;
        let under_way = UnderWay(self.clone());
        self.touch();
        let response = answer(request.map(|body| self.clone().watched(body))).await?;
        self.touch();
        Ok(response.map(|body| {
            let body = self.watched(body);
            Body::new(body.map_frame(move |frame| {
                // Held until the body is dropped.
                let _ = &under_way;
                frame
            }))
        }))
    }

    fn watched(self, body: Body) -> Body {
        Body::new(body.map_frame(move |frame| {
            self.touch();
            frame
        }))
    }

    /// Waits until nothing has been under way for `idle`, or what is under way has not moved for `stall`.
    pub(super) async fn ended(&self, idle: Duration, stall: Duration) {
        loop {
            let ends_at = {
                let now = self.lock();
                now.moved_at + if now.under_way == 0 { idle } else { stall }
            };
            if ends_at <= Instant::now() {
                return;
            }
            sleep_until(ends_at).await;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut now = self.0.lock();
        now.under_way -= 1;
        now.moved_at = Instant::now();
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
}
