//! nginx as a plain store of files: PUT, GET and DELETE, as fast as it can. It syncs nothing to the disk.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

/// Writes a configuration into `folder` and returns the command that serves from there.
pub(super) fn prepare(program: &Path, address: SocketAddr, folder: &Path) -> Result<Command> {
    // nginx takes its prefix literally, wherever it is started.
    let folder = std::path::absolute(folder)?;
    fs::create_dir_all(folder.join("files"))?;
    let file = folder.join("nginx.conf");
    let workers = available_parallelism()?.get();
    fs::write(&file, configuration(address, &user()?, workers))?;
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder).arg("-e").arg("error.log");
    command.arg("-c").arg(file);
    Ok(command)
}

/// Who runs this: nginx started as root would hand its workers to someone who may not write here.
fn user() -> Result<String> {
    let output = Command::new("id").arg("-un").output();
    let output = output.context("cannot ask for the user's name")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn configuration(address: SocketAddr, user: &str, workers: usize) -> String {
    format!(
        "daemon off;
user {user};
worker_processes {workers};
pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path aside;
    proxy_temp_path aside-proxy;
    fastcgi_temp_path aside-fastcgi;
    uwsgi_temp_path aside-uwsgi;
    scgi_temp_path aside-scgi;
    client_max_body_size 64m;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    sendfile on;
    tcp_nodelay on;
    server {{
        listen {address};
        root files;
        location / {{ dav_methods PUT DELETE; }}
    }}
}}
"
    )
}
