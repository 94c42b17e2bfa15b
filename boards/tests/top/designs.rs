//! Designs behind the link: what they say is what their golden models do, on a bad line, too.

use hwgen_boards::host::cnn::{Inference, class, hash};
use hwgen_boards::host::{Board, Settings};
use hwgen_boards::link::channel::Channels;
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::sim::{SimBoard, SimLine};
use hwgen_boards::top::{Line, Payload, TopSpec};
use hwgen_designs::attention::lapa_predictor::LapaPredictorSpec;
use hwgen_designs::attention::lapa_predictor::drive::Head;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::drive::{Driven, Values};
use hwgen_designs::generate::Generate;
use hwgen_designs::registry::find;
use hwgen_hdl::Int;
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, size};
use hwgen_network::zoo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

const UART: Line = Line::Uart { divisor: 4 };

fn open(payload: &Payload, line: Line, rate: f64) -> Board<SimLine> {
    let spec = TopSpec::over(line, 12_000_000);
    let board = SimBoard::new(&spec, payload, 3).unwrap();
    let faults = [5, 6].map(|seed| Faults::new(rate, seed));
    let settings = Settings { margin: Duration::ZERO, ..Settings::default() };
    Board::open_with(SimLine::new(board, faults), settings).unwrap()
}

#[test]
fn the_cnn_core() {
    let network = zoo::kws_mini(5);
    let budget = Budget::within(18);
    let (spec, plan) = size(&network, budget).unwrap();
    let (module, spec_hash) = (spec.build(), hash(&spec));
    let payload = Payload { module, design: CnnSpec::NAME.into(), spec_hash, classes: Some(12) };
    let mut golden = Interpreter::new(&network).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (line, rate) in [(UART, 0.0), (UART, 0.01), (Line::Spi, 0.0), (Line::Spi, 0.01)] {
        let mut board = Inference::new(open(&payload, line, rate), &spec, plan.clone()).unwrap();
        board.load(|_, _| ()).unwrap();
        for inferences in 1..=4 {
            let input: Vec<i16> = (0..490).map(|_| rng.random::<i8>().into()).collect();
            golden.run(&[&input]);
            let outputs = board.infer(&input).unwrap();
            assert_eq!(outputs, golden.outputs().collect::<Vec<_>>());
            let shown = board.board().transport().board.leds().1;
            assert_eq!(Some(shown as usize), class(&outputs[0]));
            let counters = board.counters().unwrap();
            assert_eq!((counters.inferences, counters.started), (inferences, true));
            assert!(u64::from(counters.latest_cycles) > 9_000 && counters.waiting);
        }
        assert_eq!(board.board().traffic().resent > 0, rate > 0.0);
        let wrong = board.infer(&[0; 3]).unwrap_err().to_string();
        assert_eq!(wrong, "an input has 3 elements, the network takes 490");
    }
}

#[test]
fn a_lapa_predictor() {
    let sets = ["max_keys=16", "head_dim=8", "rows=4"].map(str::to_owned);
    let configured = find("lapa_predictor").unwrap().configure(None, &sets).unwrap();
    let spec: LapaPredictorSpec = serde_json::from_str(&configured.json()).unwrap();
    let payload = Payload::new("lapa_predictor", &*configured);
    let channels = Channels::of(&payload.module).unwrap();
    let number = |name| channels.incoming(name).unwrap();
    let (keys, queries) = (number("keys"), number("queries"));
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (line, rate) in [(UART, 0.0), (UART, 0.01), (Line::Spi, 0.01)] {
        let mut board = open(&payload, line, rate);
        board.expect("lapa_predictor", payload.spec_hash).unwrap();
        for _ in 0..3 {
            let head = Head::random(&spec, &mut rng, 13, 5, Values::Uniform).unwrap();
            for (at, key) in head.keys.iter().enumerate() {
                let beat = channels.incoming[usize::from(keys)]
                    .pack(&[side_by_side(key, spec.key_bits())]);
                board.write(keys, &beat, at + 1 == head.keys.len()).unwrap();
            }
            let mut groups = vec![];
            for (at, row) in head.rows.iter().enumerate() {
                let elements = side_by_side(&row.query.elements, spec.query_bits);
                let beat = [elements, row.visible.into()];
                let beat = channels.incoming[usize::from(queries)].pack(&beat);
                board.write(queries, &beat, at + 1 == head.rows.len()).unwrap();
                let count = row.visible.div_ceil(spec.rows as usize);
                let bytes = board.read(0, count).unwrap();
                let out = &channels.outgoing[0];
                groups.extend(bytes.chunks(out.bytes()).map(|beat| out.unpack(beat)));
            }
            let expected = spec.expected(std::slice::from_ref(&head)).unwrap();
            assert_eq!(groups.len(), expected.len());
            for (group, expected) in groups.iter().zip(&expected) {
                assert_eq!(group[0], Int::from(expected.survivors));
                let scores: Vec<i32> = expected.scores.iter().map(|&s| s as i32).collect();
                let bits = spec.final_score_bits();
                let mask = (Int::from(1) << (bits * spec.rows) as usize) - 1;
                assert_eq!(&group[1] & &mask, side_by_side(&scores, bits));
                assert_eq!(group[2], Int::from(u8::from(expected.row_last)));
            }
        }
    }
}

/// Numbers of so many bits, the first lowest.
fn side_by_side(numbers: &[i32], bits: u32) -> Int {
    let ty = hwgen_hdl::u(bits);
    let places = numbers.iter().enumerate();
    places
        .fold(Int::ZERO, |all, (at, &number)| all | ty.wrap(number.into()) << (at * bits as usize))
}
