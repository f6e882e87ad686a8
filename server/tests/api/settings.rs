//! The page on settings says what the server reads.

use std::path::Path;

use onetimeshare_server::config::reference::reference;

#[test]
fn the_page_on_settings_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration.md");
    std::fs::write(&made, reference()).unwrap();
    let is_fresh = std::fs::read_to_string(path).is_ok_and(|page| page == reference());
    assert!(
        is_fresh,
        "docs/configuration.md is stale: cp {} docs/configuration.md",
        made.display()
    );
}
