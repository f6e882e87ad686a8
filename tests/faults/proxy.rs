//! A proxy between client and server, or server and store, that cuts connections at random bytes, in either direction. It changes no byte.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Out of ten connections, how many are cut.
const CUT_OF_TEN: u8 = 8;
/// The most bytes that pass in one direction before a cut.
const BYTES_MAX_EXPONENT: f64 = 18.0;

/// A proxy that listens on loopback until this test program ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    cuts: Arc<AtomicU64>,
    is_cutting: Arc<AtomicBool>,
}

impl Proxy {
    /// Passes on to `server`.
    pub(crate) fn start(server: SocketAddr, mut rng: fastrand::Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let cuts = Arc::new(AtomicU64::new(0));
        let is_cutting = Arc::new(AtomicBool::new(true));
        let (counted, cuts_new) = (Arc::clone(&cuts), Arc::clone(&is_cutting));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(server) else {
                    continue;
                };
                let is_cutting = cuts_new.load(Ordering::SeqCst);
                let mut bytes_left = || {
                    // Small numbers as often as large ones: heads are cut as well as bodies.
                    let exponent = rng.f64() * BYTES_MAX_EXPONENT;
                    (is_cutting && rng.u8(0..10) < CUT_OF_TEN).then(|| whole(exponent.exp2()))
                };
                let (up, down) = (bytes_left(), bytes_left());
                pass(&near, &far, up, &counted);
                pass(&far, &near, down, &counted);
            }
        });
        Self {
            address,
            cuts,
            is_cutting,
        }
    }

    /// Whether connections that are made from here on are cut.
    pub(crate) fn set_cutting(&self, is_cutting: bool) {
        self.is_cutting.store(is_cutting, Ordering::SeqCst);
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, for clients of HTTP.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a random number between 1 and 2^18, of which any rounding is as good"
)]
const fn whole(bytes: f64) -> usize {
    bytes as usize
}

/// Copies from one to the other until either ends, or `bytes_left` have passed: then both are cut.
fn pass(from: &TcpStream, to: &TcpStream, mut bytes_left: Option<usize>, cuts: &Arc<AtomicU64>) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
        return;
    };
    let cuts = Arc::clone(cuts);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            let room = bytes_left.map_or(buffer.len(), |left| left.min(buffer.len()));
            if room == 0 {
                cuts.fetch_add(1, Ordering::Relaxed);
                break;
            }
            let len = match from.read(&mut buffer[..room]) {
                Ok(0) | Err(_) => break,
                Ok(len) => len,
            };
            if to.write_all(&buffer[..len]).is_err() {
                break;
            }
            bytes_left = bytes_left.map(|left| left - len);
        }
        for stream in [&from, &to] {
            // One of them is down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}
