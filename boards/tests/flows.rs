//! Every family's way to a bitstream, and its proof: `cargo xtask bars boards`. The tools of ECP5 and
//! Gowin come by pip (`hwgen doctor`); without them this fails and says how to get them.

use hwgen_boards::board::{Board, Family, Uses, find};
use hwgen_boards::build::{Built, Options, Verdict, build};
use hwgen_boards::constraints::constraints;
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::proof::{CHIP, ProofError, Question, compare_tables, read_back, repack, talk};

const BAUD: u32 = 115_200;

fn divisor(hertz: u32) -> u32 {
    (hertz + BAUD / 2) / BAUD
}

fn file<'a>(built: &'a Built, ending: &str) -> &'a [u8] {
    let found = built.files.iter().find(|(name, _)| name.ends_with(ending));
    &found.unwrap_or_else(|| panic!("no file {ending}")).1
}

/// What was placed, one bit of one lookup table the other way.
fn with_a_bit_flipped(placed: &[u8]) -> Vec<u8> {
    let mut netlist: serde_json::Value = serde_json::from_slice(placed).unwrap();
    let modules = netlist["modules"].as_object_mut().unwrap().values_mut();
    let mut cells =
        modules.flat_map(|module| module["cells"].as_object_mut().unwrap().values_mut());
    let table = cells.find(|cell| cell["type"] == "LUT4").unwrap();
    let bits = table["parameters"]["INIT"].as_str().unwrap().to_string();
    let (rest, last) = bits.split_at(bits.len() - 1);
    table["parameters"]["INIT"] = format!("{rest}{}", if last == "0" { 1 } else { 0 }).into();
    serde_json::to_vec(&netlist).unwrap()
}

/// A sentence on what was shown of a bitstream.
fn proof(board: &Board, built: &Built, options: &Options) -> String {
    let bytes = file(built, built.bitstream.as_ref().unwrap());
    match board.fpga.family {
        Family::Ice40 => {
            // a PLL cannot be read back: the same design on the oscillator's clock
            let slow = Options { hertz: Some(board.clock.hertz), ..options.clone() };
            let divisor = divisor(board.clock.hertz);
            let built = build(board, &echo(divisor), &slow, &mut |_| {}).unwrap();
            let bytes = file(&built, built.bitstream.as_ref().unwrap());
            let chip = read_back(board, bytes, &constraints(board, Uses::default())).unwrap();
            let sent = [0, 85, 170, 255];
            let question = Question { bytes: sent.to_vec(), answer: sent.len() };
            let said = talk(board, CHIP, &[&chip], divisor, &[question]).unwrap();
            assert_eq!(said, sent.map(answer));
            let how = if board.clock.run_hertz.is_some() { "without PLL, " } else { "" };
            format!("{how}read back, it answers {} bytes at {BAUD} baud", sent.len())
        }
        Family::Ecp5 => {
            assert!(repack(board, bytes, &[]).unwrap() == bytes, "repacked bitstream differs");
            format!("unpacked and packed to the same {} bytes", bytes.len())
        }
        Family::Gowin => {
            let placed = file(built, "placed.json");
            let tables = compare_tables(board, placed, bytes, &[]).unwrap();
            let differs = compare_tables(board, &with_a_bit_flipped(placed), bytes, &[]);
            assert!(matches!(differs, Err(ProofError::Differs(_))), "{differs:?}");
            format!("unpacked, {} lookup tables as placed", tables.equal)
        }
        Family::Xilinx7 => unreachable!("no open tool"),
    }
}

#[test]
#[ignore = "a minute, and tools by pip: `cargo xtask bars boards`"]
fn every_open_flow_makes_a_bitstream_that_is_what_was_placed() {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().into()), seeds: 4, ..Options::default() };
    let names = ["hx8k", "icebreaker", "ulx3s", "colorlight_i5", "tang_nano_9k", "tang_nano_20k"];
    println!("{:14}  {:>5}  {:>5}  {:>6}  {:>7}  proof", "board", "LUT", "FF", "wanted", "Fmax");
    for name in names {
        let board = find(name).unwrap();
        let inner = echo(divisor(board.clocking(None).unwrap().hertz));
        let built = build(&board, &inner, &options, &mut |_| {})
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(built.verdict, Verdict::Met, "{name}: {:?}", built.complaint());
        let count = |resource| {
            built.synthesized.iter().find(|one| one.name == resource).map_or(0, |one| one.used)
        };
        let timing = built.timing.as_ref().unwrap();
        println!(
            "{name:14}  {:>5}  {:>5}  {:>6}  {:>7.2}  {}",
            count("LUT"),
            count("FF"),
            timing.wanted_mhz,
            timing.fmax_mhz,
            proof(&board, &built, &options)
        );
    }
    println!("boards: {} bitstreams are what was placed, timing met", names.len());
}

#[test]
#[ignore = "half a minute: `cargo xtask bars boards`"]
fn xilinx_is_counted() {
    let cache = tempfile::tempdir().unwrap();
    let cache = Some(cache.path().into());
    let options = Options { cache, synth_only: true, ..Options::default() };
    let board = find("arty_a7_35t").unwrap();
    let built = build(&board, &echo(434), &options, &mut |_| {}).unwrap();
    assert_eq!(built.verdict, Verdict::SynthesisOnly);
    assert!(built.bitstream.is_none());
    let names: Vec<_> = built.synthesized.iter().map(|resource| resource.name).collect();
    assert_eq!(names, ["LUT", "FF", "BRAM", "DSP"]);
    assert!(built.synthesized[..2].iter().all(|resource| (50..150).contains(&resource.used)));
}
