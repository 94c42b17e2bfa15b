//! What narrow numbers bring: cycles of whole inferences at equal multipliers, by the cost that plans are held
//! to. The 8-bit core is the best of as many multipliers; transfers and fetching are counted.

mod models;
mod narrowing;

use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_network::plan::{Budget, HalfBytes, outline, size_outline};
use hwgen_network::zoo;
use narrowing::{trained, uniform};

/// Cycles on the fastest core, and how much of its products is used.
fn fastest(network: &Network, multipliers: u32, kind: Multiplier) -> (CnnSpec, u64, f64) {
    let budget = Budget { kind, ..Budget::of(network, multipliers) };
    let (spec, plan) = size_outline(network, budget).unwrap();
    let used = plan.utilization(&spec);
    (spec, plan.cycles(), used)
}

/// Weights and activations of so many bits on so many multipliers; the least gain, and use of the array.
type Bar = ([u32; 2], u32, Multiplier, f64, f64);

fn hold(network: &Network, bars: &[Bar]) {
    for &([weights, activations], multipliers, kind, least, least_used) in bars {
        let narrow = uniform(network, weights, activations).apply(network).unwrap();
        let (_, wide, _) = fastest(network, multipliers, kind);
        let (spec, cycles, used) = fastest(&narrow, multipliers, kind);
        // with multipliers and additions as small as ours
        let small = uniform(network, 8, 8).apply(network).unwrap();
        let (_, small, _) = fastest(&small, multipliers, kind);
        let gain = wide as f64 / cycles as f64;
        println!(
            "{}, {multipliers} multipliers of {} bits, W{weights}A{activations}: {cycles} cycles, {wide} of 8 bits: \
             {gain:.2}x (at least {least}), {:.2}x of 8 bits with small multipliers, {:.1} % of {} products used",
            network.name,
            kind.bits(),
            small as f64 / cycles as f64,
            100.0 * used,
            spec.products(),
        );
        let fair = wide.min(small) as f64 / cycles as f64;
        assert!(fair >= least && used >= least_used, "{spec:?}");
    }
}

use Multiplier::{Bits16x16, Bits18x18, Bits25x18};

#[test]
fn generated_networks_take_fewer_cycles() {
    let mobilenet = import("mobilenet_v2", &models::mobilenet_v2(1)).unwrap();
    hold(
        &mobilenet,
        &[
            ([4, 7], 49, Bits25x18, 1.6, 0.75),
            ([4, 7], 97, Bits25x18, 1.6, 0.65),
            ([4, 8], 49, Bits18x18, 1.6, 0.75),
            ([4, 8], 49, Bits16x16, 1.6, 0.75),
        ],
    );
    let mbconv = import("mbconv", &models::mbconv(1)).unwrap();
    hold(
        &mbconv,
        &[
            ([4, 7], 49, Bits25x18, 1.4, 0.0),
            ([4, 8], 49, Bits18x18, 1.4, 0.0),
            ([4, 8], 49, Bits16x16, 1.4, 0.0),
        ],
    );
}

#[test]
fn trained_networks_take_fewer_cycles() {
    let Some((kws, resnet)) = trained() else {
        println!("HWGEN_DATA is not set: no trained networks");
        return;
    };
    hold(
        &kws,
        &[
            ([4, 7], 49, Bits25x18, 1.70, 0.75),
            ([4, 7], 97, Bits25x18, 1.55, 0.65),
            ([4, 8], 49, Bits18x18, 1.70, 0.75),
            ([4, 8], 97, Bits18x18, 1.55, 0.65),
            ([4, 8], 49, Bits16x16, 1.70, 0.75),
            ([4, 8], 97, Bits16x16, 1.55, 0.65),
            ([4, 4], 49, Bits25x18, 1.85, 0.75),
        ],
    );
    let five = |network: &Network| {
        let budget = Budget { single_port: true, ..Budget::of(network, 5) };
        size_outline(network, budget).unwrap().1.cycles()
    };
    let (wide, narrow) = (five(&kws), five(&uniform(&kws, 4, 8).apply(&kws).unwrap()));
    println!("KWS in memories of one port, 5 multipliers: {narrow} cycles, {wide} of 8 bits");
    assert!(wide as f64 >= 1.9 * narrow as f64);
    hold(&resnet, &[([4, 7], 49, Bits25x18, 1.7, 0.75), ([4, 7], 97, Bits25x18, 1.7, 0.65)]);
}

