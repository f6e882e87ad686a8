//! `onetimeshare-server healthcheck`: asks a running server whether it is well, for containers in which there is no other
//! program that could. It needs no store, and writes nothing.

mod stranger;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use onetimeshare_protocol::error::ErrorBody;
use onetimeshare_protocol::route;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use url::Url;

/// A server that has not answered after so long is not well.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The most of an answer that is read, in bytes: more than any error of ours has.
const ANSWER_LEN_MAX: usize = 4096;

/// Where a question comes from on its own machine: a proxy there comes from 127.0.0.1, and may have all of its places taken.
const ASKED_FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether its process answers.
    Live,
    /// Whether its stores do.
    Ready,
}

/// Where a server answers: a host and a port, with TLS or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    is_encrypted: bool,
    /// What it should show there.
    certificate: Option<CertificateDer<'static>>,
}

impl Target {
    /// Reads `http://host:port` or `https://host:port`, and nothing more: no path, no credentials.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let target = Self {
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
            is_encrypted: url.scheme() == "https",
            certificate: None,
        };
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_plain.then_some(target)
    }

    /// Where a server that listens there can be reached from the same machine. None when the system has chosen the port.
    pub fn of_listener(address: SocketAddr) -> Option<Self> {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let host = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        (address.port() != 0).then(|| Self {
            host,
            port: address.port(),
            is_encrypted: false,
            certificate: None,
        })
    }

    /// The same by TLS. A server that shows another certificate than this one is well all the same, and that is told.
    #[must_use]
    pub fn encrypted(self, certificate: Option<CertificateDer<'static>>) -> Self {
        Self {
            is_encrypted: true,
            certificate,
            ..self
        }
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn url(&self, path: &str) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority())
    }
}

/// What a server answers when something is wrong, by its own word.
struct Fault {
    status: StatusCode,
    message: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status.as_u16())?;
        let message = self.message.as_ref();
        message.map_or(Ok(()), |message| write!(formatter, ": {message}"))
    }
}

/// Asks, and answers with a sentence: what is well, or what is wrong and what to do. A server whose store is full is well: taken out
/// of use for that, it could not give out what would make room.
pub async fn ask(target: &Target, question: Question) -> Result<String, String> {
    let (path, well) = match question {
        Question::Live => (route::HEALTHZ, "the server lives"),
        Question::Ready => (route::READYZ, "the server is ready"),
    };
    let url = target.url(path);
    let answered = timeout(ANSWER_MAX, answer(target, path)).await;
    match answered {
        Ok(Ok((None, true))) => Ok(format!("{well}, says {url}")),
        Ok(Ok((None, false))) => Ok(format!(
            "{well}, says {url}, and shows another certificate than the file of `tls-cert` holds: SIGHUP makes it read that again"
        )),
        Ok(Ok((Some(fault), _))) if fault.status == StatusCode::INSUFFICIENT_STORAGE => {
            Ok(format!(
                "the server gives out what it has, and takes nothing new: {url} answers {fault}"
            ))
        }
        Ok(Ok((Some(fault), _))) => Err(format!("{url} answers {fault}")),
        Ok(Err(error)) => Err(error.told(&url)),
        Err(_) => Err(format!(
            "{url} does not answer within {} seconds: the server's log may say why",
            ANSWER_MAX.as_secs()
        )),
    }
}

/// Why there is no answer.
enum Silence {
    /// There is no connection.
    Absent(io::Error),
    /// There was one, over which none came.
    Closed(anyhow::Error),
}

impl Silence {
    fn told(&self, url: &str) -> String {
        match self {
            Self::Absent(reason) => format!(
                "nothing listens at {url} ({reason}): is the server started, and does it listen there?"
            ),
            Self::Closed(reason) => format!(
                "{url} takes connections and gives no answer ({reason}): does another program listen there, is http or https the wrong \
                 one, or are all its connections taken (`max-connections`)?"
            ),
        }
    }
}

/// What is wrong by the server's own word, if anything, and whether it shows the certificate that it should.
async fn answer(target: &Target, path: &str) -> Result<(Option<Fault>, bool), Silence> {
    let stream = connect(&target.authority())
        .await
        .map_err(Silence::Absent)?;
    converse(target, stream, path)
        .await
        .map_err(Silence::Closed)
}

async fn connect(authority: &str) -> io::Result<TcpStream> {
    if let Ok(SocketAddr::V4(address)) = authority.parse()
        && address.ip().is_loopback()
    {
        let socket = TcpSocket::new_v4()?;
        // Linux alone has all of 127.0.0.0/8 without being told.
        if socket.bind((ASKED_FROM, 0).into()).is_ok() {
            return socket.connect(address.into()).await;
        }
    }
    TcpStream::connect(authority).await
}

async fn converse(
    target: &Target,
    stream: TcpStream,
    path: &str,
) -> anyhow::Result<(Option<Fault>, bool)> {
    let authority = target.authority();
    if !target.is_encrypted {
        return Ok((exchange(stream, &authority, path).await?, true));
    }
    let stream = stranger::connect(&target.host, stream).await?;
    let expected = target.certificate.as_ref();
    let is_expected = expected.is_none_or(|expected| stranger::shown(&stream) == Some(expected));
    Ok((exchange(stream, &authority, path).await?, is_expected))
}

