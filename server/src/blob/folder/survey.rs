//! A look at the whole folder from outside: what lies in it, how long and how old. It changes nothing, and needs no store.

use std::fs::{self, DirEntry, File, ReadDir};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use super::{ASIDE, PROBE};
use crate::blob::{MARK, ObjectName, STORE_ID, parse_store_id};
use crate::record::{StoreId, StoreResult};

/// Bytes of an object that are read at once.
const PIECE_LEN: usize = 256 * 1024;

/// One file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An object, whole or still being written.
    Object {
        /// Which.
        object: ObjectName,
        /// How many bytes it has.
        len: u64,
        /// When it was last written, in Unix seconds.
        written_at: u64,
    },
    /// What opening the store for the first time, or trying whether it can be written, leaves when it is cut off.
    Leftover(PathBuf),
    /// Something that the store has not named.
    Foreign(PathBuf),
}

/// The folder that a look is taken at.
#[derive(Clone, Debug)]
pub struct Survey {
    root: PathBuf,
}

impl Survey {
    /// Of the folder `root`.
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The id that the folder was given, if any.
    pub fn store_id(&self) -> StoreResult<Option<StoreId>> {
        match fs::read_to_string(self.root.join(STORE_ID)) {
            Ok(text) => parse_store_id(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The folder itself must be there: a mount that went away is not a store without an id.
                fs::metadata(&self.root)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Every file, in no order. What vanishes meanwhile may be left out.
    pub fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        Ok(Entries {
            folders: fs::read_dir(&self.root)?,
            open: None,
        }
        .filter_map(Result::transpose))
    }

    /// The length of a whole object, in bytes; none if there is no such object.
    pub fn len(&self, object: &ObjectName) -> io::Result<Option<u64>> {
        found(fs::metadata(self.path(object))).map(|file| file.map(|file| file.len()))
    }

    /// SHA-256 of a whole object; none if there is no such object. Memory use does not grow with its length.
    pub fn digest(&self, object: &ObjectName) -> io::Result<Option<[u8; 32]>> {
        let Some(mut file) = found(File::open(self.path(object)))? else {
            return Ok(None);
        };
        let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE_LEN]);
        loop {
            let read_len = file.read(&mut piece)?;
            if read_len == 0 {
                return Ok(Some(hasher.finalize().into()));
            }
            hasher.update(piece.get(..read_len).unwrap_or_default());
        }
    }

    /// Whether anything of an object is there, whole or unfinished.
    pub fn holds(&self, object: &ObjectName) -> io::Result<bool> {
        let path = self.path(object);
        Ok(path.try_exists()? || super::aside(&path).try_exists()?)
    }

    fn path(&self, object: &ObjectName) -> PathBuf {
        self.root.join(object.to_string())
    }
}

/// What is not there is no fault.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// The files of the root, and of one folder after the other below it.
struct Entries {
    folders: ReadDir,
    open: Option<(String, ReadDir)>,
}

impl Iterator for Entries {
    type Item = io::Result<Option<Entry>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((folder, files)) = &mut self.open {
            if let Some(file) = files.next() {
                let entry = file.and_then(|file| in_folder(folder, &file));
                return Some(entry);
            }
            self.open = None;
        }
        let entry = self.folders.next()?;
        Some(entry.and_then(|entry| self.at_root(&entry)))
    }
}

impl Entries {
    fn at_root(&mut self, entry: &DirEntry) -> io::Result<Option<Entry>> {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if let Some(files) = found(fs::read_dir(entry.path()))? {
                self.open = Some((name, files));
            }
            return Ok(None);
        }
        let is_aside = |note: &str| name == format!("{note}.{ASIDE}");
        Ok(match name.as_str() {
            STORE_ID | MARK => None,
            _ if is_aside(STORE_ID) || is_aside(MARK) => Some(Entry::Leftover(entry.path())),
            _ if name == PROBE => Some(Entry::Leftover(entry.path())),
            _ => Some(Entry::Foreign(entry.path())),
        })
    }
}

fn in_folder(folder: &str, file: &DirEntry) -> io::Result<Option<Entry>> {
    let file_name = file.file_name();
    let name = file_name.to_str().unwrap_or_default();
    let name = name.strip_suffix(&format!(".{ASIDE}")).unwrap_or(name);
    let Ok(object) = format!("{folder}/{name}").parse() else {
        return Ok(Some(Entry::Foreign(file.path())));
    };
    let Some(about) = found(file.metadata())? else {
        return Ok(None);
    };
    if !about.is_file() {
        return Ok(Some(Entry::Foreign(file.path())));
    }
    let written = about.modified()?.duration_since(UNIX_EPOCH);
    Ok(Some(Entry::Object {
        object,
        len: about.len(),
        written_at: written.map_or(0, |since| since.as_secs()),
    }))
}
