//! Bus models that are not ours: cocotbext-axi drives the printed Verilog in Icarus.
//!
//! `verify/cocotb/` has the Python; a virtual environment for it is made once under `target/`.

use super::mutants::{ignores_strobes, mutant};
use super::{SMALL, random_loads, spec};
use hwgen_designs::attention::axi::lapa_drive::{Load, expected};
use hwgen_designs::attention::axi::{LapaAttentionAxiSpec, build};
use hwgen_hdl::Int;
use hwgen_tools::{ToolError, run};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cocotb")
}

/// A Python with what `requirements.txt` names.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cocotb");
    let (python, done) = (folder.join("bin/python"), folder.join("installed.txt"));
    let wanted = fs::read_to_string(sources().join("requirements.txt")).unwrap();
    // written last, so a half-made environment is made again
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    let make = ["-m", "venv", "--clear"];
    run(Command::new("python3").args(make).arg(&folder), LIMIT).unwrap();
    let install = ["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r"];
    let mut pip = Command::new(&python);
    run(pip.args(install).arg(sources().join("requirements.txt")), LIMIT).unwrap();
    fs::write(done, wanted).unwrap();
    python
}

/// A number's bytes, lowest first.
fn hex(beats: &[Vec<Int>], bus_bits: u32) -> String {
    let bytes = |beat: &Vec<Int>| {
        (0..bus_bits / 8)
            .map(|i| format!("{:02x}", (&beat[0] >> (8 * i)) & Int::from(255)))
            .collect::<String>()
    };
    beats.iter().map(bytes).collect()
}

/// Loads as bytes of frames, each ended by `tlast`, and the frames that must come out.
fn vectors(spec: &LapaAttentionAxiSpec, loads: &[Load]) -> Value {
    let loads = loads.iter().map(|load| {
        let queries = load.query_transfers(spec);
        let frames = queries.split_inclusive(|beat| beat[1] != Int::ZERO);
        let must = expected(spec, std::slice::from_ref(load)).unwrap();
        let out = must.iter().map(|(row, _)| {
            let data: Vec<u8> = row.iter().flat_map(|x| (*x as i16).to_le_bytes()).collect();
            let width = (spec.bus_bits / 8) as usize;
            let padded = data.len().div_ceil(width) * width;
            let byte = |i| format!("{:02x}", data.get(i).copied().unwrap_or(0));
            (0..padded).map(byte).collect::<String>()
        });
        json!({
            "settings": load.settings().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "keys": hex(&load.key_transfers(spec), spec.bus_bits),
            "queries": frames.map(|frame| hex(frame, spec.bus_bits)).collect::<Vec<_>>(),
            "out": out.collect::<String>(),
            "rows": load.head.rows.len(),
            "misframed": load.misframed(),
        })
    });
    json!({
        "bus_bits": spec.bus_bits,
        "registers": build(spec).map,
        "loads": loads.collect::<Vec<_>>(),
    })
}

/// Runs the Python tests on a Verilog text.
fn cocotb(name: &str, verilog: &str, top: &str, vectors: &Value) -> Result<String, ToolError> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let (text, data) = (folder.join("top.v"), folder.join("vectors.json"));
    fs::write(&text, verilog).unwrap();
    fs::write(&data, vectors.to_string()).unwrap();
    let mut command = Command::new(python());
    command.arg(sources().join("run.py")).arg(&text).args([top]).arg(&data).arg(&folder);
    run(&mut command, LIMIT).map(|output| output.stdout)
}

#[test]
#[cfg_attr(no_python, ignore = "no python3 with venv and libpython; scripts/setup installs it")]
fn the_bus_models_of_cocotbext_axi() {
    let spec = spec(SMALL);
    let mut loads = random_loads(&spec, &mut ChaCha8Rng::seed_from_u64(21), 6);
    for load in &mut loads {
        // a frame of theirs ends with `tlast`
        load.tlast.last_mut().into_iter().for_each(|last| *last = true);
    }
    let vectors = vectors(&spec, &loads);
    let top = build(&spec).module;
    let said = cocotb("axi-right", &top.verilog().unwrap(), "lapa_attention_axi", &vectors);
    println!("{}", said.unwrap_or_else(|error| panic!("{error}")));

    // and they can fail
    let wrong = mutant(&top, "s_axil_w", ignores_strobes).verilog().unwrap();
    let said = cocotb("axi-wrong", &wrong, "mutant", &vectors);
    assert!(matches!(said, Err(ToolError::Failed { .. })), "a fault went unseen: {said:?}");
}
