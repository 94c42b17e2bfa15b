//! Networks without weights cost what they cost with them.

use super::pick;
use super::random::{random_core, random_network};
use hwgen_designs::cnn::{CnnSpec, Outline};
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::{Linear, Multiplier, Network, Tensor, load, save};
use hwgen_network::plan::{Budget, Plan, PlanError, outline, plan, size, size_outline};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A network whose weights are as far below 0 as they may be, with biases that make sums larger still, and
/// one multiplier a layer: what stands in for weights of a candidate.
fn at_its_bounds(network: &Network) -> Network {
    let mut network = network.clone();
    let tensors = network.tensors.clone();
    let tensor = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap();
    for layer in &mut network.layers {
        let (x, z) = (tensor(&layer.inputs[0]), tensor(&layer.output));
        if let Some(linear) = linear_of(&mut layer.operator) {
            linear_at_its_bounds(linear, x, z);
        }
    }
    network
}

fn linear_of(operator: &mut hwgen_network::graph::Operator) -> Option<&mut Linear> {
    use hwgen_network::graph::Operator;
    match operator {
        Operator::Conv2d(conv) => Some(&mut conv.linear),
        Operator::FullyConnected(dense) => Some(&mut dense.linear),
        _ => None,
    }
}

fn linear_at_its_bounds(linear: &mut Linear, x: &Tensor, z: &Tensor) {
    let least = -1i32 << (linear.bits - 1);
    let symmetric = linear.weights.iter().all(|&weight| i32::from(weight) > least);
    let weight = (least + i32::from(symmetric)) as i8;
    linear.weights = vec![weight; linear.weights.len()].into();
    let bias = linear.bias.iter().map(|bias| bias.abs()).max().unwrap_or(0);
    let centered = !x.signed && (x.bits >= 7 || x.bits == 4);
    let zero = x.zero_point - if centered { 1 << (x.bits - 1) } else { 0 };
    let bias = if zero < 0 { -bias } else { bias };
    linear.bias = vec![bias; z.image()[2]].into();
    let all = (0..linear.multipliers.mantissas.len()).map(|n| linear.multipliers.of(n));
    let one = all.reduce(|a, b| Multiplier {
        mantissa: a.mantissa | b.mantissa,
        shift: a.shift.max(b.shift),
    });
    linear.multipliers = one.into_iter().collect();
}

/// All that is told of a cost, sums' bits apart.
type Told<'p> = (Vec<hwgen_designs::cnn::Job>, [u64; 5], &'p [hwgen_network::plan::Step]);

fn of_plan(plan: &Plan) -> Told<'_> {
    let image = &plan.image;
    let memories = [image.planes.len(), image.scales.len(), image.tables.len()].map(|n| n as u64);
    let [planes, scales, tables] = memories;
    let rest = [plan.bank_bytes.into(), plan.multiplier_bits.into()];
    (image.jobs.clone(), [planes, scales, tables, rest[0], rest[1]], &plan.steps)
}

fn of_outline(plan: &Plan<Outline>) -> Told<'_> {
    let image = &plan.image;
    let memories = [image.planes, image.scale_rows, image.tables.len()].map(|n| n as u64);
    let [planes, scales, tables] = memories;
    let rest = [plan.bank_bytes.into(), plan.multiplier_bits.into()];
    (image.jobs.clone(), [planes, scales, tables, rest[0], rest[1]], &plan.steps)
}

/// On a core, of memories of one port or two, and with accumulators as wide as they come.
fn any_core(rng: &mut ChaCha8Rng, network: &Network, single_port: bool) -> CnnSpec {
    let spec = random_core(rng, network);
    let least = spec.addition_bits().max(18);
    let accumulator_bits = pick(rng, &[least, rng.clone().random_range(least..=32), 32]);
    // often too small
    CnnSpec {
        accumulator_bits,
        single_port,
        activation_words: pick(rng, &[32, 128, 4096, 4096]),
        weight_rows: pick(rng, &[16, 8192, 8192]),
        scale_rows: pick(rng, &[8, 2048, 2048]),
        jobs: pick(rng, &[4, 500, 500]),
        softmax_tables: pick(rng, &[0, 4, 4]),
        ..spec
    }
}

