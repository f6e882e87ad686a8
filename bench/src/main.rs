//! The generators behind `cargo xtask bench`: each subcommand measures one thing and prints its figures as JSON. It writes
//! no table and judges nothing.

mod client;
mod control;
mod crypto;
mod figures;
mod hostile;
mod live;
mod load;
mod percentile;
mod stopwatch;
mod target;
mod transfer;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Shorter passes and smaller numbers, for a look at whether everything works.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Subcommand)]
enum What {
    /// Sealing and opening, natively.
    Crypto,
    /// Transfers by many clients at once, against nginx and the control.
    Load {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// The program of nginx.
        #[arg(long)]
        nginx: PathBuf,
        /// An empty folder on the disk that is to be measured.
        #[arg(long)]
        folder: PathBuf,
    },
    /// What every step costs when many transfers wait.
    Live {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// An empty folder on the disk that is to be measured.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Slow clients and floods, and what others notice of them.
    Hostile {
        /// The server's program.
        #[arg(long)]
        server: PathBuf,
        /// An empty folder on the disk that is to be measured.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Serve the server's router by a bare `axum::serve`: the control that hostile clients are tried on, too.
    Bare {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
        /// Where everything lies.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Serve files, each durable before it is answered: the control that the load is compared with.
    Control {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
        /// Where the files lie.
        #[arg(long)]
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { what, quick } = Arguments::parse();
    match what {
        What::Crypto => print(&crypto::run(quick)?),
        What::Load {
            server,
            nginx,
            folder,
        } => {
            let programs = target::Programs::new(server, nginx)?;
            print(&load::run(&programs, &folder, quick).await?)
        }
        What::Live { server, folder } => print(&live::run(&server, &folder, quick).await?),
        What::Hostile { server, folder } => print(&hostile::run(&server, &folder, quick).await?),
        What::Bare { listen, folder } => hostile::bare::serve(listen, &folder).await,
        What::Control { listen, folder } => control::serve(listen, folder).await,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are this program's output, and printed here alone"
)]
fn print(figures: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
