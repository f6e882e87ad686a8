//! The memory of a process that stands still: every mapping that it can read itself, which is more than a core dump holds, and
//! the files that it has open, with or without a name.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

/// How much is looked at in one piece, in bytes.
const PIECE_LEN: usize = 1 << 24;

/// How much of a piece is looked at with the next one again, in bytes: nothing that is sought is longer.
const OVERLAP_LEN: usize = 256;

/// What the kernel lends every process, and shows to no other.
const KERNELS: [&str; 4] = ["[vvar]", "[vvar_vclock]", "[vsyscall]", "[vdso]"];

/// Shows `visit` all memory of the process, piece by piece. How many bytes that were.
///
/// # Panics
/// When it cannot be read: it has to be a child of this process, or this one has to be root's.
pub(crate) fn visit(pid: u32, mut visit: impl FnMut(&[u8])) -> usize {
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut piece = vec![0; PIECE_LEN];
    let mut len = 0;
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with('r') || KERNELS.iter().any(|name| rest.ends_with(name)) {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [mut start, end] = [start, end].map(|place| usize::from_str_radix(place, 16).unwrap());
        len += end - start;
        loop {
            let part = &mut piece[..PIECE_LEN.min(end - start)];
            let place = u64::try_from(start).unwrap();
            memory
                .read_exact_at(part, place)
                .unwrap_or_else(|error| panic!("cannot read {line}: {error}"));
            visit(part);
            if part.len() < PIECE_LEN {
                break;
            }
            start += PIECE_LEN - OVERLAP_LEN;
        }
    }
    len
}

/// Whether all of the process is stopped.
pub(crate) fn stands_still(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let mut states = threads.map(|thread| {
        let state = fs::read_to_string(thread.unwrap().path().join("stat"));
        // The state stands behind the name, which may hold anything.
        state.is_ok_and(|stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('T'))
        })
    });
    states.all(|is_stopped| is_stopped)
}

/// What every file holds that the process has open, those without a name as well.
pub(crate) fn open_files(pid: u32) -> Vec<Vec<u8>> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let paths = open.map(|entry| entry.unwrap().path());
    // Sockets and pipes are no files.
    let files = paths.filter(|path| path.is_file());
    files.map(|path| fs::read(path).unwrap()).collect()
}
