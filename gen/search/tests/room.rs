//! A board's FPGA has room for the cores that a search is for, by the estimates that `hwgen build` begins with.

use hwgen_boards::build::{may_fit, multipliers};
use hwgen_designs::cnn::Multiplier;
use hwgen_designs::generate::Generate;
use hwgen_search::search::{Found, Settings};
use hwgen_search::supernet::{InputScale, Supernet};

const INPUT: InputScale = InputScale { scale: 1.0 / 255.0, zero_point: -128 };

/// A search of shapes for iCE40 UltraPlus, whose core might have so many multipliers.
fn settings(multipliers: u32) -> Settings {
    let found: Found = serde_json::from_str(include_str!("found.json")).unwrap();
    let mut settings = found.settings;
    settings.target.multipliers = multipliers;
    settings.target.kind = Multiplier::Bits16x16;
    settings.target.single_port = true;
    settings.target.device = Some("up5k".to_owned());
    settings
}

#[test]
fn cores_have_room_once_multipliers_are_found() {
    let most = multipliers("up5k").unwrap();
    let mut settings = settings(4 * most);
    settings.make_room(INPUT).unwrap();
    let found = settings.target.multipliers;
    println!("up5k: cores of up to {found} multipliers, the part has {most}");
    assert!(found < 4 * most && found > 0, "{found}");
    let supernet = Supernet::new(settings.space.clone(), settings.sharing, INPUT, 1);
    for choice in [settings.space.largest(), settings.space.smallest()] {
        let subnet = settings.space.subnet(&choice).unwrap();
        let (cost, allowed) = settings.target.fitted(&supernet, &subnet).unwrap();
        assert_eq!(allowed, found, "it has room as it is");
        assert!(may_fit(&cost.core.build(), "up5k"));
    }
}

#[test]
fn a_core_without_room_gives_way_to_a_smaller_one() {
    let settings = settings(32);
    let supernet = Supernet::new(settings.space.clone(), settings.sharing, INPUT, 1);
    let subnet = settings.space.subnet(&settings.space.largest()).unwrap();
    let wide = settings.target.cost(&supernet, &subnet).unwrap();
    assert!(!may_fit(&wide.core.build(), "up5k"), "it is to be too large");
    let (cost, allowed) = settings.target.fitted(&supernet, &subnet).unwrap();
    assert!(allowed < 32 && may_fit(&cost.core.build(), "up5k"));
    assert!(cost.cycles > wide.cycles, "{} cycles, {} before", cost.cycles, wide.cycles);
}

#[test]
fn without_a_device_all_stays() {
    let mut settings = settings(32);
    settings.target.device = None;
    settings.make_room(INPUT).unwrap();
    assert_eq!(settings.target.multipliers, 32);
}
