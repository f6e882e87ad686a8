//! Examples of the pages on deploying, read by what they are written for.

use std::fs;

use onetimeshare_server::create_tokens::CreateTokens;
use onetimeshare_server::service::Limits;

const DEPLOY: &str = include_str!("../../docs/deploy.md");

/// The server's own defaults.
const LIMITS: Limits = Limits {
    transfer_size_max: 2 << 30,
    inline_max: 64 << 10,
    part_len: 8 << 20,
    ttl_max_s: 7 * 86_400,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};

#[test]
fn the_file_of_create_tokens_is_taken_as_it_stands() {
    let (_, after) = DEPLOY.split_once("```toml\n").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    assert!(example.contains("[alice]"), "{example}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, example).unwrap();
    let tokens = CreateTokens::open(path, LIMITS).unwrap();
    assert_eq!(tokens.count(), 2);
}
