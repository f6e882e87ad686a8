//! The calls of the API, one method each, one attempt each. Types are those of the protocol; nothing is sealed or opened.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use onetimeshare_crypto::base64url::content_digest;
use onetimeshare_protocol::id::{ClaimToken, CreateToken, OwnerToken, TransferId};
use onetimeshare_protocol::limits::{MANIFEST_LEN_MAX, PART_COUNT_MAX};
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::{
    ClaimAnswer, ClaimRequest, CompleteAnswer, ConfigAnswer, CreateAnswer, CreateRequest,
    PartsAnswer, PeekAnswer, PeekRequest, ReceiptAnswer, RenewAnswer, StatsAnswer,
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::address::parse_base;
use crate::error::{Error, Result};
use crate::http::{Body, Call, Http, Method, Payload};
use crate::machine::{Machine, ThisMachine};
use crate::patience::{Patience, Row};

/// The longest answer of a call that tells a few numbers, in bytes.
const SHORT_LEN_MAX: u64 = 64 * 1024;
/// The longest inline body that any server takes, in bytes.
const INLINE_LEN_MAX: usize = 1 << 20;
/// The longest answer with a manifest and perhaps a body, in bytes: both as base64url, and a few numbers.
const MANIFEST_ANSWER_LEN_MAX: usize = (MANIFEST_LEN_MAX + INLINE_LEN_MAX) / 3 * 4 + 64 * 1024;
/// The longest list of parts, in bytes: an index has at most seven digits, and a comma.
const PARTS_ANSWER_LEN_MAX: u64 = PART_COUNT_MAX * 8 + SHORT_LEN_MAX;
/// The longest receipt, in bytes: 10 000 claims of some 80 characters.
const RECEIPT_ANSWER_LEN_MAX: u64 = 1 << 20;

/// How a client behaves. The default is meant for people; tests lend their own machine and shorten what waits.
#[derive(Clone)]
pub struct Settings {
    /// The longest that looking up and connecting may each take.
    pub connect_timeout: Duration,
    /// The longest that a connection may go without a byte moving.
    pub stall_timeout: Duration,
    /// The longest that any call may take which is not the body itself.
    pub call_timeout: Duration,
    /// How [`crate::send()`] and [`crate::Opening`] go about what fails in passing. Single calls are never repeated.
    pub patience: Patience,
    /// Where random bytes and pauses come from.
    pub machine: Arc<dyn Machine>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(45),
            call_timeout: Duration::from_mins(10),
            patience: Patience::default(),
            machine: Arc::new(ThisMachine),
        }
    }
}

/// A client of one server. Cheap to clone; clones share their connections, and can be used from any thread.
#[derive(Clone)]
pub struct Client {
    http: Arc<Http>,
    settings: Settings,
}

impl Client {
    /// A client of the server at `base`, `http(s)://HOST[:PORT]`. Fails with [`Error::Address`]; connects to nothing yet.
    pub fn new(base: &str) -> Result<Self> {
        Self::with(base, Settings::default())
    }

    /// The same, with other settings.
    pub fn with(base: &str, settings: Settings) -> Result<Self> {
        Ok(Self {
            http: Arc::new(Http::new(parse_base(base)?, &settings)),
            settings,
        })
    }

    /// The server: `https://HOST`.
    pub fn base(&self) -> &str {
        self.http.base()
    }

    /// 32 fresh random bytes that name one claimant. **Keep it until the lease ends**: only it repeats the claim.
    pub fn generate_claim_token(&self) -> Result<ClaimToken> {
        self.generate_bytes().map(ClaimToken::from_bytes)
    }

    /// `GET /healthz`: the process lives.
    pub fn healthz(&self) -> Result<()> {
        self.http
            .done(Call::new(Method::GET, route::HEALTHZ.to_owned()))
    }

    /// `GET /readyz`: its stores answer.
    pub fn readyz(&self) -> Result<()> {
        self.http
            .done(Call::new(Method::GET, route::READYZ.to_owned()))
    }

