//! A claim and its body: fetched, verified chunk by chunk, given to a sink once, resumed where a connection broke. Says
//! `delivered` only after the sink has everything.

use std::io::{self, Read};

use onetimeshare_crypto::{BodyOpener, Manifest};
use onetimeshare_protocol::id::{ClaimToken, TransferId};
use onetimeshare_protocol::transfer::ClaimAnswer;
use zeroize::Zeroizing;

use super::renewal;
use super::sink::{Sink, Splitter};
use crate::api::Client;
use crate::error::{Error, Result};
use crate::http::Body;
use crate::patience::Row;

/// Bytes read at a time: a sealed chunk and its tag.
const READ_LEN: usize = 65_552;

/// A granted claim.
pub struct Claimed {
    client: Client,
    id: TransferId,
    claim_token: ClaimToken,
    answer: ClaimAnswer,
    manifest: Manifest,
    opener: BodyOpener,
    splitter: Splitter,
    /// Whether the sink refused something, so that what it holds is not what was released.
    is_broken: bool,
}

/// What has become of a transfer that was received whole.
#[derive(Debug)]
#[must_use]
pub struct Received {
    /// Why the server could not be told that everything arrived; none when it knows. The content is whole all the same.
    pub untold: Option<Error>,
}

impl Claimed {
    pub(super) fn new(
        client: Client,
        id: TransferId,
        claim_token: ClaimToken,
        answer: ClaimAnswer,
        manifest: Manifest,
        opener: BodyOpener,
    ) -> Self {
        let splitter = Splitter::new(manifest.entries());
        Self {
            client,
            id,
            claim_token,
            answer,
            manifest,
            opener,
            splitter,
            is_broken: false,
        }
    }

    /// What it holds.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// When the lease ends unless it is renewed, in Unix seconds by the server's clock.
    pub const fn lease_expires_at(&self) -> u64 {
        self.answer.lease_expires_at
    }

    /// [`Self::fetch`], then [`Self::delivered`].
    pub fn receive(&mut self, sink: &mut dyn Sink) -> Result<Received> {
        self.fetch(sink)?;
        Ok(Received {
            untold: self.delivered().err(),
        })
    }

    /// Brings everything to the sink, patiently, and finishes it. The lease is renewed meanwhile, however slow the sink.
    ///
    /// After a failure of the network it can be called again with the same sink and goes on where it was: nothing that
    /// verified is released twice. A body or sink that failed has failed for good.
    pub fn fetch(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.is_broken {
            return Err(Error::Sink(io::Error::other("it refused something before")));
        }
        self.deliver(&[], sink)?;
        match self.answer.body.take() {
            Some(body) => self.push(&body, sink)?,
            None if self.opener.position() < self.answer.body_len => self.fetch_body(sink)?,
            None => {}
        }
        self.opener.finish()?;
        let finished = sink.finish();
        self.is_broken |= finished.is_err();
        finished.map_err(Error::Sink)
    }

    /// Tells the server that everything arrived, patiently, so that it erases what nobody else is to open.
    pub fn delivered(&self) -> Result<()> {
        self.client
            .retry(|_| self.client.delivered(&self.id, &self.claim_token))
    }

    /// Renews the lease, in one attempt. -> when it ends now, in Unix seconds
    pub fn renew(&self) -> Result<u64> {
        let answer = self.client.renew(&self.id, &self.claim_token)?;
        Ok(answer.lease_expires_at)
    }

    fn fetch_body(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let client = self.client.clone();
        let lease_s = client.retry(|_| client.config())?.lease_s;
        let _renewing = renewal::start(&client, &self.id, &self.claim_token, lease_s);
        let mut row = Row::default();
        while self.opener.position() < self.answer.body_len {
            let before = self.opener.position();
            let Err(error) = self.fetch_once(sink) else {
                continue;
            };
            if !error.is_transient() {
                return Err(error);
            }
            if self.opener.position() > before {
                row = Row::default();
            }
            client.pause_after(&mut row, error)?;
        }
        Ok(())
    }

    /// One request for what is missing. Returns once the whole body is there.
    fn fetch_once(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let position = self.opener.position();
        let range = (position > 0).then_some(position..self.answer.body_len);
        let mut body = self.client.body(&self.id, &self.claim_token, range)?;
        skip(&mut body, position)?;
        let mut buffer = vec![0; READ_LEN];
        while self.opener.position() < self.answer.body_len {
            let len = read(&mut body, &mut buffer)?;
            self.push(buffer.get(..len).unwrap_or_default(), sink)?;
        }
        Ok(())
    }

    /// Opens the next bytes of the body and delivers what has verified, also what verified before a failure.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let mut content = Zeroizing::new(Vec::with_capacity(bytes.len()));
        let opened = self.opener.push(bytes, &mut content);
        self.deliver(&content, sink)?;
        Ok(opened?)
    }

    fn deliver(&mut self, content: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let delivered = self
            .splitter
            .deliver(self.manifest.entries(), content, sink);
        self.is_broken |= delivered.is_err();
        delivered.map_err(Error::Sink)
    }
}

/// Passes over what is known already of a body that is given whole although a part was asked for.
fn skip(body: &mut Body, position: u64) -> Result<()> {
    let known = position.saturating_sub(body.start());
    let skipped = io::copy(&mut body.take(known), &mut io::sink()).map_err(cut)?;
    if skipped == known {
        Ok(())
    } else {
        Err(ended())
    }
}

/// At least one byte.
fn read(body: &mut Body, buffer: &mut [u8]) -> Result<usize> {
    match body.read(buffer).map_err(cut)? {
        0 => Err(ended()),
        len => Ok(len),
    }
}

fn cut(error: io::Error) -> Error {
    Error::Cut(error.to_string())
}

fn ended() -> Error {
    Error::Cut("the body ended before its end".to_owned())
}
