//! docs/configuration.md, from the table of settings: what `--help` says, at length. It decides nothing.

use std::fmt::Write as _;

use super::settings::{CONFIG, SETTINGS, Setting};

/// What stands above the settings.
const HEAD: &str = "# Settings

Every setting is a flag, a variable and a key of the TOML file that `--config` names. A flag wins over its variable, a variable over
the file, the file over the default. All faults are told at once, at the start, by the setting's name and without its value; an
unknown key is one of them, and an unknown variable `ONETIMESHARE_…` is warned of. Without any, those of the files that `tls-cert`, `tls-key` and
`create-token-file` name are told, at once as well. A start with faults ends with exit code 2.

Sizes are written `512 kB`, `8 MiB` or as a number of bytes; durations `90s`, `10m`, `5h`, `7d` or as a number of seconds.

```toml
listen = [\"127.0.0.1:8080\", \"[::1]:8080\"]
max-ttl = \"3d\"
max-claims = 10
```

This page is made from the table that the server itself reads its settings by; a test compares them.
";

/// The whole page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for setting in SETTINGS {
        add(&mut page, setting).expect("a text takes whatever is written to it");
    }
    page
}

fn add(page: &mut String, setting: &Setting) -> std::fmt::Result {
    let Setting {
        name,
        value_name,
        default,
        doc,
        expected,
        is_list,
        ..
    } = setting;
    writeln!(page, "\n## {name}\n{doc}.\n")?;
    writeln!(page, "- flag: `--{name} {value_name}`")?;
    write!(page, "- variable: `{}`", setting.variable())?;
    if let Some(variable) = setting.file_variable() {
        write!(page, "; or `{variable}`, which names a file that holds it")?;
    }
    match (*name, is_list) {
        (CONFIG, _) => writeln!(page)?,
        (_, true) => writeln!(
            page,
            "\n- key of the file: `{name}`, a text or a list of texts"
        )?,
        (_, false) => writeln!(page, "\n- key of the file: `{name}`")?,
    }
    writeln!(page, "- value: {expected}")?;
    match default {
        Some(default) => writeln!(page, "- default: `{default}`"),
        None => writeln!(page, "- default: unset"),
    }
}
