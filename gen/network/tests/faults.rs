//! Faults in a network, each named with its place and the range allowed.

use hwgen_network::graph::{
    Add, Clamp, Conv2d, Mean, Multiplier, Network, Operator, Reshape, Rounding, Softmax,
};
use hwgen_network::zoo;
use insta::assert_snapshot;

/// What is said of the small spotter after a change.
fn fault(change: impl FnOnce(&mut Network)) -> String {
    let mut network = zoo::kws_mini(1);
    change(&mut network);
    network.validate().unwrap_err().to_string()
}

/// The same after a change of its first layer's operator.
fn fault_of_layer(change: impl FnOnce(&mut Operator)) -> String {
    fault(|network| change(&mut network.layers[0].operator))
}

fn with_operator(operator: Operator) -> String {
    fault_of_layer(|place| *place = operator)
}

#[test]
fn faults() {
    let clamp = Clamp { min: -128, max: 127 };
    let multiplier = Multiplier { mantissa: 1 << 30, shift: 0 };
    let said = [
        fault(|n| n.version = 2),
        fault(|n| n.layers.clear()),
        fault(|n| n.tensors[1].name = n.tensors[0].name.clone()),
        fault(|n| n.tensors[0].shape = vec![1; 4]),
        fault(|n| n.tensors[0].shape = vec![1 << 20, 1 << 20]),
        fault(|n| n.tensors[0].bits = 9),
        fault(|n| n.tensors[0].scale = f64::NAN),
        fault(|n| n.tensors[0].zero_point = 128),
        fault(|n| n.layers[0].inputs[0] = "nothing".to_owned()),
        fault(|n| n.layers[0].inputs[0] = "conv_3".to_owned()),
        fault(|n| n.layers[1].output = "conv_1".to_owned()),
        fault(|n| n.layers[0].inputs.clear()),
        fault(|n| n.tensors[1].shape = vec![25, 6, 16]),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { linear, .. }) = o {
                linear.bits = 4;
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { window, .. }) = o {
                window.stride[1] = 0;
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { groups, .. }) = o {
                *groups = 3;
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { linear, .. }) = o {
                linear.weights = vec![0; 5].into();
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { linear, .. }) = o {
                linear.bias = vec![i32::MAX; 16].into();
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { linear, .. }) = o {
                linear.multipliers.shifts = vec![31; 16].into();
            }
        }),
        fault_of_layer(|o| {
            if let Operator::Conv2d(Conv2d { linear, .. }) = o {
                linear.clamp = Clamp { min: 5, max: 4 };
            }
        }),
        with_operator(Operator::Softmax(Softmax { table: vec![1, 2].into(), steps: 256 })),
        with_operator(Operator::Softmax(Softmax { table: vec![1; 256].into(), steps: 1 })),
        with_operator(Operator::Mean(Mean {
            axes: vec![1, 0],
            keep: true,
            multiplier,
            rounding: Rounding::Twice,
            clamp,
        })),
        with_operator(Operator::Reshape(Reshape {})),
        with_operator(Operator::Add(Add {
            left_shift: 30,
            inputs: [multiplier; 2],
            multiplier,
            rounding: Rounding::Twice,
            clamp,
        })),
    ];
    assert_snapshot!(said.join("\n"));
}
