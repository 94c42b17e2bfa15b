//! A network as the core takes it: padding that convolutions read over, reshapes that nobody but dense
//! layers or the outside sees, means that make rows of channels.

use crate::graph::{Network, Operator, Pad, Pads, Reshape, Tensor};
use crate::lowering::Weights;
use crate::operators::{Kind, Memory, Part, Read};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// A network, and for each layer what stands in for weights that nobody knows.
#[derive(Clone, Copy)]
pub struct Shapes<'n> {
    pub(crate) network: &'n Network,
    pub(crate) stand_ins: &'n [Option<Weights>],
}

impl<'n> From<&'n Network> for Shapes<'n> {
    fn from(network: &'n Network) -> Shapes<'n> {
        Shapes { network, stand_ins: &[] }
    }
}

/// A tensor's place in the list of all.
pub(super) type Id = usize;

/// A network whose layers may read other tensors than they were given, and may be joined by copies.
#[derive(Debug, Clone)]
pub(super) struct Draft<'n> {
    pub(super) tensors: Vec<Tensor>,
    /// What comes in.
    pub(super) inputs: Vec<Id>,
    /// What goes out: of a reshaped tensor, the one that it was, whose elements stand in the same order.
    pub(super) outputs: Vec<Id>,
    /// In the order they run.
    pub(super) steps: Vec<Step<'n>>,
    /// Tensors that have to lie without gaps between positions.
    pub(super) dense: Vec<bool>,
}

/// A layer, or a copy.
#[derive(Debug, Clone)]
pub(super) struct Step<'n> {
    pub(super) name: String,
    pub(super) operator: Cow<'n, Operator>,
    pub(super) inputs: Vec<Id>,
    pub(super) output: Id,
    /// What its weights come to, if it has any.
    pub(super) weights: Rc<[Weights]>,
}