    /// `GET /config`: what this server allows.
    pub fn config(&self) -> Result<ConfigAnswer> {
        let call = Call::new(Method::GET, route::CONFIG.to_owned());
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// The same for the holder of a create token: the limits are that token's. It is refused (401) when it is none of the server's.
    pub fn config_as(&self, create_token: &CreateToken) -> Result<ConfigAnswer> {
        let call = Call::new(Method::GET, route::CONFIG.to_owned());
        self.http
            .json(call.bearer(create_token.to_text()), SHORT_LEN_MAX)
    }

    /// `GET /stats`: how much it has passed on.
    pub fn stats(&self) -> Result<StatsAnswer> {
        let call = Call::new(Method::GET, route::STATS.to_owned());
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// `POST /transfers`. The same request again is answered with the present state.
    pub fn create(&self, request: &CreateRequest) -> Result<CreateAnswer> {
        let call = Call::new(Method::POST, route::TRANSFERS.to_owned()).payload(json(request));
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// The same for the holder of a create token, where the server asks for one.
    pub fn create_as(
        &self,
        create_token: &CreateToken,
        request: &CreateRequest,
    ) -> Result<CreateAnswer> {
        let call = Call::new(Method::POST, route::TRANSFERS.to_owned())
            .bearer(create_token.to_text())
            .payload(json(request));
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// `PUT /transfers/{id}/parts/{index}`. The same bytes again succeed again.
    pub fn put_part(
        &self,
        id: &TransferId,
        owner_token: &OwnerToken,
        index: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let path = at(route::PART, id).replace("{index}", &index.to_string());
        let call = Call::new(Method::PUT, path)
            .bearer(owner_token.to_text())
            .payload(Payload::Part(bytes, content_digest(bytes)));
        self.http.done(call)
    }

    /// `GET /transfers/{id}/parts`: which parts were accepted.
    pub fn parts(&self, id: &TransferId, owner_token: &OwnerToken) -> Result<PartsAnswer> {
        let call = owner_call(Method::GET, route::PARTS, id, owner_token);
        self.http.json(call, PARTS_ANSWER_LEN_MAX)
    }

    /// `POST /transfers/{id}/complete`: all parts are there.
    pub fn complete(&self, id: &TransferId, owner_token: &OwnerToken) -> Result<CompleteAnswer> {
        let call = owner_call(Method::POST, route::COMPLETE, id, owner_token);
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// `GET /transfers/{id}`: what became of a transfer.
    pub fn receipt(&self, id: &TransferId, owner_token: &OwnerToken) -> Result<ReceiptAnswer> {
        let call = owner_call(Method::GET, route::TRANSFER, id, owner_token);
        self.http.json(call, RECEIPT_ANSWER_LEN_MAX)
    }

    /// `POST /transfers/{id}/unlock`: restores the attempts.
    pub fn unlock(&self, id: &TransferId, owner_token: &OwnerToken) -> Result<()> {
        self.http
            .done(owner_call(Method::POST, route::UNLOCK, id, owner_token))
    }

    /// `DELETE /transfers/{id}`: burns it, also when it is gone already.
    pub fn burn(&self, id: &TransferId, owner_token: &OwnerToken) -> Result<()> {
        self.http
            .done(owner_call(Method::DELETE, route::TRANSFER, id, owner_token))
    }

    /// `POST /transfers/{id}/peek`: looks without claiming. A wrong access proof costs an attempt.
    pub fn peek(&self, id: &TransferId, request: &PeekRequest) -> Result<PeekAnswer> {
        let call = Call::new(Method::POST, at(route::PEEK, id)).payload(json(request));
        self.http.json(call, long(MANIFEST_ANSWER_LEN_MAX))
    }

    /// `POST /transfers/{id}/claim`. The same token again is given the same lease.
    pub fn claim(
        &self,
        id: &TransferId,
        claim_token: &ClaimToken,
        request: &ClaimRequest,
    ) -> Result<ClaimAnswer> {
        let call = claimant_call(Method::POST, route::CLAIM, id, claim_token);
        self.http
            .json(call.payload(json(request)), long(MANIFEST_ANSWER_LEN_MAX))
    }

    /// `GET /transfers/{id}/body`: the sealed bytes, whole or in part. A server may give them whole all the same:
    /// [`Body::start`] tells.
    pub fn body(
        &self,
        id: &TransferId,
        claim_token: &ClaimToken,
        range: Option<Range<u64>>,
    ) -> Result<Body> {
        let call = claimant_call(Method::GET, route::BODY, id, claim_token);
        self.http.bytes(call.range(range))
    }

    /// `POST /transfers/{id}/renew`: renews the lease.
    pub fn renew(&self, id: &TransferId, claim_token: &ClaimToken) -> Result<RenewAnswer> {
        let call = claimant_call(Method::POST, route::RENEW, id, claim_token);
        self.http.json(call, SHORT_LEN_MAX)
    }

    /// `POST /transfers/{id}/delivered`: everything arrived; ends the lease.
    pub fn delivered(&self, id: &TransferId, claim_token: &ClaimToken) -> Result<()> {
        self.http.done(claimant_call(
            Method::POST,
            route::DELIVERED,
            id,
            claim_token,
        ))
    }

    /// Fresh random bytes.
    pub(crate) fn generate_bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let drawn = self.settings.machine.fill_random(&mut bytes);
        drawn.map_err(Error::Random)?;
        Ok(bytes)
    }

    /// Runs `attempt` with this client's patience for everything that passes.
    pub(crate) fn retry<T>(&self, attempt: impl FnMut(u32) -> Result<T>) -> Result<T> {
        self.retry_if(Error::is_transient, attempt)
    }

    /// Runs `attempt` with this client's patience for what `passes`.
    pub(crate) fn retry_if<T>(
        &self,
        passes: impl Fn(&Error) -> bool,
        attempt: impl FnMut(u32) -> Result<T>,
    ) -> Result<T> {
        let Settings {
            patience, machine, ..
        } = &self.settings;
        patience.retry(machine.as_ref(), passes, attempt)
    }

    /// Pauses after one more failure in a row, or gives the error back.
    pub(crate) fn pause_after(&self, row: &mut Row, error: Error) -> Result<()> {
        let Settings {
            patience, machine, ..
        } = &self.settings;
        patience.pause_after(machine.as_ref(), row, error)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.base()).finish()
    }
}

/// A path with the id in its place.
fn at(route: &str, id: &TransferId) -> String {
    route.replace("{id}", &id.to_text())
}

fn owner_call(
    method: Method,
    route: &str,
    id: &TransferId,
    owner_token: &OwnerToken,
) -> Call<'static> {
    Call::new(method, at(route, id)).bearer(owner_token.to_text())
}

fn claimant_call(
    method: Method,
    route: &str,
    id: &TransferId,
    claim_token: &ClaimToken,
) -> Call<'static> {
    Call::new(method, at(route, id)).bearer(claim_token.to_text())
}

fn json(request: &impl Serialize) -> Payload<'static> {
    let text = serde_json::to_vec(request).expect("requests are structs of texts and numbers");
    Payload::Json(Zeroizing::new(text))
}

fn long(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
