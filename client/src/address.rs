//! Where a server is, what a link points to, and what a receipt holds: parsed and written. Derives no key, opens no
//! connection, and never echoes what it refuses.

use std::fmt;

use onetimeshare_crypto::Link;
use onetimeshare_crypto::base64url::{decode_base64url, encode_base64url};
use onetimeshare_protocol::id::{OwnerToken, TransferId};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::http::Uri;

/// The page that opens links, at the root of a host.
const OPEN_PATH: &str = "/open";
/// The page that shows receipts.
const MANAGE_PATH: &str = "/manage";

/// `http(s)://HOST[:PORT]` of an address, without what may follow but a slash; the service lives at the root of a host.
pub(crate) fn parse_base(text: &str) -> Result<String> {
    let (base, path) = split(text)?;
    match path.as_str() {
        "" | "/" => Ok(base),
        _ => Err(Error::Address(
            "the address of a server has no path: write it as https://HOST",
        )),
    }
}

/// Base and path of an address.
fn split(text: &str) -> Result<(String, String)> {
    let uri: Uri = text
        .parse()
        .map_err(|_| Error::Address("this is no address: write it as https://HOST"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(Error::Address(
            "the address lacks its beginning: write it as https://HOST",
        ));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(Error::Address(
            "the address begins with neither https:// nor http://",
        ));
    }
    if authority.as_str().contains('@') {
        return Err(Error::Address("the address must hold no name or password"));
    }
    if uri.query().is_some() {
        return Err(Error::Address("the address must hold no question mark"));
    }
    Ok((format!("{scheme}://{authority}"), uri.path().to_owned()))
}

/// A link as it is passed on: `https://HOST/open#FRAGMENT`.
#[derive(Debug, Clone)]
pub struct LinkUrl {
    base: String,
    link: Link,
}

impl LinkUrl {
    /// Reads a link, with white space around it or not. Fails with [`Error::Address`] for what is before the `#`, with
    /// [`Error::Crypto`] for what is behind it.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((address, fragment)) = text.trim().split_once('#') else {
            return Err(Error::Address(
                "the link has no #: it was cut, copy it again",
            ));
        };
        let link = Link::parse_fragment(fragment)?;
        match split(address)? {
            (base, path) if path == OPEN_PATH => Ok(Self { base, link }),
            _ => Err(Error::Address(
                "this is not a link of this service: they read https://HOST/open#…",
            )),
        }
    }

    /// The server: `https://HOST`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The link itself.
    pub const fn link(&self) -> &Link {
        &self.link
    }
}

/// `https://HOST/open#FRAGMENT`: the whole secret of a link without passphrase.
pub(crate) fn link_text(base: &str, link: &Link) -> Zeroizing<String> {
    Zeroizing::new(format!("{base}{OPEN_PATH}#{}", *link.to_fragment()))
}

/// What the sender keeps: id and owner token.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Names the transfer.
    pub id: TransferId,
    /// The authority over it.
    pub owner_token: OwnerToken,
}

impl Receipt {
    /// Reads `b64(id ‖ owner token)`, 64 characters; fails with [`Error::Address`].
    pub fn parse_fragment(fragment: &str) -> Result<Self> {
        let bytes = decode_base64url(fragment).map(Zeroizing::new);
        let parts = bytes.as_ref().and_then(|bytes| {
            let (id, owner_token) = bytes.split_first_chunk()?;
            Some((*id, owner_token.try_into().ok()?))
        });
        let (id, owner_token) = parts.ok_or(Error::Address(
            "the receipt is damaged: it has not the 64 characters it was given with",
        ))?;
        Ok(Self {
            id: TransferId::from_bytes(id),
            owner_token: OwnerToken::from_bytes(owner_token),
        })
    }

    /// `b64(id ‖ owner token)`, 64 characters. Whoever holds it can burn the transfer, and read nothing.
    pub fn to_fragment(&self) -> Zeroizing<String> {
        let bytes = [&self.id.as_bytes()[..], self.owner_token.as_bytes()].concat();
        Zeroizing::new(encode_base64url(&Zeroizing::new(bytes)))
    }

    /// The receipt's page: `https://HOST/manage#FRAGMENT`.
    pub fn to_url(&self, base: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{base}{MANAGE_PATH}#{}", *self.to_fragment()))
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({:?}, …)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use onetimeshare_crypto::LinkKey;

    use super::*;

    fn link() -> Link {
        Link::new(LinkKey::from_random([7; 32]), false)
    }

    #[test]
    fn addresses_are_the_root_of_a_host() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(parse_base(text).ok().as_deref(), expected, "{text}");
        };
        check("https://a.example", Some("https://a.example"));
        check("http://[::1]:8080/", Some("http://[::1]:8080"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        for refused in [
            "",
            "a.example",
            "/open",
            "ftp://a.example",
            "https://",
            "https://a.example/below",
            "https://a.example/?q",
            "https://user:secret@a.example",
            "https://a b",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn links_survive_the_round_trip() {
        let text = link_text("https://a.example", &link());
        let url = LinkUrl::parse(&format!(" {}\n", *text)).expect("it was made just now");
        assert_eq!(url.base(), "https://a.example");
        assert_eq!(*url.link().to_fragment(), *link().to_fragment());
    }

    #[test]
    fn what_is_no_link_is_refused_and_not_echoed() {
        let fragment = link().to_fragment();
        for text in [
            "https://a.example/open".to_owned(),
            format!("https://a.example/#{}", *fragment),
            format!("https://a.example/manage#{}", *fragment),
            format!("a.example/open#{}", *fragment),
            fragment.to_string(),
        ] {
            let error = LinkUrl::parse(&text).expect_err(&text);
            assert!(matches!(error, Error::Address(_)), "{text}: {error}");
            assert!(!error.to_string().contains(&*fragment), "{error}");
        }
        let cut = format!("https://a.example/open#{}", &fragment.get(..40).unwrap());
        assert!(matches!(LinkUrl::parse(&cut), Err(Error::Crypto(_))));
    }

    #[test]
    fn receipts_survive_the_round_trip_and_do_not_print() {
        let receipt = Receipt {
            id: TransferId::from_bytes([1; 16]),
            owner_token: OwnerToken::from_bytes([2; 32]),
        };
        let fragment = receipt.to_fragment();
        assert_eq!(fragment.len(), 64);
        assert_eq!(
            Receipt::parse_fragment(&fragment).ok(),
            Some(receipt.clone())
        );
        for damaged in [
            "",
            "AAAA",
            fragment.get(..63).unwrap(),
            &format!("{}A", *fragment),
        ] {
            assert!(Receipt::parse_fragment(damaged).is_err(), "{damaged}");
        }
        let shown = format!("{receipt:?}");
        assert!(!shown.contains(&receipt.owner_token.to_text()), "{shown}");
        assert_eq!(
            *receipt.to_url("https://a.example"),
            format!("https://a.example/manage#{}", *fragment)
        );
    }
}
