//! Who may create transfers where not everybody may: the tokens of a file, which holds their hashes under names. It knows no
//! request, and tells names to nobody but its operator.

mod file;
mod made;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use onetimeshare_protocol::id::CreateToken;

pub use self::made::{Made, check_name};
use crate::budget::Rate;
use crate::service::{Limits, Quota};
use crate::token;

/// The longest file that is read, in bytes: room for some ten thousand tokens.
const FILE_LEN_MAX: u64 = 1 << 20;

/// What a token allows its holder, where that is not what the server allows everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// The most content of one transfer, in bytes.
    pub transfer_size_max: Option<u64>,
    /// The longest life, in seconds.
    pub ttl_max_s: Option<u64>,
    /// The most claims.
    pub claims_max: Option<u32>,
    /// How many transfers it may create in which time; then those are none of the client's own budget.
    pub rate: Option<OwnRate>,
    /// How much all its transfers together may hold; then they are none of the client's own quota.
    pub quota: Quota,
}

/// A rate for one token alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnRate {
    /// Without an end.
    Off,
    /// So many in each period.
    Of(Rate),
}

/// One token of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    name: String,
    verifier: [u8; 32],
    allowance: Allowance,
}

/// Never the name: who created what is nobody's to read.
impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Grant")
    }
}

impl Grant {
    /// The token with this hash.
    pub(crate) const fn new(name: String, verifier: [u8; 32], allowance: Allowance) -> Self {
        Self {
            name,
            verifier,
            allowance,
        }
    }

    /// What its operator calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it allows.
    pub const fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// What its holder may choose where everybody may choose `all`.
    #[must_use]
    pub fn limits(&self, all: &Limits) -> Limits {
        let own = &self.allowance;
        let at_most = |max: u64, own: Option<u64>| own.map_or(max, |own| own.min(max));
        let ttl_max_s = at_most(all.ttl_max_s, own.ttl_max_s);
        Limits {
            transfer_size_max: at_most(all.transfer_size_max, own.transfer_size_max),
            ttl_max_s,
            ttl_default_s: all.ttl_default_s.min(ttl_max_s),
            claims_max: own
                .claims_max
                .map_or(all.claims_max, |own| own.min(all.claims_max)),
            ..*all
        }
    }
}

