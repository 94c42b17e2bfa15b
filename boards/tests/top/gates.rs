//! What the link takes on an iCE40, beside a core with the ports of `cnn`.

use hwgen_boards::top::{Payload, TopSpec, hwgen_top};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Stream, fields, u};
use std::process::Command;
use std::sync::Arc;

/// The ports of the core `cnn` with so many results, and nothing to speak of behind them.
fn hollow(results: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("cnn");
    let shape = |bits| fields([("data", u(bits)), ("last", u(1))]);
    let input = m.stream_in("in", &shape(8 * results));
    let load = m.stream_in("load", &shape(32));
    load.ready.drive(load.get("data").parity());
    let payload = Bundle::new([("data", input.get("data")), ("last", input.get("last"))]);
    let out = Stream { ready: m.wire("passes", u(1)), valid: input.valid, payload };
    input.ready.drive(*out.ready);
    m.stream_out("out", &out);
    let address = m.input("status_address", u(2));
    let count = m.reg("count", u(32));
    count.next(*count + address.extend(32));
    m.output("status", count);
    m.output("waiting", load.valid);
    m.finish()
}

/// Counts of cells of the top around it, and of it alone.
fn cells(module: &Arc<Module>) -> (u64, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("design.v");
    std::fs::write(&path, module.verilog().unwrap()).unwrap();
    let top = &module.name;
    let script = format!("read_verilog {}; synth_ice40 -top {top}; stat", path.display());
    let run = Command::new("yosys").args(["-p", &script]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let stat = &text[text.rfind("Number of cells").unwrap()..];
    let count = |cell: &str| {
        let lines = stat.lines().filter(|line| line.trim_start().starts_with(cell));
        let last = |line: &str| line.split_whitespace().last().and_then(|n| n.parse::<u64>().ok());
        lines.filter_map(last).sum()
    };
    (count("SB_LUT4"), count("SB_DFF"), count("SB_RAM40"))
}

#[test]
#[ignore = "Yosys takes a minute"]
fn the_link_fits_beside_the_core() {
    for results in [1, 2, 4] {
        let core = hollow(results);
        let payload =
            Payload { module: core.clone(), design: "cnn".into(), spec_hash: 1, classes: Some(12) };
        let top = hwgen_top(&TopSpec::new(12_000_000, 115_200), &payload).unwrap();
        let (all, own) = (cells(&top), cells(&core));
        let (luts, flops, rams) = (all.0 - own.0, all.1 - own.1, all.2);
        println!("{results} results: link: {luts} LUT4, {flops} flip-flops, {rams} EBR");
        assert!(luts <= 900 && rams <= 4, "{luts} LUT4, {rams} EBR");
    }
}
