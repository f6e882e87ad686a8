//! libFuzzer, looking for bodies that break what `payload` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::payload(bytes));
