//! Items as a network takes them.

use hwgen_data::Subset;
use hwgen_network::graph::Network;

/// The items' integers, in steps of the network's input.
pub fn inputs<'i>(network: &'i Network, items: &'i Subset) -> impl Iterator<Item = Vec<i16>> + 'i {
    let input = network.inputs.first().and_then(|name| network.tensor(name));
    let scale = items.items().scale();
    let integer = move |&value: &i8| {
        let number = f64::from(scale.real(value));
        input.map_or(0, |input| input.quantize(number)) as i16
    };
    items.iter().map(move |item| item.values.iter().map(integer).collect())
}
