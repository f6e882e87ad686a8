//! Whether a connection has anything under way, and whether that moves, and fast enough: what decides when a silent one is closed. It sees
//! only that bytes pass, never which.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::budget::Pending;
use crate::pace::Slack;

/// The longest piece of an answer, in bytes: what the slowest peer that is waited for takes in 16 s.
const PIECE_LEN_MAX: usize = 16 * 1024;

/// What one connection is doing.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<Now>>);

#[derive(Debug)]
struct Now {
    /// Each request that is under way, by a number of its own.
    under_way: BTreeMap<u64, Movement>,
    next: u64,
    ended_at: Instant,
}

/// How one of them gets on.
#[derive(Debug)]
struct Movement {
    moved_at: Instant,
    /// How late the peer may be with taking what it is given.
    slack: Slack,
    /// Pieces of the answer that wait for the peer, and since when it lets them.
    waiting: usize,
    waiting_since: Instant,
}

impl Movement {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            moved_at: now,
            slack: Slack::new(),
            waiting: 0,
            waiting_since: now,
        }
    }

    fn ends_at(&self, stall: Duration) -> Instant {
        let still = self.moved_at + stall;
        if self.waiting == 0 {
            return still;
        }
        still.min(self.waiting_since + self.slack.left())
    }
}

/// One request, from its head until the last byte of its answer has been written.
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
        // Nothing panics in the middle of a change, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self) -> Arc<UnderWay> {
        let number = {
            let mut now = self.lock();
            let number = now.next;
            now.next += 1;
            now.under_way.insert(number, Movement::new());
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
        let mut response = answer(request.map(|body| coming(body, Arc::clone(&under_way)))).await?;
        under_way.touch();
        let pending = response.extensions_mut().remove();
        Ok(response.map(|body| going(body, under_way, pending)))
    }

    /// Whether nothing is under way, and everything was written.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().under_way.is_empty()
    }

    /// Begins anew: what has passed so far was no silence.
    pub(super) fn restart(&self) {
        self.lock().ended_at = Instant::now();
    }

    /// Waits until nothing has been under way for `idle`, or something that is has not moved for `stall`, or is taken too slowly: one of
    /// many on a connection holds what it holds, however busy the others are.
    pub(super) async fn ended(&self, idle: Duration, stall: Duration) {
        loop {
            let ends_at = {
                let now = self.lock();
                let first = now.under_way.values().map(|one| one.ends_at(stall)).min();
                first.unwrap_or(now.ended_at + idle)
            };
            let now = Instant::now();
            if ends_at <= now {
                return;
            }
            // An answer that begins meanwhile may have less time than what was waited for.
            sleep_until(ends_at.min(now + idle)).await;
        }
    }
}

/// The body of a request, which tells that it moves.
fn coming(body: Body, under_way: Arc<UnderWay>) -> Body {
    Body::new(body.map_frame(move |frame| {
        // Frames without a byte cost their sender next to nothing.
        if frame.data_ref().is_some_and(|bytes| !bytes.is_empty()) {
            under_way.touch();
        }
        frame
    }))
}

/// The body of an answer. Until its last byte was written, it holds both: itself among what is under way here, and among what its client
/// has under way.
fn going(body: Body, under_way: Arc<UnderWay>, pending: Option<Arc<Pending>>) -> Body {
    Body::new(Going {
        body,
        rest: Bytes::new(),
        under_way,
        pending,
    })
}

/// The body of an answer in pieces that are small enough for a slow peer to be seen taking them.
struct Going {
    body: Body,
    /// What is left of its last frame.
    rest: Bytes,
    under_way: Arc<UnderWay>,
    pending: Option<Arc<Pending>>,
}

impl Going {
    /// The next piece of what is left.
    fn piece(&mut self) -> Bytes {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE_LEN_MAX));
        self.under_way.give();
        Bytes::from_owner(Piece {
            bytes,
            under_way: Arc::clone(&self.under_way),
            _pending: self.pending.clone(),
        })
    }
}

impl HttpBody for Going {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.rest = bytes,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let left = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = left.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(left.lower().saturating_add(rest));
        hint
    }
}

/// A piece of an answer, which is dropped when it was written.
struct Piece {
    bytes: Bytes,
    under_way: Arc<UnderWay>,
    _pending: Option<Arc<Pending>>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.under_way.take(self.bytes.len());
    }
}

