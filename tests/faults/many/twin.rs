//! A server with a fault on purpose, for the control: it looks whether a transfer is there, and deletes it then, in two steps.
//! It speaks the claim call and nothing else.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use onetimeshare_protocol::transfer::ClaimAnswer;
use onetimeshare_tests::Redis;

use crate::secret::Secret;

/// What its transfers are answered with, by their ids.
type Answers = Arc<BTreeMap<String, String>>;

/// Keeps these transfers in `redis`, and gives them out at so many addresses until this test program ends. -> the addresses
pub(crate) fn start(redis: &Redis, secrets: &[Secret], count: usize) -> Vec<String> {
    let answers = secrets.iter().map(|secret| {
        redis.ask(&["SET", &secret.id().to_text(), "there"]);
        let answer = ClaimAnswer {
            lease_expires_at: 0,
            body_len: secret.create.body_len,
            manifest: secret.create.manifest.clone(),
            body: secret.create.body.clone(),
        };
        let answer = serde_json::to_string(&answer).expect("a struct of texts and numbers");
        (secret.id().to_text(), answer)
    });
    let answers: Answers = Arc::new(answers.collect());
    let listen = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (redis, answers) = (redis.address(), Arc::clone(&answers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                // A client that is gone notices nothing.
                thread::spawn(move || serve(&stream, redis, &answers));
            }
        });
        format!("http://{address}")
    };
    (0..count).map(|_| listen()).collect()
}

fn serve(stream: &TcpStream, redis: SocketAddr, answers: &Answers) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(id) = read_id(&mut reader)? {
        let is_there = ask(redis, "GET", &id)?.contains("there");
        if is_there {
            // Here is the fault: whoever has looked meanwhile wins as well.
            ask(redis, "DEL", &id)?;
        }
        let (status, body) = match answers.get(&id).filter(|_| is_there) {
            Some(answer) => ("200 OK", answer.as_str()),
            None => (
                "410 Gone",
                r#"{"code":"transfer.gone","message":"somebody was quicker"}"#,
            ),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        (&mut &*stream).write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn ask(redis: SocketAddr, command: &str, id: &str) -> io::Result<String> {
    Redis::ask_at(redis, &[command, id]).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Reads one request. The id in its path; none at the end.
fn read_id(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<String>> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= "\r\n".len() {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or(0);
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    // POST /api/v1/transfers/{id}/claim HTTP/1.1
    Ok(first.split('/').nth(4).map(str::to_owned))
}
