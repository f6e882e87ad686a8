//! How many files the system lets this process have open, and how many connections fit within that. It opens none.

use onetimeshare_server::http::Bounds;
use tracing::warn;

/// What a connection may need: itself, and the file of a part or body on its way. Many requests at once, by HTTP/2, need more, and have
/// bounds of their own.
const EACH: u64 = 2;

/// What is needed whoever comes: listeners, databases, connections to stores.
const APART: u64 = 256;

/// Raises the limit of open files as far as the system allows, and lowers the bound of all connections to what fits within it, which is
/// told: out of files, the server could neither take a part nor give out a body, though connections were left.
pub(crate) fn fit(bounds: Bounds) -> Bounds {
    let Some(open_max) = raise() else {
        return bounds;
    };
    let needed = needed(bounds.all);
    if open_max >= needed {
        return bounds;
    }
    let all = fitting(open_max);
    warn!(
        "{all} connections are taken at once, and not {} (`max-connections`), since the system lets this process have only {open_max} files \
         open: let it have {needed} (LimitNOFILE={needed} in a unit of systemd, --ulimit nofile={needed}:{needed} for a container), or set \
         `max-connections` to {all}",
        bounds.all
    );
    Bounds { all, ..bounds }
}

/// How many open files so many connections need.
fn needed(all: usize) -> u64 {
    u64::try_from(all).map_or(u64::MAX, |all| {
        all.saturating_mul(EACH).saturating_add(APART)
    })
}

/// How many connections fit within so many open files, at least one. Where there are hardly any, half of them are kept for all else.
fn fitting(open_max: u64) -> usize {
    let room = open_max - APART.min(open_max / 2);
    usize::try_from(room / EACH).map_or(usize::MAX, |all| all.max(1))
}

/// How many files may be open from now on; none where there is no bound.
#[cfg(target_os = "linux")]
fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // A filter of system calls may forbid it.
        Err(_) => current,
    }
}

/// Nothing is known of other systems.
#[cfg(not(target_os = "linux"))]
fn raise() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_needs_two_files_beside_those_of_the_server() {
        let check = |all, expected| assert_eq!(needed(all), expected, "{all}");
        check(1, 258);
        check(4096, 8448);
        check(usize::MAX, u64::MAX);
    }

    #[test]
    fn as_many_connections_are_taken_as_fit() {
        let check = |open_max, expected| assert_eq!(fitting(open_max), expected, "{open_max}");
        check(0, 1);
        check(3, 1);
        check(64, 16);
        check(300, 75);
        check(511, 128);
        check(512, 128);
        check(1024, 384);
        check(needed(4096) - 1, 4095);
        check(needed(4096), 4096);
    }
}
