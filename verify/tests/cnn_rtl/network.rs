//! Whole networks: plan and circuit against the interpreter, every output byte.

#[path = "../../../gen/network/tests/models/mod.rs"]
mod models;

use super::simulator;
use hwgen_designs::cnn::cost::FETCH_CYCLES;
use hwgen_designs::cnn::{CnnSpec, Job};
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::Initial;
use hwgen_network::graph::Network;
use hwgen_network::inferences::{Inferences, Outcome};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, Plan, plan, size};
use hwgen_network::policy::Policy;
use hwgen_network::{import, zoo};
use hwgen_verify::cosim::Engine::Verilator;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Runs inferences back to back on the circuit and the interpreter; returns cycles of one.
pub(super) fn equal(
    network: &Network,
    spec: &CnnSpec,
    plan: &Plan,
    inputs: &[Vec<i16>],
    stall: f64,
) -> u64 {
    let mut device = simulator(&spec.build(), 1);
    let mut interpreter = Interpreter::new(network).unwrap();
    let inferences = Inferences { spec, plan, inputs };
    let Outcome { outputs, cycles } = inferences.run(&mut device, stall, 1).unwrap();
    for (n, (input, output)) in inputs.iter().zip(&outputs).enumerate() {
        run(&mut interpreter, network, input);
        let expected: Vec<_> = interpreter.outputs().map(<[i16]>::to_vec).collect();
        assert_eq!(output, &expected, "{}, inference {n}", network.name);
    }
    let mut register = |which: u8| {
        device.poke("status_address", which);
        device.step();
        device.peek_u64("status")
    };
    assert_eq!(register(1), inputs.len() as u64);
    if spec.counters {
        let steps = |double: bool| {
            let of = |job: &Job| match job {
                Job::Convolve(job) if job.dual || !double => job.all_steps(spec.pixels),
                _ => 0,
            };
            plan.image.jobs.iter().map(of).sum::<u64>() * inputs.len() as u64
        };
        assert_eq!([register(4), register(5)], [steps(false), steps(true)]);
    }
    if stall == 0.0 && cycles.len() > 1 {
        // from result to result
        assert_eq!(cycles[1] - cycles[0], plan.cycles(), "{}", network.name);
        // the first beat comes when the input job has been fetched
        assert_eq!(register(2), plan.cycles() - u64::from(FETCH_CYCLES), "{}", network.name);
    }
    plan.cycles()
}

/// Runs the interpreter on inputs that lie one behind the other.
fn run(interpreter: &mut Interpreter, network: &Network, mut input: &[i16]) {
    let part = |name: &String| {
        let (own, rest) = input.split_at(network.tensor(name).unwrap().elements());
        input = rest;
        own
    };
    let parts: Vec<_> = network.inputs.iter().map(part).collect();
    interpreter.run(&parts);
}

pub(super) fn random_inputs(network: &Network, count: usize, rng: &mut impl Rng) -> Vec<Vec<i16>> {
    let mut input = |_| {
        let mut elements = vec![];
        for tensor in network.inputs.iter().map(|name| network.tensor(name).unwrap()) {
            let range = tensor.lowest() as i16..=tensor.highest() as i16;
            elements.extend((0..tensor.elements()).map(|_| rng.random_range(range.clone())));
        }
        elements
    };
    (0..count).map(&mut input).collect()
}

fn budget(multipliers: u32, narrow_weights: bool) -> Budget {
    Budget { narrow_weights, ..Budget::within(multipliers) }
}

#[test]
fn small_networks_of_every_width() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for (weight_bits, activation_bits) in [(8, 8), (4, 8), (2, 4), (3, 5), (7, 6)] {
        let network = zoo::kws_mini_at(3, weight_bits, activation_bits);
        for multipliers in [18, 60] {
            let (spec, plan) = size(&network, budget(multipliers, weight_bits < 8)).unwrap();
            let inputs = random_inputs(&network, 3, rng);
            let cycles = equal(&network, &spec, &plan, &inputs, 0.0);
            equal(&network, &spec, &plan, &inputs, 0.4);
            println!(
                "{weight_bits}-bit weights, {} multipliers: {cycles} cycles, {} rows of {} bytes of weights",
                spec.all_multipliers(),
                spec.weight_rows,
                spec.lanes
            );
        }
    }
}

