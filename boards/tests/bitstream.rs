//! A bitstream is the circuit it was made of: read back from its bits, it answers as the source.

use hwgen_boards::board::{Uses, find};
use hwgen_boards::build::{Options, Verdict, build};
use hwgen_boards::constraints::constraints;
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::proof::{CHIP, Question, read_back, talk};
use hwgen_boards::wrapper::{TOP, stand_ins, wrap};

/// Cycles a bit; the simulation is as long as the line is slow.
const DIVISOR: u32 = 8;

#[test]
fn a_bitstream_answers_as_its_source() {
    let board = find("hx8k").unwrap();
    let inner = echo(DIVISOR);
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().into()), ..Options::default() };
    let built = build(&board, &inner, &options, &mut |_| {}).unwrap();
    assert_eq!(built.verdict, Verdict::Met);
    let (_, bitstream) = built.files.iter().find(|(name, _)| *name == "hx8k.bin").unwrap();
    let chip = read_back(&board, bitstream, &constraints(&board, Uses::default())).unwrap();

    let bytes: Vec<u8> = (0..40u8).map(|n| n.wrapping_mul(67)).chain([0, 255, 85, 170]).collect();
    let expected: Vec<u8> = bytes.iter().map(|byte| answer(*byte)).collect();
    let question = Question { answer: bytes.len(), bytes };
    let source = wrap(&board, &inner, &board.clocking(None).unwrap()).unwrap();
    let source = [&*source, &*inner.verilog, &*stand_ins(&board)];
    for (top, verilog) in [(TOP, &source[..]), (CHIP, &[&*chip])] {
        let said = talk(&board, top, verilog, DIVISOR, std::slice::from_ref(&question)).unwrap();
        assert_eq!(said, expected, "{top}");
    }
}
