#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datagouv_fuzz::exports::exports(data));
