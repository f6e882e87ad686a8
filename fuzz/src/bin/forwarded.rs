//! libFuzzer, looking for chains of addresses that break what `forwarded` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onetimeshare_fuzz::forwarded(bytes));
