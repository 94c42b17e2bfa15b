//! Items: features, labels, groups and names, kept compactly.

use crate::DataError;
use std::borrow::Cow;

/// Integers of all items together, at most: 1 GiB.
pub const MAX_VALUES: usize = 1 << 30;
/// Items of a set, at most.
pub const MAX_ITEMS: usize = 1 << 22;
/// Classes of a set, at most.
pub const MAX_CLASSES: usize = 1 << 12;

/// The group of an item that is in none.
const NO_GROUP: u32 = u32::MAX;

/// What features are of; it decides which changes make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows and columns of pixels.
    Image,
    /// Frames of coefficients: rows are time, columns are cepstral coefficients.
    Audio,
}

/// The shape of an item. Its integers lie row by row, column by column, channels innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows; frames of audio.
    pub height: usize,
    /// Columns; coefficients of audio.
    pub width: usize,
    /// Channels: 1 of grey images and audio, 3 of red, green and blue.
    pub channels: usize,
}

impl Shape {
    /// Integers of an item; as large as it gets where they are too many to count.
    pub fn elements(&self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }
}

/// What integers stand for: (q - `zero_point`) * `scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What a step is worth.
    pub scale: f32,
    /// The integer of 0.
    pub zero_point: i32,
}

impl Scale {
    /// Pixels: q is the pixel less 128, so that black is 0 and white is 1.
    pub const PIXELS: Scale = Scale { scale: 1.0 / 255.0, zero_point: -128 };

    /// The real number of an integer.
    pub fn real(&self, q: i8) -> f32 {
        (i32::from(q) - self.zero_point) as f32 * self.scale
    }

    /// The integer next to a real number, halves away from 0, in -128..=127.
    pub fn integer(&self, real: f32) -> i8 {
        // `as` saturates
        ((real / self.scale).round() + self.zero_point as f32) as i8
    }
}

/// What all items of a set have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// What the set is called.
    pub name: String,
    /// Images or audio.
    pub kind: Kind,
    /// An item's shape.
    pub shape: Shape,
    /// What integers stand for.
    pub scale: Scale,
    /// Names of the classes; labels are indices of it.
    pub classes: Vec<String>,
}

/// Labeled items.
#[derive(Debug, Clone, PartialEq)]
pub struct Items {
    head: Head,
    values: Vec<i8>,
    labels: Vec<u16>,
    groups: Vec<u32>,
    group_names: Vec<String>,
    names: Vec<String>,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// Its integers, channels innermost.
    pub values: &'a [i8],
    /// Its class.
    pub label: usize,
    /// Its group, such as a speaker.
    pub group: Option<u32>,
    /// Its name: a file's, or its number.
    pub name: Cow<'a, str>,
}

impl Items {
    /// Items of one shape, one after the other.
    ///
    /// # Errors
    /// No elements or no class, more of a thing than there may be, a number of integers that the labels
    /// and the shape do not give, a label that is no class.
    pub fn new(head: Head, values: Vec<i8>, labels: Vec<u16>) -> Result<Items, DataError> {
        let (elements, classes) = (head.shape.elements(), head.classes.len());
        let counts = [
            ("elements of an item", elements, 1, MAX_VALUES),
            ("classes", classes, 1, MAX_CLASSES),
            ("items", labels.len(), 0, MAX_ITEMS),
            ("integers", values.len(), 0, MAX_VALUES),
        ];
        for (what, value, least, most) in counts {
            if !(least..=most).contains(&value) {
                return Err(DataError::Count { set: head.name, what, value, least, most });
            }
        }
        if Some(values.len()) != labels.len().checked_mul(elements) {
            let (values, items) = (values.len(), labels.len());
            return Err(DataError::Uneven { set: head.name, values, items, elements });
        }
        if let Some(item) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DataError::Label { set: head.name, item, label: labels[item], classes });
        }
        Ok(Items { head, values, labels, groups: vec![], group_names: vec![], names: vec![] })
    }

    /// With groups: of each item the index of its group's name, if it is in one.
    ///
    /// # Errors
    /// Another number of groups than of items, an index that is no group.
    pub fn with_groups(
        mut self,
        groups: Vec<Option<u32>>,
        names: Vec<String>,
    ) -> Result<Items, DataError> {
        let known = groups.iter().flatten().all(|&group| (group as usize) < names.len());
        if groups.len() != self.len() || !known {
            let (set, items) = (self.head.name, self.labels.len());
            return Err(DataError::Groups { set, items, told: groups.len(), names: names.len() });
        }
        self.groups = groups.into_iter().map(|group| group.unwrap_or(NO_GROUP)).collect();
        self.group_names = names;
        Ok(self)
    }

    /// With a name for each item.
    ///
    /// # Errors
    /// Another number of names than of items.
    pub fn with_names(mut self, names: Vec<String>) -> Result<Items, DataError> {
        if names.len() != self.len() {
            let (set, items) = (self.head.name, self.labels.len());
            return Err(DataError::Names { set, items, names: names.len() });
        }
        self.names = names;
        Ok(self)
    }

    /// What all have in common.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// An item's shape.
    pub fn shape(&self) -> Shape {
        self.head.shape
    }

    /// What integers stand for.
    pub fn scale(&self) -> Scale {
        self.head.scale
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.head.classes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The integers of an item.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn values(&self, item: usize) -> &[i8] {
        let elements = self.shape().elements();
        &self.values[item * elements..][..elements]
    }

    /// The class of an item.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn label(&self, item: usize) -> usize {
        self.labels[item].into()
    }

    /// The group of an item, where it is in one.
    pub fn group(&self, item: usize) -> Option<u32> {
        self.groups.get(item).copied().filter(|&group| group != NO_GROUP)
    }

    /// Names of the groups; [`Items::group`] gives indices of it.
    pub fn group_names(&self) -> &[String] {
        &self.group_names
    }

    /// An item.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn item(&self, item: usize) -> Item<'_> {
        let name = self.names.get(item).map(|name| Cow::from(name.as_str()));
        let name = name.unwrap_or_else(|| item.to_string().into());
        let (values, label) = (self.values(item), self.label(item));
        Item { values, label, group: self.group(item), name }
    }
}
