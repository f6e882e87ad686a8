//! The checks that native code and WebAssembly share: `vectors.json`, `refused.json`, and CCTV's `stream_*` files. Each
//! returns how many cases it checked, or what failed first; none of them panics, so that wasm can tell what failed.

use std::io::Read as _;

use onetimeshare_crypto::stream::{Opener, PayloadKey, open_payload, seal_payload};
use onetimeshare_crypto::{
    BodyOpener, BodySealer, Entry, Error, FileKey, Kind, Link, LinkKey, LinkKeys, Manifest, Nfc,
    Passphrase, RootKeys,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

type Outcome<T> = Result<T, String>;

const VECTORS: &str = include_str!("../../vectors/vectors.json");
const REFUSED: &str = include_str!("../../vectors/refused.json");

/// A vector of CCTV: its name and its bytes.
macro_rules! stream_vectors {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../vectors/age/", $name)))),*]
    };
}

const STREAM: &[(&str, &[u8])] = stream_vectors![
    "stream_257_chunks",
    "stream_257_chunks_full",
    "stream_258_chunks",
    "stream_bad_tag",
    "stream_bad_tag_second_chunk",
    "stream_bad_tag_second_chunk_full",
    "stream_empty_payload",
    "stream_last_chunk_empty",
    "stream_last_chunk_full",
    "stream_last_chunk_full_second",
    "stream_missing_tag",
    "stream_no_chunks",
    "stream_no_final",
    "stream_no_final_full",
    "stream_no_final_two_chunks",
    "stream_no_final_two_chunks_full",
    "stream_no_nonce",
    "stream_short_chunk",
    "stream_short_nonce",
    "stream_short_second_chunk",
    "stream_three_chunks",
    "stream_trailing_garbage_long",
    "stream_trailing_garbage_short",
    "stream_two_chunks",
    "stream_two_final_chunks",
    "stream_two_final_chunks_full",
    "stream_two_final_chunks_second",
    "stream_two_final_chunks_short",
];

/// Seals and opens every case of `vectors.json` and compares every value in it.
pub(crate) fn check_vectors(nfc: Nfc<'_>) -> Outcome<u32> {
    check_each(VECTORS, |case| check_vector(case, nfc))
}

/// Tries to open every case of `refused.json`: each must be refused, and for more than a body of the wrong length.
pub(crate) fn check_refused(nfc: Nfc<'_>) -> Outcome<u32> {
    check_each(REFUSED, |case| {
        let link = Link::parse_fragment(text(case, "fragment")?).map_err(describe)?;
        let keys = RootKeys::derive(&link, &LinkKeys::derive(&link), None).map_err(describe)?;
        let sealed = bytes(case, "sealed_manifest")?;
        let refused = Manifest::open(&sealed, 1056, &keys, nfc)
            .err()
            .ok_or("it opened")?;
        let expected = match text(case, "comment")? {
            "commitment of another" => Error::ManifestOpen,
            comment => {
                Error::ManifestRefused(broken_rule(comment).ok_or("it names no known rule")?)
            }
        };
        same("the refusal", &refused, &expected)
    })
}

