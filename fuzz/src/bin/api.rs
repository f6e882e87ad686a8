//! libFuzzer, looking for bodies of the API that break what `api` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::api(bytes));
