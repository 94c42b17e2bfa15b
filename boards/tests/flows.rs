//! Every family's way to a bitstream, and its proof: `cargo xtask bars boards`. The tools of ECP5 and
//! Gowin come by pip (`hwgen doctor`); without them this fails and says how to get them.

use hwgen_boards::board::{Board, Family, find};
use hwgen_boards::build::{Built, Options, Verdict, build};
use hwgen_boards::constraints::constraints;
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::proof::{CHIP, compare_tables, read_back, repack, talk};

const BAUD: u32 = 115_200;

fn file<'a>(built: &'a Built, ending: &str) -> &'a [u8] {
    let found = built.files.iter().find(|(name, _)| name.ends_with(ending));
    &found.unwrap_or_else(|| panic!("no file {ending}")).1
}

/// What was shown of a bitstream; `None`: nothing can be.
fn proof(board: &Board, built: &Built, divisor: u32) -> Option<String> {
    let bitstream = built.bitstream.as_ref().unwrap();
    let bytes = file(built, bitstream);
    Some(match board.fpga.family {
        // a PLL is not read back
        Family::Ice40 if board.clock.run_hertz.is_some() => return None,
        Family::Ice40 => {
            let chip = read_back(board, bytes, &constraints(board, false)).unwrap();
            let sent = [0, 85, 170, 255];
            let said = talk(board, CHIP, &[&chip], divisor, &sent, sent.len()).unwrap();
            assert_eq!(said, sent.map(answer));
            format!("read back, it answers {} bytes at {BAUD} baud", sent.len())
        }
        Family::Ecp5 => {
            assert!(repack(board, bytes, &[]).unwrap() == bytes, "repacked bitstream differs");
            format!("unpacked and packed to the same {} bytes", bytes.len())
        }
        Family::Gowin => {
            let tables = compare_tables(board, file(built, "placed.json"), bytes, &[]).unwrap();
            format!("unpacked, {} lookup tables as placed", tables.equal)
        }
        Family::Xilinx7 => unreachable!("no open tool"),
    })
}

#[test]
#[ignore = "a minute, and tools by pip: `cargo xtask bars boards`"]
fn every_open_flow_makes_a_bitstream_that_is_what_was_placed() {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().into()), seeds: 4, ..Options::default() };
    let names = ["hx8k", "icebreaker", "ulx3s", "colorlight_i5", "tang_nano_9k", "tang_nano_20k"];
    println!("{:14}  {:>5}  {:>5}  {:>6}  {:>7}  proof", "board", "LUT", "FF", "wanted", "Fmax");
    let mut proved = 0;
    for name in names {
        let board = find(name).unwrap();
        let clocking = board.clocking(None).unwrap();
        let divisor = (clocking.hertz + BAUD / 2) / BAUD;
        let built = build(&board, &echo(divisor), &options, &mut |_| {})
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(built.verdict, Verdict::Met, "{name}: {:?}", built.complaint());
        let count = |resource| {
            built.synthesised.iter().find(|one| one.name == resource).map_or(0, |one| one.used)
        };
        let timing = built.timing.as_ref().unwrap();
        let proof = proof(&board, &built, divisor);
        proved += u32::from(proof.is_some());
        println!(
            "{name:14}  {:>5}  {:>5}  {:>6}  {:>7.2}  {}",
            count("LUT"),
            count("FF"),
            timing.wanted_mhz,
            timing.fmax_mhz,
            proof.as_deref().unwrap_or("none: its PLL cannot be read back")
        );
    }
    println!("boards: {proved} bitstreams are what was placed; timing met on {}", names.len());
}
