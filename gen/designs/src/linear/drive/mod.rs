//! The linear layers around attention between stream drivers and their golden models.

pub mod exact;
pub mod feed_forward;
pub mod importance;
pub mod log;

use crate::drive::{pack, unpack};
use crate::linear::Layer;
use hwgen_hdl::Int;
use rand::Rng;

/// An int8 number: any, or often an extreme.
fn int8(rng: &mut impl Rng, corners: bool) -> i32 {
    match corners {
        true => [-128, -127, -8, -1, 0, 0, 1, 7, 8, 119, 120, 127][rng.random_range(0..12)],
        false => rng.random_range(-128..128),
    }
}

/// The beats of an output's weights, each a number of `bits` bits: places beyond the inputs get
/// `noise`.
fn weight_beats(
    layer: Layer,
    rows: &[Vec<i32>],
    bits: u32,
    mut noise: impl FnMut() -> i32,
) -> Vec<Int> {
    let lanes = layer.lanes as usize;
    let mut beats = vec![];
    for row in rows {
        for chunk in row.chunks(lanes) {
            let mut chunk = chunk.to_vec();
            chunk.resize_with(lanes, &mut noise);
            beats.push(pack(chunk.into_iter(), bits));
        }
    }
    beats
}

/// Whether position `i` of `count` is the last, as a field.
fn last(i: usize, count: usize) -> Int {
    u8::from(i + 1 == count).into()
}

/// A result: its elements, and whether it is its batch's last.
pub type Element = (Vec<i32>, bool);

/// What a layer makes of a batch's tokens.
fn elements<'t, T>(
    tokens: &'t [T],
    apply: impl Fn(&'t T) -> Vec<i32> + 't,
) -> impl Iterator<Item = Element> + 't {
    let count = tokens.len();
    tokens.iter().enumerate().map(move |(i, token)| (apply(token), i + 1 == count))
}

/// A beat of a layer's result.
fn element(layer: Layer, beat: &[Int]) -> Element {
    (unpack(&beat[0], 8, layer.outputs), beat[1] == Int::from(1))
}
