//! TLS by a certificate and a key in files, which are read at the start and whenever the operator asks for it. It shows nothing
//! of the key, and speaks to nobody: connections take from here what they begin with.

mod validity;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};
use thiserror::Error;
use tracing::{error, info, warn};

pub use self::validity::Validity;
use crate::clock::date_of;

/// The longest file that is read, in bytes: a chain of certificates has some thousands.
const FILE_LEN_MAX: u64 = 1 << 20;

/// What is spoken inside, the better one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

const CERTIFICATE: &str = "tls-cert";
const KEY: &str = "tls-key";

/// Where certificate and key lie, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate, and behind it those of its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Everything that is wrong with the files, one sentence each.
#[derive(Debug)]
pub struct Faults(Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<_> = self.0.iter().map(Fault::to_string).collect();
        formatter.write_str(&sentences.join("\n"))
    }
}

impl std::error::Error for Faults {}

#[derive(Debug, Error)]
#[error("`{setting}`: the file {} {wrong}", path.display())]
struct Fault {
    setting: &'static str,
    path: PathBuf,
    wrong: Wrong,
}

/// What is wrong with a file, and what to do: the end of a sentence that begins with its name.
#[derive(Debug, Error)]
enum Wrong {
    #[error("cannot be read ({0}): check its path and rights")]
    Unreadable(io::Error),
    #[error("is longer than 1 MiB: it must hold a certificate or a key, and little else")]
    TooLong,
    #[error("is damaged, or breaks off: copy it anew")]
    Damaged,
    #[error(
        "holds no certificate in PEM: it must begin with -----BEGIN CERTIFICATE-----, the server's own first, those of its \
         authority behind it"
    )]
    NoCertificate,
    #[error("holds a certificate that cannot be used ({0}): have it issued anew")]
    BadCertificate(Error),
    #[error(
        "holds no private key in PEM: it must begin with -----BEGIN PRIVATE KEY-----, or EC or RSA in the middle of that"
    )]
    NoKey,
    #[error(
        "holds a private key under a passphrase, which nobody enters at a start: write it without one \
         (openssl pkey -in OLD -out NEW), for the server's user alone to read"
    )]
    LockedKey,
    #[error(
        "holds a private key that cannot be used: ECDSA (P-256, P-384, P-521), Ed25519 and RSA from 2048 to 8192 bits can"
    )]
    BadKey,
    #[error(
        "holds another private key than that of the certificate in `tls-cert`: take both from one issue, and see that the \
         server's own certificate is the first in its file"
    )]
    ForeignKey,
}

/// What new connections begin with. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: Files,
    in_use: RwLock<Identity>,
}

/// What was read from the files, checked.
#[derive(Clone, Debug)]
struct Identity {
    config: Arc<ServerConfig>,
    validity: Validity,
    /// Whether every user of the machine may read the key.
    has_open_key: bool,
}

impl Tls {
    /// Reads both files. A certificate that is over, or not yet due, is one all the same: [`Self::tell`] says so, and browsers
    /// let people decide. Refused here, it would take away what is there to be opened.
    pub fn open(files: Files) -> Result<Self, Faults> {
        let in_use = RwLock::new(Identity::read(&files)?);
        Ok(Self(Arc::new(Shared { files, in_use })))
    }

    /// Reads both again, for connections that are still to come. What was in use stays so when anything is wrong with them.
    pub fn reload(&self) -> Result<(), Faults> {
        let identity = Identity::read(&self.0.files)?;
        // Replaced whole, so that a panic elsewhere spoils nothing; and with it go sessions that could be resumed without the
        // new certificate.
        *self
            .0
            .in_use
            .write()
            .unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    /// Until when the certificate in use holds, and from when on.
    pub fn validity(&self) -> Validity {
        self.in_use().validity
    }

    /// Logs how the certificate in use stands at `now`, in Unix seconds.
    pub fn tell(&self, now: u64) {
        let Identity {
            validity,
            has_open_key,
            ..
        } = self.in_use();
        if has_open_key {
            warn!("every user of this machine may read the file of `tls-key`: chmod o-rwx");
        }
        let (from, until) = (date_of(validity.begins_at), date_of(validity.ends_at));
        let days_left = validity.days_left(now);
        if now > validity.ends_at {
            error!(%until, "the certificate of `tls-cert` is over, and browsers refuse it: renew it and send SIGHUP");
        } else if now < validity.begins_at {
            warn!(%from, "the certificate of `tls-cert` is not valid yet, and browsers refuse it: is the clock right?");
        } else if validity.is_ending(now) {
            warn!(%until, days_left, "the certificate of `tls-cert` ends soon: renew it and send SIGHUP");
        } else {
            info!(%until, days_left, "connections begin with the certificate of `tls-cert`");
        }
    }

    /// What a connection that begins now is to use.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.in_use().config
    }

