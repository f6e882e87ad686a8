//! Where blobs are kept: the address, read and checked. How to come to a bucket stands in variables that other programs read too.

use std::path::{Path, PathBuf};

use url::Url;

use super::settings::{BLOB_FORM, BLOB_URL};
use super::sources::Sources;
use super::variables::Variables;
use crate::blob::object::{Bucket, Provider};

/// Where blobs are kept.
#[derive(Clone, Debug)]
pub enum BlobPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of an object store.
    Bucket(Bucket),
}

/// The place that is set, else the folder `blobs` of the data folder.
pub(super) fn take(sources: &mut Sources, variables: &Variables, data_dir: &Path) -> BlobPlace {
    sources
        .option(BLOB_URL, |text| parse(text, variables))
        .unwrap_or_else(|| BlobPlace::Folder(data_dir.join("blobs")))
}

/// What an address looks like, as the end of a sentence.
fn form() -> String {
    format!("must be {BLOB_FORM}")
}

/// An error is the end of a sentence that begins with the setting's name, and holds no value.
fn parse(text: &str, variables: &Variables) -> Result<BlobPlace, String> {
    let url = Url::parse(text).map_err(|_| form())?;
    let has_more = url.query().is_some() || url.fragment().is_some();
    if has_more || !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must be an address alone: credentials and options are set in variables, such as AWS_ACCESS_KEY_ID".to_owned(),
        );
    }
    if url.scheme() == "file" {
        return folder(text, &url).ok_or_else(form);
    }
    let provider = Provider::of_scheme(url.scheme()).ok_or_else(form)?;
    let variables = variables.beginning(provider.variables());
    let variables = variables.map_err(|name| format!("needs UTF-8 in the variable {name}"))?;
    Bucket::parse(&url, &variables).map(BlobPlace::Bucket)
}

/// An absolute path below the root of the file system.
fn folder(text: &str, url: &Url) -> Option<BlobPlace> {
    let path = url.to_file_path().ok()?;
    let is_folder = text.starts_with("file:///") && path.parent().is_some();
    is_folder.then_some(BlobPlace::Folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value that no fault may hold is this.
    const SECRET: &str = "hunter2";

    fn parsed(text: &str, variables: &[(&str, &str)]) -> Result<BlobPlace, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        parse(text, &Variables::of(variables))
    }

    #[test]
    fn folders_are_absolute() {
        let check = |text: &str, expected: Option<&str>| {
            let found = parsed(text, &[]).ok().map(|place| match place {
                BlobPlace::Folder(path) => path,
                BlobPlace::Bucket(_) => panic!("{text}"),
            });
            assert_eq!(found, expected.map(PathBuf::from), "{text}");
        };
        check("file:///srv/blobs", Some("/srv/blobs"));
        check("file:///srv/b%20c/", Some("/srv/b c/"));
        check("file:///", None);
        check("file://srv/blobs", None);
        check("file:blobs", None);
        check("file:///srv?a=b", None);
        check("/srv/blobs", None);
        check("", None);
    }

    #[test]
    fn buckets_are_plain_names_with_plain_prefixes() {
        let account = &[("AZURE_STORAGE_ACCOUNT_NAME", "account")][..];
        let check = |text: &str, variables: &[(&str, &str)], fault: Option<&str>| match (
            parsed(text, variables),
            fault,
        ) {
            (Ok(BlobPlace::Bucket(_)), None) => {}
            (Err(found), Some(fault)) => assert!(found.contains(fault), "{text}: {found}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("s3://bucket", &[], None);
        check("s3://bucket/", &[], None);
        check("s3://My.bucket_1/a/b-c", &[], None);
        check("gs://bucket/prefix", &[], None);
        check("az://container/prefix", account, None);
        check(
            "az://container/prefix",
            &[],
            Some("AZURE_STORAGE_ACCOUNT_NAME"),
        );
        check("s3:///prefix", &[], Some("must name a bucket"));
        check("s3:bucket", &[], Some("must name a bucket"));
        check(
            "s3://localhost:9000/bucket",
            &[],
            Some("an endpoint is set in a variable"),
        );
        check("s3://bucket//prefix//a", &[], Some("letters, digits"));
        check("s3://bucket/a b", &[], Some("letters, digits"));
        check("s3://bucket/a%2Fb", &[], Some("letters, digits"));
        check("s3://key:hunter2@bucket/a", &[], Some("address alone"));
        check("s3://bucket/a?key=hunter2", &[], Some("address alone"));
        check("s3://bucket/a#hunter2", &[], Some("address alone"));
        check(
            "https://bucket.example.com/a",
            &[],
            Some("must be file:///"),
        );
        check("hunter2", &[], Some("must be file:///"));
    }

    #[test]
    fn variables_that_cannot_be_used_are_named_without_their_values() {
        let check = |name: &str, value: &str, fault: &str| {
            let found = parsed("s3://bucket", &[(name, value)]).unwrap_err();
            assert!(found.contains(fault), "{found}");
            assert!(!found.contains(SECRET), "{found}");
            if name.starts_with("AWS_") {
                assert!(found.contains(name), "{found}");
            }
        };
        check("AWS_ACCESS_KEY_ID", SECRET, "lacks another");
        check("AWS_SECRET_ACCESS_KEY", SECRET, "lacks another");
        check("AWS_ALLOW_HTTP", SECRET, "makes no sense");
        check("AWS_ENDPOINT_URL", SECRET, "the address of a server");
        check(
            "AWS_ENDPOINT",
            "http://a:hunter2@b",
            "the address of a server",
        );
        check(
            "AWS_ENDPOINT_URL_S3",
            "http://1.2.3.400:1",
            "the address of a server",
        );
        check(
            "AWS_ENDPOINT_URL_S3",
            "http://a:99999",
            "the address of a server",
        );
        check("AWS_REGION", "hunter2/", "plain name");
    }

    #[test]
    fn variables_of_others_do_not_matter() {
        let others = [("AZURE_STORAGE_ACCOUNT_KEY", "?"), ("AWS_PROFILE", "a")];
        parsed("s3://bucket", &others).expect("a bucket");
        parsed("file:///srv", &[("AWS_ENDPOINT", "?")]).expect("a folder");
    }

    #[cfg(unix)]
    #[test]
    fn variables_that_are_not_utf_8_are_named() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt as _;
        let value = OsString::from_vec(vec![0xff]);
        let variables = Variables::of([("AWS_REGION".into(), value)]);
        let found = parse("s3://bucket", &variables).unwrap_err();
        assert!(found.contains("AWS_REGION"), "{found}");
        parse("file:///srv", &variables).expect("a folder");
    }

    #[test]
    fn nothing_of_a_bucket_is_printed() {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "hunter1"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let place = parsed("s3://bucket", &variables).expect("a bucket");
        assert_eq!(format!("{place:?}"), "Bucket(Bucket)");
    }
}
