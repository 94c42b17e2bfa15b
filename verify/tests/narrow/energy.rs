//! Energy an inference on gates, layer by layer: eight bits against four, each on the fastest core of as many
//! multipliers.

use super::block::{block, uniform};
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_designs::generate::Generate;
use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::{Device, Engine, Simulator};
use hwgen_hdl::{Int, Module};
use hwgen_network::graph::Network;
use hwgen_network::inferences::{Inferences, Outcome};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, Plan, size};
use hwgen_verify::power::{Energy, GateDevice, Library, Options, PowerModel, Report};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::sync::Arc;

/// Counts rising edges, and looks at the device at some of them.
struct Watched<D, F> {
    device: D,
    ticks: u64,
    look: F,
}

impl<D: Device, F: FnMut(&D, u64)> Device for Watched<D, F> {
    fn module(&self) -> &Arc<Module> {
        self.device.module()
    }

    fn poke(&mut self, input: usize, value: &Int) {
        self.device.poke(input, value);
    }

    fn peek(&mut self, output: usize) -> Int {
        self.device.peek(output)
    }

    fn poke_pattern(&mut self, input: usize, words: &[u64]) {
        self.device.poke_pattern(input, words);
    }

    fn peek_pattern(&mut self, output: usize, words: &mut [u64]) {
        self.device.peek_pattern(output, words);
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        (self.look)(&self.device, self.ticks);
        self.device.tick(clocks);
        self.ticks += 1;
    }
}

/// What a layer took.
#[derive(Debug, Clone)]
struct Share {
    layer: String,
    cycles: u64,
    /// All of it, and the lanes' share.
    energy: [Energy; 2],
}

/// One inference on gates: every byte as the interpreter has it, and the energy of each layer.
fn shares(
    network: &Network,
    spec: &CnnSpec,
    plan: &Plan,
    library: &Library,
    options: &Options,
) -> Vec<Share> {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let range = tensor.lowest() as i16..=tensor.highest() as i16;
    let input: Vec<i16> = (0..tensor.elements()).map(|_| rng.random_range(range.clone())).collect();
    let module = spec.build();
    let inputs = [input];
    let inferences = Inferences { spec, plan, inputs: &inputs };

    // the edge of the last beat, in a fast engine
    let device = Simulator::new(&module, Engine::default());
    let mut fast = Watched { device, ticks: 0, look: |_: &Simulator, _| () };
    inferences.run(&mut fast, 0.0, 1).unwrap();
    let mut marks = vec![fast.ticks - 1 - plan.cycles()];
    for step in &plan.steps {
        marks.push(marks[marks.len() - 1] + step.cycles);
    }

    let model = PowerModel::new(&module, library, options).unwrap();
    let (mut told, mut next) = (vec![], marks.iter().peekable());
    let look = |device: &GateDevice, tick: u64| {
        if next.next_if(|mark| **mark == tick).is_some() {
            told.push(parts(&model.report(device)));
        }
    };
    let mut gates = Watched { device: model.device(), ticks: 0, look };
    let Outcome { outputs, .. } = inferences.run(&mut gates, 0.0, 1).unwrap();
    let mut interpreter = Interpreter::new(network).unwrap();
    interpreter.run(&[&inputs[0]]);
    assert!(interpreter.outputs().eq(outputs[0].iter().map(|output| &output[..])));
    assert_eq!(told.len(), marks.len());
    let steps = plan.steps.iter().zip(told.windows(2));
    steps
        .map(|(step, pair)| Share {
            layer: step.layer.clone(),
            cycles: step.cycles,
            energy: [0, 1].map(|part| less(pair[1][part], pair[0][part])),
        })
        .collect()
}

fn parts(report: &Report) -> [Energy; 2] {
    let mut sums = [Energy::default(); 2];
    for part in &report.parts {
        sums[0] += part.energy;
        if part.module == "cnn_lane" {
            sums[1] += part.energy;
        }
    }
    sums
}

fn less(after: Energy, before: Energy) -> Energy {
    Energy {
        combinational_joules: after.combinational_joules - before.combinational_joules,
        register_joules: after.register_joules - before.register_joules,
        clock_joules: after.clock_joules - before.clock_joules,
        memory_read_joules: after.memory_read_joules - before.memory_read_joules,
        memory_write_joules: after.memory_write_joules - before.memory_write_joules,
        leakage_joules: after.leakage_joules - before.leakage_joules,
    }
}

