//! One client: a connection that is kept, and calls on it one after the other. The same for every target.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request before it is sent.
pub(crate) struct Call<'a> {
    /// What to do.
    pub(crate) method: Method,
    /// With what.
    pub(crate) path: &'a str,
    /// The token in the clear, as text.
    pub(crate) bearer: Option<&'a str>,
    /// The value of `Content-Digest`.
    pub(crate) digest: Option<&'a str>,
    /// JSON where there is no digest, else raw.
    pub(crate) body: Bytes,
}

impl<'a> Call<'a> {
    /// A call that sends `body` and nothing else.
    pub(crate) const fn new(method: Method, path: &'a str, body: Bytes) -> Self {
        Self {
            method,
            path,
            bearer: None,
            digest: None,
            body,
        }
    }

    /// The same on behalf of who holds `token`.
    pub(crate) const fn by(mut self, token: &'a str) -> Self {
        self.bearer = Some(token);
        self
    }

    /// The same with the digest of its body.
    pub(crate) const fn with_digest(mut self, digest: &'a str) -> Self {
        self.digest = Some(digest);
        self
    }
}

/// A connection that is kept, and made anew where the target has closed it.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    host: String,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            sender: open(address).await?,
            address,
            host: address.to_string(),
        })
    }

    /// Makes one call and reads the whole answer; any status but success is an error that holds the answer.
    pub(crate) async fn call(&mut self, call: Call<'_>) -> Result<Bytes> {
        let named = format!("{} {}", call.method, call.path);
        let (status, answer) = self.exchange(call).await.context(named.clone())?;
        if !(200..300).contains(&status) {
            bail!("{named}: {status} {}", String::from_utf8_lossy(&answer));
        }
        Ok(answer)
    }

    /// Whether anything at all answers.
    pub(crate) async fn answers(&mut self, path: &str) -> bool {
        let call = Call::new(Method::GET, path, Bytes::new());
        self.exchange(call).await.is_ok()
    }

    async fn exchange(&mut self, call: Call<'_>) -> Result<(u16, Bytes)> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header(HOST, &self.host);
        if let Some(token) = call.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request = match call.digest {
            Some(digest) => request.header("content-digest", digest),
            None => request.header(CONTENT_TYPE, "application/json"),
        };
        let request = request.body(Full::new(call.body))?;
        if self.sender.ready().await.is_err() {
            self.sender = open(self.address).await?;
        }
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

async fn open(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its client; what goes wrong on it is the call's to tell.
    tokio::spawn(connection);
    Ok(sender)
}