/// One memory of weights serves a network at every width: only jobs differ.
#[test]
fn shared_weights() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let network = zoo::kws_mini(4);
    let (spec, whole) = size(&network, budget(60, false)).unwrap();
    for bits in [2, 4] {
        let linear = network.layers.iter().filter(|layer| layer.operator.linear().is_some());
        let shared_bits = linear.map(|layer| (layer.name.clone(), bits)).collect();
        let policy = Policy { version: 1, shared_bits, ..Policy::default() };
        let shared = policy.apply(&network).unwrap();
        let plan = plan(&shared, &spec).unwrap();
        assert_eq!(plan.image.planes, whole.image.planes);
        equal(&shared, &spec, &plan, &random_inputs(&network, 3, rng), 0.2);
    }
}

/// Each weighted layer's bits, of shared words.
fn shared_widths(network: &Network, rng: &mut impl Rng) -> Network {
    let linear = network.layers.iter().filter(|layer| layer.operator.linear().is_some());
    let bits = linear.map(|layer| (layer.name.clone(), [2, 4, 8][rng.random_range(0..3)]));
    let policy = Policy { version: 1, shared_bits: bits.collect(), ..Policy::default() };
    policy.apply(network).unwrap()
}

/// A core that holds a network gets other widths by a program and scales: its weights stay where they are.
#[test]
fn a_loaded_core_changes_its_widths() {
    let rng = &mut ChaCha8Rng::seed_from_u64(31);
    let network = zoo::kws_mini(4);
    let (spec, whole) = size(&network, budget(60, false)).unwrap();
    let words = |weights: &mut dyn Iterator<Item = i8>| {
        let mut words: Vec<i8> = weights.filter(|&weight| weight != 0).collect();
        words.sort_unstable();
        words
    };
    let stored = whole.image.planes.chunks(8).flat_map(|planes| {
        let bit =
            |lane| planes.iter().fold(0u8, |word, plane| word << 1 | u8::from(plane.bit(lane)));
        (0..spec.lanes as usize).map(move |lane| bit(lane) as i8)
    });
    let layers = network.layers.iter().filter_map(|layer| layer.operator.linear());
    let own = layers.flat_map(|linear| linear.weights.to_vec());
    assert_eq!(words(&mut { stored }), words(&mut { own }), "words as they lie in the memory");

    let mut device = simulator(&spec.build(), 1);
    let mut weights_loaded = 0;
    for n in 0..4 {
        let shared = shared_widths(&network, rng);
        let mut plan = plan(&shared, &spec).unwrap();
        assert_eq!(plan.image.planes, whole.image.planes);
        if n > 0 {
            plan.image.planes.clear();
        }
        weights_loaded += plan.image.planes.len();
        let inputs = random_inputs(&network, 2, rng);
        let inferences = Inferences { spec: &spec, plan: &plan, inputs: &inputs };
        let outputs = inferences.run(&mut device, 0.2, 1).unwrap().outputs;
        let mut interpreter = Interpreter::new(&shared).unwrap();
        for (input, output) in inputs.iter().zip(&outputs) {
            run(&mut interpreter, &shared, input);
            let expected: Vec<_> = interpreter.outputs().map(<[i16]>::to_vec).collect();
            assert_eq!(output, &expected, "widths {n}");
        }
    }
    assert_eq!(weights_loaded, whole.image.planes.len(), "weights were loaded once");
}

/// Memories of one port, as iCE40 UltraPlus has them; with additions some tensors are copied.
#[test]
fn memories_of_one_port() {
    let rng = &mut ChaCha8Rng::seed_from_u64(12);
    for network in [zoo::kws_mini(5), zoo::build("cenet_6", 2).unwrap().network] {
        let budget = Budget { single_port: true, ..budget(20, false) };
        let (spec, plan) = size(&network, budget).unwrap();
        let cycles = equal(&network, &spec, &plan, &random_inputs(&network, 1, rng), 0.2);
        println!("{}: {} multipliers, {cycles} cycles", network.name, spec.all_multipliers());
    }
}

#[test]
fn cenet_without_graphs() {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let network = zoo::build("cenet_6", 1).unwrap().network;
    let (spec, plan) = size(&network, budget(100, false)).unwrap();
    let cycles = equal(&network, &spec, &plan, &random_inputs(&network, 2, rng), 0.0);
    println!("CENet-6: {} multipliers, {cycles} cycles", spec.all_multipliers());
}

/// The graph convolution: products of activations, softmax of rows, all on the core.
#[test]
fn cenet_with_graphs() {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let network = zoo::build("cenet_gcn_6", 1).unwrap().network;
    let (spec, plan) = size(&network, budget(100, false)).unwrap();
    let cycles = equal(&network, &spec, &plan, &random_inputs(&network, 1, rng), 0.0);
    println!("CENet-GCN-6: {} multipliers, {cycles} cycles", spec.all_multipliers());
}

