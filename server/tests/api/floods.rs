//! Floods of HTTP/2 over real sockets: every one of them is ended, by a limit or because nothing comes of it, and others are served
//! meanwhile.

#[path = "../../../bench/src/hostile/flood.rs"]
mod flood;

use tokio::task::spawn_blocking;

use self::flood::Flood;
use crate::connections::{HEALTH, PATIENCE, Running};

/// `ENHANCE_YOUR_CALM` (RFC 9113, section 7).
const CALM: Option<u32> = Some(0xb);

/// What becomes of as many steps as the server takes.
async fn ended(running: &Running, flood: Flood) -> Option<u32> {
    let address = running.listener;
    let flooding = spawn_blocking(move || flood.run(address, u64::MAX, PATIENCE));
    let answer = running.converse(HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{flood:?}: {answer}");
    let outcome = flooding.await.unwrap().unwrap();
    assert!(!outcome.is_whole, "{flood:?}");
    running.has_let_go().await;
    outcome.goaway
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_ended() {
    let running = Running::start().await;
    for flood in Flood::ALL {
        let goaway = ended(&running, flood).await;
        match flood {
            Flood::RapidReset
            | Flood::Continuation
            | Flood::EmptyContinuation
            | Flood::EmptyBody => {
                assert_eq!(goaway, CALM, "{flood:?}");
            }
            // Nothing is under way on them, so that they end as idle ones do; or nothing more of a body comes.
            _ => {}
        }
    }
}
