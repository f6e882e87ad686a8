//! libFuzzer, looking for links that break what `link` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::link(bytes));
