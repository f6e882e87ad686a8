//! The server under a service manager: sockets that are handed over, and word of when it is ready. The manager is played by a shell, and
//! once by systemd's own program for that.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::thread;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_tests::Server;

use crate::life::pass_on;

const PATIENCE: Duration = Duration::from_mins(1);

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
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&path).unwrap();
    supervisor.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut word = [0; 100];
        let len = supervisor.recv(&mut word).unwrap();
        String::from_utf8_lossy(&word[..len]).trim().to_owned()
    };
    let variable = (
        "NOTIFY_SOCKET".to_owned(),
        path.to_string_lossy().into_owned(),
    );
    let mut server = Server::start_with(&[], vec![variable]);
    assert_eq!(heard(), "READY=1");
    Client::new(&server.base()).unwrap().healthz().unwrap();
    assert!(server.stop().success());
    assert_eq!(heard(), "STOPPING=1");
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
