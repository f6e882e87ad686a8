//! A client of onetimeshare: the API over HTTP, with sealing and opening. Blocking; never prints, and never logs a secret.
//!
//! [`Client`] has one method for each call of the API, each one attempt. On it stand [`send()`] and [`Opening`], which
//! repeat what failed in passing and keep the rules of the format: what is sealed again must give the same bytes, what is
//! claimed is claimed with one token, what has verified is given to the sink once. Their steps ([`Sending::create`],
//! [`Sending::put_part`], [`Opening::claim`], [`Claimed::fetch`], …) can be called singly.
//!
//! ```no_run
//! use onetimeshare_client::{Client, Collected, Content, LinkUrl, Opening, SendOptions, send};
//!
//! # fn main() -> Result<(), onetimeshare_client::Error> {
//! let client = Client::new("http://127.0.0.1:8080")?;
//! let sent = send(&client, &SendOptions::default(), Content::Text("the password is swordfish"))?;
//!
//! let url = LinkUrl::parse(&sent.link)?;
//! let client = Client::new(url.base())?;
//! let mut opening = Opening::new(&client, url.link(), None)?;
//! let look = opening.look()?;                      // nothing is used up
//! let token = client.generate_claim_token()?;      // kept until the end: it repeats a claim whose answer was lost
//! let mut claimed = opening.claim(&token)?;
//! let mut content = Collected::default();
//! claimed.receive(&mut content)?;
//! # Ok(())
//! # }
//! ```

mod address;
mod api;
mod error;
mod http;
mod machine;
mod open;
mod patience;
mod send;

pub use address::{LinkUrl, Receipt};
pub use api::{Client, Settings};
pub use error::{Error, Result};
pub use http::Body;
pub use machine::{Machine, ThisMachine};
pub use open::sink::{Collected, Sink};
pub use open::{Claimed, Look, Opening, Received, look_without_passphrase};
pub use patience::Patience;
pub use send::source::{Content, FileSource, Source};
pub use send::{SendOptions, Sending, Sent, send};

/// Unicode normalisation form C, by the tables of a crate: what the format's functions take as a parameter.
pub(crate) fn nfc(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfc().collect()
}
