//! Sealing and opening natively: our whole path, its bare primitive, and others' implementations of that. Contestants take
//! turns in every pass, so that a busy moment of the machine does not hit one alone.

mod contestants;

use std::hint::black_box;

use anyhow::{Context as _, Result};
use onetimeshare_crypto::{Link, LinkKey, LinkKeys, Passphrase, RootKeys};

use self::contestants::{Contestant, contestants};
use crate::figures::{Crypto, Speed, Time};
use crate::stopwatch::Stopwatch;
use crate::transfer::Sealing;

/// Bytes of one message.
const MESSAGE_LENS: [usize; 4] = [1 << 10, 16 << 10, 64 << 10, 1 << 20];

/// Bytes that are sealed and opened in one pass, in as many messages as that takes.
const PASS_LEN: usize = 32 << 20;

/// How often keys are derived in one pass.
const BEGINNINGS: u32 = 2_000;

/// Measures everything.
pub(crate) fn run(quick: bool) -> Result<Crypto> {
    let (pass_count, pass_len) = if quick {
        (5, PASS_LEN / 8)
    } else {
        (9, PASS_LEN)
    };
    let mut figures = Crypto::default();
    for message_len in MESSAGE_LENS {
        let content = vec![7; message_len];
        let mut contestants = contestants(&content)?;
        for contestant in &mut contestants {
            contestant.check(&content)?;
        }
        let count = pass_len / message_len;
        let mut speeds: Vec<Speed> = contestants.iter().flat_map(Contestant::speeds).collect();
        for _ in 0..pass_count {
            pass(&mut contestants, &mut speeds, &content, count)?;
        }
        figures.speeds.extend(speeds);
    }
    figures.times = times(if quick { 5 } else { 9 })?;
    Ok(figures)
}

/// One turn of everybody, sealing and opening.
fn pass(
    contestants: &mut [Contestant],
    speeds: &mut [Speed],
    content: &[u8],
    count: usize,
) -> Result<()> {
    let megabytes = f64::from(u32::try_from(content.len() * count)?) / 1e6;
    for (contestant, speeds) in contestants.iter_mut().zip(speeds.chunks_exact_mut(2)) {
        let [sealing, opening] = speeds else { continue };
        let begun = Stopwatch::start();
        for _ in 0..count {
            (contestant.seal)(black_box(content))?;
        }
        sealing.mb_s.push(megabytes / begun.elapsed().as_secs_f64());
        let begun = Stopwatch::start();
        for _ in 0..count {
            (contestant.open)()?;
        }
        opening.mb_s.push(megabytes / begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// What a transfer costs before its first byte, and what a passphrase adds.
fn times(pass_count: usize) -> Result<Vec<Time>> {
    let mut begin = Vec::new();
    let mut stretch = Vec::new();
    let passphrase = Passphrase::new("correct horse battery", &str::to_owned)?;
    let link = Link::new(LinkKey::from_random([1; 32]), true);
    let keys = LinkKeys::derive(&link);
    // The first turn warms up and is not counted.
    for _ in 0..=pass_count {
        let begun = Stopwatch::start();
        for _ in 0..BEGINNINGS {
            black_box(Sealing::begin(1024)?);
        }
        begin.push(begun.elapsed_ms() / f64::from(BEGINNINGS));
        let begun = Stopwatch::start();
        black_box(RootKeys::derive(&link, &keys, Some(&passphrase))?);
        stretch.push(begun.elapsed_ms());
    }
    let time = |action, mut ms: Vec<f64>| {
        ms.remove(0);
        Time {
            subject: "onetimeshare".to_owned(),
            action: str::to_owned(action),
            ms,
        }
    };
    Ok(vec![time("begin", begin), time("stretch", stretch)])
}

impl Contestant {
    /// Where its figures go: sealing, then opening.
    fn speeds(&self) -> [Speed; 2] {
        ["seal", "open"].map(|action| Speed {
            subject: self.name.to_owned(),
            action: str::to_owned(action),
            message_len: self.message_len,
            mb_s: Vec::new(),
        })
    }

    /// Opens what it has sealed, and finds the content.
    fn check(&mut self, content: &[u8]) -> Result<()> {
        (self.seal)(content)?;
        let opened = (self.open)().with_context(|| self.name)?;
        anyhow::ensure!(opened == content, "{} opens something else", self.name);
        Ok(())
    }
}
