//! What a service manager hands over and wants to hear, in systemd's protocols (`sd_listen_fds(3)`, `sd_notify(3)`): sockets that are open
//! before the server runs, and when it is ready. Where there is none, nothing happens.

use std::io;
use std::net::TcpListener;

#[cfg(target_os = "linux")]
use sd_notify::NotifyState;

/// The sockets that were handed over, ready to accept; empty when none were. To be asked once, before any thread is started: it
/// takes what names them out of the environment.
///
/// Fails for anything that is not a listening TCP socket, naming its place in the row.
#[cfg(target_os = "linux")]
pub fn take_sockets() -> io::Result<Vec<TcpListener>> {
    let mut handed_over = listenfd::ListenFd::from_env();
    let count = handed_over.len();
    let mut sockets = Vec::new();
    for index in 0..count {
        let socket = handed_over.take_tcp_listener(index).ok().flatten();
        // One that is connected already, as of `Accept=yes`, would never accept anything.
        let listening = socket
            .filter(|socket| rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false));
        let socket = listening.ok_or_else(|| {
            let sentence = format!(
                "socket {} of {count} that the service manager handed over is none that listens for TCP: \
                 give ListenStream= an address and port, and leave Accept=no",
                index + 1
            );
            io::Error::new(io::ErrorKind::InvalidInput, sentence)
        })?;
        socket.set_nonblocking(true)?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// The sockets that were handed over: none, since nobody does it here.
#[cfg(not(target_os = "linux"))]
pub fn take_sockets() -> io::Result<Vec<TcpListener>> {
    Ok(Vec::new())
}

/// Says that the server answers from now on.
pub fn tell_ready() {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Ready]);
}

/// Says that settings are read again; [`tell_ready`] follows when that is done.
pub fn tell_reloading() {
    #[cfg(target_os = "linux")]
    match NotifyState::monotonic_usec_now() {
        // The time tells this reload from an earlier one, for `Type=notify-reload`.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Says that the server ends what is under way.
pub fn tell_stopping() {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Stopping]);
}

#[cfg(target_os = "linux")]
fn tell(states: &[NotifyState<'_>]) {
    // A service manager that does not hear it ends the server by its own deadline, and should find the reason in the log.
    if let Err(error) = sd_notify::notify(states) {
        let states: Vec<_> = states.iter().map(ToString::to_string).collect();
        tracing::warn!(%error, "the service manager cannot be told: {}", states.join(" "));
    }
}
