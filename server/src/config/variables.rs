//! The environment's variables that are meant for this program, among them those that name no setting, and those that say how to
//! come to a bucket. It never shows a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::settings::SETTINGS;

/// What every setting's variable begins with.
pub(super) const PREFIX: &str = "ONETIMESHARE_";

/// The variables with names that can be read.
pub(super) struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// Those among `variables`.
    pub(super) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let named = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.collect())
    }

    /// The value of the variable of this name.
    pub(super) fn value(&self, name: &str) -> Option<&OsString> {
        self.0.get(name)
    }

    /// Whether they name a collector of spans, by the names that every OpenTelemetry library reads, and do not switch spans off.
    pub(super) fn name_collector(&self) -> bool {
        let is_set = |name: &str| self.value(name).is_some_and(|value| !value.is_empty());
        let says = |name: &str, word: &str| {
            let value = self.value(name);
            value.is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        (is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
            && !says("OTEL_SDK_DISABLED", "true")
            && !says("OTEL_TRACES_EXPORTER", "none")
    }

    /// Those that begin so, sorted; or the name of one whose value is not UTF-8.
    pub(super) fn beginning(&self, prefix: &str) -> Result<Vec<(String, String)>, &str> {
        let ours = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, value)| {
                let value = value.to_str().ok_or(name.as_str())?;
                Ok((name.clone(), value.to_owned()))
            });
        ours.collect()
    }

    /// Names of those that no setting has, sorted, without those that Kubernetes makes.
    pub(super) fn unknown(&self) -> Vec<String> {
        let is_setting = |name: &str| {
            SETTINGS.iter().any(|setting| {
                setting.variable() == name || setting.file_variable().as_deref() == Some(name)
            })
        };
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .filter(|(name, value)| !is_setting(name) && !is_of_kubernetes(name, value))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// Whether Kubernetes sets such a variable by itself: for a service called `onetimeshare`, or `onetimeshare-` and more, it
/// gives every container `…_SERVICE_HOST`, `…_SERVICE_PORT`, `…_PORT` and `…_PORT_80_TCP_ADDR`. A plain number in `…_PORT` is
/// a person's, who meant `listen`.
fn is_of_kubernetes(name: &str, value: &OsStr) -> bool {
    let words: Vec<&str> = name.split('_').skip(1).collect();
    (0..words.len()).any(|at| match words.get(at..).unwrap_or_default() {
        ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] => true,
        ["PORT"] => value.to_string_lossy().contains("://"),
        ["PORT", port, "TCP" | "UDP" | "SCTP", rest @ ..] => {
            port.bytes().all(|digit| digit.is_ascii_digit())
                && matches!(rest, [] | ["PROTO" | "PORT" | "ADDR"])
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_name_no_setting_are_named() {
        let check = |name: &str, value: &str, is_named: bool| {
            let variables = Variables::of([(name.into(), value.into())]);
            let expected: Vec<String> = is_named.then(|| name.to_owned()).into_iter().collect();
            assert_eq!(variables.unknown(), expected);
        };
        check("ONETIMESHARE_LEASE", "10m", false);
        check("ONETIMESHARE_CONFIG", "a.toml", false);
        check("PATH", "/bin", false);
        check("ONETIMESHARES_LEASE", "10m", false);
        check("ONETIMESHARE_MAX_TLL", "1d", true);
        check("ONETIMESHARE_lease", "10m", true);
        check("ONETIMESHARE_", "", true);

        check("ONETIMESHARE_SERVICE_HOST", "10.0.0.1", false);
        check("ONETIMESHARE_SERVICE_PORT", "80", false);
        check("ONETIMESHARE_SERVICE_PORT_HTTP", "80", false);
        check("ONETIMESHARE_PORT", "tcp://10.0.0.1:80", false);
        check("ONETIMESHARE_PORT_80_TCP", "tcp://10.0.0.1:80", false);
        check("ONETIMESHARE_PORT_80_TCP_PROTO", "tcp", false);
        check("ONETIMESHARE_PORT_53_UDP_ADDR", "10.0.0.1", false);
        check("ONETIMESHARE_REDIS_SERVICE_HOST", "10.0.0.2", false);
        check("ONETIMESHARE_REDIS_PORT_6379_TCP_PORT", "6379", false);
        check("ONETIMESHARE_PORT", "8080", true);
        check("ONETIMESHARE_PORT_MAX", "8080", true);
        check("ONETIMESHARE_HOST", "10.0.0.1", true);
    }

    #[test]
    fn a_collector_is_named_and_spans_are_switched_off() {
        let check = |pairs: &[(&str, &str)], expected: bool| {
            let pairs = pairs
                .iter()
                .map(|&(name, value)| (name.into(), value.into()));
            assert_eq!(Variables::of(pairs).name_collector(), expected);
        };
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318");
        check(&[], false);
        check(&[("OTEL_SERVICE_NAME", "a")], false);
        check(
            &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://a:4318")],
            false,
        );
        check(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], false);
        check(&[all], true);
        check(
            &[(
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://a:4318/v1/traces",
            )],
            true,
        );
        check(&[all, ("OTEL_SDK_DISABLED", "True")], false);
        check(&[all, ("OTEL_SDK_DISABLED", "false")], true);
        check(&[all, ("OTEL_TRACES_EXPORTER", "none")], false);
        check(&[all, ("OTEL_TRACES_EXPORTER", "otlp")], true);
    }

    #[test]
    fn all_are_told_in_order() {
        let variables = ["ONETIMESHARE_B", "ONETIMESHARE_A", "ONETIMESHARE_STATS"]
            .map(|name| (name.into(), "hunter2".into()));
        assert_eq!(
            Variables::of(variables).unknown(),
            ["ONETIMESHARE_A", "ONETIMESHARE_B"]
        );
    }
}
