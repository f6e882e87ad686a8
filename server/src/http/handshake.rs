//! The beginning of a connection that is to be encrypted: TLS, or one sentence for who speaks HTTP without it. It sets no deadline.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::socket::Socket;
use crate::tls::Tls;

/// What every TLS connection begins with: a record of a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What a browser shows to who forgot the s. No redirect: what came in the clear is not to go on unnoticed.
const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\n\
     Content-Type: text/plain; charset=utf-8\r\n\
     Content-Length: 72\r\n\
     Cache-Control: no-store\r\n\
     Connection: close\r\n\
     \r\n\
     This port is for https alone: begin the address with https:// instead.\r\n";

/// The most that is read of a request which was refused, in bytes.
const DRAIN_LEN_MAX: u64 = 64 * 1024;

/// The inside of a connection. An error is everyday: a peer that goes away, asks for what is not offered, or was told that
/// it speaks the wrong thing.
pub(super) async fn secure(mut stream: Socket, tls: &Tls) -> io::Result<TlsStream<Socket>> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ if first == [HANDSHAKE] => TlsAcceptor::from(tls.config()).accept(stream).await,
        _ => {
            stream.write_all(REFUSAL.as_bytes()).await?;
            stream.shutdown().await?;
            // What lies unread at the end would break the connection before the answer is seen.
            let mut rest = stream.take(DRAIN_LEN_MAX);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
            Err(io::Error::other("it does not speak TLS"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_length_that_it_says() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").expect("a head and a body");
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}
