//! Lanes of two weights in several arrangements: every product, and what each takes (`docs/rationale/narrow.md`).

use super::arrangements::{Arrangement, Kind};
use super::energy::sky130;
use super::synthesis::{Counts, Part, counts, delay, up5k};
use hwgen_area::Family;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Device, Engine, Simulator};
use hwgen_verify::area::synthesize;
use hwgen_verify::power::{Library, Options, PowerModel};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::Read;
use std::path::PathBuf;

/// What the second mode of a lane may cost on Xilinx' parts.
const MOST_LUTS: u64 = 130;
const MOST_FLIP_FLOPS: u64 = 60;

/// Two weights in a byte, their bits in turn.
fn byte(weights: [i64; 2]) -> u64 {
    let bits = |bit: u32| {
        (weights[0] as u64 >> bit & 1) << (2 * bit + 1)
            | (weights[1] as u64 >> bit & 1) << (2 * bit)
    };
    (0..4).map(bits).fold(0, |all, bits| all | bits)
}

fn input(module: &Module, name: &str) -> Option<usize> {
    module.inputs.iter().position(|port| &*port.name == name)
}

/// A lane that begins a sum in every cycle.
struct Every {
    lane: Simulator,
    ports: [usize; 3],
}

impl Every {
    fn new(arrangement: Arrangement, dual: bool) -> Every {
        let mut lane = Simulator::new(&arrangement.module(), Engine::default());
        for (name, value) in [("valid", true), ("first", true), ("dual", dual)] {
            if let Some(port) = input(lane.module(), name) {
                lane.set_pattern(port, &[value.into()]);
            }
        }
        let ports =
            ["weight", "value_0", "value_1"].map(|name| input(lane.module(), name).unwrap());
        Every { lane, ports }
    }

    /// Takes operands; the first sums of those of the call before.
    fn step<const N: usize>(&mut self, weight: u64, values: [i64; 2]) -> [i64; N] {
        let words = [weight, values[0] as u64 & 0xff, values[1] as u64 & 0xff];
        for (port, word) in self.ports.into_iter().zip(words) {
            self.lane.set_pattern(port, &[word]);
        }
        self.lane.steps(1);
        std::array::from_fn(|output| {
            let mut words = [0];
            self.lane.get_pattern(output, &mut words);
            (words[0] as i64) << 40 >> 40
        })
    }
}

/// All operands that are given have the products of two weights.
fn every_product(
    arrangement: Arrangement,
    operands: impl FnOnce(&mut dyn FnMut([i64; 2], [i64; 2])),
) -> u64 {
    let mut every = Every::new(arrangement, true);
    let mut before: Option<([i64; 2], [i64; 2])> = None;
    let mut count = 0;
    operands(&mut |weights, values| {
        let sums = every.step(byte(weights), values);
        if let Some(([w0, w1], [a0, a1])) = before {
            assert_eq!(sums, [w0 * a0, w0 * a1, w1 * a0, w1 * a1], "{arrangement:?} {before:?}");
            count += 1;
        }
        before = Some((weights, values));
    });
    count
}

/// And as lanes of 8 bits they multiply all weights with all values.
#[test]
fn one_weight_of_eight_bits() {
    for arrangement in Arrangement::ALL.into_iter().filter(|it| it.wide()) {
        let mut every = Every::new(arrangement, false);
        let mut before: Option<(i64, [i64; 2])> = None;
        for (w, a) in (-128..128).flat_map(|w| (-128..128).map(move |a| (w, a))) {
            let values = [a, (a * 77 + w) << 56 >> 56];
            let sums = every.step(w as u64 & 0xff, values);
            if let Some((w, [a0, a1])) = before {
                assert_eq!(sums, [w * a0, w * a1], "{arrangement:?} {before:?}");
            }
            before = Some((w, values));
        }
    }
}

/// What the core does not have multiplies too: all weights, all values of the first position with some of
/// the second.
#[test]
fn other_arrangements_multiply() {
    for arrangement in Arrangement::ALL.into_iter().filter(|it| it.dual()) {
        let reach = arrangement.reach();
        let count = every_product(arrangement, |with| {
            for (w0, w1) in (-7..=7).flat_map(|w0| (-7..=7).map(move |w1| (w0, w1))) {
                for a0 in -reach..=reach {
                    for a1 in [-reach, -1, 0, 1, reach, a0, -a0, a0 / 2] {
                        with([w0, w1], [a0, a1]);
                    }
                }
            }
        });
        println!("{}: {count} cases", arrangement.name());
    }
}

/// And all values of both.
#[test]
#[ignore = "a minute: `cargo xtask bars narrow_lanes`"]
fn other_arrangements_multiply_everything() {
    use Arrangement::Told;
    let mut cases = 0;
    for arrangement in [Told { bits: 9 }, Told { bits: 10 }] {
        let reach = arrangement.reach();
        cases += every_product(arrangement, |with| {
            for (w0, w1) in (-7..=7).flat_map(|w0| (-7..=7).map(move |w1| (w0, w1))) {
                for a0 in -reach..=reach {
                    (-reach..=reach).for_each(|a1| with([w0, w1], [a0, a1]));
                }
            }
        });
    }
    println!("told: {cases} cases, all weights and activations");
}

