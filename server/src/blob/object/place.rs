//! From an address and the usual variables to a [`Bucket`]. It sends nothing, and no fault repeats a value.

use std::str::FromStr;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

use super::bucket::Bucket;
use super::patience;

/// Who keeps the bucket, or speaks like them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// S3.
    Amazon,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Microsoft,
}

/// A variable of the environment: its name and its value.
type Variable = (String, String);

type Built = object_store::Result<Arc<dyn ObjectStore>>;

impl Provider {
    /// The provider that the scheme of an address names.
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" => Some(Self::Amazon),
            "gs" => Some(Self::Google),
            "az" => Some(Self::Microsoft),
            _ => None,
        }
    }

    /// What the variables begin with that say how to come to a bucket.
    pub const fn variables(self) -> &'static str {
        match self {
            Self::Amazon => "AWS_",
            Self::Google => "GOOGLE_",
            Self::Microsoft => "AZURE_",
        }
    }

    /// Variables that hold an address.
    const fn addresses(self) -> &'static [&'static str] {
        match self {
            Self::Amazon => &[
                "AWS_ENDPOINT",
                "AWS_ENDPOINT_URL",
                "AWS_ENDPOINT_URL_S3",
                "AWS_ENDPOINT_URL_STS",
            ],
            Self::Google => &["GOOGLE_BASE_URL"],
            Self::Microsoft => &["AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT"],
        }
    }

    /// Variables that become part of an address.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Amazon => &["AWS_REGION", "AWS_DEFAULT_REGION"],
            Self::Google => &[],
            Self::Microsoft => &["AZURE_STORAGE_ACCOUNT_NAME"],
        }
    }

    /// What cannot be missing, where it is not one variable that is wrong.
    const fn hint(self) -> &'static str {
        match self {
            Self::Amazon | Self::Google => "correct them",
            Self::Microsoft => {
                "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or another credential"
            }
        }
    }

    /// The variables that would hold credentials, where none does and the library asks the machine for some.
    fn missing(self, variables: &[Variable]) -> Option<&'static str> {
        let (sources, wanted): (&[&str], _) = match self {
            Self::Amazon => (
                &[
                    "AWS_ACCESS_KEY_ID",
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "AWS_SKIP_SIGNATURE",
                ],
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            Self::Google => (
                &[
                    "GOOGLE_SERVICE_ACCOUNT",
                    "GOOGLE_SERVICE_ACCOUNT_PATH",
                    "GOOGLE_SERVICE_ACCOUNT_KEY",
                    "GOOGLE_APPLICATION_CREDENTIALS",
                    "GOOGLE_SKIP_SIGNATURE",
                ],
                "GOOGLE_SERVICE_ACCOUNT",
            ),
            // It names its own in `hint`, or asks the machine only where it is told to.
            Self::Microsoft => return None,
        };
        let is_set = |name: &&str| variables.iter().any(|(variable, _)| variable == name);
        (!sources.iter().any(is_set)).then_some(wanted)
    }

    fn build(self, name: &str, variables: &[Variable], is_single: bool) -> Built {
        match self {
            Self::Amazon => amazon(name, variables, is_single),
            Self::Google => google(name, variables),
            Self::Microsoft => microsoft(name, variables),
        }
    }
}

impl Bucket {
    /// The bucket that `url` names, as `s3://bucket/prefix`. `variables` are those that begin as the provider's do. An error is the
    /// end of a sentence that begins with the setting's name.
    pub fn parse(url: &Url, variables: &[(String, String)]) -> Result<Self, String> {
        let provider = Provider::of_scheme(url.scheme());
        let provider = provider.ok_or("must begin with s3://, gs:// or az://")?;
        let name = url.host_str().unwrap_or_default();
        if !is_plain(name) || url.port().is_some() {
            return Err(
                "must name a bucket, such as s3://bucket/prefix; an endpoint is set in a variable"
                    .to_owned(),
            );
        }
        let prefix = url.path().trim_matches('/');
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err("may have letters, digits, and - _ . between single / only".to_owned());
        }
        for (variable, value) in variables {
            if provider.addresses().contains(&variable.as_str()) && !is_address(value) {
                return Err(format!(
                    "needs the address of a server in the variable {variable}, such as https://s3.example.com:9000"
                ));
            }
            if provider.names().contains(&variable.as_str()) && !is_plain(value) {
                return Err(format!("needs a plain name in the variable {variable}"));
            }
        }
        let client = provider.build(name, variables, false);
        let client = client.map_err(|_| misfit(provider, name, variables))?;
        let single = provider.build(name, variables, true);
        let single = single.map_err(|_| misfit(provider, name, variables))?;
        Ok(Self {
            client,
            single,
            prefix: Path::from(prefix),
            place: format!("{}://{name}/{prefix}", url.scheme())
                .trim_end_matches('/')
                .to_owned(),
            missing: provider.missing(variables),
            variables: provider.variables(),
        })
    }
}

