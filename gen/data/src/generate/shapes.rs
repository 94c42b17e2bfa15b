//! Images of shapes: eight classes, at any place, in many sizes, a bit turned, bright on dark or dark on
//! bright, with spots and noise.

use super::check;
use crate::random::{Purpose, stream};
use crate::{Color, Data, DataError, Head, Items, Kind, Scale, Shape, Subset};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::fmt;

const CLASSES: [&str; 8] =
    ["disc", "ring", "square", "frame", "triangle", "cross", "saltire", "bars"];

/// Spots that belong to no shape.
const SPOTS: usize = 2;

/// A set of shapes; both parts have of each class alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shapes {
    /// Images to train with.
    pub train: usize,
    /// Images to test with.
    pub test: usize,
    /// 28 x 28 in gray or 32 x 32 in color.
    pub color: Color,
    /// Standard deviation of the noise; white is 1.
    pub noise: f32,
    /// What all is drawn by.
    pub seed: u64,
}

impl Default for Shapes {
    /// 4,000 and 1,000 gray images with a noise of 0.08, seed 0: a small network gets some 94 % of them.
    fn default() -> Shapes {
        Shapes { train: 4000, test: 1000, color: Color::Gray, noise: 0.08, seed: 0 }
    }
}

/// Where a shape is, and how it looks.
struct Pose {
    center: (f32, f32),
    radius: f32,
    /// Sine and cosine.
    turn: (f32, f32),
    stroke: f32,
    spots: [(f32, f32, f32); SPOTS],
}

impl Shapes {
    /// Draws the set.
    ///
    /// # Errors
    /// Too many items, a noise that is none.
    pub fn data(&self) -> Result<Data, DataError> {
        check(self.train, self.test)?;
        crate::augment::check_noise(self.noise)?;
        let train = self.part("train", 0, self.train)?;
        let test = Some(self.part("test", 1, self.test)?);
        Ok(Data { train, validation: None, test })
    }

    fn part(&self, part: &str, number: u64, count: usize) -> Result<Subset, DataError> {
        let (side, channels) = if self.color == Color::Gray { (28, 1) } else { (32, 3) };
        let head = Head {
            name: format!("shapes, {part}"),
            kind: Kind::Image,
            shape: Shape { height: side, width: side, channels },
            scale: Scale::PIXELS,
            classes: CLASSES.map(str::to_owned).to_vec(),
        };
        let image = |item: usize| {
            let rng = stream(self.seed, Purpose::Shapes, number << 32 | item as u64);
            self.draw(item % CLASSES.len(), head.shape, rng)
        };
        let values = (0..count).flat_map(image).collect();
        let labels = (0..count).map(|item| (item % CLASSES.len()) as u16).collect();
        Ok(Items::new(head, values, labels)?.into())
    }

    fn draw(&self, class: usize, shape: Shape, mut rng: ChaCha8Rng) -> Vec<i8> {
        let pose = Pose::any(shape.height as f32, &mut rng);
        let colors: Vec<(f32, f32)> = (0..shape.channels).map(|_| contrast(&mut rng)).collect();
        let mut values = Vec::with_capacity(shape.elements());
        for (row, column) in (0..shape.height).flat_map(|y| (0..shape.width).map(move |x| (y, x))) {
            let cover = pose.cover(class, row as f32, column as f32);
            for &(back, front) in &colors {
                let noise: f32 = rng.sample(StandardNormal);
                let real = back + (front - back) * cover + self.noise * noise;
                values.push(Scale::PIXELS.integer(real));
            }
        }
        values
    }
}

/// Two levels, one for what is behind and one for the shape.
fn contrast(rng: &mut ChaCha8Rng) -> (f32, f32) {
    let (low, apart) = (rng.random_range(0.05..0.4), rng.random_range(0.35..0.6));
    if rng.random() { (low, low + apart) } else { (low + apart, low) }
}

impl Pose {
    fn any(side: f32, rng: &mut ChaCha8Rng) -> Pose {
        let mut place = |least: f32, most: f32| side * rng.random_range(least..most);
        let center = (place(0.36, 0.64), place(0.36, 0.64));
        let radius = place(0.18, 0.36);
        let spots = [(); SPOTS].map(|()| (place(0.0, 1.0), place(0.0, 1.0), place(0.02, 0.06)));
        let turn = libm::sincosf(rng.random_range(-0.26..0.26));
        Pose { center, radius, turn, stroke: rng.random_range(0.16..0.26), spots }
    }

    /// How much of a pixel is covered.
    fn cover(&self, class: usize, row: f32, column: f32) -> f32 {
        let (down, right) = (row - self.center.0, column - self.center.1);
        let (sin, cos) = self.turn;
        let y = (cos * down - sin * right) / self.radius;
        let x = (cos * right + sin * down) / self.radius;
        let shape = self.radius * outside(class, y, x, self.stroke);
        let spot = |&(y, x, radius): &(f32, f32, f32)| length(row - y, column - x) - radius;
        let outside = self.spots.iter().map(spot).fold(shape, f32::min);
        (0.5 - outside).clamp(0.0, 1.0)
    }
}

fn length(y: f32, x: f32) -> f32 {
    (y * y + x * x).sqrt()
}

/// How far a point is outside a shape of radius 1, about; negative inside.
fn outside(class: usize, y: f32, x: f32, stroke: f32) -> f32 {
    let box_of = |y: f32, x: f32| y.abs().max(x.abs());
    let bar = |along: f32, across: f32| (along.abs() - 1.0).max(across.abs() - stroke);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    match class {
        0 => length(y, x) - 0.85,
        1 => (length(y, x) - 0.75).abs() - stroke,
        2 => box_of(y, x) - 0.75,
        3 => (box_of(y, x) - 0.7).abs() - stroke,
        // three sides, at angles of 120 degrees
        4 => (y - 0.5).max(0.866 * x.abs() - 0.5 * y - 0.5),
        5 => bar(y, x).min(bar(x, y)),
        6 => bar((y + x) * half, (y - x) * half).min(bar((y - x) * half, (y + x) * half)),
        _ => (y.abs() - 0.55).abs().max(x.abs() - 0.9 + stroke) - stroke,
    }
}

impl fmt::Display for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shapes { train, test, color, .. } = self;
        let size = if *color == Color::Gray { "28 x 28 gray" } else { "32 x 32 color" };
        write!(f, "generated shapes: {train} {size} images of {} classes", CLASSES.len())?;
        write!(f, ", test of {test}")
    }
}
