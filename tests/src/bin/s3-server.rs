//! The S3 server that checks signatures, for tests alone: `s3s-fs`, which keeps each bucket in a folder of `FOLDER` and each object in a
//! file. `s3-server ADDRESS FOLDER ACCESS_KEY SECRET_KEY` prints where it listens, and ends when it is killed.

use std::io::Write as _;
use std::{env, io};

use anyhow::{Context, Result};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [address, folder, access_key, secret_key] = &words[..] else {
        anyhow::bail!("usage: s3-server ADDRESS FOLDER ACCESS_KEY SECRET_KEY");
    };
    let files = FileSystem::new(folder.as_str())
        .ok()
        .with_context(|| format!("cannot keep objects in {folder}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(
        access_key.as_str(),
        secret_key.as_str(),
    ));
    let service = service.build();
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            // A test that breaks a connection off knows of it.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
