//! Small files of every format, as the project itself writes them.

#[path = "../../../../gen/network/tests/models/mod.rs"]
mod models;
#[path = "../../../../gen/network/tests/onnx_models/mod.rs"]
mod onnx_models;

use flate2::{Compression, write::GzEncoder};
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_network::zoo;
use hwgen_verify::exercise::{Plan, exercise};
use hwgen_verify::study::{Ledger, Record, Split};
use npyz::WriterBuilder;
use npyz::half::f16;
use prost::Message;
use std::io::Write;
use std::path::Path;

/// The seeds of a reader.
pub(crate) fn of(reader: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| text.as_bytes().to_vec();
    let library = include_str!("../../../src/power/toy.lib");
    match reader {
        "tflite" => vec![models::small(1), models::streaming(5)],
        "onnx" => onnx_models::all().iter().take(2).map(|(_, it)| it.encode_to_vec()).collect(),
        "network" => vec![serde_json::to_vec(&zoo::kws_mini(1)).unwrap()],
        "candidate" => {
            let page = include_str!("../../../../docs/cost.md");
            let block = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
            vec![text(block.unwrap())]
        }
        "policy" => {
            let first =
                r#"{"version": 1, "weight_bits": {"conv": 4}, "shared_bits": {"dense": 6}}"#;
            let second = r#"{"version": 2, "activation_bits": {"conv": 7}, "rounded_bits": {"a": 4},
                "symmetric": true, "multiplier_bits": 15, "addition_shift": 8}"#;
            vec![text(first), text(second)]
        }
        "spec" => {
            let designs = ["lapa_predictor", "mac_array", "lapa_layer_axi"];
            let designs = designs.iter().filter_map(|name| hwgen_designs::registry::find(name));
            designs.map(|design| design.default_spec().into_bytes()).collect()
        }
        "set" => {
            vec![text("rows=8\nkey_slices=[4,2,2]\nfilter.mode=top_k\nfilter={\"keep256\":[8]}")]
        }
        "board" => vec![text(include_str!("../../../../boards/boards/icebreaker.toml"))],
        "liberty" => vec![text(library)],
        "liberty_gz" => {
            let mut packer = GzEncoder::new(vec![], Compression::default());
            packer.write_all(library.as_bytes()).unwrap();
            vec![packer.finish().unwrap()]
        }
        "vcd" => vec![trace(folder.path(), |simulator, path| simulator.trace_vcd(path).unwrap())],
        "fst" => vec![trace(folder.path(), |simulator, path| simulator.trace_fst(path).unwrap())],
        "wav" => vec![wav()],
        "flac" => vec![flac()],
        "npy" => vec![npy(&[1, 3, 2, 4, 4]), npy(&[2, 2, 3, 4])],
        "ledger" => vec![ledger(&folder.path().join("ledger.jsonl"))],
        "cache" => vec![manifest(folder.path())],
        other => panic!("no seed for {other}: add one"),
    }
}

fn trace(folder: &Path, begin: impl Fn(&mut Simulator, &Path)) -> Vec<u8> {
    let path = folder.join("run");
    let module = hwgen_readers::recorded().unwrap();
    let mut simulator = Simulator::new(&module, Engine::Interpreter);
    begin(&mut simulator, &path);
    exercise(&mut simulator, Plan { cycles: 40, seed: 1, stall: 0.25 });
    simulator.finish_trace().unwrap();
    std::fs::read(path).unwrap()
}

/// One channel of 16 bits.
fn wav() -> Vec<u8> {
    let samples: Vec<u8> = (0..200i16).flat_map(|n| (n * 97).to_le_bytes()).collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend([16_000u32, 32_000].iter().flat_map(|rate| rate.to_le_bytes()));
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((samples.len() as u32).to_le_bytes());
    bytes.extend(samples);
    bytes
}

/// Three frames of 16 samples: verbatim, constant, and predicted with residuals of 0.
fn flac() -> Vec<u8> {
    let mut bytes = b"fLaC\x80\0\0\x22\0\x10\0\x10\0\0\0\0\0\0".to_vec();
    // 16,000 samples a second, a channel, 16 bits, 48 samples, no digest
    let info = 16_000u64 << 44 | 15 << 36 | 48;
    bytes.extend(info.to_be_bytes());
    bytes.extend([0; 16]);
    let verbatim: Vec<u8> = [2].into_iter().chain((0..32).map(|n| n * 7)).collect();
    for (number, subframe) in
        [verbatim, vec![0, 0x12, 0x34], vec![0x12, 0x12, 0x34, 0, 0x3f, 0xff, 0x80]]
            .iter()
            .enumerate()
    {
        let mut frame = vec![0xff, 0xf8, 0x60, 0x08, number as u8, 15];
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.extend(subframe);
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// The remainder of a message by a polynomial, the highest bit first.
fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let step = |crc: u32, bit: u32| {
        let out = crc >> (width - 1) & 1 ^ bit;
        ((crc << 1) ^ (out * polynomial)) & ((1 << width) - 1)
    };
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1)));
    bits.fold(0, step)
}

fn npy(shape: &[u64]) -> Vec<u8> {
    let mut bytes = vec![];
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend((0..shape.iter().product()).map(|n: u64| f16::from_f32(n as f32))).unwrap();
    writer.finish().unwrap();
    bytes
}

fn ledger(path: &Path) -> Vec<u8> {
    let mut ledger = Ledger::open(path).unwrap();
    for head in ["first", "second"] {
        let energy_pj = Split { predict: 1.0, ..Split::default() };
        let record = Record { head: head.into(), cosine: 0.5, energy_pj, ..Record::default() };
        ledger.put(head, record).unwrap();
    }
    drop(ledger);
    std::fs::read(path).unwrap()
}

/// What a cache says of a result.
fn manifest(folder: &Path) -> Vec<u8> {
    let making = hwgen_files::Cache::open(folder).unwrap().make().unwrap();
    std::fs::write(making.path().join("result"), "kept").unwrap();
    std::fs::read(making.keep("key").unwrap().join("manifest.sha256")).unwrap()
}