/// SkyWater's cells.
pub(super) fn sky130() -> Library {
    let data = PathBuf::from(std::env::var_os("HWGEN_DATA").expect("HWGEN_DATA"));
    Library::read(data.join("liberty/sky130hd_tt.lib.gz")).unwrap()
}

fn row(share: &Share) -> String {
    let [all, lanes] = &share.energy;
    let parts = [
        all.total_joules(),
        all.combinational_joules,
        lanes.combinational_joules,
        all.register_joules,
        all.clock_joules,
        lanes.clock_joules,
        all.memory_read_joules,
        all.memory_write_joules,
    ];
    let nanojoules = parts.map(|joules| format!("{:.1}", joules * 1e9)).join(" | ");
    format!("| {} | {} | {nanojoules} |", share.layer, share.cycles)
}

/// Multipliers that every core has.
const MULTIPLIERS: u32 = 49;

/// Of the energy of eight bits that four may take in dense layers.
const MOST_OF_WIDE: f64 = 0.65;

/// Joules of dense layers, of depthwise ones, of additions, of all with the transfers.
type Joules = [f64; 4];

fn joules(shares: &[Share]) -> Joules {
    ["dense", "depthwise", "addition", ""].map(|kind| {
        let of = shares.iter().filter(|share| share.layer.starts_with(kind));
        of.map(|share| share.energy[0].total_joules()).sum()
    })
}

/// The network on the fastest core that has so many of these multipliers.
fn spent(what: &str, network: &Network, kind: Multiplier, split: bool) -> Joules {
    let budget = Budget { kind, ..Budget::of(network, MULTIPLIERS) };
    let (spec, plan) = size(network, budget).unwrap();
    let spec = CnnSpec { split, ..spec };
    let options = Options { clock_gating: true, ..Options::default() };
    let shares = shares(network, &spec, &plan, &sky130(), &options);
    println!(
        "\n{what}: {} lanes, {} results, sums of {} bits\n",
        spec.lanes, spec.results, spec.accumulator_bits
    );
    println!(
        "| layer | cycles | nJ | gates | in lanes | registers | clock | in lanes | reads | writes |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    shares.iter().for_each(|share| println!("{}", row(share)));
    joules(&shares)
}

#[test]
#[ignore = "minutes of synthesis: `cargo xtask bars narrow_energy`"]
fn four_bits_take_less_energy() {
    use Multiplier::{Bits18x18, Bits25x18};
    let wide = block();
    // with the same small numbers as the narrow network
    let small = uniform(&wide, 8, 8);
    let narrow = uniform(&wide, 4, 4);
    let kinds = [("packed", Bits25x18), ("apart", Bits18x18)];
    let spent_of = |name: &str, network: &Network| {
        kinds.map(|(lanes, kind)| spent(&format!("{name}, {lanes}"), network, kind, false))
    };
    let wides = spent_of("W8A8", &wide);
    let smalls = spent_of("W8A8 with multipliers of 15 bits", &small);
    let narrows = spent_of("W4A4", &narrow);
    let split = spent("W4A4, split", &narrow, Bits18x18, true);
    let mut table = vec![("packed", wides[0], smalls[0], narrows[0])];
    table.push(("apart", wides[1], smalls[1], narrows[1]));
    table.push(("split against apart", wides[1], smalls[1], split));
    println!(
        "\n| lanes | W4A4 of W8A8: dense | depthwise | addition | all | of W8A8 with multipliers of 15 bits: dense | all |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, wide, small, narrow) in &table {
        let ratio = |n: usize, of: &Joules| format!("{:.2}", narrow[n] / of[n]);
        let all = [0, 1, 2, 3].map(|n| ratio(n, wide)).join(" | ");
        println!("| {name} | {all} | {} | {} |", ratio(0, small), ratio(3, small));
    }
    // against whatever of eight bits takes least
    let least = wides.iter().chain(&smalls).map(|wide| wide[0]).fold(f64::INFINITY, f64::min);
    let ratio = split[0] / least;
    println!("\nnarrow_energy: {ratio:.3} of the least that eight bits take in dense layers");
    assert!(ratio <= MOST_OF_WIDE);
}