/// TFLite models with random weights: a dense autoencoder, MobileNet of 96 x 96 pixels, streaming
/// convolutions, odd shapes. What has a job runs; the rest is refused with its layer's name.
#[test]
fn generated_tflite_networks() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let mut told = vec![];
    for (name, model, _) in models::all() {
        let network = import::import(name, &model).unwrap();
        match size(&network, budget(100, false)) {
            Ok((spec, plan)) => {
                let count = if name == "mobilenet" { 1 } else { 3 };
                let inputs = random_inputs(&network, count, rng);
                let cycles = equal(&network, &spec, &plan, &inputs, 0.0);
                println!("{name}: {} multipliers, {cycles} cycles", spec.all_multipliers());
                told.push(format!("{name} runs"));
            }
            Err(error) => told.push(format!("{name}: {error}")),
        }
    }
    let expected = [
        "small runs",
        "operators: layer `24_mat_mul`: its factors' zero points are [19, -16]; quantize both factors around 0",
        "autoencoder runs",
        "mobilenet runs",
        "streaming runs",
        "variants runs",
        "functions runs",
        "shapes runs",
        "wide runs",
        "bytes runs",
        "kept runs",
    ];
    assert_eq!(told, expected);
}

/// What is read by the outside as well as by layers, in its own shape and in others.
#[test]
fn outputs_that_layers_read() {
    let rng = &mut ChaCha8Rng::seed_from_u64(13);
    for (name, model) in
        [("embedding", models::embedding(7)), ("padding_shown", models::padding_shown(8))]
    {
        let network = import::import(name, &model).unwrap();
        for (multipliers, single_port) in [(9, false), (29, false), (29, true)] {
            let budget = Budget { single_port, ..budget(multipliers, false) };
            let (spec, plan) = size(&network, budget).unwrap();
            equal(&network, &spec, &plan, &random_inputs(&network, 2, rng), 0.0);
        }
    }
}

/// MLPerf Tiny's two models, and inputs recorded for them.
pub(super) struct Trained {
    pub(super) kws: Network,
    pub(super) clips: Vec<Vec<i16>>,
    pub(super) resnet: Network,
    pub(super) images: Vec<Vec<i16>>,
}

impl Trained {
    pub(super) fn find() -> Option<Trained> {
        let data = std::env::var_os("HWGEN_DATA").map(PathBuf::from)?;
        let read = |name: &str| std::fs::read(data.join(name)).unwrap();
        let model = |name: &str| {
            import::import(name, &read(&format!("mlperf_tiny/{name}.tflite"))).unwrap()
        };
        let clips = read("mlperf_tiny/kws01_mfcc_int8_200x490.bin");
        let clip = |clip: &[u8]| clip.iter().map(|&byte| (byte as i8).into()).collect();
        // a label, then planes of red, green and blue; the model takes pixels less 128
        let pixel = |image: &[u8], n: usize| i16::from(image[1 + n % 3 * 1024 + n / 3]) - 128;
        let image = |image: &[u8]| (0..3072).map(|n| pixel(image, n)).collect();
        let images = read("cifar10/train2500_lossless.bin");
        Some(Trained {
            kws: model("kws_ref_model_int8"),
            clips: clips.chunks_exact(490).map(clip).collect(),
            resnet: model("ic_resnet8_int8"),
            images: images.chunks_exact(3073).step_by(12).take(200).map(image).collect(),
        })
    }
}

/// Prints what a network takes, and holds its use of the array.
fn told(network: &Network, spec: &CnnSpec, plan: &Plan, inputs: usize) {
    let used = plan.utilization(spec);
    println!(
        "{}: {inputs} inputs equal, {} multipliers, {} cycles, {:.1} % of {} products a cycle",
        network.name,
        spec.all_multipliers(),
        plan.cycles(),
        100.0 * used,
        spec.products()
    );
    assert!(used >= 0.6);
}

#[test]
fn trained_networks() {
    let Some(Trained { kws, clips, resnet, images }) = Trained::find() else {
        println!("no HWGEN_DATA: trained networks are not run");
        return;
    };
    for (network, inputs, multipliers, most) in [
        (&kws, &clips, 188, 46_000),
        (&kws, &clips, 60, 150_000),
        (&resnet, &images, 100, u64::MAX),
    ] {
        let (spec, plan) = size(network, budget(multipliers, false)).unwrap();
        let cycles = equal(network, &spec, &plan, &inputs[..4], 0.0);
        told(network, &spec, &plan, 4);
        assert!(cycles <= most);
    }
}