/// Picojoules a cycle of a lane that never rests, its sums of 64 products, in a mode; weights and
/// activations of so many bits.
fn picojoules(model: &PowerModel, dual: bool, weight_bits: u32, value_bits: u32) -> f64 {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut lane = model.device();
    let module = lane.module().clone();
    let clocks: Vec<_> = module.clock_ids().collect();
    let set = |lane: &mut dyn Device, name: &str, word: u64| {
        if let Some(port) = input(&module, name) {
            lane.poke_pattern(port, &[word]);
        }
    };
    set(&mut lane, "rst", 1);
    lane.tick(&clocks);
    for (name, word) in [("rst", 0), ("valid", 1), ("dual", dual.into())] {
        set(&mut lane, name, word);
    }
    let mut draw = |bits: u32| -> i64 {
        let most = (1 << (bits - 1)) - 1;
        rng.random_range(-most..=most)
    };
    lane.restart();
    let cycles = 2_048;
    for cycle in 0..cycles {
        set(&mut lane, "first", u64::from(cycle % 64 == 0));
        let weight = match dual {
            true => byte([draw(weight_bits), draw(weight_bits)]),
            false => draw(weight_bits) as u64 & 0xff,
        };
        set(&mut lane, "weight", weight);
        for name in ["value_0", "value_1"] {
            set(&mut lane, name, draw(value_bits) as u64 & 0xff);
        }
        lane.tick(&clocks);
    }
    model.report(&lane).total().energy.total_joules() * 1e12 / f64::from(cycles)
}

/// The library's text, for ABC.
fn liberty() -> String {
    let data = PathBuf::from(std::env::var_os("HWGEN_DATA").expect("HWGEN_DATA"));
    let file = std::fs::File::open(data.join("liberty/sky130hd_tt.lib.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn on_parts() {
    println!("| lane | blocks | part | LUT | FF | DSP | carry | depth | Fmax |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for arrangement in Arrangement::ALL {
        let module = arrangement.module();
        for blocks in [true, false] {
            for part in Part::ALL {
                let Counts { lut, ff, dsp, carry, depth } = counts(&module, part, blocks);
                let fmax = match part {
                    Part::Ice40 => format!("{:.1}", up5k(&module, blocks)),
                    _ => String::new(),
                };
                println!(
                    "| {} | {} | {} | {lut} | {ff} | {dsp} | {carry} | {depth} | {fmax} |",
                    arrangement.name(),
                    if blocks { "yes" } else { "no" },
                    part.name()
                );
            }
        }
    }
}

fn in_cells(library: &Library) {
    let text = liberty();
    println!(
        "| lane | cells | um2 | FF | ns | pJ a cycle W8A8 | W4A7 | W4A4 | a product W8A8 | W4A7 | W4A4 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for arrangement in Arrangement::ALL {
        let module = arrangement.module();
        let options = Options { clock_gating: true, ..Options::default() };
        let model = PowerModel::new(&module, library, &options).unwrap();
        let total = model.report(&model.device()).total();
        let wide = arrangement.wide().then(|| picojoules(&model, false, 8, 8));
        let narrow = [7, 4].map(|bits| picojoules(&model, arrangement.dual(), 4, bits));
        let products = if arrangement.dual() { 4.0 } else { 2.0 };
        let wide_of = |by: f64| wide.map_or(String::new(), |pj| format!("{:.2}", pj / by));
        println!(
            "| {} | {} | {:.0} | {} | {:.2} | {} | {:.2} | {:.2} | {} | {:.2} | {:.2} |",
            arrangement.name(),
            total.cells,
            total.cell_area_um2,
            total.flip_flops,
            delay(&module, &text),
            wide_of(1.0),
            narrow[0],
            narrow[1],
            wide_of(2.0),
            narrow[0] / products,
            narrow[1] / products,
        );
    }
}

/// What two weights a lane cost a core beyond its lanes: LUT and FF of each.
fn in_cores(lanes_cost: [u64; 2]) {
    println!(
        "| lanes | results | LUT | with two weights | FF | with two weights | beyond lanes, LUT, FF a lane |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (lanes, results) in [(8, 1), (16, 2)] {
        let made = [Kind::Packed, Kind::TwoPacked].map(|kind| {
            let (matrices, softmax_tables) = (false, 0);
            let spec = CnnSpec { lanes, results, matrices, softmax_tables, ..kind.spec() };
            synthesize(&spec.build(), Family::Xilinx7).unwrap()
        });
        let more = [made[1].lut - made[0].lut, made[1].ff - made[0].ff];
        let beyond = [0, 1].map(|n| more[n] as f64 / f64::from(lanes) - lanes_cost[n] as f64);
        println!(
            "| {lanes} | {results} | {} | {} | {} | {} | {:.1}, {:.1} |",
            made[0].lut, made[1].lut, made[0].ff, made[1].ff, beyond[0], beyond[1]
        );
    }
}

#[test]
#[ignore = "minutes of synthesis: `cargo xtask bars narrow_lanes`"]
fn arrangements_of_a_lane() {
    let [wide, narrow] = [Kind::Packed, Kind::TwoPacked]
        .map(|kind| counts(&Arrangement::Core(kind).module(), Part::Xilinx7, true));
    let cost = [narrow.lut - wide.lut, narrow.ff - wide.ff];
    on_parts();
    in_cells(&sky130());
    in_cores(cost);
    println!(
        "the second mode of a packed lane on Xilinx' parts: {cost:?} LUT and FF, {} DSP",
        narrow.dsp
    );
    println!("narrow_lanes: {} LUT", cost[0]);
    assert_eq!(narrow.dsp, 1);
    assert!(cost[0] <= MOST_LUTS && cost[1] <= MOST_FLIP_FLOPS, "{cost:?}");
}