/// The rule that each case of `refused.json` breaks, so that none is refused by accident.
fn broken_rule(comment: &str) -> Option<&'static str> {
    Some(match comment {
        "unknown kind" | "no kind" => "kind is neither text nor files",
        "no entries" | "entries no list" => "entries is not a list",
        "zero entries" => "it has no entry",
        "not an object" => "it is not an object",
        "not JSON" | "lone surrogate" => "it is not JSON",
        "something after the value" | "padding not zero" => "something follows its value",
        "byte order mark" => "it starts with a byte order mark",
        "invalid UTF-8" => "it is not UTF-8",
        "negative size" | "fractional size" | "size as text" | "size true" | "exponent"
        | "no size" => "the size of an entry is not a plain decimal integer",
        "size over the limit" => "a size is more than 2^40 bytes",
        "sum over the limit" => "the sizes add up to more than 2^40 bytes",
        "no name" => "the name of an entry is not a text",
        "no type" => "the type of an entry is not a text",
        "duplicate member" => "a member stands twice in one object",
        "too deep" => "it nests deeper than 8 levels",
        "two texts" => "a text has exactly one entry",
        "same name twice" | "same name after NFC" => "two entries have one name",
        "a file that is a folder" => "an entry is a folder of another",
        "empty name of a file"
        | "absolute"
        | "parent"
        | "dot"
        | "empty component"
        | "trailing slash" => "a component of a name is empty, . or ..",
        "backslash" | "NUL" | "newline" | "DEL" | "C1 control" | "bidi override"
        | "line separator" => "a name has a backslash, control, separator or bidirectional control",
        "component of 256 bytes" => "a component of a name has more than 255 bytes",
        "name of 1025 bytes" => "a name has more than 1024 bytes",
        "padded too far" => "it is not padded to the smallest length that fits",
        "not padded" | "cut" | "empty" => "its sealed length is none of the thirteen",
        _ => return None,
    })
}

/// Opens the payload of every `stream_*` vector, whole and in pieces, and compares what was released.
pub(crate) fn check_stream() -> Outcome<u32> {
    for (name, file) in STREAM {
        check_stream_vector(file).map_err(|failure| format!("{name}: {failure}"))?;
    }
    u32::try_from(STREAM.len()).map_err(describe)
}

fn check_vector(case: &Value, nfc: Nfc<'_>) -> Outcome<()> {
    let passphrase = case["passphrase"]
        .as_str()
        .map(|text| Passphrase::new(text, nfc))
        .transpose()
        .map_err(describe)?;
    let link = Link::new(
        LinkKey::from_random(array(case, "link_key")?),
        passphrase.is_some(),
    );
    same(
        "fragment",
        link.to_fragment().as_str(),
        text(case, "fragment")?,
    )?;
    let read = Link::parse_fragment(text(case, "fragment")?).map_err(describe)?;
    same(
        "passphrase bit",
        &read.needs_passphrase(),
        &passphrase.is_some(),
    )?;

    let link_keys = LinkKeys::derive(&read);
    let keys = RootKeys::derive(&read, &link_keys, passphrase.as_ref()).map_err(describe)?;
    let file_key = keys.file_key();
    let made: [(&str, &[u8]); 9] = [
        ("link_proof", link_keys.link_proof()),
        ("passphrase_salt", link_keys.passphrase_salt()),
        ("link_verifier", link_keys.link_verifier()),
        ("transfer_id", link_keys.transfer_id()),
        ("access_proof", keys.access_proof()),
        ("access_verifier", &keys.access_verifier()),
        ("commitment", keys.commitment()),
        ("manifest_key", keys.manifest_key()),
        ("file_key", file_key.as_bytes()),
    ];
    for (name, made) in made {
        same(name, made, &bytes(case, name)?)?;
    }

    let manifest = Manifest::new(kind(case)?, entries(case)?, nfc).map_err(describe)?;
    same(
        "manifest",
        manifest.to_json().as_str(),
        text(case, "manifest")?,
    )?;
    let sealed = bytes(case, "sealed_manifest")?;
    same(
        "sealed_manifest",
        &manifest.seal(&keys).map_err(describe)?,
        &sealed,
    )?;
    let body_len = case["body_len"].as_u64().ok_or("no body_len")?;
    same(
        "opened manifest",
        &Manifest::open(&sealed, body_len, &keys, nfc).map_err(describe)?,
        &manifest,
    )?;
    check_body(case, &keys, &manifest)
}

