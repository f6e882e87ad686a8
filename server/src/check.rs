//! Verifies the two stores of a data directory against each other, and says in plain sentences what is wrong. It changes nothing
//! unless it is to repair, and then removes only what is provably dead. It may run beside the server that uses the directory.

mod record;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display};
use std::path::Path;

use onetimeshare_protocol::id::TransferId;

use self::record::{faults, remains};
use crate::blob::ObjectName;
use crate::blob::folder::survey::{Entry, Survey};
use crate::config::CheckOptions;
use crate::record::StoreError;
use crate::record::sqlite::OpenError;
use crate::record::sqlite::audit::{Audit, RecordedPart, Standing};
use crate::record::sqlite::mend::Mender;
use crate::transfer::{Moment, Phase};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The records cannot be opened.
    #[error(transparent)]
    Records(#[from] OpenError),
    /// A store does not answer, or a file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no blob folder.
    #[error(
        "its folder of blobs is missing: is the right disk mounted? Bring it back together with its records"
    )]
    BlobsMissing,
    /// The blob folder cannot be read.
    #[error("the folder of blobs cannot be read: {0}")]
    Blobs(#[from] std::io::Error),
}

/// What was looked at, and how much of it was not as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Whether the two were looked at: not where they do not belong together.
    pub is_looked_at: bool,
    /// Transfers whose parts are still arriving.
    pub uploading: u64,
    /// Transfers that can be opened or are being fetched.
    pub ready: u64,
    /// Tombstones.
    pub gone: u64,
    /// Parts of bodies.
    pub parts: u64,
    /// Their bytes.
    pub parts_len: u64,
    /// Objects that wait for their deletion.
    pub queued: u64,
    /// Things that are wrong.
    pub faults: u64,
    /// Of those, what was queued for deletion or erased.
    pub repaired: u64,
}

impl Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            is_looked_at,
            uploading,
            ready,
            gone,
            parts,
            parts_len,
            queued,
            faults,
            repaired,
        } = self;
        if *is_looked_at {
            writeln!(
                formatter,
                "looked at {ready} transfers that are ready or open, {uploading} that are uploading and {gone} that are gone; at \
                 {parts} parts of {parts_len} bytes, and {queued} objects that wait for their deletion"
            )?;
        }
        match (faults, repaired) {
            (0, _) => formatter.write_str("all is well"),
            (1, 0) => formatter.write_str("1 thing is wrong"),
            (1, _) => formatter.write_str("1 thing was wrong, and is repaired"),
            (_, 0) => write!(formatter, "{faults} things are wrong"),
            (_, 1) => write!(
                formatter,
                "{faults} things were wrong; 1 of them is repaired"
            ),
            _ => write!(
                formatter,
                "{faults} things were wrong; {repaired} of them are repaired"
            ),
        }
    }
}

/// Checks the data directory `data_dir` and the folder `blobs` at the moment `at`, whose periods and `age_max_s` are those of its server. Each sentence
/// goes to `tell` as it is found.
pub fn check(
    (data_dir, blobs): (&Path, &Path),
    options: CheckOptions,
    (at, age_max_s): (Moment, u64),
    tell: &mut dyn FnMut(&dyn Display),
) -> Result<Summary, CheckError> {
    let audit = Audit::open(data_dir)?;
    if !blobs.try_exists()? {
        return Err(CheckError::BlobsMissing);
    }
    Check {
        audit: &audit,
        blobs: Survey::of(blobs),
        options,
        at,
        age_max_s,
        mender: None,
        tell,
        summary: Summary::default(),
    }
    .run(data_dir)
}

struct Check<'a> {
    audit: &'a Audit,
    blobs: Survey,
    options: CheckOptions,
    at: Moment,
    age_max_s: u64,
    mender: Option<Mender>,
    tell: &'a mut dyn FnMut(&dyn Display),
    summary: Summary,
}

/// The beginning of a transfer's id: nothing longer is told.
struct Short<'a>(&'a TransferId);

impl Display for Short<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.to_text().chars().take(6).collect();
        write!(formatter, "transfer {text}…")
    }
}

/// An object as it is told.
fn named(object: &ObjectName) -> String {
    format!("{}, part {}", Short(&object.id), object.index)
}

