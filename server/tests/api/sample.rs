//! Transfers as a client would send them, with everything that proves a right to them. Nothing in them is sealed: the server
//! could not tell.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use onetimeshare_protocol::limits;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::server::{Answer, LIMITS, TestServer, request, with_token};

pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// One transfer, seen from both its ends.
#[derive(Clone)]
pub(crate) struct Sample {
    seed: u8,
    pub(crate) body: Vec<u8>,
}

impl Sample {
    /// Fits into its create request.
    pub(crate) fn small() -> Self {
        Self::of(7, 1000)
    }

    /// Takes four parts, the last one short.
    pub(crate) fn large() -> Self {
        Self::of(9, 200_000)
    }

    /// Another one for every seed.
    pub(crate) fn of(seed: u8, content_len: u64) -> Self {
        let len = limits::body_len(content_len).unwrap();
        let body = (0..len)
            .map(|at| u8::try_from((at * 31 + u64::from(seed)) % 251).unwrap())
            .collect();
        Self { seed, body }
    }

    fn link_proof(&self) -> [u8; 32] {
        [self.seed; 32]
    }

    fn access_proof(&self) -> [u8; 32] {
        [self.seed ^ 0x80; 32]
    }

    fn owner_token(&self) -> [u8; 32] {
        [self.seed ^ 0x40; 32]
    }

    pub(crate) fn owner(&self) -> String {
        text(&self.owner_token())
    }

    /// One claimant's token for every `name`.
    pub(crate) fn claimant(&self, name: u8) -> String {
        text(&sha256(&[self.seed, name]))
    }

    pub(crate) fn id(&self) -> String {
        let verifier = sha256(&self.link_proof());
        text(&sha256(&[&b"onetimeshare/v1 id"[..], &verifier].concat())[..16])
    }

    /// A path below this transfer.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/transfers/{}{rest}", self.id())
    }

    pub(crate) fn request(&self) -> Value {
        let mut request = json!({
            "id": self.id(),
            "link_verifier": text(&sha256(&self.link_proof())),
            "access_verifier": text(&sha256(&self.access_proof())),
            "owner_verifier": text(&sha256(&self.owner_token())),
            "manifest": text(&self.manifest()),
            "body_len": self.body.len(),
            "ttl_s": 3600,
            "claims_max": 1,
        });
        if self.body.len() <= usize::try_from(LIMITS.inline_max).unwrap() {
            request["body"] = text(&self.body).into();
        }
        request
    }

    pub(crate) fn manifest(&self) -> Vec<u8> {
        vec![self.seed; limits::MANIFEST_LEN_MIN]
    }

    pub(crate) fn link(&self) -> Value {
        json!({"link_proof": text(&self.link_proof())})
    }

    pub(crate) fn proofs(&self) -> Value {
        json!({"link_proof": text(&self.link_proof()), "access_proof": text(&self.access_proof())})
    }

    /// Right link, wrong passphrase.
    pub(crate) fn wrong_access(&self) -> Value {
        json!({"link_proof": text(&self.link_proof()), "access_proof": text(&[0; 32])})
    }

    /// Every proof and token there is, and the beginnings of the ciphertext, in every form in which a log could hold them.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        };
        let listed = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
        self.secret_bytes()
            .iter()
            .flat_map(|bytes| [text(bytes), hex(bytes), listed(bytes)])
            .collect()
    }

    /// The same, as they are.
    pub(crate) fn secret_bytes(&self) -> Vec<Vec<u8>> {
        vec![
            self.link_proof().to_vec(),
            self.access_proof().to_vec(),
            self.owner_token().to_vec(),
            sha256(&self.link_proof()).to_vec(),
            sha256(&[self.seed, 1]).to_vec(),
            self.manifest()[..48].to_vec(),
            self.body[..48].to_vec(),
            URL_SAFE_NO_PAD.decode(self.id()).unwrap(),
        ]
    }

    pub(crate) fn parts(&self) -> Vec<&[u8]> {
        self.body
            .chunks(usize::try_from(LIMITS.part_len).unwrap())
            .collect()
    }

    pub(crate) async fn create(&self, server: &TestServer) -> Answer {
        server
            .call_json("/api/v1/transfers", None, &self.request())
            .await
    }

    pub(crate) async fn put(&self, server: &TestServer, index: usize) -> Answer {
        self.put_bytes(server, &index.to_string(), self.parts()[index])
            .await
    }

    pub(crate) async fn put_bytes(&self, server: &TestServer, index: &str, bytes: &[u8]) -> Answer {
        server
            .send(self.part_request(index, bytes, bytes.to_vec().into()))
            .await
    }

    /// Announces `bytes` and sends `body`.
    pub(crate) fn part_request(&self, index: &str, bytes: &[u8], body: Body) -> Request<Body> {
        let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(bytes)));
        let request = with_token(
            request("PUT", &self.path(&format!("/parts/{index}"))),
            Some(&self.owner()),
        );
        request
            .header("content-digest", digest)
            .header("content-length", bytes.len())
            .body(body)
            .unwrap()
    }

    /// Uploads all of it.
    pub(crate) async fn upload(&self, server: &TestServer) {
        let created = self.create(server).await.expect(201);
        if created.json["state"] == "uploading" {
            self.upload_parts(server).await;
        }
    }

    /// Uploads the parts of one that is created.
    pub(crate) async fn upload_parts(&self, server: &TestServer) {
        for index in 0..self.parts().len() {
            self.put(server, index).await.expect(204);
        }
        server
            .call("POST", &self.path("/complete"), Some(&self.owner()))
            .await
            .expect(200);
    }

    pub(crate) async fn peek(&self, server: &TestServer, proofs: &Value) -> Answer {
        server.call_json(&self.path("/peek"), None, proofs).await
    }

    pub(crate) async fn claim(&self, server: &TestServer, claimant: u8) -> Answer {
        server
            .call_json(
                &self.path("/claim"),
                Some(&self.claimant(claimant)),
                &self.proofs(),
            )
            .await
    }

    pub(crate) async fn fetch(
        &self,
        server: &TestServer,
        claimant: u8,
        range: Option<&str>,
    ) -> Answer {
        let mut request = with_token(
            request("GET", &self.path("/body")),
            Some(&self.claimant(claimant)),
        );
        if let Some(range) = range {
            request = request.header("range", range);
        }
        server.send(request.body(Body::empty()).unwrap()).await
    }

    /// Fails unless the transfer is still there, whole, with this many attempts left: it is claimed and fetched.
    pub(crate) async fn assert_unharmed(&self, server: &TestServer, attempts_left: u32) {
        let peek = self.peek(server, &self.link()).await.expect(200);
        assert_eq!(peek.json["attempts_left"], attempts_left);
        self.claim(server, 1).await.expect(200);
        assert_eq!(
            self.fetch(server, 1, None).await.expect(200).bytes,
            self.body
        );
    }
}
