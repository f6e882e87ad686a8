//! Calls and answers that get lost on the way to Redis, and replicas that are not there: what a caller is told then, and what it
//! has cost.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use onetimeshare_protocol::id::AccessVerifier;
use onetimeshare_server::record::conformance::Sample;
use onetimeshare_server::record::{RecordStore as _, StoreError, StoreResult};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::transfer::{Outcome, Refusal};
use onetimeshare_tests::Redis;

use crate::redis::{AT, claim, create, open};

/// What of a step that is kept gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Redis never hears of it.
    Call,
    /// Redis keeps it, and nobody is told.
    Answer,
}

impl Loss {
    /// The word of a script's call or answer that it is known by.
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Call => b"\r\nset\r\n",
            Self::Answer => b"\r\ndone\r\n",
        }
    }
}

/// A way to Redis on which something gets lost when it is told to, and its connection with it.
struct Way {
    address: SocketAddr,
    next: Arc<Mutex<Option<Loss>>>,
}

impl Way {
    fn to(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let next = Arc::new(Mutex::new(None));
        let (redis, lost) = (redis.address(), Arc::clone(&next));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(redis).unwrap();
                pass(&near, &far, Loss::Call, &lost);
                pass(&far, &near, Loss::Answer, &lost);
            }
        });
        Self { address, next }
    }

    fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    fn lose(&self, loss: Loss) {
        *self.next.lock().unwrap() = Some(loss);
    }

    fn has_lost(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

/// Copies from one to the other until either ends, or something is to be lost that goes this way.
fn pass(from: &TcpStream, to: &TcpStream, loss: Loss, next: &Arc<Mutex<Option<Loss>>>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let next = Arc::clone(next);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..len];
            let has_word = |loss: Loss| {
                let word = loss.word();
                bytes.windows(word.len()).any(|window| window == word)
            };
            if has_word(loss) && next.lock().unwrap().take_if(|next| *next == loss).is_some() {
                break;
            }
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        for stream in [&from, &to] {
            // One of them is down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}

async fn peek(store: &RedisStore, sample: &Sample, access: &AccessVerifier) -> Outcome<()> {
    let link = &sample.new.creation.link_verifier;
    let peeked = store.peek(sample.id(), link, Some(access), AT).await;
    peeked.unwrap().map(drop)
}

const WRONG: AccessVerifier = AccessVerifier::from_bytes([0; 32]);

const fn denied(attempts_left: u32) -> Outcome<()> {
    Err(Refusal::Denied { attempts_left })
}

fn is_refused<T>(told: &StoreResult<T>) -> bool {
    matches!(told, Err(StoreError::Unreachable(_)))
}

#[tokio::test]
async fn a_wrong_passphrase_costs_one_attempt_whatever_gets_lost() {
    let redis = Redis::start(&[]);
    let way = Way::to(&redis);
    let store = open(&way.url(), 0).await;
    for loss in [Loss::Call, Loss::Answer] {
        let sample = create(&store).await;
        for attempts_left in [4, 3] {
            way.lose(loss);
            assert_eq!(peek(&store, &sample, &WRONG).await, denied(attempts_left));
            assert!(way.has_lost(), "{loss:?}: the way is not tried");
        }
    }
}

#[tokio::test]
async fn a_wrong_passphrase_is_told_where_no_replica_hears_of_it() {
    let redis = Redis::start(&[]);
    let replica = Redis::start_replica(&redis);
    let store = open(&redis.url(), 1).await;
    let sample = create(&store).await;
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
    for attempts_left in [4, 3] {
        assert_eq!(peek(&store, &sample, &WRONG).await, denied(attempts_left));
    }
    let told = claim(&store, &sample).await;
    assert!(is_refused(&told), "{told:?}");
}

#[tokio::test]
async fn what_no_replica_has_is_not_given_when_the_answer_gets_lost_too() {
    let redis = Redis::start(&[]);
    let replica = Redis::start_replica(&redis);
    let way = Way::to(&redis);
    let store = open(&way.url(), 1).await;
    let sample = create(&store).await;
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
    for _ in 0..2 {
        way.lose(Loss::Answer);
        let told = claim(&store, &sample).await;
        assert!(way.has_lost(), "the way is not tried");
        assert!(is_refused(&told), "{told:?}");
    }

    // The lease is the claimant's all the same, and no other's.
    let _another = Redis::start_replica(&redis);
    way.lose(Loss::Answer);
    let claimed = claim(&store, &sample).await.unwrap().unwrap();
    assert_eq!(claimed.body, sample.new.body);
}
