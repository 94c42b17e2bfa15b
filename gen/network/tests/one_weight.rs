//! Why lanes have one weight of a layer where they might have two.

use hwgen_designs::cnn::CnnSpec;
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, Step, outline, size, size_outline};
use hwgen_network::policy::Policy;
use hwgen_network::zoo;

/// The reasons of a plan's layers.
fn told<P>(plan: &Plan<P>) -> Vec<(&str, String)> {
    let one = |step: &'_ Step| Some(step.one_weight?.to_string());
    plan.steps.iter().filter_map(|step| Some((&step.layer[..], one(step)?))).collect()
}

/// A core whose lanes have two weights, with room for all.
fn roomy() -> CnnSpec {
    let (activation_words, weight_rows) = (4096, 4096);
    CnnSpec { dual: true, activation_words, weight_rows, ..CnnSpec::default() }
}

/// The network under a policy of version 2 that names two layers' weights.
fn under(network: &Network, weights: [u32; 2], symmetric: bool) -> Network {
    let names = ["conv_2", "conv_3"].into_iter().map(str::to_owned).zip(weights);
    let policy =
        Policy { version: 2, weight_bits: names.collect(), symmetric, ..Policy::default() };
    policy.apply(network).unwrap()
}

#[test]
fn nothing_is_told_of_eight_bits() {
    let network = zoo::kws_mini(1);
    assert_eq!(told(&outline(&network, &CnnSpec { dual: false, ..roomy() }).unwrap()), []);
    assert_eq!(told(&outline(&network, &roomy()).unwrap()), []);
    assert_eq!(told(&size(&network, Budget::of(&network, 49)).unwrap().1), []);
}

#[test]
fn layers_say_why_lanes_have_one_weight() {
    let bits = |name, bits| (name, format!("weights of {bits} bits, two have 4"));
    let wide = "its input is -128..127; two weights in a `packed` lane take -64..63, `activation_bits` of 7";
    let least = "a weight is -8; a policy that is `symmetric` has none";

    // activations of eight bits, and what is wider than four
    let narrow = under(&zoo::kws_mini(1), [4, 5], true);
    let of = |spec: &CnnSpec| outline(&narrow, spec).unwrap();
    let (first, third, last) = (bits("conv_1", 8), bits("conv_3", 5), bits("scores", 8));
    let packed = [first.clone(), ("conv_2", wide.into()), third.clone(), last.clone()];
    assert_eq!(told(&of(&roomy())), packed);
    // which is no matter where each position has a multiplier
    let apart = [first.clone(), third.clone(), last.clone()];
    assert_eq!(told(&of(&CnnSpec { packed: false, ..roomy() })), apart);
    // but for a core without such lanes
    let core = ("conv_2", "the core has no lanes of two, `dual` is false".into());
    let plain = [first.clone(), core, third, last.clone()];
    assert_eq!(told(&of(&CnnSpec { packed: false, dual: false, ..roomy() })), plain);

    // -8, which weights of three bits lack
    let narrow = under(&zoo::kws_mini_at(1, 8, 7), [4, 3], false);
    let plan = outline(&narrow, &roomy()).unwrap();
    assert_eq!(told(&plan), [first.clone(), ("conv_2", least.into()), last.clone()]);

    // the highest of eight bits
    let shared_bits = [("conv_2".to_owned(), 4)].into_iter().collect();
    let policy = Policy { version: 1, shared_bits, ..Policy::default() };
    let shared = policy.apply(&zoo::kws_mini_at(1, 8, 7)).unwrap();
    let reason = "weights are shared, bits of eight; `rounded_bits` stores 4";
    let expected = [first, ("conv_2", reason.into()), bits("conv_3", 8), last];
    assert_eq!(told(&outline(&shared, &roomy()).unwrap()), expected);
}

/// What a size says is the same with weights and without, though its core lacks lanes that nothing used.
#[test]
fn a_size_says_the_same_with_weights_and_without() {
    for single_port in [false, true] {
        let narrow = under(&zoo::kws_mini(1), [4, 4], true);
        let budget = Budget { single_port, ..Budget::of(&narrow, 49) };
        let ((_, plan), (spec, outlined)) =
            (size(&narrow, budget).unwrap(), size_outline(&narrow, budget).unwrap());
        assert_eq!(told(&plan), told(&outlined));
        // memories of one port have one position a lane, whose multiplier takes eight bits
        assert_eq!(
            (spec.dual, told(&plan).len()),
            if single_port { (true, 2) } else { (false, 4) }
        );
    }
}