impl Draft<'_> {
    /// What the core has to do of a network that was checked.
    pub(super) fn new(Shapes { network, stand_ins }: Shapes<'_>) -> Draft<'_> {
        let ids: HashMap<&str, Id> =
            network.tensors.iter().enumerate().map(|(id, tensor)| (&tensor.name[..], id)).collect();
        let all = |names: &[String]| names.iter().map(|name| ids[&name[..]]).collect::<Vec<_>>();
        let steps = network.layers.iter().enumerate().map(|(at, layer)| {
            let output = ids[&layer.output[..]];
            let stand_in = stand_ins.get(at).copied().flatten();
            let outputs = || network.tensors[output].image()[2];
            let weights = stand_in.map(|weights| std::iter::repeat_n(weights, outputs()).collect());
            Step {
                name: layer.name.clone(),
                operator: Cow::Borrowed(&layer.operator),
                inputs: all(&layer.inputs),
                output,
                weights: weights.unwrap_or_default(),
            }
        });
        let mut draft = Draft {
            tensors: network.tensors.clone(),
            inputs: all(&network.inputs),
            outputs: all(&network.outputs),
            steps: steps.collect(),
            dense: vec![false; network.tensors.len()],
        };
        draft.expand();
        draft.read_over_padding();
        draft.sum_channels_apart();
        draft.read_through_reshapes();
        draft.drop_unread();
        draft.weigh();
        draft
    }

    /// Products that a step needs.
    pub(super) fn multiplies(&self, step: &Step<'_>) -> u64 {
        step.operator.multiplies(&self.read_by(step), &self.tensors[step.output])
    }

    /// How a step's tensors have to lie.
    pub(super) fn memory(&self, step: &Step<'_>) -> Memory {
        step.operator.known().memory(&self.read_by(step), &self.tensors[step.output])
    }

    fn read_by(&self, step: &Step<'_>) -> Vec<&Tensor> {
        step.inputs.iter().map(|&id| &self.tensors[id]).collect()
    }

    /// The step that makes each tensor.
    fn makers(&self) -> Vec<Option<usize>> {
        let mut makers = vec![None; self.tensors.len()];
        for (at, step) in self.steps.iter().enumerate() {
            makers[step.output] = Some(at);
        }
        makers
    }

    /// A tensor like another, of another name and shape.
    pub(super) fn like(&mut self, id: Id, name: &str, shape: Vec<usize>) -> Id {
        let mut name = name.to_owned();
        while self.tensors.iter().any(|tensor| tensor.name == name) {
            name.push('\'');
        }
        self.tensors.push(Tensor { name, shape, ..self.tensors[id].clone() });
        self.dense.push(false);
        self.tensors.len() - 1
    }

    /// Reads all weights, once for however many cores.
    fn weigh(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.weights.is_empty()) {
            if let Some(linear) = step.operator.linear() {
                step.weights = Weights::of(linear, self.tensors[step.output].image()[2]).into();
            }
        }
    }

    /// Operators that the core does in several steps.
    fn expand(&mut self) {
        for step in std::mem::take(&mut self.steps) {
            let output = &self.tensors[step.output];
            let parts = step.operator.known().expand(&self.read_by(&step), output);
            let (mut made, count) = (vec![], parts.len());
            if count == 0 {
                self.steps.push(step);
                continue;
            }
            for (n, Part { operator, inputs, shape }) in parts.into_iter().enumerate() {
                let read = |read: Read| match read {
                    Read::Given(input) => step.inputs[input],
                    Read::Made(part) => made[part],
                };
                let inputs = inputs.into_iter().map(read).collect();
                let output = match n + 1 == count {
                    true => step.output,
                    false => self.like(step.output, &format!("part {n} of {}", step.name), shape),
                };
                made.push(output);
                let (name, operator) = (step.name.clone(), Cow::Owned(operator));
                self.steps.push(Step { name, operator, inputs, output, weights: Rc::default() });
            }
        }
    }

    /// A convolution behind padding of what stands for 0 reads what was padded.
    fn read_over_padding(&mut self) {
        let makers = self.makers();
        for at in 0..self.steps.len() {
            let read = self.steps[at].inputs[0];
            let before = makers[read].map(|maker| &self.steps[maker]);
            let Some(Step { operator: padding, inputs, .. }) = before else {
                continue;
            };
            let (Operator::Pad(Pad { before, after, value }), from) = (&**padding, inputs[0])
            else {
                continue;
            };
            let (&[top, left, 0], &[bottom, right, 0]) = (&before[..], &after[..]) else {
                continue;
            };
            let zero = *value == self.tensors[from].zero_point;
            let step = &mut self.steps[at];
            if !zero || !matches!(*step.operator, Operator::Conv2d(_)) {
                continue;
            }
            if let Operator::Conv2d(conv) = step.operator.to_mut() {
                let Pads { top: t, left: l, bottom: b, right: r } = conv.window.pads;
                let (top, left) = (t + top, l + left);
                conv.window.pads = Pads { top, left, bottom: b + bottom, right: r + right };
            }
            step.inputs[0] = from;
        }
    }

    /// Dense layers and the outside read a reshaped tensor where it lies, if rows are whole positions
    /// there.
    fn read_through_reshapes(&mut self) {
        let makers = self.makers();
        let origin = |steps: &[Step<'_>], mut id: Id| {
            while let Some(step) = makers[id].map(|maker| &steps[maker]) {
                match *step.operator {
                    Operator::Reshape(_) => id = step.inputs[0],
                    _ => break,
                }
            }
            id
        };
        for output in &mut self.outputs {
            *output = origin(&self.steps, *output);
        }
        let mut at = 0;
        while at < self.steps.len() {
            let Step { operator, inputs, output, .. } = &self.steps[at];
            if let Operator::FullyConnected(dense) = &**operator {
                let row = dense.taps(&[&self.tensors[inputs[0]]], &self.tensors[*output]);
                let (given, first) = (inputs[0], origin(&self.steps, inputs[0]));
                let whole = |id: Id| row.is_multiple_of(self.tensors[id].image()[2]);
                if whole(first) {
                    self.steps[at].inputs[0] = first;
                } else if !whole(given) {
                    let rows = self.tensors[given].elements() / row;
                    self.reshape(at, 0, vec![rows, row]);
                    at += 1;
                }
            }
            at += 1;
        }
    }

    /// The input of a step in another shape.
    fn reshape(&mut self, at: usize, which: usize, shape: Vec<usize>) {
        let read = self.steps[at].inputs[which];
        let name = format!("{} reshaped", self.tensors[read].name);
        let output = self.like(read, &name, shape);
        self.steps[at].inputs[which] = output;
        let operator = Cow::Owned(Operator::Reshape(Reshape {}));
        self.steps.insert(
            at,
            Step { name, operator, inputs: vec![read], output, weights: Rc::default() },
        );
    }

    /// A mean over channels too leaves one channel a position; where they are given as channels of
    /// fewer positions, they are reshaped.
    fn sum_channels_apart(&mut self) {
        let mut at = 0;
        while at < self.steps.len() {
            let Step { operator, inputs, output, .. } = &self.steps[at];
            if let Operator::Mean(mean) = &**operator {
                let (x, z) = (&self.tensors[inputs[0]], *output);
                let kept = mean.kept(x);
                if kept[2] != self.tensors[z].image()[2] {
                    let name = format!("{} as an image", self.tensors[z].name);
                    let image = self.like(z, &name, kept.to_vec());
                    self.steps[at].output = image;
                    let operator = Cow::Owned(Operator::Reshape(Reshape {}));
                    let reshape = Step {
                        name,
                        operator,
                        inputs: vec![image],
                        output: z,
                        weights: Rc::default(),
                    };
                    self.steps.insert(at + 1, reshape);
                    at += 1;
                }
            }
            at += 1;
        }
    }

    /// Padding and reshapes that nobody reads any more are left out.
    fn drop_unread(&mut self) {
        let mut read = vec![0; self.tensors.len()];
        let outputs = self.outputs.iter();
        for &id in self.steps.iter().flat_map(|step| &step.inputs).chain(outputs) {
            read[id] += 1;
        }
        let mut kept = vec![];
        while let Some(step) = self.steps.pop() {
            let idle = matches!(*step.operator, Operator::Pad(_) | Operator::Reshape(_));
            if idle && read[step.output] == 0 {
                step.inputs.iter().for_each(|&id| read[id] -= 1);
            } else {
                kept.push(step);
            }
        }
        kept.reverse();
        self.steps = kept;
    }
}
