//! Spaces by name.

use super::{Block, Kind, Space};

/// The names that [`preset`] knows.
pub const PRESETS: [&str; 5] = ["shapes", "images", "mobile", "keywords", "cenet"];

/// A space for items of a shape and so many classes.
pub fn preset(name: &str, input: [usize; 3], classes: usize) -> Option<Space> {
    let blocks = match name {
        "shapes" => shapes(),
        "images" => images(),
        "mobile" => mobile(),
        "keywords" => keywords(),
        "cenet" => cenet(),
        _ => return None,
    };
    Some(Space {
        version: 1,
        name: name.to_owned(),
        input,
        classes,
        weight_bits: vec![4, 8],
        activation_bits: vec![4, 7, 8],
        blocks,
    })
}

/// Small: for a first look and for tests.
fn shapes() -> Vec<Block> {
    vec![
        conv("stem", &[3], 2, &[8, 12, 16]),
        conv("conv_1", &[3, 5], 2, &[16, 24, 32]),
        same(conv("conv_2", &[3], 1, &[])),
    ]
}

/// Convolutions: what the core is fastest at.
fn images() -> Vec<Block> {
    vec![
        conv("stem", &[3, 5], 2, &[8, 16]),
        conv("conv_1", &[3, 5], 1, &[16, 24, 32]),
        same(conv("conv_2", &[3], 1, &[])),
        conv("conv_3", &[3], 2, &[24, 32, 48]),
        same(conv("conv_4", &[3], 1, &[])),
        conv("conv_5", &[3], 2, &[32, 48, 64]),
        same(conv("conv_6", &[3], 1, &[])),
    ]
}

/// Inverted residuals, as in MobileNetV2.
fn mobile() -> Vec<Block> {
    vec![
        conv("stem", &[3], 2, &[8, 16]),
        inverted("block_1", 1, &[16, 24]),
        same(inverted("block_2", 1, &[])),
        inverted("block_3", 2, &[24, 32, 40]),
        same(inverted("block_4", 1, &[])),
        inverted("block_5", 1, &[40, 56, 64]),
        same(inverted("block_6", 1, &[])),
    ]
}

/// A kernel of 10 x 4 and separable blocks, as in DS-CNN.
fn keywords() -> Vec<Block> {
    let stem = Block { kernels: vec![[10, 4]], ..conv("stem", &[3], 2, &[16, 32, 48, 64]) };
    let separable = |name: &str, channels: &[usize]| Block {
        kind: Kind::Separable,
        ..conv(name, &[3, 5], 1, channels)
    };
    vec![
        stem,
        separable("block_1", &[32, 48, 64]),
        same(separable("block_2", &[])),
        separable("block_3", &[32, 48, 64]),
        same(separable("block_4", &[])),
        Block { optional: true, ..graph("graph") },
    ]
}

/// Bottlenecks and graph convolutions: CENet and CENet-GCN (arXiv 1912.05124), six blocks.
fn cenet() -> Vec<Block> {
    let bottleneck = |name: &str, stride: usize, channels: &[usize], inner: &[usize]| Block {
        kind: Kind::Bottleneck,
        expansions: inner.to_vec(),
        ..conv(name, &[3], stride, channels)
    };
    let mut blocks = vec![conv("stem", &[3], 2, &[16])];
    for (stage, inner, after) in
        [(1, [4, 8], [24, 32]), (2, [4, 8], [32, 48]), (3, [8, 12], [48, 64])]
    {
        blocks.push(same(bottleneck(&format!("stage_{stage}_block"), 1, &[], &inner)));
        blocks.push(bottleneck(&format!("stage_{stage}_connection"), 2, &after, &inner));
        blocks.push(Block { optional: true, ..graph(&format!("stage_{stage}_graph")) });
    }
    blocks
}

fn conv(name: &str, sides: &[usize], stride: usize, channels: &[usize]) -> Block {
    Block {
        name: name.to_owned(),
        kind: Kind::Conv,
        kernels: sides.iter().map(|&side| [side; 2]).collect(),
        stride: [stride; 2],
        channels: channels.to_vec(),
        expansions: vec![],
        optional: false,
    }
}

fn inverted(name: &str, stride: usize, channels: &[usize]) -> Block {
    Block { kind: Kind::Inverted, expansions: vec![2, 4], ..conv(name, &[3, 5], stride, channels) }
}

fn graph(name: &str) -> Block {
    Block { kind: Kind::Graph, ..conv(name, &[1], 1, &[]) }
}

/// May be left out.
fn same(block: Block) -> Block {
    Block { optional: true, ..block }
}
