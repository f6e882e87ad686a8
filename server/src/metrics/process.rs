//! What the system says of this process: memory, processor time, open files. Where it says nothing, there is no figure.

use std::time::Duration;

/// The process as it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// Memory that is in use, in bytes.
    pub(super) resident_len: Option<u64>,
    /// Processor time so far.
    pub(super) cpu: Option<Duration>,
    /// Open file descriptors.
    pub(super) open_count: Option<u64>,
    /// How many there may be.
    pub(super) open_max: Option<u64>,
}

impl Figures {
    /// Asks the system.
    #[cfg(target_os = "linux")]
    pub(super) fn read() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count);
        Self {
            resident_len: resident_len(&text("/proc/self/status")),
            cpu: Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).ok(),
            // One of them is the folder that was just read.
            open_count: open
                .ok()
                .and_then(|count| u64::try_from(count).ok()?.checked_sub(1)),
            open_max: open_max(&text("/proc/self/limits")),
        }
    }

    /// Nothing is known of other systems.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn read() -> Self {
        Self::default()
    }
}

/// From the line `VmRSS:     1234 kB` of `/proc/self/status`.
#[cfg(any(test, target_os = "linux"))]
fn resident_len(status: &str) -> Option<u64> {
    let rest = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

/// From the line `Max open files   1024   1048576   files` of `/proc/self/limits`; none where it is `unlimited`.
#[cfg(any(test, target_os = "linux"))]
fn open_max(limits: &str) -> Option<u64> {
    let rest = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let check = |text, expected| assert_eq!(resident_len(text), expected, "{text}");
        check("VmPeak:\t 9 kB\nVmRSS:\t    1234 kB\n", Some(1_263_616));
        check("VmRSS:\t1234 MB", None);
        check("VmRSS:\t18446744073709551615 kB", None);
        check("", None);
    }

    #[test]
    fn the_soft_limit_of_files_counts() {
        let check = |text, expected| assert_eq!(open_max(text), expected, "{text}");
        check(
            "Max open files            1024                 1048576              files",
            Some(1024),
        );
        check(
            "Max open files            unlimited            unlimited            files",
            None,
        );
        check("Max processes 7 7 processes", None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_figures() {
        let before = Figures::read();
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let Figures {
            resident_len,
            cpu,
            open_count,
            open_max,
        } = Figures::read();
        assert!(
            resident_len.is_some_and(|len| len > 1 << 20),
            "{resident_len:?}"
        );
        assert!(cpu > before.cpu && open_count > Some(2) && open_max >= open_count);
        drop(file);
    }
}