impl UnderWay {
    fn change(&self, change: impl FnOnce(&mut Movement, Instant)) {
        let mut now = self.activity.lock();
        if let Some(movement) = now.under_way.get_mut(&self.number) {
            change(movement, Instant::now());
        }
    }

    fn touch(&self) {
        self.change(|movement, now| movement.moved_at = now);
    }

    /// A piece is handed over, which the peer has to take.
    fn give(&self) {
        self.change(|movement, now| {
            if movement.waiting == 0 {
                movement.waiting_since = now;
            }
            movement.waiting += 1;
            movement.moved_at = now;
        });
    }

    /// A piece of so many bytes was written.
    fn take(&self, len: usize) {
        self.change(|movement, now| {
            let waited = now.saturating_duration_since(movement.waiting_since);
            movement.slack = movement.slack.after(waited, len);
            movement.waiting = movement.waiting.saturating_sub(1);
            movement.waiting_since = now;
            movement.moved_at = now;
        });
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

    /// An answer without end, as the accept loop sees it: frames of 64 KiB, each cut into pieces of 16 KiB.
    async fn pieces(activity: &Activity) -> Body {
        let piece = Ok::<_, Infallible>(Bytes::from(vec![0; 64 * 1024]));
        let pieces = futures_util::stream::repeat(piece);
        let answer = async |_| Ok::<_, Infallible>(Response::new(Body::from_stream(pieces)));
        let Ok(response) = activity.clone().watch(Request::default(), answer).await;
        response.into_body()
    }

    async fn piece(body: &mut Body) -> Bytes {
        let frame = body.frame().await.unwrap().unwrap();
        frame.into_data().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_piece_that_is_not_taken_ends_it_soon() {
        let activity = Activity::new();
        let mut body = pieces(&activity).await;
        let first = piece(&mut body).await;
        drop(body);
        assert!(!activity.is_idle(), "it is still to be written");
        assert_eq!(ends_after(&activity).await, Slack::new().left());
        drop(first);
        assert!(activity.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_begins_while_another_is_looked_at_has_no_more_time() {
        let activity = Activity::new();
        let mut first = pieces(&activity).await;
        let second = async {
            tokio::time::sleep(IDLE / 2).await;
            let _held = piece(&mut first).await;
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            () = second => unreachable!("it waits"),
            ended = ends_after(&activity) => ended,
        };
        assert_eq!(ended, IDLE / 2 + Slack::new().left());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_an_answer_slowly_is_waited_for_and_who_trickles_is_not() {
        for (rest, is_given_up) in [(7, false), (15, false), (22, true), (29, true)] {
            let activity = Activity::new();
            let mut body = pieces(&activity).await;
            let reader = async {
                // What was quick at first has earned its slack.
                for _ in 0..4 {
                    drop(piece(&mut body).await);
                }
                for _ in 0..100 {
                    let held = piece(&mut body).await;
                    tokio::time::sleep(Duration::from_secs(rest)).await;
                    drop(held);
                }
            };
            let found = tokio::select! {
                () = reader => false,
                _ = ends_after(&activity) => true,
            };
            assert_eq!(found, is_given_up, "{rest}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_slow_is_no_fault_of_the_reader() {
        let activity = Activity::new();
        let mut body = pieces(&activity).await;
        drop(piece(&mut body).await);
        assert_eq!(ends_after(&activity).await, STALL);
    }

    #[tokio::test(start_paused = true)]
    async fn frames_without_a_byte_are_no_movement() {
        let activity = Activity::new();
        let (sender, frames) = tokio::sync::mpsc::channel(1);
        let frames = futures_util::stream::unfold(frames, async |mut frames| {
            Some((frames.recv().await?, frames))
        });
        let request = Request::new(Body::from_stream(frames));
        let read = async |request: Request| {
            request.into_body().collect().await.unwrap();
            Ok::<_, Infallible>(Response::default())
        };
        let reading = activity.clone().watch(request, read);
        let dripping = async {
            loop {
                sender
                    .send(Ok::<_, Infallible>(Bytes::new()))
                    .await
                    .unwrap();
                tokio::time::sleep(IDLE).await;
            }
        };
        let ended = tokio::select! {
            _ = reading => unreachable!("it has no end"),
            () = dripping => unreachable!("it has none either"),
            ended = ends_after(&activity) => ended,
        };
        assert_eq!(ended, STALL);
    }
}
