//! What becomes of models.

mod models;

use hwgen_network::import::import;

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
