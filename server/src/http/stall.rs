//! A socket that gives up on a peer that stands still where hyper sets no deadline: before the protocol is known, and while
//! an answer waits to be taken. It changes no byte.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Bytes by which HTTP/2 differs from HTTP/1 at the latest: the length of its preface (RFC 9113, section 3.4).
const PREFACE_LEN: usize = 24;

/// A socket with two deadlines.
#[derive(Debug)]
pub(super) struct StallGuard<S> {
    socket: S,
    /// Bytes that are still to be read before hyper's own deadline for the head takes over.
    preface_left: usize,
    head: Pin<Box<Sleep>>,
    stall_after: Duration,
    /// Runs while a write waits for the peer.
    write: Option<Pin<Box<Sleep>>>,
    /// Runs while a flush does: inside of TLS it waits where a write does not. One that is over says nothing of a write.
    flush: Option<Pin<Box<Sleep>>>,
}

impl<S> StallGuard<S> {
    pub(super) fn new(socket: S, head: Duration, stall_after: Duration) -> Self {
        Self {
            socket,
            preface_left: PREFACE_LEN,
            head: Box::pin(sleep(head)),
            stall_after,
            write: None,
            flush: None,
        }
    }

    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            // There was room, so something has moved, though a flush may have waited all the while: as for a slow reader.
            self.flush = None;
        }
        watch(&mut self.write, self.stall_after, cx, polled)
    }
}

/// Passes `polled` on; what waits for longer than the deadline fails instead.
fn watch<T>(
    stall: &mut Option<Pin<Box<Sleep>>>,
    stall_after: Duration,
    cx: &mut Context<'_>,
    polled: Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    if polled.is_ready() {
        *stall = None;
        return polled;
    }
    let stall = stall.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + stall_after)));
    stall
        .as_mut()
        .poll(cx)
        .map(|()| Err(ErrorKind::TimedOut.into()))
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if self.preface_left == 0 {
            return polled;
        }
        if polled.is_ready() {
            self.preface_left = self
                .preface_left
                .saturating_sub(buffer.filled().len() - before);
            return polled;
        }
        self.head
            .as_mut()
            .poll(cx)
            .map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.watch_write(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.watch_write(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_flush(cx);
        let stall_after = self.stall_after;
        watch(&mut self.flush, stall_after, cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::timeout;

    use super::*;

    /// Takes whatever is written, and never passes it on: a session that encrypts for a peer that takes nothing.
    struct Hoard;

    impl AsyncWrite for Hoard {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_that_nobody_takes_is_given_up() {
        let stall_after = Duration::from_mins(2);
        let mut guard = StallGuard::new(Hoard, Duration::from_secs(10), stall_after);
        guard.write_all(b"a").await.expect("it is taken");
        let started = Instant::now();
        // A slow reader, for whom something moves now and then.
        for _ in 0..5 {
            let flushed = timeout(stall_after / 2, guard.flush()).await;
            flushed.expect_err("it waits");
            guard.write_all(b"a").await.expect("it is taken");
        }
        assert_eq!(started.elapsed(), stall_after / 2 * 5);
        let error = guard.flush().await.expect_err("it is given up");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), stall_after / 2 * 7);
    }
}
