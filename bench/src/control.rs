//! The control: files over HTTP, where whatever was answered survives a power cut. It does what any server with the same
//! promise has to do for each request, and nothing else.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// Serves `folder` until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, folder: PathBuf) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let folder = folder.clone();
        let answering = service_fn(move |request| answer(request, folder.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answering));
    }
}

async fn answer(
    request: Request<Incoming>,
    folder: PathBuf,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let done = spawn_blocking(move || act(&head.method, head.uri.path(), &body, &folder)).await;
    let (status, answer) = match done {
        Ok(Ok(answer)) => (StatusCode::OK, answer),
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            (StatusCode::NOT_FOUND, Bytes::new())
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
    };
    let mut response = Response::new(Full::new(answer));
    *response.status_mut() = status;
    Ok(response)
}

fn act(method: &Method, path: &str, body: &Bytes, folder: &Path) -> std::io::Result<Bytes> {
    let name = path.trim_start_matches('/');
    let is_name = |sign: u8| sign.is_ascii_alphanumeric() || sign == b'-' || sign == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(ErrorKind::NotFound.into());
    }
    let file = folder.join(name);
    match *method {
        Method::PUT => write(&file, body, folder).map(|()| Bytes::new()),
        Method::GET => fs::read(&file).map(Bytes::from),
        Method::DELETE => {
            fs::remove_file(&file)?;
            sync(folder).map(|()| Bytes::new())
        }
        _ => Err(ErrorKind::NotFound.into()),
    }
}

/// Aside, synced, renamed, and the name synced too.
fn write(file: &Path, body: &[u8], folder: &Path) -> std::io::Result<()> {
    let aside = file.with_extension("aside");
    let mut written = File::create_new(&aside)?;
    written.write_all(body)?;
    written.sync_all()?;
    fs::rename(&aside, file)?;
    sync(folder)
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_read_and_deleted_by_its_name_alone() {
        let folder =
            std::env::temp_dir().join(format!("onetimeshare-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let call = |method, path| act(&method, path, &Bytes::from_static(b"sealed"), &folder);
        assert!(call(Method::PUT, "/a-1_B").is_ok());
        assert_eq!(call(Method::GET, "/a-1_B").unwrap(), "sealed");
        assert!(call(Method::DELETE, "/a-1_B").is_ok());
        for path in ["/a-1_B", "/", "/../a", "/a/b", "/a.aside"] {
            let fault = call(Method::GET, path).unwrap_err();
            assert_eq!(fault.kind(), ErrorKind::NotFound, "{path}");
        }
        fs::remove_dir(&folder).unwrap();
    }
}
