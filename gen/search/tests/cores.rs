//! Networks that a search found, in circuits and on boards: minutes, by `cargo xtask bars`.

mod verify;

use hwgen_boards::board::find;
use hwgen_boards::build::{Options as Flow, Verdict, build};
use hwgen_boards::host::cnn::{Inference, class, hash};
use hwgen_boards::host::{Board, Settings};
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::sim::{SimBoard, SimLine};
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::Inner;
use hwgen_data::{Options, Source, Subset, Wish};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::graph::Network;
use hwgen_network::interpret::Interpreter;
use hwgen_search::cost::Target;
use hwgen_search::integers;
use hwgen_search::search::Found;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use verify::verified;

/// Recorded items that each core runs.
const ITEMS: usize = 200;

/// Items that a simulated board classifies over its line.
const ON_BOARD: usize = 20;

fn fashion() -> PathBuf {
    PathBuf::from("/usr/share/datasets/fashion-mnist")
}

fn keywords() -> PathBuf {
    let given = std::env::var_os("HWGEN_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    given.unwrap_or(beside).join("speech_commands")
}

/// The first items of the test that a search of this data has.
fn test_items(data: &Path) -> Subset {
    let source = Source::open(data).expect("the data is not there");
    let data = source.load(&Options::default()).unwrap();
    data.parts(&Wish { seed: 1, ..Wish::default() }).unwrap().test.limit(ITEMS, 1)
}

/// A short search.
fn search(data: &Path, out: &Path, more: &[&str]) -> Found {
    let status = Command::new(env!("CARGO_BIN_EXE_hwgen-search"))
        .arg("--data")
        .arg(data)
        .arg("--out")
        .arg(out)
        .args([
            "--limit",
            "6000",
            "--population",
            "16",
            "--generations",
            "4",
            "--judged",
            "500",
            "--points",
            "2",
        ])
        .args(more)
        .status()
        .unwrap();
    assert!(status.success());
    Found::read(&out.join("search.json")).unwrap()
}

fn network(out: &Path, n: usize) -> Network {
    let text = std::fs::read(out.join(format!("point_{n}.network.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A point's core on items against its integer model, by the command; its cycles.
fn cycles(out: &Path, n: usize, items: &Subset) -> Vec<u64> {
    let network = network(out, n);
    let bytes = integers::inputs(&network, items).flatten().map(|value| value as u8);
    let inputs = out.join(format!("point_{n}.recorded.bin"));
    std::fs::write(&inputs, bytes.collect::<Vec<u8>>()).unwrap();
    let text = verified(out, n, &inputs, "jit,verilator");
    let told = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(": 0 differ, ")?;
        rest.split_once(" cycles an inference")?.0.parse().ok()
    });
    told.collect()
}

#[test]
#[ignore = "minutes: cargo xtask bars search_cores"]
fn found_networks_are_bit_exact_in_circuits() {
    let mut equal = 0;
    let sets = [
        (fashion(), "images", &["--shift", "0", "--epochs", "4", "--tuning", "2"][..]),
        (keywords(), "keywords", &["--epochs", "20", "--tuning", "10"][..]),
    ];
    for (data, space, more) in sets {
        let folder = tempfile::tempdir().unwrap();
        let found = search(&data, folder.path(), &[&["--space", space], more].concat());
        let items = test_items(&data);
        for (n, point) in found.points.iter().enumerate() {
            let cycles = cycles(folder.path(), n, &items);
            println!(
                "{space}, point {n}: {} items, {cycles:?} cycles in circuits, {} of the search",
                items.len(),
                point.cycles
            );
            assert_eq!(cycles, [point.cycles; 2], "cycles of the jit and of Verilator");
            equal += items.len();
        }
    }
    println!(
        "search_cores: {equal} inferences bit-exact on two engines, in the cycles that were predicted"
    );
}

/// A point on a board: a bitstream of which all fits and is fast enough, and the board simulated.
fn on_board(name: &str, out: &Path, found: &Found, items: &Subset) {
    let (network, spec) = (network(out, 0), found.points[0].core.clone());
    let hertz = u32::try_from(found.settings.target.hertz).unwrap();
    let payload = |spec: &CnnSpec| Payload {
        module: spec.build(),
        design: CnnSpec::NAME.into(),
        spec_hash: hash(spec),
        classes: Some(found.settings.space.classes as u32),
    };
    let board = find(name).unwrap();
    let top =
        hwgen_top(&TopSpec::over(Line::uart(hertz, 115_200), hertz), &payload(&spec)).unwrap();
    let inner = Inner { dsp_blocks: true, ..Inner::of(&top).unwrap() };
    let options = Flow { hertz: Some(hertz), seeds: 3, ..Flow::default() };
    let built = build(&board, &inner, &options, &mut |_| {}).unwrap();
    let fmax = built.timing.as_ref().map_or(0.0, |timing| timing.fmax_mhz);
    println!("{name}: {} MHz wanted, {fmax:.1} reached", built.clock_mhz);
    for part in &built.synthesized {
        println!("  {}: {} of {}", part.name, part.used, part.available);
        assert!(part.used <= part.available, "{part:?}");
    }
    assert_eq!(built.verdict, Verdict::Met);
    assert!(built.bitstream.is_some(), "no bitstream");

    let top = TopSpec::over(Line::Uart { divisor: 8 }, hertz);
    let simulated = SimBoard::new(&top, &payload(&spec), 3).unwrap();
    let line = SimLine::new(simulated, [5, 6].map(|seed| Faults::new(0.0, seed)));
    let settings = Settings { margin: Duration::ZERO, ..Settings::default() };
    let plan = Target::plan(&network, &spec).unwrap();
    let opened = Board::open_with(line, settings).unwrap();
    let mut inference = Inference::new(opened, &spec, plan).unwrap();
    inference.load(|_, _| ()).unwrap();
    let mut golden = Interpreter::new(&network).unwrap();
    let mut right = 0;
    for (item, values) in items.iter().zip(integers::inputs(&network, items)).take(ON_BOARD) {
        let scores = inference.infer(&values).unwrap();
        golden.run(&[&values]);
        assert_eq!(scores, golden.outputs().collect::<Vec<_>>());
        right += usize::from(class(&scores[0]) == Some(item.label));
    }
    println!("{name}: {right} of {ON_BOARD} items named right by the simulated board");
    assert!(right * 10 >= ON_BOARD * 6, "{right} of {ON_BOARD}");
}

#[test]
#[ignore = "minutes of place and route: cargo xtask bars search_boards"]
fn found_networks_are_bitstreams() {
    let boards = ["icebreaker", "ulx3s"];
    for name in boards {
        let folder = tempfile::tempdir().unwrap();
        let found = search(
            &fashion(),
            folder.path(),
            &[
                "--space", "shapes", "--target", name, "--shift", "0", "--epochs", "4", "--tuning",
                "2",
            ],
        );
        on_board(name, folder.path(), &found, &test_items(&fashion()));
    }
    println!("search_boards: {} bitstreams of found networks", boards.len());
}
