//! A connection's socket: what the system holds for a peer that is slow or gone has a bound, so that what was written is nearly what
//! was taken. It changes no byte.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tracing::debug;

/// A TCP connection that leaves little behind.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// Whether something waits to be written until the peer takes what was written before.
    is_waiting: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Answers are small and complete; waiting to fill a packet would only delay them.
        let set = stream
            .set_nodelay(true)
            .and_then(|()| system::bound_unsent(&stream));
        if let Err(error) = set {
            debug!(%error, "a connection without its options");
        }
        Self {
            stream,
            is_waiting: false,
        }
    }

    /// What is to be read, without taking it.
    pub(super) async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buffer).await
    }

    fn note<T>(&mut self, written: Poll<T>) -> Poll<T> {
        self.is_waiting = written.is_pending();
        written
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // An answer that is broken off is of no use, and one that is whole has so long to arrive: else the system would keep what
        // was written for minutes, uncounted, for whoever never takes it.
        let set = if self.is_waiting {
            self.stream.set_zero_linger()
        } else {
            system::bound_farewell(&self.stream)
        };
        if let Err(error) = set {
            debug!(%error, "a connection that may end late");
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::time::Duration;

    use socket2::SockRef;
    use tokio::net::TcpStream;

    /// Bytes that may wait in the system's buffer beyond those on their way (Linux's tcp(7), `TCP_NOTSENT_LOWAT`). A buffer
    /// grows to megabytes for fast peers, and whoever slows down later would seem to take nothing for as long as it lasts.
    const UNSENT_LEN_MAX: u32 = 32 * 1024;

    /// How long the last bytes of an answer may go untaken (RFC 5482).
    const FAREWELL: Duration = Duration::from_secs(30);

    pub(super) fn bound_unsent(stream: &TcpStream) -> io::Result<()> {
        SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_LEN_MAX)
    }

    pub(super) fn bound_farewell(stream: &TcpStream) -> io::Result<()> {
        SockRef::from(stream).set_tcp_user_timeout(Some(FAREWELL))
    }
}

/// Elsewhere slow readers are seen later, and farewells last as long as the system likes.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use tokio::net::TcpStream;

    pub(super) fn bound_unsent(_: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn bound_farewell(_: &TcpStream) -> io::Result<()> {
        Ok(())
    }
}