/// Everything that is wrong with the file, one sentence each.
#[derive(Debug)]
pub struct Faults {
    path: PathBuf,
    /// Ends of sentences that begin with its name.
    wrongs: Vec<String>,
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let sentences = self.wrongs.iter();
        let sentences: Vec<_> = sentences
            .map(|wrong| format!("`create-token-file`: the file {path} {wrong}"))
            .collect();
        formatter.write_str(&sentences.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// All tokens that are in use.
#[derive(Debug)]
pub struct CreateTokens {
    path: PathBuf,
    limits: Limits,
    in_use: RwLock<Arc<[Arc<Grant>]>>,
}

impl CreateTokens {
    /// Reads the file, for a server of these limits, which no token can widen.
    pub fn open(path: PathBuf, limits: Limits) -> Result<Self, Faults> {
        match read(&path, &limits) {
            Ok(grants) => Ok(Self {
                path,
                limits,
                in_use: RwLock::new(grants),
            }),
            Err(wrongs) => Err(Faults { path, wrongs }),
        }
    }

    /// Reads the file again, for requests that are still to come. What was in use stays so when anything is wrong with it.
    pub fn reload(&self) -> Result<(), Faults> {
        let grants = read(&self.path, &self.limits).map_err(|wrongs| Faults {
            path: self.path.clone(),
            wrongs,
        })?;
        // Replaced whole, so that a panic elsewhere spoils nothing.
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = grants;
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.in_use().len()
    }

    /// Whose `token` it is; none when it is nobody's. It takes as long whichever it is.
    pub fn find(&self, token: &CreateToken) -> Option<Arc<Grant>> {
        let verifier = token::create_verifier(token);
        let mut found = None;
        for grant in self.in_use().iter() {
            if token::is_same(&verifier, &grant.verifier) {
                found = Some(Arc::clone(grant));
            }
        }
        found
    }

    fn in_use(&self) -> Arc<[Arc<Grant>]> {
        let in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&in_use)
    }
}

fn read(path: &PathBuf, limits: &Limits) -> Result<Arc<[Arc<Grant>]>, Vec<String>> {
    let unreadable = |error: io::Error| {
        vec![format!(
            "cannot be read ({error}): check its path and rights"
        )]
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_LEN_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let is_short = u64::try_from(bytes.len()).is_ok_and(|len| len <= FILE_LEN_MAX);
    let text = String::from_utf8(bytes)
        .ok()
        .filter(|_| is_short)
        .ok_or_else(|| {
            vec!["is no text of at most 1 MiB: it must hold tables of TOML alone".to_owned()]
        })?;
    let grants = file::parse(&text, limits)?;
    Ok(grants.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a server of these tests takes from everybody.
    pub(super) const LIMITS: Limits = Limits {
        transfer_size_max: 1 << 30,
        inline_max: 4096,
        part_len: 64 * 1024,
        ttl_max_s: 7 * 86_400,
        ttl_default_s: 86_400,
        ttl_min_s: 60,
        claims_max: 100,
    };

    fn token(byte: u8) -> CreateToken {
        CreateToken::from_bytes([byte; 32])
    }

    #[test]
    fn each_token_is_found_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens.toml");
        let names = ["a", "b", "c"];
        let tables: String = (1..)
            .zip(names)
            .map(|(byte, name)| Made::of(name.to_owned(), token(byte)).table())
            .collect();
        fs::write(&path, tables).expect("written");
        let tokens = CreateTokens::open(path.clone(), LIMITS).expect("all hold");
        assert_eq!(tokens.count(), 3);
        for (byte, name) in (1..).zip(names) {
            let found = tokens.find(&token(byte)).expect("it is in the file");
            assert_eq!(found.name(), name);
        }
        assert_eq!(tokens.find(&token(4)), None);
        // One is taken away, then the file is spoilt: what held before holds on.
        fs::write(&path, Made::of("b".to_owned(), token(2)).table()).expect("written");
        tokens.reload().expect("it holds");
        assert!(tokens.find(&token(1)).is_none() && tokens.find(&token(2)).is_some());
        fs::write(&path, "[b]\n").expect("written");
        let faults = tokens
            .reload()
            .expect_err("a table without a hash")
            .to_string();
        assert!(
            faults.contains("`[b]`") && faults.contains("tokens.toml"),
            "{faults}"
        );
        assert!(tokens.find(&token(2)).is_some());
    }

    #[test]
    fn files_that_cannot_be_read_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |name: &str, bytes: Option<&[u8]>, expected: &str| {
            let path = folder.path().join(name);
            if let Some(bytes) = bytes {
                fs::write(&path, bytes).expect("written");
            }
            let faults = CreateTokens::open(path, LIMITS).expect_err(name);
            let told = faults.to_string();
            assert!(told.contains(expected) && told.contains(name), "{told}");
        };
        check("none.toml", None, "cannot be read");
        check("bytes.toml", Some(b"\xff"), "is no text");
        check("long.toml", Some(&vec![b'#'; 1 << 21]), "is no text");
        check("empty.toml", Some(b"# nothing yet\n"), "holds no token");
    }

    #[test]
    fn a_token_narrows_what_the_server_allows() {
        let grant = |allowance| Grant::new(String::new(), [0; 32], allowance);
        assert_eq!(grant(Allowance::default()).limits(&LIMITS), LIMITS);
        let narrow = Allowance {
            transfer_size_max: Some(5000),
            ttl_max_s: Some(3600),
            claims_max: Some(2),
            ..Allowance::default()
        };
        let expected = Limits {
            transfer_size_max: 5000,
            ttl_max_s: 3600,
            ttl_default_s: 3600,
            claims_max: 2,
            ..LIMITS
        };
        assert_eq!(grant(narrow).limits(&LIMITS), expected);
        let wide = Allowance {
            transfer_size_max: Some(u64::MAX),
            ttl_max_s: Some(u64::MAX),
            claims_max: Some(u32::MAX),
            ..Allowance::default()
        };
        assert_eq!(grant(wide).limits(&LIMITS), LIMITS);
    }
}
