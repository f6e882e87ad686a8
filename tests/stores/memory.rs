//! The server's memory does not grow with uploads that go to a bucket, however many and slow they are, or however slow the
//! bucket is; and what waits on its disk has no name.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::linux::fs::MetadataExt as _;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use onetimeshare_client::Client;
use onetimeshare_protocol::id::{AccessVerifier, LinkVerifier, OwnerToken};
use onetimeshare_protocol::limits;
use onetimeshare_protocol::transfer::CreateRequest;
use onetimeshare_server::token;
use onetimeshare_tests::scale::row;
use onetimeshare_tests::{Meddling, S3, S3Faults, Server};
use sha2::{Digest as _, Sha256};

use crate::buckets::{pattern, url};

const PART_LEN: usize = 8 << 20;
const UPLOADS: usize = 40;
/// What may be in memory of all of them at once.
const LOADED_MAX: usize = 128 << 20;
/// What else may come and go, above all buffers of connections.
const SLACK: usize = 64 << 20;

/// A transfer of as many parts as there are uploads, in which nothing was ever sealed.
fn create(client: &Client) -> (CreateRequest, OwnerToken) {
    let owner = OwnerToken::from_bytes([3; 32]);
    let link_verifier = LinkVerifier::from_bytes([1; 32]);
    let content_len = u64::try_from(UPLOADS * PART_LEN).unwrap();
    let request = CreateRequest {
        id: token::transfer_id(&link_verifier),
        link_verifier,
        access_verifier: AccessVerifier::from_bytes([2; 32]),
        owner_verifier: token::owner_verifier(&owner),
        manifest: vec![0; limits::MANIFEST_LEN_MIN],
        body_len: limits::body_len(content_len).unwrap(),
        ttl_s: 3600,
        claims_max: 1,
        body: None,
    };
    client.create(&request).unwrap();
    (request, owner)
}

/// A part on its way, of which the last byte is not sent.
fn begin(
    server: &Server,
    request: &CreateRequest,
    owner: &OwnerToken,
    at: (usize, &Bytes),
) -> TcpStream {
    let (index, bytes) = at;
    let address = server.base();
    let address = address.strip_prefix("http://").unwrap();
    let digest = BASE64_STANDARD.encode(Sha256::digest(bytes));
    let mut head = String::new();
    write!(
        head,
        "PUT /api/v1/transfers/{}/parts/{index} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Digest: sha-256=:{digest}:\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        request.id.to_text(),
        owner.to_text(),
        bytes.len(),
    )
    .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    stream
}

/// Sends the last byte. The status of the answer.
fn end(mut stream: TcpStream, bytes: &Bytes) -> String {
    stream.write_all(&bytes[bytes.len() - 1..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Memory that the server holds, in bytes: now, or at most so far.
fn memory(server: &Server, key: &str) -> usize {
    let pid = server.pid().expect("it runs");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

/// Waits until the server's files without a name hold so many bytes.
fn wait_for_nameless(server: &Server, expected: usize) {
    let folder = format!("/proc/{}/fd", server.pid().expect("it runs"));
    let held = || -> u64 {
        let files = fs::read_dir(&folder).unwrap().flatten();
        let files = files.filter_map(|file| fs::metadata(file.path()).ok());
        files
            .filter(|file| file.is_file() && file.st_nlink() == 0)
            .map(|file| file.len())
            .sum()
    };
    for _ in 0..1200 {
        if held() == u64::try_from(expected).unwrap() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{} bytes wait instead of {expected}", held());
}

#[test]
fn uploads_wait_on_disk_without_a_name_and_in_bounded_memory() {
    let bucket = S3::s3s_fs();
    let proxy = S3Faults::before(bucket.address());
    let url = url("");
    let settings = ["--blob-url", &url, "--log", "error"];
    let server = Server::start_with(&settings, S3::variables_of(proxy.address()));
    let client = Client::new(&server.base()).unwrap();
    let (request, owner) = create(&client);
    let bytes = pattern(PART_LEN);
    let before = memory(&server, "VmRSS");

    // Slow clients.
    let begun: Vec<_> = (0..UPLOADS)
        .map(|index| begin(&server, &request, &owner, (index, &bytes)))
        .collect();
    wait_for_nameless(&server, UPLOADS * (PART_LEN - 1));
    let mut named = fs::read_dir(server.data_dir().join("spool")).unwrap();
    assert!(named.next().is_none(), "a crash would leave it");
    let slow = memory(&server, "VmHWM") - before;
    assert!(slow < SLACK, "{slow} bytes for {UPLOADS} parts that wait");

    // A slow bucket.
    proxy.meddle(|request| (request.method == "PUT").then_some(Meddling::Hang));
    let ends: Vec<_> = begun
        .into_iter()
        .map(|stream| {
            let bytes = bytes.clone();
            thread::spawn(move || end(stream, &bytes))
        })
        .collect();
    let statuses: Vec<_> = ends.into_iter().map(|end| end.join().unwrap()).collect();
    assert!(
        statuses.iter().all(|status| status == "503"),
        "{statuses:?}"
    );
    let most = memory(&server, "VmHWM") - before;
    assert!(
        most < LOADED_MAX + SLACK,
        "{most} bytes for {UPLOADS} parts"
    );
    row(
        &format!(
            "{UPLOADS} uploads of 8 MiB that stand still before their last byte; then a bucket that takes none of them"
        ),
        "once",
        &format!(
            "{} MB, then {} MB more memory than at rest",
            slow / 1_000_000,
            most / 1_000_000
        ),
    );

    // Nothing is held up by what failed.
    proxy.pass();
    let again = begin(&server, &request, &owner, (0, &bytes));
    assert_eq!(end(again, &bytes), "204");
}
