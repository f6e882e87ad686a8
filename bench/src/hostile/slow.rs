//! A thousand slow clients: heads that never end, bodies that trickle, answers that are read byte by byte. Each connects from one of many
//! addresses of this machine, so that no bound of one address ends them, and looks for nothing but to stay.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hyper::Method;
use onetimeshare_protocol::route;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::normal::Normal;
use crate::client::{Call, Client};
use crate::figures::{self, Stay};
use crate::load::large::send;
use crate::stopwatch::Stopwatch;
use crate::target::Running;
use crate::transfer::{Sealing, token};

/// Slow clients of each address.
const EACH: usize = 50;

/// Bytes of the file that is read slowly: more than lies between two sockets.
const CONTENT_LEN: usize = 32 << 20;

/// Bytes of each file that is sent slowly: one part.
const SENT_LEN: u64 = 200_000;

/// How long they are watched.
const WATCHED: Duration = Duration::from_mins(3);

/// What one of them does.
#[derive(Clone, Copy)]
enum Kind {
    Head,
    Body,
    Reader,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Head, Self::Body, Self::Reader];

    const fn name(self) -> &'static str {
        match self {
            Self::Head => "heads",
            Self::Body => "bodies",
            Self::Reader => "reads",
        }
    }

    /// All addresses of a kind: 127.0.x.0/24.
    const fn subnet(self) -> u8 {
        match self {
            Self::Head => 10,
            Self::Body => 11,
            Self::Reader => 12,
        }
    }
}

/// Normal requests alone, and beside slow clients; and how long these stay.
pub(super) async fn run(running: &Running, is_bare: bool, quick: bool) -> Result<figures::Slow> {
    let (count, length) = if quick {
        (60, Duration::from_secs(3))
    } else {
        (1_000, Duration::from_secs(20))
    };
    let address = running.address;
    let normal = Normal::new(address)?;
    let quiet = normal.measure(length).await?;
    let before_kib = running.peak_kib()?;
    let openings = Openings::prepare(address, count / 3).await?;
    let began = Stopwatch::start();
    let attackers = attack(address, count, &openings).await?;
    let watching = watch(address, began);
    let (stays, attacked) = tokio::join!(watching, normal.measure(length));
    let attacked = attacked?;
    drop(attackers);
    Ok(figures::Slow {
        target: if is_bare {
            "axum::serve"
        } else {
            "onetimeshare"
        }
        .to_owned(),
        count,
        requests: attacked.count(),
        quiet_p99_ms: quiet.percentile_ms(99),
        attacked_p99_ms: attacked.percentile_ms(99),
        grown_kib: running.peak_kib()?.saturating_sub(before_kib),
        watched_s: WATCHED.as_secs(),
        stays: stays?,
    })
}

/// What they begin with.
struct Openings {
    bodies: Vec<String>,
    reader: String,
}

impl Openings {
    /// Makes a transfer for each body that is to be sent, and one that is to be read.
    async fn prepare(address: SocketAddr, count: usize) -> Result<Self> {
        let mut client = Client::connect(address).await?;
        let mut bodies = Vec::new();
        for _ in 0..=count {
            let sealing = Sealing::begin(SENT_LEN)?;
            let create = Bytes::from(serde_json::to_vec(&sealing.create())?);
            client
                .call(Call::new(Method::POST, route::TRANSFERS, create))
                .await?;
            let path = route::PART
                .replace("{id}", &sealing.id())
                .replace("{index}", "0");
            bodies.push(format!(
                "PUT {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Digest: sha-256=:{}=:\r\nContent-Length: {}\r\n\r\n",
                sealing.owner_token(),
                "A".repeat(43),
                sealing.body_len()
            ));
        }
        let content = vec![7; CONTENT_LEN];
        let mut sealing = Sealing::begin(u64::try_from(CONTENT_LEN)?)?;
        send(&mut client, &mut sealing, &content).await?;
        let token = token()?;
        let claim = Bytes::from(serde_json::to_vec(&sealing.claim())?);
        let path = route::CLAIM.replace("{id}", &sealing.id());
        client
            .call(Call::new(Method::POST, &path, claim).by(&token))
            .await?;
        let path = route::BODY.replace("{id}", &sealing.id());
        let reader =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
        Ok(Self { bodies, reader })
    }