/// Letters, digits and signs that are written the same everywhere.
fn is_plain(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty() && text.chars().all(is_plain)
}

/// Whether a text is the address of a server: what is not, the library would stumble over later.
fn is_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_bare && url.has_host() && matches!(url.scheme(), "http" | "https")
}

/// Which variable keeps a client from being built, if it is one.
fn misfit(provider: Provider, name: &str, variables: &[Variable]) -> String {
    let without = |at: usize| {
        let mut others = variables.to_vec();
        others.remove(at);
        provider.build(name, &others, false)
    };
    let culprit = (0..variables.len()).find(|&at| without(at).is_ok());
    match culprit.and_then(|at| variables.get(at)) {
        Some((variable, _)) => format!(
            "cannot be used: the variable {variable} has a value that makes no sense, or lacks another that belongs to it"
        ),
        None => format!(
            "cannot be used: the variables that begin with {} do not fit together: {}",
            provider.variables(),
            provider.hint()
        ),
    }
}

/// The options among `variables`, by the library's names for them.
fn options<K: FromStr>(variables: &[Variable]) -> impl Iterator<Item = (K, &str)> {
    variables.iter().filter_map(|(variable, value)| {
        let key = variable.to_ascii_lowercase().parse().ok()?;
        Some((key, value.as_str()))
    })
}

/// An endpoint without TLS is one that somebody has asked for by its address.
fn is_without_tls(endpoint: Option<&String>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
}

fn amazon(name: &str, variables: &[Variable], is_single: bool) -> Built {
    let builder = AmazonS3Builder::new()
        .with_client_options(patience::options())
        .with_retry(patience::retries())
        .with_http_connector(patience::Connector);
    let mut builder = options(variables).fold(builder, |builder, (key, value)| {
        builder.with_config(key, value)
    });
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .find_map(|key| builder.get_config_value(key));
    if is_without_tls(endpoint.as_ref()) {
        builder = builder.with_allow_http(true);
    }
    if is_single {
        builder = builder.with_disable_bulk_delete(true);
    }
    Ok(Arc::new(builder.with_bucket_name(name).build()?))
}

fn google(name: &str, variables: &[Variable]) -> Built {
    let builder = GoogleCloudStorageBuilder::new()
        .with_client_options(patience::options())
        .with_retry(patience::retries())
        .with_http_connector(patience::Connector);
    let mut builder = options(variables).fold(builder, |builder, (key, value)| {
        builder.with_config(key, value)
    });
    let endpoint = builder.get_config_value(&GoogleConfigKey::BaseUrl);
    if is_without_tls(endpoint.as_ref()) {
        builder = builder.with_config(GoogleConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok(Arc::new(builder.with_bucket_name(name).build()?))
}

fn microsoft(name: &str, variables: &[Variable]) -> Built {
    let builder = MicrosoftAzureBuilder::new()
        .with_client_options(patience::options())
        .with_retry(patience::retries())
        .with_http_connector(patience::Connector);
    let mut builder = options(variables).fold(builder, |builder, (key, value)| {
        builder.with_config(key, value)
    });
    let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
    if is_without_tls(endpoint.as_ref()) {
        builder = builder.with_allow_http(true);
    }
    Ok(Arc::new(builder.with_container_name(name).build()?))
}
