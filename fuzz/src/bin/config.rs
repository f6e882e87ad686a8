//! libFuzzer, looking for settings that break what `config` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::config(bytes));
