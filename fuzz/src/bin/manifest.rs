//! libFuzzer, looking for manifests that break what `manifest` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::manifest(bytes));
