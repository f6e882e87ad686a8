//! A body behind an age header is an age file: stock `age -d` opens it. Fails where `age` is missing, unless told to skip.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64Unpadded, Encoding as _};
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hex_literal::hex;
use hkdf::Hkdf;
use onetimeshare_crypto::{BodyLayout, BodySealer, FileKey, Link, LinkKey, LinkKeys, RootKeys};
use sha2::Sha256;

/// An X25519 key pair made for this test, the public key of an ephemeral one, and what both sides compute from them. With
/// all of it fixed, the test needs no X25519 of its own.
const IDENTITY: &str =
    "AGE-SECRET-KEY-1G8Q2UZ8K866GQHRVZVJF476TKAMG928KF4QCV9VZU2J8R3N7WDJQLTCCMD\n";
const RECIPIENT: [u8; 32] =
    hex!("08abc86fdffe0dceb59f1942eebf8e45d2c5a3800d3c7ebc10107453bdefef4b");
const EPHEMERAL: [u8; 32] =
    hex!("86ddb8794fe997caeda1d27f7b591475dd02d1b72ab088b714170431ac33d447");
const SHARED: [u8; 32] = hex!("b1b661516aa895432aea08e136bb19676e0a6ac2cbb968122f258491f3c3f25a");

/// HKDF-SHA256 to 32 bytes.
fn hkdf(ikm: &[u8], salt: &[u8], label: &[u8]) -> [u8; 32] {
    let mut okm = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(label, &mut okm)
        .expect("32 bytes are few enough");
    okm
}

/// An age header (C2SP age.md) with one X25519 stanza that wraps this file key.
fn age_header(file_key: &FileKey) -> String {
    let wrap = hkdf(
        &SHARED,
        &[EPHEMERAL, RECIPIENT].concat(),
        b"age-encryption.org/v1/X25519",
    );
    let stanza =
        ChaCha20Poly1305::new(&wrap.into()).encrypt(&Nonce::default(), &file_key.as_bytes()[..]);
    let stanza = Base64Unpadded::encode_string(&stanza.expect("16 bytes are few enough"));
    let share = Base64Unpadded::encode_string(&EPHEMERAL);
    let head = format!("age-encryption.org/v1\n-> X25519 {share}\n{stanza}\n---");
    // HKDF's extract step is HMAC: the salt is its key.
    let mac_key = hkdf(file_key.as_bytes(), b"", b"header");
    let (mac, _) = Hkdf::<Sha256>::extract(Some(&mac_key), head.as_bytes());
    format!("{head} {}\n", Base64Unpadded::encode_string(&mac))
}

#[test]
fn stock_age_opens_a_body_behind_a_header() {
    if std::env::var_os("SKIP_AGE").is_some_and(|value| value == "1") {
        return;
    }
    let link = Link::new(LinkKey::from_random([7; 32]), false);
    let keys =
        RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("it takes no passphrase");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [identity, file] = ["identity.txt", "body.age"].map(|name| folder.join(name));
    fs::write(&identity, IDENTITY).expect("the folder is ours");
    for content_len in [0, 5, 65_536, 200_000] {
        let content: Vec<u8> = (0..=250).cycle().take(content_len).collect();
        let layout = BodyLayout::new(u64::try_from(content_len).expect("small")).expect("small");
        let mut sealer = BodySealer::new(&keys, [3; 16], layout);
        let body = sealer
            .seal_part(0, layout.body_len(), &content)
            .expect("the content is that of the layout");
        fs::write(
            &file,
            [age_header(&keys.file_key()).as_bytes(), &body].concat(),
        )
        .expect("the folder is ours");

        let age = Command::new("age")
            .arg("-d")
            .arg("-i")
            .arg(&identity)
            .arg(&file)
            .output();
        let age = age.expect("age is installed (Debian package age), or SKIP_AGE=1 is set");
        assert!(
            age.status.success(),
            "{}",
            String::from_utf8_lossy(&age.stderr)
        );
        let mut padded = content;
        padded.resize(usize::try_from(layout.padded_len()).expect("small"), 0);
        assert!(age.stdout == padded, "{content_len} bytes");
    }
}
