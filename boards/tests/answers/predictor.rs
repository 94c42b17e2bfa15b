//! A design of LAPA in a bitstream: read back from its bits, it gives the golden answers over its
//! serial line.

use super::{DIVISOR, Log, asked, open};
use hwgen_boards::board::{Uses, find};
use hwgen_boards::build::{Options, Verdict, build};
use hwgen_boards::constraints::constraints;
use hwgen_boards::link::channel::Channels;
use hwgen_boards::proof::{CHIP, read_back, talk};
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::Inner;
use hwgen_designs::attention::lapa_predictor::LapaPredictorSpec;
use hwgen_designs::attention::lapa_predictor::drive::Head;
use hwgen_designs::drive::{Driven, Values};
use hwgen_designs::registry;
use hwgen_hdl::{Int, u};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Numbers of so many bits, the first lowest.
fn side_by_side(numbers: &[i32], bits: u32) -> Int {
    let place = |(at, &number): (usize, &i32)| u(bits).wrap(number.into()) << (at * bits as usize);
    numbers.iter().enumerate().map(place).fold(Int::ZERO, |all, part| all | part)
}

#[test]
#[ignore = "minutes of Yosys, nextpnr and Icarus: `cargo xtask bars predictor_bitstream`"]
fn a_predictors_bitstream_gives_the_golden_answers() {
    let sets = ["max_keys=8", "head_dim=4", "rows=2"].map(str::to_owned);
    let design = registry::find("lapa_predictor").unwrap().configure(None, &sets).unwrap();
    let spec: LapaPredictorSpec = serde_json::from_str(&design.json()).unwrap();
    let payload = Payload::new("lapa_predictor", &*design);
    let channels = Channels::of(&payload.module).unwrap();
    let board = find("hx8k").unwrap();
    let clocking = board.clocking(None).unwrap();
    let top = TopSpec::over(Line::Uart { divisor: DIVISOR }, clocking.hertz);

    // two heads through the driver and the simulated board, against the golden model
    let log = Log::default();
    let mut host = open(&top, &payload, &log);
    let (keys, queries) =
        (channels.incoming("keys").unwrap(), channels.incoming("queries").unwrap());
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let mut groups = 0;
    for _ in 0..2 {
        let head = Head::random(&spec, rng, 7, 3, Values::Uniform).unwrap();
        for (at, key) in head.keys.iter().enumerate() {
            let beat =
                channels.incoming[usize::from(keys)].pack(&[side_by_side(key, spec.key_bits())]);
            host.write(keys, &beat, at + 1 == head.keys.len()).unwrap();
        }
        let mut expected = spec.expected(std::slice::from_ref(&head)).unwrap().into_iter();
        for (at, row) in head.rows.iter().enumerate() {
            let beat = [side_by_side(&row.query.elements, spec.query_bits), row.visible.into()];
            let beat = channels.incoming[usize::from(queries)].pack(&beat);
            host.write(queries, &beat, at + 1 == head.rows.len()).unwrap();
            let out = &channels.outgoing[0];
            let bytes = host.read(0, row.visible.div_ceil(spec.rows as usize)).unwrap();
            for beat in bytes.chunks(out.bytes()) {
                let (beat, expected) = (out.unpack(beat), expected.next().unwrap());
                let scores: Vec<i32> = expected.scores.iter().map(|&s| s as i32).collect();
                let bits = spec.final_score_bits();
                let mask = (Int::from(1) << (bits * spec.rows) as usize) - 1;
                assert_eq!(beat[0], Int::from(expected.survivors));
                assert_eq!(&beat[1] & &mask, side_by_side(&scores, bits));
                groups += 1;
            }
        }
        assert!(expected.next().is_none());
    }
    drop(host);

    // the same questions to what the bits of the bitstream say
    let inner = Inner::of(&hwgen_top(&top, &payload).unwrap()).unwrap();
    let built = build(&board, &inner, &Options::default(), &mut |_| {}).unwrap();
    assert_eq!(built.verdict, Verdict::Met);
    let (_, bitstream) = built.files.iter().find(|(name, _)| *name == "hx8k.bin").unwrap();
    let chip = read_back(&board, bitstream, &constraints(&board, Uses::default())).unwrap();
    let (questions, answers) = asked(&log);
    let said = talk(&board, CHIP, &[&*chip], DIVISOR, &questions).unwrap();
    println!(
        "{} questions, {} bytes answered, {groups} groups of keys with their scores",
        questions.len(),
        said.len()
    );
    assert_eq!(said, answers);
    println!("predictor_bitstream: {groups}");
}
