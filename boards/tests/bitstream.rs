//! A bitstream is the circuit it was made of: read back from its bits, it answers as the source.

#[path = "link/echo.rs"]
mod echo;

use hwgen_boards::board::{Uses, find};
use hwgen_boards::build::{Options, Verdict, build};
use hwgen_boards::constraints::constraints;
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::link::model;
use hwgen_boards::link::packet::Packet;
use hwgen_boards::link::slip::{Deframer, frame};
use hwgen_boards::link::spi::{FILLER, selection};
use hwgen_boards::proof::{CHIP, Question, read_back, select, talk};
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::{Inner, TOP, stand_ins, wrap};

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

/// Bodies of frames.
fn bodies(bytes: impl IntoIterator<Item = u8>) -> Vec<Vec<u8>> {
    let mut deframer = Deframer::default();
    bytes.into_iter().filter_map(|byte| deframer.push(byte)).collect()
}

#[test]
#[ignore = "a minute: `cargo xtask bars spi_bitstream`"]
fn a_bitstream_answers_over_spi_as_its_source() {
    let board = find("hx8k").unwrap();
    let clocking = board.clocking(None).unwrap();
    let payload =
        Payload { module: echo::echo(), design: "echo".into(), spec_hash: 7, classes: None };
    // that of the model's identity, and a patience shorter than the pause between selections
    let spec = TopSpec { patience_bits: 10, ..TopSpec::over(Line::Spi, 1_000_000) };
    let inner = Inner::of(&hwgen_top(&spec, &payload).unwrap()).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().into()), ..Options::default() };
    let built = build(&board, &inner, &options, &mut |_| {}).unwrap();
    assert_eq!(built.verdict, Verdict::Met);
    let (_, bitstream) = built.files.iter().find(|(name, _)| *name == "hx8k.bin").unwrap();
    let chip = read_back(&board, bitstream, &constraints(&board, inner.uses)).unwrap();

    // each question in a selection of its own, then a look for the answer
    let question = |sequence, kind, argument, data| {
        let packet = Packet { session: 0xc0, sequence, kind, channel: 0, argument, data };
        frame(&packet.body())
    };
    let questions = [
        question(7, 1, 0, vec![]),
        question(8, 2, 1, vec![1, 0xdb, 3, 0xc0, 5, 0]),
        question(9, 3, 9, vec![]),
        question(40, 3, 9, vec![]),
    ];
    let mut model = model::Board::new(echo::Echo::default(), echo::channels(), echo::identity());
    let answers = questions.iter().flatten().flat_map(|&byte| model.push(Some(byte)));
    let expected = bodies(answers.collect::<Vec<_>>());
    assert_eq!(expected.len(), questions.len());
    let looks = questions.iter().flat_map(|sent| [selection(sent), selection(&[FILLER; 90])]);
    let looks: Vec<_> = looks.collect();

    let source = wrap(&board, &inner, &clocking).unwrap();
    let source = [&*source, &*inner.verilog, &*stand_ins(&board)];
    for (top, verilog) in [(TOP, &source[..]), (CHIP, &[&*chip])] {
        let came = select(&board, top, verilog, &looks).unwrap();
        assert_eq!(bodies(came.concat()), expected, "{top}");
    }
    println!("spi_bitstream: {} answers", expected.len());
}
