//! The recipes in `contrib` for what stands before the server, as they are but for addresses and certificates: large files pass through
//! them, and what they refuse by themselves reaches the client.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Error, SendOptions, send};
use onetimeshare_tests::Server;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::life::{LARGE, file, pass_on, pattern};

/// How long a start may take, in tenths of a second, with other tests beside it.
const START_TRIES: u32 = 600;

/// The limit that the recipe sets.
const BODY_SIZE: &str = "    client_max_body_size 9m;\n";

/// A running proxy, which ends with it.
pub(crate) struct Proxy {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Proxy {
    #[track_caller]
    fn start(mut command: Command, address: SocketAddr, folder: TempDir) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}; install it"));
        let proxy = Self {
            child,
            address,
            folder,
        };
        for _ in 0..START_TRIES {
            if TcpStream::connect(address).is_ok() {
                return proxy;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(proxy.folder.path().join("log"));
        panic!("{command:?} does not listen: {log:?}");
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers only when it is told, not when it is killed.
        let told = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// The recipe at `path` with each of `changes` made, which must fit exactly once.
#[track_caller]
fn recipe(path: &str, changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../contrib")
        .join(path);
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from} in\n{text}");
        text = text.replace(from, to);
    }
    text
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// nginx with its recipe, less or more what `changes` say.
#[track_caller]
pub(crate) fn nginx(server: &Server, changes: &[(&str, &str)]) -> (Proxy, SocketAddr) {
    let (address, plain) = (free_address(), free_address());
    let upstream = format!("server {};", server.base().trim_start_matches("http://"));
    let listen = format!("listen {address};");
    let listen_plain = format!("listen {plain};");
    let own = [
        ("server 127.0.0.1:8080;", upstream.as_str()),
        ("listen 80;\n    listen [::]:80;", &listen_plain),
        (
            "listen 443 ssl http2;\n    listen [::]:443 ssl http2;",
            &listen,
        ),
        (
            "    ssl_certificate /etc/ssl/share.example/fullchain.pem;\n",
            "",
        ),
        (
            "    ssl_certificate_key /etc/ssl/share.example/privkey.pem;\n",
            "",
        ),
        ("    ssl_protocols TLSv1.2 TLSv1.3;\n", ""),
    ];
    let text = recipe("nginx/onetimeshare.conf", &[&own, changes].concat());
    let folder = tempfile::tempdir().unwrap();
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap();
    let aside = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let places = aside.map(|kind| format!("{kind}_temp_path aside-{kind};\n"));
    let places = places.concat();
    let whole = format!(
        "daemon off;\nuser {};\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{text}}}\n",
        user.trim()
    );
    fs::write(folder.path().join("nginx.conf"), whole).unwrap();
    // Debian keeps it where only the search path of an administrator leads.
    let usual = PathBuf::from("/usr/sbin/nginx");
    let program = if usual.is_file() {
        usual
    } else {
        "nginx".into()
    };
    let mut command = Command::new(program);
    command.arg("-p").arg(folder.path());
    command
        .args(["-e", "error.log", "-c"])
        .arg(folder.path().join("nginx.conf"));
    let proxy = Proxy::start(command, address, folder);
    // Without them, it fails instead of keeping anything.
    for kind in aside {
        fs::remove_dir_all(proxy.folder.path().join(format!("aside-{kind}"))).unwrap();
    }
    (proxy, plain)
}

/// The head of what `address` answers to somebody who looks for `host`.
#[track_caller]
fn head(address: SocketAddr, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /a?b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split("\r\n\r\n").next().unwrap().to_lowercase()
}

#[test]
fn a_large_file_passes_through_nginx_and_is_kept_nowhere_on_its_way() {
    let server = Server::start(&[]);
    let (nginx, plain) = nginx(&server, &[]);
    pass_on(&nginx.base(), LARGE);
    let errors = fs::read_to_string(nginx.folder.path().join("error.log")).unwrap();
    assert_eq!(errors, "");
    assert!(
        head(nginx.address, "share.example")
            .contains("\r\nstrict-transport-security: max-age=31536000")
    );
    let redirect = head(plain, "share.example");
    assert!(redirect.starts_with("http/1.1 308 "), "{redirect}");
    assert!(
        redirect.contains("\r\nlocation: https://share.example/a?b"),
        "{redirect}"
    );
}

#[test]
fn without_the_recipe_s_limit_nginx_refuses_parts_and_the_client_can_tell() {
    let server = Server::start(&[]);
    let (nginx, _) = nginx(&server, &[(BODY_SIZE, "")]);
    let client = Client::new(&nginx.base()).unwrap();
    let content = pattern(LARGE);
    let refused = send(&client, &SendOptions::default(), file(&content)).unwrap_err();
    assert!(
        matches!(refused, Error::Protocol { status: 413, .. }),
        "{refused:?}"
    );
    // What fits is not concerned.
    pass_on(&nginx.base(), 500_000);
}

/// Caddy with its recipe.
#[track_caller]
fn caddy(server: &Server) -> Proxy {
    let address = free_address();
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{{\n\tadmin off\n}}\n{}", recipe("caddy/Caddyfile", &[]));
    fs::write(folder.path().join("Caddyfile"), text).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--config", "Caddyfile"]);
    command.env("ONETIMESHARE_HOST", format!("http://{address}"));
    let upstream = server.base();
    command.env(
        "ONETIMESHARE_SERVERS",
        upstream.trim_start_matches("http://"),
    );
    // It keeps certificates and its last settings in the home folder.
    command.env("HOME", folder.path());
    Proxy::start(command, address, folder)
}

#[test]
fn a_large_file_passes_through_caddy() {
    let server = Server::start(&[]);
    let caddy = caddy(&server);
    pass_on(&caddy.base(), LARGE);
    let head = head(caddy.address, &caddy.address.to_string());
    assert!(head.contains("strict-transport-security: max-age=31536000"));
}

/// How many of 20 requests are granted that come from `source`, each with another client's address forged.
fn granted(proxy: &Proxy, source: Ipv4Addr, host: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ask = async |number: usize| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        let mut stream = socket.connect(proxy.address).await.unwrap();
        let forged = format!("198.51.100.{number}");
        let head = format!(
            "GET /api/v1/stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-Forwarded-For: {forged}\r\n\
             X-Forwarded-For: {forged}, 127.0.0.1\r\nX-Real-IP: {forged}\r\nForwarded: for={forged}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let is_granted = answer.starts_with("HTTP/1.1 200");
        assert!(is_granted || answer.starts_with("HTTP/1.1 429"), "{answer}");
        is_granted
    };
    (0..20)
        .filter(|&number| runtime.block_on(ask(number)))
        .count()
}

#[test]
fn behind_the_recipes_forged_addresses_gain_nothing_and_people_are_told_apart() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--rate-open", "5/1h"];
    for is_nginx in [true, false] {
        let server = Server::start(&flags);
        let (proxy, host) = if is_nginx {
            (nginx(&server, &[]).0, "share.example".to_owned())
        } else {
            let caddy = caddy(&server);
            let host = caddy.address.to_string();
            (caddy, host)
        };
        for last in 2..5 {
            let source = Ipv4Addr::new(127, 0, 0, last);
            assert_eq!(granted(&proxy, source, &host), 5, "nginx: {is_nginx}");
        }
        assert!(
            !server.log().contains("`trusted-proxy`"),
            "{}",
            server.log()
        );
    }
}

#[test]
fn a_proxy_that_nobody_trusts_is_told_once_and_no_address_with_it() {
    let server = Server::start(&["--rate-open", "5/1h"]);
    let (nginx, _) = nginx(&server, &[]);
    let all = (2..5).map(|last| granted(&nginx, Ipv4Addr::new(127, 0, 0, last), "share.example"));
    assert_eq!(all.sum::<usize>(), 5, "all of them are one client");
    let log = server.log();
    assert_eq!(log.matches("`trusted-proxy`").count(), 1, "{log}");
    assert!(
        !log.contains("198.51.100.") && !log.contains("127.0.0.2"),
        "{log}"
    );
}
