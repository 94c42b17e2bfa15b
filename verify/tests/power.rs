//! Energy from gates: golden models on cells of libraries.

use hwgen_designs::registry;
use hwgen_verify::check::golden;
use hwgen_verify::power::{Library, Options, PowerModel};
use std::time::Instant;

const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

fn run(design: &str, set: &[&str], library: &Library, batches: u64) {
    let set: Vec<_> = set.iter().map(|set| set.to_string()).collect();
    let configured = registry::find(design).unwrap().configure(None, &set).unwrap();
    let golden = golden(design, &configured.json()).unwrap();
    let start = Instant::now();
    let model = PowerModel::new(&configured.build(), library, &Options::default()).unwrap();
    eprintln!("{design}: {} cells, {:.1} s", model.cells(), start.elapsed().as_secs_f64());
    let start = Instant::now();
    let mut device = model.device();
    eprintln!("machine {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    for seed in 0..batches {
        golden.batch(&mut device, seed).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    let report = model.report(&device);
    eprintln!("{} cycles, {:.0} a second", report.cycles, report.cycles as f64 / seconds);
    eprintln!("{:#?}", report.total());
}

#[test]
fn gates_equal_golden_models() {
    let library = Library::read(OSU018).unwrap();
    run("mac_array", &["rows=2", "columns=2"], &library, 3);
}

#[test]
#[ignore = "slow"]
fn large() {
    let library = Library::read(std::env::var("LIB").unwrap()).unwrap();
    run("lapa", &[], &library, 3);
}