/// Activations of four bits, two in a byte: as many cycles, but for some layers that write no odd byte, in half of
/// the memory.
#[test]
fn nibbles_take_half_of_the_memory() {
    let mobilenet = import("mobilenet_v2", &models::mobilenet_v2(1)).unwrap();
    let narrow = uniform(&mobilenet, 4, 4).apply(&mobilenet).unwrap();
    let of = |nibbles: HalfBytes| {
        let budget = Budget { nibbles, ..Budget::of(&narrow, 49) };
        let (spec, plan) = size_outline(&narrow, budget).unwrap();
        (spec.activation_words * spec.lanes, plan.cycles())
    };
    let ((bytes, cycles), (halved, same)) = (of(HalfBytes::Never), of(HalfBytes::Always));
    println!(
        "mobilenet_v2 at W4A4: {bytes} bytes of activations in {cycles} cycles, two in a byte {halved} in {same}"
    );
    assert!(same as f64 <= 1.001 * cycles as f64);
    assert!(f64::from(halved) <= 0.52 * f64::from(bytes));
}

/// A size takes halves of bytes where they save more memory than their tables take, and only there: networks of
/// eight bits, and small ones, have the cores that they had.
#[test]
fn a_size_takes_halves_of_bytes_where_that_pays() {
    let mobilenet = import("mobilenet_v2", &models::mobilenet_v2(1)).unwrap();
    let mbconv = import("mbconv", &models::mbconv(1)).unwrap();
    let w4a4 = |network: &Network| uniform(network, 4, 4).apply(network).unwrap();
    let all = [
        (w4a4(&mobilenet), true),
        (w4a4(&mbconv), true),
        (zoo::kws_mini_at(1, 4, 4), false),
        (zoo::kws_mini(1), false),
        (uniform(&mbconv, 4, 7).apply(&mbconv).unwrap(), false),
        (mobilenet, false),
        (mbconv, false),
    ];
    for (network, pays) in &all {
        for multipliers in [49, 97] {
            let budget = Budget::of(network, multipliers);
            let of =
                |nibbles: HalfBytes| size_outline(network, Budget { nibbles, ..budget }).unwrap();
            let [(whole, slow), (chosen, plan)] = [HalfBytes::Never, budget.nibbles].map(of);
            let bytes = |spec: &CnnSpec| spec.activation_words * spec.lanes;
            println!(
                "{}, {multipliers} multipliers, {} lanes: {} bytes of activations in {} cycles, chosen {} in {}",
                network.name,
                whole.lanes,
                bytes(&whole),
                slow.cycles(),
                bytes(&chosen),
                plan.cycles()
            );
            assert_eq!(chosen.nibbles, *pays, "{}", network.name);
            assert!(plan.cycles() as f64 <= 1.001 * slow.cycles() as f64);
            match pays {
                true => assert!(f64::from(bytes(&chosen)) <= 0.6 * f64::from(bytes(&whole))),
                false => assert_eq!((chosen, plan.steps), (whole, slow.steps)),
            }
        }
    }
}

/// A candidate under a policy costs what the network does under it, weights at hand.
#[test]
fn candidates_cost_what_networks_do() {
    for (name, model) in [("mobilenet_v2", models::mobilenet_v2(1)), ("mbconv", models::mbconv(1))]
    {
        let network = import(name, &model).unwrap();
        for ([weights, activations], kind) in
            [([4, 7], Bits25x18), ([4, 8], Bits18x18), ([8, 8], Bits25x18)]
        {
            let policy = uniform(&network, weights, activations);
            let narrow = policy.apply(&network).unwrap();
            let candidate = Candidate::of(&network).unwrap().with(&policy).unwrap();
            let spec = size_outline(&narrow, Budget { kind, ..Budget::of(&narrow, 97) }).unwrap().0;
            // sums that weights at their bound would take are wider
            let spec = CnnSpec { accumulator_bits: 32, ..spec };
            let (of_network, of_candidate) = (outline(&narrow, &spec), outline(&candidate, &spec));
            let (of_network, of_candidate) = (of_network.unwrap(), of_candidate.unwrap());
            assert_eq!(of_network.steps, of_candidate.steps, "{name}");
            assert_eq!(of_network.bank_bytes, of_candidate.bank_bytes);
            assert_eq!(of_network.image.planes, of_candidate.image.planes);
        }
    }
}
