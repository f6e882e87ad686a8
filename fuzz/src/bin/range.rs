//! libFuzzer, looking for ranges that break what `range` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::range(bytes));