/// The body: sealed whole and in parts that cut chunks, opened whole and in pieces.
fn check_body(case: &Value, keys: &RootKeys, manifest: &Manifest) -> Outcome<()> {
    let content = content(case)?;
    let layout = manifest.layout();
    same(
        "body_len",
        &layout.body_len(),
        &case["body_len"].as_u64().ok_or("no body_len")?,
    )?;
    let mut sealer = BodySealer::new(keys, array(case, "body_nonce")?, layout);
    let body = sealer
        .seal_part(0, layout.body_len(), &content)
        .map_err(describe)?;
    same(
        "body_sha256",
        sha256(&body).as_str(),
        text(case, "body_sha256")?,
    )?;

    for part_len in [1000, 65_536, 65_552, 200_000] {
        let mut joined = Vec::new();
        for index in 0..layout.part_count(part_len).map_err(describe)? {
            let source = layout.part_source(index, part_len).map_err(describe)?;
            let range = usize::try_from(source.start).map_err(describe)?
                ..usize::try_from(source.end).map_err(describe)?;
            let source = content
                .get(range)
                .ok_or("a part's source lies outside the content")?;
            joined.extend(
                sealer
                    .seal_part(index, part_len, source)
                    .map_err(describe)?,
            );
        }
        same(&format!("parts of {part_len} joined"), &joined, &body)?;
    }

    for piece_len in [body.len(), 7919] {
        let mut opener = BodyOpener::new(keys, manifest);
        let mut opened = Vec::new();
        for piece in body.chunks(piece_len) {
            opener.push(piece, &mut opened).map_err(describe)?;
        }
        opener.finish().map_err(describe)?;
        same("opened content", &opened, &content)?;
    }

    // The body is an age payload, and each chunk opens alone.
    let plaintext = open_payload(&keys.file_key(), &body).map_err(describe)?;
    same(
        "sealed payload",
        &seal_payload(&keys.file_key(), array(case, "body_nonce")?, &plaintext)
            .map_err(describe)?,
        &body,
    )?;
    let key = PayloadKey::derive(&keys.file_key(), &array(case, "body_nonce")?);
    let last = body
        .get(16..)
        .and_then(|chunks| chunks.chunks(65_552).next_back())
        .ok_or("no chunk")?;
    let count = layout.chunk_count();
    let opened = key.open_chunk(count - 1, count, last).map_err(describe)?;
    if !plaintext.ends_with(&opened) || opened.is_empty() {
        return Err("the last chunk alone opened to something else".to_owned());
    }
    Ok(())
}

fn check_stream_vector(file: &[u8]) -> Outcome<()> {
    let vector = StreamVector::parse(file)?;
    for piece_len in [vector.payload.len().max(1), 1021, 65_552] {
        let mut opener = Opener::new(&vector.file_key);
        let mut released = Vec::new();
        let pushed = vector
            .payload
            .chunks(piece_len)
            .try_for_each(|piece| opener.push(piece, &mut released));
        let opened = pushed.and_then(|()| opener.finish(&mut released));
        same(
            "success",
            &opened,
            &if vector.succeeds {
                Ok(())
            } else {
                Err(Error::BodyOpen)
            },
        )?;
        match &vector.digest {
            Some(digest) => same("released", &sha256(&released), digest)?,
            None => same("released", &released, &Vec::new())?,
        }
        if vector.succeeds {
            let nonce = vector.payload.first_chunk().ok_or("no nonce")?;
            let sealed = seal_payload(&vector.file_key, *nonce, &released).map_err(describe)?;
            same("sealed again", &sealed, &vector.payload)?;
        }
    }
    same(
        "whole",
        &open_payload(&vector.file_key, &vector.payload).is_ok(),
        &vector.succeeds,
    )
}

/// What a CCTV file says about itself, and the payload behind its age header.
struct StreamVector {
    succeeds: bool,
    digest: Option<String>,
    file_key: FileKey,
    payload: Vec<u8>,
}