/// 200 inputs of each in our fast engine, 20 in Verilator.
#[test]
#[ignore = "minutes: `cargo xtask bars networks`"]
fn trained_networks_on_all_inputs() {
    let Trained { kws, clips, resnet, images } = Trained::find().expect("HWGEN_DATA");
    let mut compared = 0;
    for (network, inputs, multipliers) in
        [(&kws, &clips, 188), (&kws, &clips, 60), (&resnet, &images, 100)]
    {
        let (spec, plan) = size(network, budget(multipliers, false)).unwrap();
        equal(network, &spec, &plan, inputs, 0.0);
        told(network, &spec, &plan, inputs.len());
        let mut interpreter = Interpreter::new(network).unwrap();
        let mut verilator = Verilator.open(&spec.build(), Initial::Random(3)).unwrap();
        let inferences = Inferences { spec: &spec, plan: &plan, inputs: &inputs[..20] };
        let Outcome { outputs, .. } = inferences.run(&mut *verilator, 0.0, 1).unwrap();
        for (input, output) in inputs.iter().zip(&outputs) {
            interpreter.run(&[input]);
            assert!(interpreter.outputs().eq(output.iter().map(|output| &output[..])));
        }
        compared += inputs.len() + outputs.len();
    }
    println!("networks: {compared}");
}

/// A hundred inferences back to back, streams stalling at random; then a reset in the middle of one,
/// and the next comes out as if it were alone.
#[test]
fn no_inference_leaves_a_trace() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let network = zoo::kws_mini(2);
    let (spec, plan) = size(&network, budget(60, false)).unwrap();
    equal(&network, &spec, &plan, &random_inputs(&network, 100, rng), 0.3);

    let mut device = simulator(&spec.build(), 9);
    let mut interpreter = Interpreter::new(&network).unwrap();
    for _ in 0..5 {
        let inputs = random_inputs(&network, 2, rng);
        // a run begins with a reset, wherever the one before was
        let first = Inferences { spec: &spec, plan: &plan, inputs: &inputs[..1] };
        let Outcome { outputs, .. } = first.run(&mut device, 0.1, 1).unwrap();
        interpreter.run(&[&inputs[0]]);
        assert!(interpreter.outputs().eq(outputs[0].iter().map(|output| &output[..])));
        // loading, then somewhere in the inference
        let cycles = rng.random_range(0..plan.image.load(&spec).len() as u64 + plan.cycles());
        let second = Inferences { spec: &spec, plan: &plan, inputs: &inputs[1..] };
        second.begin(&mut device, cycles).unwrap();
    }
}

/// The whole of KWS-mini's bar: multipliers, cycles, lines, and what Yosys makes of it.
#[test]
#[ignore = "half a minute in Yosys: `cargo xtask bars kws_mini`"]
fn kws_mini_in_a_small_core() {
    let network = zoo::kws_mini(1);
    let (spec, plan) = size(&network, budget(18, false)).unwrap();
    let verilog = spec.build().verilog().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cnn.v"), &verilog).unwrap();
    let script = "read_verilog cnn.v; synth_xilinx -top cnn -flatten; tee -o stat.txt stat";
    let yosys = std::process::Command::new("yosys")
        .args(["-q", "-p", script])
        .current_dir(folder.path())
        .output()
        .expect("Yosys: run scripts/setup");
    assert!(yosys.status.success(), "{}", String::from_utf8_lossy(&yosys.stderr));
    let stat = std::fs::read_to_string(folder.path().join("stat.txt")).unwrap();
    let count = |cell: &str| -> u64 {
        let lines = stat.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let counts = lines.filter(|line| line.len() == 2 && line[0].starts_with(cell));
        counts.map(|line| line[1].parse::<u64>().unwrap_or(0)).sum()
    };
    // a RAM64M is four LUTs
    let luts = count("LUT") + 4 * count("RAM64M");
    let (lines, cycles) = (verilog.lines().count(), plan.cycles());
    println!(
        "{cycles} cycles, {} DSP48E1, {luts} LUTs, {} block RAMs, {} FFs, {lines} lines",
        count("DSP48E1"),
        count("RAMB"),
        count("FDRE") + count("FDSE"),
    );
    println!("kws_mini: {cycles}");
    assert!(cycles <= 12_000 && count("DSP48E1") <= 18 && luts <= 5_000 && lines < 5_000);
}
