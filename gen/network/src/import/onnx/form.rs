//! The shape of a tensor in the file, and how its elements lie here.
//!
//! ONNX has batch, channels, height, width, or batch, channels, length; here channels vary fastest and
//! there is no batch. A line is an image of height 1.

use super::node::broken;
use crate::graph::MOST_ELEMENTS;
use crate::import::report::Problem;

/// A shape of the file with an order of elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// As the file has it, the batch of 1 included.
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
}

/// Where the element of an index lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As in the file.
    Plain,
    /// The file has batch, channels, height, width, or batch, channels, length; here it is height
    /// (or 1), width, channels.
    Image,
    /// The file has made a vector of an image of these channels, height and width; here the
    /// elements still lie as the image's.
    Flat([usize; 3]),
}

impl Form {
    pub(super) fn plain(shape: Vec<usize>) -> Form {
        Form { shape, order: Order::Plain }
    }

    pub(super) fn elements(&self) -> usize {
        self.shape.iter().fold(1, |product: usize, &size| product.saturating_mul(size))
    }

    fn batch(&self) -> usize {
        usize::from(self.shape.len() > 1 && self.shape[0] == 1)
    }

    /// The shape here.
    pub(super) fn here(&self) -> Result<Vec<usize>, Problem> {
        let problem = || {
            let problem = format!("a tensor of it has shape {:?}", self.shape);
            Problem::new(problem, "use a batch of 1 and at most three axes more")
        };
        if self.shape.contains(&0) || self.elements() > MOST_ELEMENTS {
            return Err(problem());
        }
        match (self.order, &self.shape[..]) {
            (Order::Image, &[1, channels, height, width]) => Ok(vec![height, width, channels]),
            (Order::Image, &[1, channels, length]) => Ok(vec![1, length, channels]),
            (Order::Image, _) => Err(problem()),
            (_, []) => Ok(vec![1]),
            (_, shape) => match &shape[self.batch()..] {
                shape if shape.len() <= 3 => Ok(shape.to_vec()),
                _ => Err(problem()),
            },
        }
    }

    /// Channels, height and width of an image.
    pub(super) fn image(&self) -> Result<[usize; 3], Problem> {
        match (self.order, &self.shape[..]) {
            (Order::Image, &[1, channels, height, width]) => Ok([channels, height, width]),
            (Order::Image, &[1, channels, length]) => Ok([channels, 1, length]),
            (Order::Plain, &([1, _, _] | [1, _, _, _])) => {
                let problem = format!("its input {:?} is made of rows", self.shape);
                Err(Problem::new(problem, "transpose them to channels first"))
            }
            _ => {
                let problem = format!("its input has shape {:?}", self.shape);
                let rewrite = "give it 1, channels, height, width, or 1, channels, length";
                Err(Problem::new(problem, rewrite))
            }
        }
    }

    /// An image of height 1, which the file has as batch, channels, length.
    pub(super) fn is_line(&self) -> bool {
        self.order == Order::Image && self.shape.len() == 3
    }

    /// The image, or the line, that windows make of one.
    pub(super) fn windows(&self, channels: usize, [rows, columns]: [usize; 2]) -> Form {
        let shape = match self.is_line() {
            true => vec![1, channels, columns],
            false => vec![1, channels, rows, columns],
        };
        Form { shape, order: Order::Image }
    }

    /// As an image, if its elements lie so in both orders: one channel, or one pixel.
    pub(super) fn into_image(self) -> Form {
        let alike = match self.shape[..] {
            [1, channels, ref sides @ ..] if [1, 2].contains(&sides.len()) => {
                channels == 1 || sides.iter().all(|&side| side == 1)
            }
            _ => false,
        };
        match self.order {
            Order::Plain if alike => Form { order: Order::Image, ..self },
            _ => self,
        }
    }

    /// The axis here of an axis of the file.
    pub(super) fn axis(&self, axis: i64) -> Result<usize, Problem> {
        let rank = self.shape.len() as i64;
        let axis = if axis < 0 { axis.saturating_add(rank) } else { axis };
        if !(0..rank).contains(&axis) {
            return Err(broken(format!("axis {axis} of {rank} does not exist")));
        }
        let axis = axis as usize;
        let place = match self.order {
            Order::Image if self.is_line() => [None, Some(2), Some(1)][axis],
            Order::Image => [None, Some(2), Some(0), Some(1)][axis],
            _ => axis.checked_sub(self.batch()),
        };
        place.ok_or_else(|| Problem::new("it works on the batch axis", "leave the batch alone"))
    }

    /// The same elements in another shape of the file.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Result<Form, Problem> {
        let target = Form::plain(shape);
        if target.elements() != self.elements() {
            let (from, to) = (&self.shape, &target.shape);
            return Err(broken(format!("it makes {to:?} of {from:?}")));
        }
        if target.shape == self.shape {
            return Ok(self.clone());
        }
        // one channel, or one pixel, lies alike in both orders
        let alike = |[channels, height, width]: [usize; 3]| channels == 1 || height * width == 1;
        let image = match target.shape[..] {
            [1, channels, height, width] => Some([channels, height, width]),
            // the rows of a matrix are no channels
            [1, channels, length] if self.order != Order::Plain => Some([channels, 1, length]),
            _ => None,
        };
        let vector = target.here()?.len() == 1;
        let lies = match self.order {
            Order::Image => self.image()?,
            Order::Flat(image) => image,
            Order::Plain => [1; 3],
        };
        let order = match image {
            // rows and columns lie one after the other
            Some(image) if image[0] == lies[0] || alike(lies) && alike(image) => Order::Image,
            None | Some(_) if alike(lies) => Order::Plain,
            _ if vector => Order::Flat(lies),
            _ => {
                let problem = format!(
                    "it makes {:?} of channels, height, width {lies:?}, whose channels vary fastest here",
                    target.shape
                );
                return Err(Problem::new(problem, "transpose to 0, 2, 3, 1 before it"));
            }
        };
        Ok(Form { order, ..target })
    }

    /// Axes in another order, if no element moves here.
    pub(super) fn transposed(&self, axes: &[usize]) -> Result<Form, Problem> {
        let shape = axes.iter().map(|&axis| self.shape[axis]).collect();
        let identity = axes.iter().enumerate().all(|(n, &axis)| n == axis);
        match (self.order, axes) {
            (order, _) if identity => Ok(Form { shape, order }),
            (Order::Image, [0, 2, 3, 1] | [0, 2, 1]) => Ok(Form::plain(shape)),
            (Order::Plain, [0, 3, 1, 2] | [0, 2, 1]) if self.shape[0] == 1 => {
                Ok(Form { shape, order: Order::Image })
            }
            _ => {
                let rewrite = "transpose images only, between channels first and channels last";
                Err(Problem::new(format!("it moves elements: perm {axes:?}"), rewrite))
            }
        }
    }
}
