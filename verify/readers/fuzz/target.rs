//! The reader of this binary's name, under a fuzzer: `scripts/fuzz-readers`.

#![no_main]

use hwgen_readers::{Room, find};
use libfuzzer_sys::fuzz_target;
use std::env;
use std::process::{Command, exit};
use std::sync::LazyLock;

/// Set where this binary reads waves apart from itself.
const READS_WAVES: &str = "HWGEN_FUZZ_READS_WAVES";

static ROOM: LazyLock<Room> = LazyLock::new(|| {
    let mut waves = Command::new(env::current_exe().expect("a path of our own"));
    waves.env(READS_WAVES, "1");
    Room::new(waves).expect("a temporary folder")
});

fuzz_target!(
    init: {
        if env::var_os(READS_WAVES).is_some() {
            exit(i32::from(hwgen_verify::waves::serve().is_err()));
        }
    },
    |bytes: &[u8]| {
        let reader = find(env!("CARGO_BIN_NAME")).expect("a reader of that name");
        let _ = reader.read(bytes, &ROOM);
    }
);
