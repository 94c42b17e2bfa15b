//! What becomes of models.

mod models;

use hwgen_network::graph::{Operator, Pad};
use hwgen_network::import::{ImportError, import};

#[test]
fn real_edges_are_left_out() {
    let network = import("edges", &models::real_edges(1)).unwrap();
    let [layer] = &network.layers[..] else { panic!("{} layers", network.layers.len()) };
    assert_eq!(
        (layer.name.as_str(), layer.operator.kind()),
        ("1_fully_connected", "fully_connected")
    );
    assert_eq!((&network.inputs, &network.outputs), (&layer.inputs, &vec![layer.output.clone()]));
    let input = network.tensor(&network.inputs[0]).unwrap();
    assert_eq!((&input.shape[..], input.bits, input.signed), (&[20][..], 8, true));
}

#[test]
fn bytes_and_four_bits_stay_what_they_are() {
    let network = import("variants", &models::variants(6)).unwrap();
    assert!(!network.tensor(&network.inputs[0]).unwrap().signed);
    let linear = network.layers.iter().filter_map(|layer| layer.operator.linear());
    assert_eq!(linear.map(|linear| linear.bits).collect::<Vec<_>>(), [4, 4, 8, 8]);
}

#[test]
fn variables_become_states() {
    let network = import("kept", &models::kept(11)).unwrap();
    let states = &network.states;
    assert_eq!(states.iter().map(|state| state.initial).collect::<Vec<_>>(), [5, -128]);
    let given: Vec<_> = network.given().map(|tensor| tensor.shape.clone()).collect();
    assert_eq!((given, network.inputs.len()), (vec![vec![2, 10]], 3));
    for state in states {
        assert!(network.outputs.contains(&state.output));
    }
    // the model's own output stays the last
    let last = network.tensor(network.outputs.last().unwrap()).unwrap();
    assert_eq!(last.shape, [1]);
}

#[test]
fn shapes_that_are_computed_are_folded() {
    let network = import("shapes", &models::shapes(8)).unwrap();
    let kinds: Vec<_> = network.layers.iter().map(|layer| layer.operator.kind()).collect();
    let expected =
        "reshape conv_2d reshape slice slice add slice slice slice concat reshape fully_connected";
    assert_eq!(kinds.join(" "), expected);
}

#[test]
fn a_rim_of_unsigned_bytes() {
    let network = import("bytes", &models::bytes(10)).unwrap();
    let Operator::Pad(Pad { value, .. }) = network.layers[0].operator else { panic!("no pad") };
    assert_eq!(value, 200);
}

/// What is too much is refused in words that blame no damage.
#[test]
fn scales_out_of_range_are_named() {
    for scale in [f32::NAN, f32::INFINITY, 1e30, 0.0, -1.0] {
        let Err(ImportError::Unsupported(report)) = import("scale", &models::scale(scale)) else {
            panic!("{scale} is taken");
        };
        let said = report.to_string();
        assert!(said.contains(&format!("has scale {scale:e}")), "{said}");
        assert!(!said.contains("damaged"), "{said}");
    }
}