    fn of(&self, kind: Kind, number: usize) -> String {
        match kind {
            Kind::Head => "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ".to_owned(),
            Kind::Body => self.bodies.get(number).cloned().unwrap_or_default(),
            Kind::Reader => self.reader.clone(),
        }
    }
}

/// Connects `count` of them, a third of each kind, all of which go on until they are dropped.
async fn attack(address: SocketAddr, count: usize, openings: &Openings) -> Result<JoinSet<()>> {
    let mut attackers = JoinSet::new();
    for index in 0..count {
        let kind = Kind::ALL.get(index % 3).copied().unwrap_or(Kind::Head);
        let number = index / 3;
        let last = u8::try_from(1 + number / EACH)?;
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        if matches!(kind, Kind::Reader) {
            socket.set_recv_buffer_size(4096)?;
        }
        socket.bind((Ipv4Addr::new(127, 0, kind.subnet(), last), 0).into())?;
        let mut stream = socket.connect(address).await?;
        let opening = openings.of(kind, number);
        stream.write_all(opening.as_bytes()).await?;
        attackers.spawn(drip(kind, stream));
    }
    Ok(attackers)
}

/// A byte every second, until the connection ends. What is left of it stays open: whoever has closed it must not wait for the other end.
async fn drip(kind: Kind, mut stream: TcpStream) {
    loop {
        sleep(Duration::from_secs(1)).await;
        let is_over = match kind {
            Kind::Head | Kind::Body => stream.write_all(b"y").await.is_err(),
            Kind::Reader => !matches!(stream.read(&mut [0]).await, Ok(1..)),
        };
        if is_over {
            std::future::pending::<()>().await;
        }
    }
}

/// When the last of each kind was let go of, by the target's end of the connections.
async fn watch(address: SocketAddr, began: Stopwatch) -> Result<Vec<Stay>> {
    let mut stays = Kind::ALL.map(|kind| (kind, None, 0));
    while began.elapsed() < WATCHED && stays.iter().any(|(_, gone, _)| gone.is_none()) {
        sleep(Duration::from_secs(1)).await;
        let table = fs::read_to_string("/proc/net/tcp").context("no table of connections")?;
        for (kind, gone, kept) in &mut stays {
            *kept = established(&table, address.port(), kind.subnet());
            if *kept == 0 {
                gone.get_or_insert(began.elapsed().as_secs());
            } else {
                *gone = None;
            }
        }
    }
    let stays = stays.into_iter().map(|(kind, gone_s, kept)| Stay {
        kind: kind.name().to_owned(),
        gone_s,
        kept,
    });
    Ok(stays.collect())
}

/// How many connections of this port to addresses of this subnet are whole at its end, in the system's table (`proc_net_tcp`).
fn established(table: &str, port: u16, subnet: u8) -> usize {
    const ESTABLISHED: &str = "01";
    let local = format!(":{port:04X}");
    // 127.0.subnet.x, least significant byte first.
    let remote = format!("{subnet:02X}007F:");
    let is_one = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let (at, from, state) = (words.next(), words.next(), words.next());
        at.is_some_and(|at| at.ends_with(&local))
            && from.is_some_and(|from| from.get(2..).is_some_and(|rest| rest.starts_with(&remote)))
            && state == Some(ESTABLISHED)
    };
    table.lines().filter(is_one).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_found_by_port_subnet_and_state() {
        let table = "  sl  local_address rem_address   st\n\
             \x20  0: 0100007F:1F90 00000000:0000 0A 0\n\
             \x20  1: 0100007F:1F90 010A007F:A4C2 01 0\n\
             \x20  2: 0100007F:1F90 010A007F:A4C3 04 0\n\
             \x20  3: 010A007F:A4C2 0100007F:1F90 01 0\n\
             \x20  4: 0100007F:1F90 020B007F:A4C3 01 0\n";
        assert_eq!(established(table, 8080, 10), 1);
        assert_eq!(established(table, 8080, 11), 1);
        assert_eq!(established(table, 8080, 12), 0);
        assert_eq!(established(table, 8081, 10), 0);
    }
}
