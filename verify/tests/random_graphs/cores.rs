//! Cores of odd sizes, each compiled once: graphs are planned onto them, whatever suits them.

use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_designs::spec::Spec;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_network::graph::Network;
use hwgen_network::inferences::{Inferences, Outcome};
use hwgen_network::plan::{PlanError, plan};

/// Lanes, positions, results a cycle, whether memories have one port.
const SIZES: [(u32, u32, u32, bool); 8] = [
    (16, 2, 4, false),
    (4, 1, 2, true),
    (8, 1, 8, false),
    (2, 2, 1, false),
    (16, 1, 4, true),
    (32, 2, 2, false),
    (8, 2, 1, false),
    (32, 1, 16, true),
];

/// A core, and the engine that runs it.
struct Core {
    spec: CnnSpec,
    device: Simulator,
}

/// The cores that graphs are run on.
pub(super) struct Cores(Vec<Core>);

impl Cores {
    pub(super) fn new(count: usize) -> Cores {
        let core = |&(lanes, pixels, results, single_port): &(u32, u32, u32, bool)| {
            let spec = CnnSpec {
                lanes,
                pixels,
                packed: pixels == 2,
                results,
                single_port,
                activation_words: (1 << 16) / lanes,
                weight_rows: 1 << 14,
                scale_rows: 1 << 12,
                jobs: 512,
                softmax_tables: 8,
                sums: true,
                narrow_weights: lanes == 8,
                ..CnnSpec::default()
            };
            spec.validate().unwrap();
            let (engine, initial) = (Engine::default(), Initial::Random(lanes.into()));
            let options = SimOptions { engine, initial, ..SimOptions::default() };
            let device = Simulator::with_options(&spec.build(), options);
            Core { spec, device }
        };
        Cores(SIZES[..count].iter().map(core).collect())
    }

    /// Runs a network on all of them; the bytes that are compared.
    pub(super) fn equal(
        &mut self,
        name: &str,
        network: &Network,
        inputs: &[Vec<i16>],
        expected: &[Vec<Vec<i16>>],
    ) -> usize {
        let mut compared = 0;
        for Core { spec, device } in &mut self.0 {
            let plan = match plan(network, spec) {
                Ok(plan) => plan,
                // it suits larger cores
                Err(PlanError::Room { .. }) => continue,
                Err(error) => panic!("{name} on {spec:?}: {error}"),
            };
            let inferences = Inferences { spec, plan: &plan, inputs };
            let Outcome { outputs, cycles } = inferences.run(device, 0.0, 1).unwrap();
            assert_eq!(outputs, expected, "{name} on {spec:?}: {network:?}");
            if let [first, second] = cycles[..] {
                assert_eq!(second - first, plan.cycles(), "{name} on {spec:?}");
            }
            compared += outputs.iter().flatten().map(Vec::len).sum::<usize>();
        }
        compared
    }
}
