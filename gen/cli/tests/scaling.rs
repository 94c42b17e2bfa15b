//! Emission takes time in proportion to the design.

use hwgen_designs::registry;
use std::time::Instant;

/// Seconds from the specification to the text, the best of five.
fn seconds(side: u32) -> f64 {
    let set = [format!("rows={side}"), format!("columns={side}")];
    let best = (0..5).map(|_| {
        let began = Instant::now();
        let configured = registry::find("mac_array")
            .unwrap()
            .configure(None, &set)
            .unwrap();
        let text = configured.build().verilog().unwrap();
        assert!(text.ends_with("`default_nettype wire\n"));
        began.elapsed().as_secs_f64()
    });
    best.fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement: `cargo xtask bars emission`"]
fn per_processing_element() {
    let small = seconds(8) / 64.0;
    let large = seconds(64) / 4096.0;
    println!(
        "mac_array: {:.1} us a processing element at 8x8, {:.1} at 64x64",
        small * 1e6,
        large * 1e6
    );
    println!("emission: {:.2}", large / small);
}
