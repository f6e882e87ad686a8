//! libFuzzer, looking for digests and lengths of parts that break what `digest` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::digest(bytes));
