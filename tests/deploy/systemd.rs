//! The server under a service manager: sockets that are handed over, and word of when it is ready. The manager is played by a shell, and
//! once by systemd's own program for that.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;
use std::thread;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_tests::Server;
use tempfile::TempDir;

use crate::life::pass_on;

const PATIENCE: Duration = Duration::from_mins(1);

/// Who is told how a server fares, played here.
struct Supervisor {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Supervisor {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, folder }
    }

    fn start(&self, settings: &[&str]) -> Server {
        let path = self.folder.path().join("notify");
        let path = path.to_string_lossy().into_owned();
        Server::start_with(settings, vec![("NOTIFY_SOCKET".to_owned(), path)])
    }

    /// What it is told next.
    fn heard(&self) -> String {
        let mut word = [0; 100];
        let len = self.socket.recv(&mut word).unwrap();
        String::from_utf8_lossy(&word[..len]).trim().to_owned()
    }
}

#[test]
fn a_socket_that_is_handed_over_is_served_instead_of_the_setting() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let mut server = Server::start_on(socket);
    assert_eq!(server.base(), base);
    pass_on(&base, 100_000);
    assert!(server.stop().success(), "{}", server.log());
}

#[test]
fn connections_wait_in_a_socket_that_is_handed_over_while_the_server_is_away() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let mut server = Server::start_on(socket);
    assert!(server.stop().success(), "{}", server.log());
    let asking = thread::spawn(move || Client::new(&base).unwrap().healthz());
    server.restart();
    asking.join().unwrap().unwrap();
}

#[test]
fn what_cannot_be_listened_on_is_refused_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let unix = UnixListener::bind(folder.path().join("socket")).unwrap();
    for told in [
        Server::refused_on(connected),
        Server::refused_on(UdpSocket::bind("127.0.0.1:0").unwrap()),
        Server::refused_on(unix),
        Server::refused_on(tempfile::tempfile().unwrap()),
    ] {
        assert!(
            told.contains("socket 1 of 1") && told.contains("ListenStream="),
            "{told}"
        );
    }
}

#[test]
fn systemd_itself_hands_over_a_socket() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let address = address.unwrap();
    // It starts the server when somebody comes.
    let knocking = thread::spawn(move || {
        let mut tries = (0..1200).map(|_| {
            thread::sleep(Duration::from_millis(50));
            TcpStream::connect(address)
        });
        assert!(tries.any(|knocked| knocked.is_ok()), "nobody listens");
    });
    let listen = address.to_string();
    let wrapper = ["systemd-socket-activate", "--listen", &listen];
    let server = Server::start_under(&wrapper, &[]);
    assert_eq!(server.base(), format!("http://{address}"));
    pass_on(&server.base(), 1000);
    knocking.join().unwrap();
}

#[test]
fn systemd_hears_when_the_server_answers_and_when_it_stops() {
    let supervisor = Supervisor::new();
    let mut server = supervisor.start(&[]);
    assert_eq!(supervisor.heard(), "READY=1");
    Client::new(&server.base()).unwrap().healthz().unwrap();
    assert!(server.stop().success());
    assert_eq!(supervisor.heard(), "STOPPING=1");
}

#[test]
fn systemd_hears_when_the_certificate_was_read_again() {
    let supervisor = Supervisor::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| {
        let path = supervisor.folder.path().join(name);
        path.to_string_lossy().into_owned()
    });
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut server = supervisor.start(&["--tls-cert", &certificate, "--tls-key", &key]);
    assert!(server.base().starts_with("https://127.0.0.1:"));
    assert_eq!(supervisor.heard(), "READY=1");
    let pid = server.pid().unwrap().to_string();
    // A faulty file ends no reload half way.
    for content in [made.cert.pem(), String::new()] {
        fs::write(&certificate, content).unwrap();
        let told = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(told.unwrap().success());
        let word = supervisor.heard();
        let now = word.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        assert!(now.is_some_and(|now| now.parse::<u64>().is_ok()), "{word}");
        assert_eq!(supervisor.heard(), "READY=1");
    }
    assert!(server.stop().success());
    assert_eq!(supervisor.heard(), "STOPPING=1");
    assert_eq!(server.log().matches("is not renewed").count(), 1);
}

#[test]
fn a_supervisor_that_cannot_be_told_is_no_reason_not_to_serve() {
    let variable = ("NOTIFY_SOCKET".to_owned(), "/nowhere/notify".to_owned());
    let mut server = Server::start_with(&[], vec![variable]);
    Client::new(&server.base()).unwrap().healthz().unwrap();
    assert!(server.stop().success());
    let log = server.log();
    assert!(log.contains("cannot be told: READY=1"), "{log}");
}
