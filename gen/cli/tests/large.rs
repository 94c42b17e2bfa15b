//! Large designs, printed and read: bars.

mod clips;
mod command;

use command::ok;
use std::process::Command;
use std::time::Instant;

#[test]
#[ignore = "a bar: cargo xtask bars wide"]
fn a_wide_layer_is_emitted_within_a_second() {
    let start = Instant::now();
    let sizes = ["--set", "inputs=4096", "--set", "outputs=1", "--set", "lanes=256"];
    let text = ok(&[&["emit", "--design", "linear"][..], &sizes].concat());
    println!("wide: {:.3} seconds, {} bytes", start.elapsed().as_secs_f64(), text.len());
}

#[test]
#[ignore = "a bar, and Yosys: cargo xtask bars baked"]
fn yosys_reads_a_baked_network() {
    let Some(network) = clips::data("mlperf_tiny/kws_ref_model_int8.tflite") else {
        println!("no trained network: HWGEN_DATA names its folder");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let network = network.to_str().unwrap();
    let mut slowest: f64 = 0.0;
    // the most words, a small FPGA's core, that of `hwgen emit --help`, and the one that a network
    // gets for which no size is named
    for multipliers in ["5", "20", "60", "161"] {
        let path = folder.path().join("kws.v");
        let core = ["emit", "--design", "cnn", "--network", network, "--baked"];
        let sized = ["--multipliers", multipliers, "-o", path.to_str().unwrap()];
        ok(&[&core[..], &sized].concat());
        let read = || {
            let start = Instant::now();
            let script = "read_verilog kws.v; hierarchy -auto-top";
            let mut yosys = Command::new("yosys");
            let status = yosys.current_dir(folder.path()).args(["-q", "-p", script]).status();
            assert!(status.unwrap().success());
            start.elapsed().as_secs_f64()
        };
        let times = [(); 3].map(|()| read());
        println!("{times:.2?} seconds with {multipliers} multipliers");
        slowest = slowest.max(times.into_iter().fold(f64::INFINITY, f64::min));
    }
    println!("baked: {slowest:.2} seconds, the slowest of the sizes, the best of three times each");
}
