//! Recorded runs as vectors: what comes back, and what is refused.

use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, u};
use hwgen_verify::waves::{Recording, WaveError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn adder(width: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("adder");
    let total = m.reg("total", u(width)).reset_to(0);
    total.next((total + m.input("by", u(width))).named("next_total"));
    m.output("sum", total);
    m.finish()
}

/// A file with this in it.
fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("run.vcd");
    std::fs::write(&path, text).unwrap();
    path
}

fn vcd(width: u32, changes: &str) -> String {
    format!(
        "$timescale 1ns $end\n$scope module bench $end\n$scope module dut $end\n\
         $var wire 1 ! clk $end\n$var wire 1 \" rst $end\n$var wire {width} # by [{} : 0] $end\n\
         $var wire {width} $ sum [{} : 0] $end\n$upscope $end\n$upscope $end\n$enddefinitions $end\n\
         {changes}",
        width - 1,
        width - 1,
    )
}

/// Inputs that change with the rising edge count from the next one on; what is unknown is not
/// compared.
#[test]
fn a_foreign_test_bench_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let run = "#0\n0!\n1\"\nb3 #\nbx $\n#5\n1!\n0\"\nb0 $\n#10\n0!\n#15\n1!\nb11 $\nb101 #\n#20\n0!\n\
               #25\n1!\nb1000 $\n#30\n0!\n#35\n1!\nb1x01 $\n#40\n0!\n#45\n1!\n";
    let run = run.replace("b3", "b11");
    let module = adder(4);
    let recording = Recording::read(&file(folder.path(), &vcd(4, &run)), &module).unwrap();
    assert_eq!(recording.cycles(), 5);
    let mut device = Simulator::new(&module, Engine::Interpreter);
    assert_eq!(recording.replay(&mut device).unwrap(), 4);

    let wrong = run.replace("b1000", "b1010");
    let recording = Recording::read(&file(folder.path(), &vcd(4, &wrong)), &module).unwrap();
    let mut device = Simulator::new(&module, Engine::Interpreter);
    let error = recording.replay(&mut device).unwrap_err();
    assert_eq!(error.to_string(), "rising edge 3: `sum` is 1000, 1010 in the file");
}

#[test]
fn what_is_no_recording_of_the_design_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str, width| Recording::read(&file(folder.path(), text), &adder(width));
    let whole = vcd(4, "#0\n0!\n1\"\nb11 #\nb0 $\n#5\n1!\n");
    let width = read(&whole, 5).unwrap_err();
    assert_eq!(width.to_string(), "`by` has 4 bits in the file and 5 in the design");
    let scope = read(&whole.replace(" by ", " of "), 4).unwrap_err();
    assert!(
        scope
            .to_string()
            .ends_with("no scope with the clock and all inputs of `adder`: clk, rst, by"),
        "{scope}"
    );
    let missing = Recording::read(Path::new("/nonexistent.vcd"), &adder(4));
    assert!(matches!(missing, Err(WaveError::File(_))));
    // cut anywhere: an error or a shorter run, never a panic
    for length in 0..whole.len() {
        let _ = read(&whole[..length], 4);
    }
}