impl Check<'_> {
    fn run(mut self, data_dir: &Path) -> Result<Summary, CheckError> {
        match self.stores(data_dir) {
            Err(CheckError::Store(StoreError::Corrupt(reason))) => self.fault(&format_args!(
                "the record database cannot be read to its end ({reason}): restore it from a backup, together with its blobs"
            )),
            checked => checked?,
        }
        if let Some(mender) = self.mender.take()
            && !mender.close()?
        {
            self.note(&"what was erased leaves the log of the database when the server next truncates it: it is in use");
        }
        Ok(self.summary)
    }

    fn stores(&mut self, data_dir: &Path) -> Result<(), CheckError> {
        if !self.stores_match()? {
            return Ok(());
        }
        self.summary.is_looked_at = true;
        for complaint in self.audit.complaints()? {
            self.fault(&format_args!(
                "the record database is damaged ({complaint}): restore it from a backup, together with its blobs"
            ));
        }
        if self.options.repairs && self.summary.faults > 0 {
            self.note(&"nothing is repaired: what is wrong so far has to be put right first");
        } else if self.options.repairs {
            self.mender = Some(Mender::open(data_dir)?);
        }
        self.permissions(data_dir)?;
        self.each_against_the_other()
    }

    fn each_against_the_other(&mut self) -> Result<(), CheckError> {
        self.records()?;
        self.parts()?;
        self.objects()?;
        self.summary.queued = self.audit.queue_len()?;
        Ok(())
    }

    fn fault(&mut self, sentence: &dyn Display) {
        self.summary.faults += 1;
        (self.tell)(sentence);
    }

    /// Something to know that is no fault.
    fn note(&mut self, sentence: &dyn Display) {
        (self.tell)(&format_args!("note: {sentence}"));
    }

    /// Tells a fault that repairing removes, and what was `done` about it; whether it was is up to `mend`.
    fn dead(
        &mut self,
        sentence: &dyn Display,
        done: &str,
        mend: impl FnOnce(&Mender) -> Result<bool, StoreError>,
    ) -> Result<(), CheckError> {
        let is_mended = self.mender.as_ref().map(mend).transpose()?;
        let then = match is_mended {
            Some(true) => done,
            Some(false) => "it has changed meanwhile, and is left alone",
            None => "--repair removes it",
        };
        self.summary.repaired += u64::from(is_mended == Some(true));
        self.fault(&format_args!("{sentence}: {then}"));
        Ok(())
    }

    /// Whether others than the owner may look into what is kept.
    #[cfg(unix)]
    fn permissions(&mut self, data_dir: &Path) -> Result<(), CheckError> {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| Ok::<_, CheckError>(std::fs::metadata(path)?.permissions().mode());
        for path in [
            data_dir.join("records.sqlite"),
            self.blobs.root().to_owned(),
        ] {
            if let Some(folder) = path.parent().filter(|folder| folder.is_dir())
                && mode(folder)? & 0o011 == 0
            {
                // Nobody else comes to what lies in it.
                continue;
            }
            let mode = mode(&path)?;
            let path = path.display();
            if mode & 0o007 != 0 {
                self.fault(&format_args!(
                    "every user of this machine may look into {path}: take that from them (chmod o= {path})"
                ));
            } else if mode & 0o070 != 0 {
                self.note(&format_args!("the group of {path} may look into it"));
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        clippy::needless_pass_by_ref_mut,
        reason = "as on unix"
    )]
    fn permissions(&mut self, _data_dir: &Path) -> Result<(), CheckError> {
        Ok(())
    }

    /// Whether the two stores belong together; if not, nothing else can be said.
    fn stores_match(&mut self) -> Result<bool, CheckError> {
        let expected = self.audit.store_id()?;
        match self.blobs.store_id() {
            Ok(Some(found)) if found == expected => return Ok(true),
            Ok(Some(_)) => self.fault(
                &"the folder of blobs belongs to other records: bring the two together that were written together; nothing else \
                  is checked, and the server does not start on them",
            ),
            Ok(None) => self.fault(
                &"the folder of blobs has no id, as if it were new: is the right one mounted? Nothing else is checked; the server \
                  starts only when the records name no part",
            ),
            Err(StoreError::Corrupt(_)) => self.fault(
                &"the id of the folder of blobs cannot be read: restore its file store-id; nothing else is checked, and the server \
                  does not start",
            ),
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    fn records(&mut self) -> Result<(), CheckError> {
        let mut after = 0;
        while let Some(looks) = self.audit.looks(after)? {
            after = looks.last;
            for look in looks.rows {
                let phase = look.transfer.as_ref().map(|transfer| transfer.phase);
                match phase {
                    Some(Phase::Uploading) => self.summary.uploading += 1,
                    Some(Phase::Ready) => self.summary.ready += 1,
                    Some(Phase::Gone { .. }) => self.summary.gone += 1,
                    None => {}
                }
                let short = Short(&look.id);
                for fault in faults(&look) {
                    self.fault(&format_args!(
                        "{short}: {fault}; its record is damaged: its sender should burn it and send it again"
                    ));
                }
                if remains(&look) {
                    let at = self.at;
                    let sentence =
                        format!("{short} is gone, but something of it is still recorded");
                    self.dead(&sentence, "it is erased now", |mender| {
                        mender.erase_remains(&look.id, at)
                    })?;
                }
            }
        }
        Ok(())
    }

    fn parts(&mut self) -> Result<(), CheckError> {
        let mut after = (0, -1);
        while let Some(parts) = self.audit.parts(after)? {
            after = parts.last;
            for part in parts.rows {
                self.summary.parts += 1;
                self.summary.parts_len += part.len;
                self.part(&part)?;
            }
        }
        Ok(())
    }

    fn part(&mut self, part: &RecordedPart) -> Result<(), CheckError> {
        let found = self.blobs.len(&part.object)?;
        let fault = match found {
            Some(len) if len == part.len => {
                let digest = if self.options.is_deep {
                    self.blobs.digest(&part.object)?
                } else {
                    None
                };
                if digest.is_none_or(|digest| digest == part.digest) {
                    return Ok(());
                }
                "holds other bytes than those that were sent".to_owned()
            }
            Some(len) => format!("has {len} bytes instead of {}", part.len),
            None => "is missing".to_owned(),
        };
        // It may have been delivered or burnt since it was read.
        if self.audit.standing(&part.object)? != Standing::Part {
            return Ok(());
        }
        self.fault(&format_args!(
            "{}: its object in the blob store {fault}; whoever opens it gets nothing whole: restore the folder of blobs, or let its \
             sender burn it and send it again",
            named(&part.object)
        ));
        Ok(())
    }

    fn objects(&mut self) -> Result<(), CheckError> {
        for entry in self.blobs.entries()? {
            match entry? {
                Entry::Object {
                    object, written_at, ..
                } => self.object(&object, written_at)?,
                Entry::Leftover(path) => self.note(&format_args!(
                    "{} was left by a start that was cut off: it can be deleted",
                    path.display()
                )),
                Entry::Foreign(path) => self.note(&format_args!(
                    "{} is none of the server's, and never touched by it",
                    path.display()
                )),
            }
        }
        Ok(())
    }

    /// An object that nothing names. What is queued, or a part, is as it should be.
    fn object(&mut self, object: &ObjectName, written_at: u64) -> Result<(), CheckError> {
        let standing = self.audit.standing(object)?;
        if matches!(standing, Standing::Part | Standing::Queued) || !self.blobs.holds(object)? {
            return Ok(());
        }
        let age_s = self.at.now.saturating_sub(written_at);
        let is_old = age_s >= self.age_max_s;
        let at = self.at;
        let named = named(object);
        let of = match standing {
            Standing::StrayOfLiving => {
                self.fault(&format_args!(
                    "{named}: an object that nothing names, of a transfer that lives: it is left alone until that is gone"
                ));
                return Ok(());
            }
            Standing::StrayOfUnknown if !is_old => {
                let left = duration(self.age_max_s - age_s);
                self.fault(&format_args!(
                    "{named}: an object that nothing names, {} old; the server deletes it when it is older than any transfer can be, \
                     in {left}. Were the records restored from a backup?",
                    duration(age_s)
                ));
                return Ok(());
            }
            Standing::StrayOfGone => "of a transfer that is gone",
            Standing::StrayOfUnknown | Standing::Part | Standing::Queued => {
                "older than any transfer can be"
            }
        };
        let sentence = format!("{named}: an object that nothing names, {of}");
        self.dead(&sentence, "it is queued for deletion now", |mender| {
            mender.queue_dead(object, is_old, at)
        })
    }
}

/// A duration in the largest unit that fits.
fn duration(seconds: u64) -> String {
    let units = [("days", 86_400), ("hours", 3600), ("minutes", 60)];
    let fitting = units.iter().find(|(_, len_s)| seconds >= 2 * len_s);
    fitting.map_or_else(
        || format!("{seconds} seconds"),
        |(unit, len_s)| format!("{} {unit}", seconds / len_s),
    )
}
