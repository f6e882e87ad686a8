//! Who seals and opens messages, each as a pair of closures with its own buffers. Every message has its key set up anew and
//! its content copied once, as every user of such a library would.

use anyhow::{Result, anyhow};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use onetimeshare_crypto::{
    BodyOpener, BodySealer, Entry, Kind, Link, LinkKey, LinkKeys, Manifest, RootKeys,
};
use std::cell::RefCell;
use std::rc::Rc;

use crate::transfer::len_of;

type Seal = Box<dyn FnMut(&[u8]) -> Result<()>>;
type Open = Box<dyn FnMut() -> Result<Vec<u8>>>;

/// One implementation and one length of messages.
pub(super) struct Contestant {
    /// As the figures name it.
    pub(super) name: &'static str,
    /// Of one message.
    pub(super) message_len: u64,
    /// Seals a message and keeps it.
    pub(super) seal: Seal,
    /// Opens the message that was sealed last.
    pub(super) open: Open,
}

/// Everybody, for messages as long as `content`.
pub(super) fn contestants(content: &[u8]) -> Result<Vec<Contestant>> {
    let message_len = len_of(content);
    Ok(vec![
        rustcrypto(message_len),
        onetimeshare(message_len)?,
        #[cfg(feature = "rivals")]
        ring(message_len),
    ])
}

/// The primitive that ours is built on: one call for each message, whatever its length.
fn rustcrypto(message_len: u64) -> Contestant {
    let kept = Rc::new(RefCell::new((Vec::new(), Tag::default())));
    let sealed = Rc::clone(&kept);
    let seal = move |content: &[u8]| {
        let mut message = content.to_vec();
        let tag = ChaCha20Poly1305::new(&[1; 32].into())
            .encrypt_inout_detached(&Nonce::default(), b"", message.as_mut_slice().into())
            .map_err(|_| anyhow!("too long"))?;
        kept.replace((message, tag));
        Ok(())
    };
    let open = move || {
        let (mut message, tag) = sealed.borrow().clone();
        ChaCha20Poly1305::new(&[1; 32].into())
            .decrypt_inout_detached(&Nonce::default(), b"", message.as_mut_slice().into(), &tag)
            .map_err(|_| anyhow!("it does not open"))?;
        Ok(message)
    };
    Contestant {
        name: "RustCrypto",
        message_len,
        seal: Box::new(seal),
        open: Box::new(open),
    }
}

/// The whole path of a body: payload key, padding, chunks, record of tags; and back.
fn onetimeshare(message_len: u64) -> Result<Contestant> {
    let link = Link::new(LinkKey::from_random([1; 32]), false);
    let keys = Rc::new(RootKeys::derive(&link, &LinkKeys::derive(&link), None)?);
    let entry = Entry {
        name: "a".to_owned(),
        media_type: String::new(),
        size: message_len,
    };
    let manifest = Manifest::new(Kind::Files, vec![entry], &str::to_owned)?;
    let layout = manifest.layout();
    let kept = Rc::new(RefCell::new(Vec::new()));
    let (sealed, opening_keys) = (Rc::clone(&kept), Rc::clone(&keys));
    let seal = move |content: &[u8]| {
        let mut sealer = BodySealer::new(&keys, [2; 16], layout);
        kept.replace(sealer.seal_part(0, layout.body_len(), content)?);
        Ok(())
    };
    let open = move || {
        let body = sealed.borrow();
        let mut opener = BodyOpener::new(&opening_keys, &manifest);
        let mut content = Vec::with_capacity(body.len());
        opener.push(&body, &mut content)?;
        opener.finish()?;
        Ok(content)
    };
    Ok(Contestant {
        name: "onetimeshare",
        message_len,
        seal: Box::new(seal),
        open: Box::new(open),
    })
}

/// Assembly by hand: how fast this machine can be.
#[cfg(feature = "rivals")]
fn ring(message_len: u64) -> Contestant {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

    let key = || UnboundKey::new(&CHACHA20_POLY1305, &[1; 32]).map(LessSafeKey::new);
    let nonce = || Nonce::assume_unique_for_key([0; 12]);
    let kept = Rc::new(RefCell::new(Vec::new()));
    let sealed = Rc::clone(&kept);
    let seal = move |content: &[u8]| {
        let mut message = Vec::with_capacity(content.len() + CHACHA20_POLY1305.tag_len());
        message.extend_from_slice(content);
        key()
            .and_then(|key| key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut message))
            .map_err(|_| anyhow!("too long"))?;
        kept.replace(message);
        Ok(())
    };
    let open = move || {
        let mut message = sealed.borrow().clone();
        let len = key()
            .and_then(|key| {
                key.open_in_place(nonce(), Aad::empty(), &mut message)
                    .map(|opened| opened.len())
            })
            .map_err(|_| anyhow!("it does not open"))?;
        message.truncate(len);
        Ok(message)
    };
    Contestant {
        name: "ring",
        message_len,
        seal: Box::new(seal),
        open: Box::new(open),
    }
}