/// Asks over a connection of its own.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    authority: &str,
    path: &str,
) -> anyhow::Result<Option<Fault>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(HOST, authority)
        .body(Empty::<Bytes>::new())?;
    // It ends with the exchange, or with this process, and what breaks it is told to the request.
    tokio::spawn(connection);
    Ok(fault(sender.send_request(request).await?).await)
}

async fn fault(response: Response<Incoming>) -> Option<Fault> {
    let status = response.status();
    if status.is_success() {
        return None;
    }
    let body = Limited::new(response.into_body(), ANSWER_LEN_MAX)
        .collect()
        .await;
    let message = body
        .ok()
        .and_then(|body| serde_json::from_slice::<ErrorBody>(&body.to_bytes()).ok())
        .map(|body| body.message)
        // Whoever answers there may be another, and a terminal obeys such letters.
        .filter(|message| !message.contains(char::is_control));
    Some(Fault { status, message })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_are_a_host_and_a_port() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Target::parse(text).map(|target| target.url("/b"));
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080/b"));
        check("http://[::1]:8080/", Some("http://[::1]:8080/b"));
        check("http://onetimeshare", Some("http://onetimeshare:80/b"));
        check("https://onetimeshare", Some("https://onetimeshare:443/b"));
        check("https://[::1]:1", Some("https://[::1]:1/b"));
        check("ftp://a:1", None);
        check("http://a:1/readyz", None);
        check("http://a:1/?b", None);
        check("http://a:1/#b", None);
        check("http://hunter2@a:1", None);
        check("a:1", None);
        check("", None);
    }

    #[test]
    fn wildcards_are_asked_at_loopback() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Target::of_listener(text.parse().unwrap());
            let found = found.map(|target| target.authority());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("0.0.0.0:8080", Some("127.0.0.1:8080"));
        check("[::]:8080", Some("[::1]:8080"));
        check("10.0.0.1:80", Some("10.0.0.1:80"));
        check("127.0.0.1:0", None);
    }

    /// What is said of a server that answers a request with these bytes; it stays silent, and connected, without any.
    async fn said_of(bytes: &'static [u8]) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::of_listener(listener.local_addr().unwrap()).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            if bytes.is_empty() {
                std::future::pending::<()>().await;
            }
        });
        ask(&target, Question::Ready).await
    }

    #[track_caller]
    fn assert_said(said: Result<String, String>, expected: Result<&str, &str>) {
        let ((Ok(said), Ok(expected)) | (Err(said), Err(expected))) = (&said, expected) else {
            panic!("{said:?}");
        };
        assert!(said.contains(expected) && !said.contains('\n'), "{said}");
    }

    #[tokio::test]
    async fn answers_are_told_in_a_sentence() {
        let check = async |bytes, expected| assert_said(said_of(bytes).await, expected);
        check(
            b"HTTP/1.1 204 No Content\r\n\r\n",
            Ok("the server is ready"),
        )
        .await;
        check(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            Err("answers 302"),
        )
        .await;
        check(
            b"HTTP/1.1 503 \r\nContent-Length: 49\r\n\r\n{\"code\":\"store.unreachable\",\"message\":\"no Redis\"}",
            Err("answers 503: no Redis"),
        )
        .await;
        check(
            b"HTTP/1.1 503 \r\nContent-Length: 52\r\n\r\n{\"code\":\"store.unreachable\",\"message\":\"a\\u001b[31m\"}",
            Err("/readyz answers 503"),
        )
        .await;
        check(
            b"HTTP/1.1 507 \r\nContent-Length: 46\r\n\r\n{\"code\":\"store.full\",\"message\":\"no room left\"}",
            Ok("takes nothing new"),
        )
        .await;
        check(b"220 mail.example ESMTP\r\n", Err("gives no answer")).await;
        let long = Vec::leak([&b"HTTP/1.1 500 \r\n\r\n"[..], &b" ".repeat(1 << 20)].concat());
        check(long, Err("/readyz answers 500")).await;
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_is_no_server_that_is_not_started() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::of_listener(listener.local_addr().unwrap()).unwrap();
        let (said, accepted) = tokio::join!(ask(&target, Question::Live), async {
            listener.accept().await.map(|(_, address)| address)
        });
        assert_said(said, Err("takes connections and gives no answer"));
        let from = accepted.unwrap().ip();
        assert_eq!(from == ASKED_FROM, cfg!(target_os = "linux"), "{from}");
    }

    #[tokio::test]
    async fn nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::of_listener(listener.local_addr().unwrap()).unwrap();
        drop(listener);
        assert_said(
            ask(&target, Question::Live).await,
            Err("is the server started"),
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_waited_for_five_seconds() {
        let started = tokio::time::Instant::now();
        assert_said(said_of(b"").await, Err("within 5 seconds"));
        assert_eq!(started.elapsed(), ANSWER_MAX);
    }
}