impl StreamVector {
    fn parse(file: &[u8]) -> Outcome<Self> {
        let end = file
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .ok_or("no empty line")?;
        let (head, rest) = file.split_at(end);
        let head = core::str::from_utf8(head).map_err(describe)?;
        let member = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let mut age = rest.get(2..).unwrap_or_default().to_vec();
        if member("compressed") == Some("zlib") {
            let mut inflated = Vec::new();
            flate2::read::ZlibDecoder::new(&age[..])
                .read_to_end(&mut inflated)
                .map_err(describe)?;
            age = inflated;
        }
        let mac = age
            .windows(5)
            .position(|window| window == b"\n--- ")
            .ok_or("no MAC line")?
            + 1;
        let mac_len = age
            .get(mac..)
            .and_then(|line| line.iter().position(|byte| *byte == b'\n'))
            .ok_or("no end of MAC")?;
        let file_key = hex::decode(member("file key").ok_or("no file key")?).map_err(describe)?;
        Ok(Self {
            succeeds: member("expect") == Some("success"),
            digest: member("payload").map(str::to_owned),
            file_key: FileKey::from_bytes(file_key.try_into().map_err(|_| "file key length")?),
            payload: age.split_off(mac + mac_len + 1),
        })
    }
}

/// Runs a check over every case of a JSON list. -> how many there were
fn check_each(json: &str, check: impl Fn(&Value) -> Outcome<()>) -> Outcome<u32> {
    let cases: Vec<Value> = serde_json::from_str(json).map_err(describe)?;
    for case in &cases {
        check(case).map_err(|failure| format!("{}: {failure}", case["comment"]))?;
    }
    u32::try_from(cases.len()).map_err(describe)
}

/// Deterministic content: SHA-256 of the block's index, block after block.
fn pattern(len: usize) -> Vec<u8> {
    (0u64..)
        .flat_map(|index| Sha256::digest(index.to_be_bytes()))
        .take(len)
        .collect()
}

/// The content of all entries of a case, joined.
fn content(case: &Value) -> Outcome<Vec<u8>> {
    let mut content = Vec::new();
    for entry in list(case, "entries")? {
        match entry["pattern"].as_bool() {
            Some(true) => content.extend(pattern(usize::try_from(size(entry)?).map_err(describe)?)),
            _ => content.extend(bytes(entry, "content")?),
        }
    }
    Ok(content)
}

fn kind(case: &Value) -> Outcome<Kind> {
    match text(case, "kind")? {
        "text" => Ok(Kind::Text),
        "files" => Ok(Kind::Files),
        other => Err(format!("kind {other}")),
    }
}

fn entries(case: &Value) -> Outcome<Vec<Entry>> {
    let entry = |entry: &Value| {
        let [name, media_type] = [text(entry, "name")?, text(entry, "type")?].map(str::to_owned);
        Ok(Entry {
            name,
            media_type,
            size: size(entry)?,
        })
    };
    list(case, "entries")?.iter().map(entry).collect()
}

fn size(entry: &Value) -> Outcome<u64> {
    entry["size"].as_u64().ok_or_else(|| "no size".to_owned())
}

fn list<'a>(case: &'a Value, name: &str) -> Outcome<&'a Vec<Value>> {
    case[name].as_array().ok_or_else(|| format!("no {name}"))
}

fn text<'a>(case: &'a Value, name: &str) -> Outcome<&'a str> {
    case[name].as_str().ok_or_else(|| format!("no {name}"))
}

fn bytes(case: &Value, name: &str) -> Outcome<Vec<u8>> {
    hex::decode(text(case, name)?).map_err(describe)
}

fn array<const N: usize>(case: &Value, name: &str) -> Outcome<[u8; N]> {
    bytes(case, name)?
        .try_into()
        .map_err(|_| format!("{name} has another length"))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn describe(failure: impl ToString) -> String {
    failure.to_string()
}

/// Compares without printing megabytes.
fn same<T: PartialEq + core::fmt::Debug + ?Sized>(
    what: &str,
    made: &T,
    expected: &T,
) -> Outcome<()> {
    if made == expected {
        return Ok(());
    }
    let [made, expected] =
        [made, expected].map(|value| format!("{value:?}").chars().take(200).collect::<String>());
    Err(format!("{what} is {made}, expected {expected}"))
}
