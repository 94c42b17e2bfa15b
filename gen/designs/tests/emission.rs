//! What a reader of emitted Verilog is promised: small, few modules, printed at once.

use hwgen_designs::arrays::mac_array::MacArraySpec;
use hwgen_designs::generate::Generate;
use std::time::{Duration, Instant};

fn array(size: u32) -> MacArraySpec {
    MacArraySpec { rows: size, columns: size, ..MacArraySpec::default() }
}

#[test]
fn an_8x8_array_is_below_500_lines_in_at_most_3_modules() {
    let module = array(8).build();
    let (lines, modules) =
        (module.verilog().unwrap().lines().count(), module.verilog_modules().unwrap().len());
    println!("8x8 array: {lines} lines in {modules} modules (at most 499 in 3)");
    assert!(lines < 500 && modules <= 3);
}

/// The shortest of three, since machines are noisy.
fn emission_time(size: u32) -> (Duration, usize) {
    let timed = (0..3).map(|_| {
        let start = Instant::now();
        let text = array(size).build().verilog().unwrap();
        (start.elapsed(), text.len())
    });
    timed.min().unwrap()
}

#[test]
fn a_64x64_array_is_emitted_within_a_second_in_linear_time() {
    let mut per_cell = vec![];
    for size in [8, 16, 32, 64] {
        let (time, bytes) = emission_time(size);
        let cells = f64::from(size * size);
        per_cell.push(time.as_secs_f64() / cells);
        println!(
            "{size}x{size}: {:.1} ms, {:.1} us a cell, {bytes} bytes",
            time.as_secs_f64() * 1e3,
            per_cell[per_cell.len() - 1] * 1e6
        );
        if size == 64 {
            assert!(time < Duration::from_secs(1), "64x64 takes {time:?}, at most 1 s");
        }
    }
    let growth = per_cell[3] / per_cell[1];
    println!("emission: {growth:.2} times as long a cell at 64x64 as at 16x16, at most 2");
    assert!(growth < 2.0);
}