fn is_of_sums(error: &PlanError) -> bool {
    matches!(error, PlanError::Unsupported { what, .. } if what.contains("sum"))
}

/// A candidate costs what the network costs whose weights are at their bounds, to the bit, and is refused
/// in the same words; of other weights its sums alone are wider.
#[test]
fn candidates_cost_what_networks_cost() {
    let rng = &mut ChaCha8Rng::seed_from_u64(21);
    let (mut networks, mut alike, mut refused, mut narrower) = (0, 0, 0, 0);
    while networks < 1000 {
        let network = random_network(rng);
        // sums that leave as they are have as many bits as the weights at hand need
        let sums = network.tensors.iter().any(|tensor| tensor.sums.is_some());
        if sums || network.validate().is_err() {
            continue;
        }
        networks += 1;
        let candidate = Candidate::of(&network).unwrap();
        let bounds = at_its_bounds(&network);
        bounds.validate().unwrap();
        assert_eq!(candidate, Candidate::of(&bounds).unwrap());
        for single_port in [false, true] {
            let spec = any_core(rng, &network, single_port);
            let outlined = outline(&candidate, &spec);
            match (plan(&bounds, &spec), &outlined) {
                (Ok(plan), Ok(outlined)) => {
                    assert_eq!(of_plan(&plan), of_outline(outlined));
                    assert_eq!(plan.sum_bits, outlined.sum_bits);
                    alike += 1;
                }
                (plan, outlined) => {
                    assert_eq!(&plan.unwrap_err(), outlined.as_ref().unwrap_err());
                    refused += 1;
                }
            }
            match (plan(&network, &spec), outlined) {
                (Ok(plan), Ok(outlined)) => {
                    assert_eq!(of_plan(&plan), of_outline(&outlined));
                    assert!(plan.sum_bits <= outlined.sum_bits);
                    narrower += usize::from(plan.sum_bits < outlined.sum_bits);
                }
                // narrower sums are the only thing that weights may still bring
                (Ok(_), Err(error)) => assert!(is_of_sums(&error), "{error}"),
                (Err(error), Err(other)) => {
                    assert!(error == other || is_of_sums(&other), "{error}")
                }
                (Err(error), Ok(_)) => panic!("{error}"),
            }
        }
    }
    println!(
        "{networks} candidates: {alike} plans alike, {refused} refused alike, {narrower} with narrower sums"
    );
    assert!(alike > 500 && refused > 200);
}

/// Cores are sized alike, too.
#[test]
fn candidates_have_the_cores_of_networks() {
    let rng = &mut ChaCha8Rng::seed_from_u64(22);
    let mut sized = 0;
    for n in 0..40 {
        let network = random_network(rng);
        if network.validate().is_err() {
            continue;
        }
        let (candidate, bounds) = (Candidate::of(&network).unwrap(), at_its_bounds(&network));
        let single_port = n % 4 == 0;
        let budget = Budget { single_port, ..Budget::of(&candidate, 64) };
        assert_eq!(budget, Budget { single_port, ..Budget::of(&bounds, 64) });
        match (size(&bounds, budget), size_outline(&candidate, budget)) {
            (Ok((spec, plan)), Ok((outlined_spec, outlined))) => {
                assert_eq!((spec, of_plan(&plan)), (outlined_spec, of_outline(&outlined)));
                sized += 1;
            }
            (plan, outlined) => assert_eq!(plan.unwrap_err(), outlined.unwrap_err()),
        }
    }
    assert!(sized > 20, "{sized}");
}

/// A file of a candidate is no network to anybody else.
#[test]
fn a_file_says_which_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.json");
    let network = random_network(&mut ChaCha8Rng::seed_from_u64(3));
    save(&network, &path).unwrap();
    assert!(load(&path).is_ok());
    std::fs::write(&path, r#"{"candidate": 1, "inputs": []}"#).unwrap();
    let said = load(&path).unwrap_err().to_string();
    assert!(said.contains("has no weights: `hwgen cost` alone takes it"), "{said}");
}
