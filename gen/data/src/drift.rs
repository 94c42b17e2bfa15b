//! The same items as they may come later, when the world has changed.

use crate::augment::{add_noise, check_noise};
use crate::random::{Purpose, stream};
use crate::{DataError, Head, Items, Kind, Scale, Shape, Subset};

/// How items change. New speakers are a part of the items: [`Subset::new_groups`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drift {
    /// Images are turned about their center, counterclockwise; black comes in at the corners.
    Rotate {
        /// By how much.
        degrees: f32,
    },
    /// Noise is added to every integer's real number.
    Noise {
        /// Its standard deviation, in real numbers.
        deviation: f32,
    },
}

impl Drift {
    /// The items of a subset, changed. They are new items, in the subset's order, with their labels, groups
    /// and names.
    ///
    /// # Errors
    /// Audio to be turned, numbers out of range.
    pub fn apply(&self, subset: &Subset, seed: u64) -> Result<Subset, DataError> {
        let items = subset.items();
        self.check(items.head())?;
        let (shape, scale) = (items.shape(), items.scale());
        let mut values = Vec::with_capacity(subset.len() * shape.elements());
        for &index in subset.indices() {
            let item = items.values(index as usize);
            match *self {
                Drift::Rotate { degrees } => values.extend(rotated(item, shape, scale, degrees)),
                Drift::Noise { deviation } => {
                    let mut rng = stream(seed, Purpose::Drift, index.into());
                    let mut item = item.to_vec();
                    add_noise(&mut item, scale, deviation, &mut rng);
                    values.extend(item);
                }
            }
        }
        let labels = subset.iter().map(|item| item.label as u16).collect();
        let names = subset.iter().map(|item| item.name.into_owned()).collect();
        let groups = subset.iter().map(|item| item.group).collect();
        let changed = Items::new(items.head().clone(), values, labels)?.with_names(names)?;
        Ok(changed.with_groups(groups, items.group_names().to_vec())?.into())
    }

    fn check(&self, head: &Head) -> Result<(), DataError> {
        match *self {
            Drift::Rotate { .. } if head.kind != Kind::Image => {
                let (set, change) = (head.name.clone(), "rotations");
                Err(DataError::Kind { set, change, kind: "images" })
            }
            Drift::Rotate { degrees } if !degrees.is_finite() => {
                Err(DataError::number("degrees", degrees, "a finite number"))
            }
            Drift::Rotate { .. } => Ok(()),
            Drift::Noise { deviation } => check_noise(deviation),
        }
    }
}

/// An image turned; pixels between pixels are interpolated linearly.
fn rotated(values: &[i8], shape: Shape, scale: Scale, degrees: f32) -> Vec<i8> {
    let Shape { height, width, channels } = shape;
    // `libm`, not the system's functions: the same integers on every machine
    let (sin, cos) = libm::sincosf(degrees.to_radians());
    let center = ((height - 1) as f32 / 2.0, (width - 1) as f32 / 2.0);
    let pixel = |y: f32, x: f32, channel: usize| match (y, x) {
        (y, x) if y < 0.0 || x < 0.0 || y >= height as f32 || x >= width as f32 => 0.0,
        (y, x) => scale.real(values[(y as usize * width + x as usize) * channels + channel]),
    };
    let mut turned = Vec::with_capacity(values.len());
    for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
        let (down, right) = (row as f32 - center.0, column as f32 - center.1);
        let (y, x) = (center.0 + cos * down + sin * right, center.1 + cos * right - sin * down);
        let (top, left) = (y.floor(), x.floor());
        let (dy, dx) = (y - top, x - left);
        for channel in 0..channels {
            let at = |down: f32, right: f32| pixel(top + down, left + right, channel);
            let upper = at(0.0, 0.0) * (1.0 - dx) + at(0.0, 1.0) * dx;
            let lower = at(1.0, 0.0) * (1.0 - dx) + at(1.0, 1.0) * dx;
            turned.push(scale.integer(upper * (1.0 - dy) + lower * dy));
        }
    }
    turned
}
