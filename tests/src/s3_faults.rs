//! A proxy before an S3 server that does to requests what networks and stores are known to do. Whatever it is not told to meddle
//! with passes unchanged, one request for each connection.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `PUT`, `POST` or `DELETE`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Whether it asks to write only what is not there.
    pub is_conditional: bool,
    /// Every line before the body, with the first one.
    head: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    /// Whether it asks for the deletion of one object or many.
    pub fn is_deletion(&self) -> bool {
        self.method == "DELETE" || self.is_of_many()
    }

    /// Whether it asks for the deletion of many.
    pub fn is_of_many(&self) -> bool {
        self.method == "POST" && self.target.ends_with("?delete")
    }

    /// The keys that a deletion of many names.
    pub fn keys(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.body);
        let keys = text.split("<Key>").skip(1);
        keys.filter_map(|rest| rest.split_once("</Key>"))
            .map(|(key, _)| key.to_owned())
            .collect()
    }
}

/// What is done to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// It is answered with this status and body, and goes no further.
    Answer(u16, String),
    /// It is taken, and never answered.
    Hang,
    /// It is answered as if it had been done.
    Lose,
    /// The client is cut off, and the server gets it when [`S3Faults::deliver`] is called.
    Delay,
    /// The server gets it without the condition to write only what is not there. It takes no heed of signatures, which cover that.
    Uncondition,
    /// The client gets so many bytes of the answer, with its head, and is cut off.
    Cut(usize),
}

impl Meddling {
    /// An answer of S3's that says no, with a code of S3's.
    pub fn refuse(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as planned</Message></Error>"
        );
        Self::Answer(status, body)
    }
}

type Choose = Box<dyn Fn(&Request) -> Option<Meddling> + Send>;

/// A proxy that listens on loopback until this test program ends.
#[derive(Debug)]
pub struct S3Faults {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    inner: Mutex<Inner>,
}

struct Inner {
    choose: Choose,
    seen: Vec<Request>,
    delayed: Vec<Request>,
    hanging: Vec<TcpStream>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Shared").field(&self.server).finish()
    }
}

impl S3Faults {
    /// Before `server`, meddling with nothing.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server,
            inner: Mutex::new(Inner {
                choose: Box::new(|_| None),
                seen: Vec::new(),
                delayed: Vec::new(),
                hanging: Vec::new(),
            }),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // Whoever is cut off notices by itself.
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does to each request from here on what `choose` says.
    pub fn meddle(&self, choose: impl Fn(&Request) -> Option<Meddling> + Send + 'static) {
        self.shared.lock().choose = Box::new(choose);
    }

    /// Meddles with nothing from here on.
    pub fn pass(&self) {
        self.meddle(|_| None);
    }

    /// How many requests have come for which `is_counted` holds.
    pub fn count(&self, is_counted: impl Fn(&Request) -> bool) -> usize {
        let inner = self.shared.lock();
        inner
            .seen
            .iter()
            .filter(|request| is_counted(request))
            .count()
    }

    /// Gives the server what was held back. How many requests it has taken.
    pub fn deliver(&self) -> usize {
        let delayed = std::mem::take(&mut self.shared.lock().delayed);
        let taken = delayed.into_iter().filter(|request| {
            let answer = self.shared.forward(request);
            answer.is_ok_and(|answer| {
                answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.0 2")
            })
        });
        taken.count()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let request = read(&client)?;
        let meddling = {
            let mut inner = self.lock();
            inner.seen.push(request.clone());
            (inner.choose)(&request)
        };
        match meddling {
            None => client.write_all(&self.forward(&request)?)?,
            Some(Meddling::Answer(status, body)) => client.write_all(&answer(status, &body))?,
            Some(Meddling::Hang) => {
                self.lock().hanging.push(client);
                return Ok(());
            }
            Some(Meddling::Lose) => client.write_all(&pretence(&request))?,
            Some(Meddling::Delay) => self.lock().delayed.push(request),
            Some(Meddling::Uncondition) => {
                let mut request = request;
                request.head.retain(|line| !is_condition(line));
                client.write_all(&self.forward(&request)?)?;
            }
            Some(Meddling::Cut(len)) => {
                let answer = self.forward(&request)?;
                client.write_all(answer.get(..len).unwrap_or(&answer))?;
            }
        }
        client.shutdown(Shutdown::Both)
    }

    /// The server's answer, whole.
    fn forward(&self, request: &Request) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server)?;
        let mut head = request.head.join("\r\n");
        head.push_str("\r\nConnection: close\r\n\r\n");
        server.write_all(head.as_bytes())?;
        server.write_all(&request.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        // For the client the connection ends too, whatever the server says of its own.
        let head_end = answer.windows(2).position(|pair| pair == b"\r\n");
        let at = head_end.ok_or(io::ErrorKind::UnexpectedEof)? + 2;
        answer.splice(at..at, *b"Connection: close\r\n");
        Ok(answer)
    }
}

fn read(client: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(client);
    let mut head: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head.push(line.to_owned());
        }
    }
    let lengths = head.iter().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; lengths.sum()];
    reader.read_exact(&mut body)?;
    let first = head.first().cloned().unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    Ok(Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        is_conditional: head.iter().any(|line| is_condition(line)),
        head,
        body,
    })
}

fn is_condition(line: &str) -> bool {
    line.to_ascii_lowercase().starts_with("if-none-match:")
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} As-Planned\r\nETag: \"0\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The answer of a server that has done it.
fn pretence(request: &Request) -> Vec<u8> {
    if request.is_of_many() {
        let keys = request.keys();
        let deleted: Vec<_> = keys
            .iter()
            .flat_map(|key| ["<Deleted><Key>", key, "</Key></Deleted>"])
            .collect();
        let deleted = deleted.concat();
        return answer(200, &format!("<DeleteResult>{deleted}</DeleteResult>"));
    }
    if request.method == "DELETE" {
        return b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_vec();
    }
    answer(200, "")
}
