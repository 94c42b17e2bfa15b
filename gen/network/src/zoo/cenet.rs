//! CENet and CENet-GCN (arXiv 1912.05124): compact keyword spotters on 101 x 40 features.
//!
//! A 3x3 convolution and a 2x2 mean; three stages of bottlenecks (1x1, 3x3, 1x1, and the input
//! added), each ended by a connection (stride 2 in the 3x3, a 1x1 shortcut of stride 2) and, in
//! CENet-GCN, by a graph convolution over all pixels; mean, dense, softmax.
//!
//! The paper leaves open where a block's ReLU and a connection's stride are; here they are as in
//! ResNet: ReLU after the addition, stride in the 3x3. Neither changes the number of parameters.

use super::builder::{Builder, Built, Filter, Value};

/// The networks' sizes: 3 connections and so many bottlenecks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// 1, 1 and 1 bottlenecks.
    Six,
    /// 7, 7 and 7.
    TwentyFour,
    /// 15, 15 and 7.
    Forty,
}

/// Channels inside a stage, inside its blocks' bottlenecks, and after its connection.
const STAGES: [(usize, usize, usize); 3] = [(16, 8, 32), (32, 8, 48), (48, 12, 64)];

/// The network with random weights.
pub fn cenet(blocks: Blocks, gcn: bool, seed: u64) -> Built {
    let (count, bottlenecks) = match blocks {
        Blocks::Six => (6, [1, 1, 1]),
        Blocks::TwentyFour => (24, [7, 7, 7]),
        Blocks::Forty => (40, [15, 15, 7]),
    };
    let name = format!("cenet_{}{count}", if gcn { "gcn_" } else { "" });
    let mut b = Builder::new(&name, seed, [101, 40, 1], 8, 8);
    let x = b.input();
    let x = b.conv("initial", &x, Filter { size: 3, stride: 1, channels: 16, relu: true });
    let mut x = b.average_pool("initial_pool", &x, 2);
    for (stage, (&(channels, middle, after), bottlenecks)) in
        STAGES.iter().zip(bottlenecks).enumerate()
    {
        let stage = stage + 1;
        for n in 1..=bottlenecks {
            let name = format!("stage_{stage}_block_{n}");
            let z = branch(&mut b, &name, &x, middle, channels, 1);
            x = b.add(&format!("{name}_add"), [&x, &z], 1.0, true);
        }
        let name = format!("stage_{stage}_connection");
        let z = branch(&mut b, &name, &x, middle, after, 2);
        let shortcut = Filter { size: 1, stride: 2, channels: after, relu: false };
        let shortcut = b.conv(&format!("{name}_shortcut"), &x, shortcut);
        x = b.add(&format!("{name}_add"), [&shortcut, &z], 1.0, true);
        if gcn {
            x = graph_convolution(&mut b, &format!("stage_{stage}_gcn"), &x);
        }
    }
    let x = b.mean("mean", &x);
    let x = b.fully_connected("scores", &x, 12);
    let x = b.softmax("probabilities", &x);
    b.finish(&x)
}

/// 1x1, 3x3, 1x1, each normalized.
fn branch(
    b: &mut Builder,
    name: &str,
    x: &Value,
    middle: usize,
    channels: usize,
    stride: usize,
) -> Value {
    let filter = |size, stride, channels, relu| Filter { size, stride, channels, relu };
    let x = b.conv(&format!("{name}_reduce"), x, filter(1, 1, middle, true));
    let x = b.conv(&format!("{name}_filter"), &x, filter(3, stride, middle, true));
    b.conv(&format!("{name}_expand"), &x, filter(1, 1, channels, false))
}

/// `gamma * relu(softmax((X Wt)(X Wp)^T) X W) + X` over the rows X of all pixels; Wt and Wp have a
/// quarter of the channels, and all three a bias.
fn graph_convolution(b: &mut Builder, name: &str, image: &Value) -> Value {
    let [height, width, channels] = image.image();
    let nodes = b.reshape(&format!("{name}_nodes"), image, &[height * width, channels]);
    // factors of products are quantized around 0
    b.around_0 = true;
    let theta = b.fully_connected(&format!("{name}_theta"), &nodes, channels / 4);
    let phi = b.fully_connected(&format!("{name}_phi"), &nodes, channels / 4);
    let values = b.fully_connected(&format!("{name}_values"), &nodes, channels);
    b.around_0 = false;
    let affinity = b.mat_mul(&format!("{name}_affinity"), [&theta, &phi], true, false);
    b.around_0 = true;
    let shares = b.softmax(&format!("{name}_shares"), &affinity);
    b.around_0 = false;
    let mixed = b.mat_mul(&format!("{name}_aggregate"), [&shares, &values], false, true);
    let gamma = b.draw_gamma();
    let sum = b.add(&format!("{name}_add"), [&nodes, &mixed], gamma, false);
    b.reshape(&format!("{name}_image"), &sum, &[height, width, channels])
}
