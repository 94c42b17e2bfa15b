//! MLPerf Tiny's keyword network, on the smallest board; KWS-mini on others.

use super::{budget, built, fits_the_up5k, narrowing};
use hwgen_boards::build::Verdict;
use hwgen_boards::top::Line;
use hwgen_network::plan::size_outline;
use hwgen_network::zoo;

#[test]
#[ignore = "minutes of place and route, tools of pip: `cargo xtask bars network_bitstreams`"]
fn keyword_networks_fit() {
    let (kws, _) = narrowing::trained().expect("HWGEN_DATA");
    let mini = zoo::kws_mini(1);
    let uart = |hertz| Line::uart(hertz, 115_200);
    let boards = [
        ("icebreaker", uart(12_000_000), &kws, budget(5, true), 12_000_000),
        ("icebreaker", Line::Spi, &kws, budget(5, true), 12_000_000),
        ("ulx3s", uart(25_000_000), &kws, budget(25, false), 25_000_000),
        ("tang_nano_20k", uart(27_000_000), &mini, budget(18, false), 27_000_000),
    ];
    let all = boards.map(|(board, line, network, budget, hertz)| {
        let (spec, _) = size_outline(network, budget).unwrap();
        built(board, line, &network.name, &spec, hertz)
    });
    assert!(all.iter().all(|built| built.verdict == Verdict::Met), "{all:#?}");
    all[..2].iter().for_each(fits_the_up5k);
    println!("network_bitstreams: {}", all.len());
}