    fn in_use(&self) -> Identity {
        let in_use = self.0.in_use.read().unwrap_or_else(PoisonError::into_inner);
        in_use.clone()
    }
}

impl Files {
    /// The server's own certificate as the file holds it now, in DER; none when it cannot be read.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        chain(&self.certificate).ok()?.into_iter().next()
    }
}

impl Identity {
    fn read(files: &Files) -> Result<Self, Faults> {
        let (chain, (key, has_open_key)) = match (chain(&files.certificate), key(&files.key)) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => return Err(Faults(chain.err().into_iter().chain(key.err()).collect())),
        };
        let of_key = |wrong| fault(KEY, &files.key, wrong);
        let of_certificate = |error| {
            fault(
                CERTIFICATE,
                &files.certificate,
                Wrong::BadCertificate(error),
            )
        };
        let validity = chain.first().and_then(|own| Validity::of(own));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certified =
            CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
                Error::InconsistentKeys(_) => of_key(Wrong::ForeignKey),
                Error::InvalidCertificate(_) => of_certificate(error),
                _ => of_key(Wrong::BadKey),
            });
        let certified = certified.map_err(|fault| Faults(vec![fault]))?;
        let validity = validity.ok_or_else(|| {
            let error = Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
            Faults(vec![of_certificate(error)])
        })?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Self {
            config: Arc::new(config),
            validity,
            has_open_key,
        })
    }
}

fn fault(setting: &'static str, path: &Path, wrong: Wrong) -> Fault {
    Fault {
        setting,
        path: path.to_owned(),
        wrong,
    }
}

/// Every certificate in a file, at least one.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let fault = |wrong| fault(CERTIFICATE, path, wrong);
    let (text, _) = read(path).map_err(fault)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(fault(Wrong::NoCertificate)),
        Ok(chain) => Ok(chain),
        Err(_) => Err(fault(Wrong::Damaged)),
    }
}

/// The first private key in a file, and whether anyone may read it.
fn key(path: &Path) -> Result<(PrivateKeyDer<'static>, bool), Fault> {
    let fault = |wrong| fault(KEY, path, wrong);
    let (text, is_open) = read(path).map_err(fault)?;
    // `BEGIN ENCRYPTED PRIVATE KEY`, or of old a line `Proc-Type: 4,ENCRYPTED`.
    let is_locked = text.windows(9).any(|word| word == b"ENCRYPTED");
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok((key, is_open)),
        Err(_) if is_locked => Err(fault(Wrong::LockedKey)),
        Err(pem::Error::NoItemsFound) => Err(fault(Wrong::NoKey)),
        Err(_) => Err(fault(Wrong::Damaged)),
    }
}

/// What a file holds, and whether every user of the machine may read it.
fn read(path: &Path) -> Result<(Vec<u8>, bool), Wrong> {
    let file = File::open(path).map_err(Wrong::Unreadable)?;
    let is_open = is_open(&file).map_err(Wrong::Unreadable)?;
    let mut text = Vec::new();
    let len = file.take(FILE_LEN_MAX + 1).read_to_end(&mut text);
    let len = len.map_err(Wrong::Unreadable)?;
    if u64::try_from(len).is_ok_and(|len| len > FILE_LEN_MAX) {
        return Err(Wrong::TooLong);
    }
    Ok((text, is_open))
}

#[cfg(unix)]
fn is_open(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

/// Rights are told otherwise here, and nobody is warned.
#[cfg(not(unix))]
fn is_open(_: &File) -> io::Result<bool> {
    Ok(false)
}
