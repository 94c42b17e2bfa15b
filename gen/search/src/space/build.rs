//! How blocks become layers.

use super::{Block, By, Kind, Layer, Node, Pick, Space, Subnet, Width};

/// Asks for an option: of a place, what, of so many.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&str, Pick, usize) -> usize;

/// The layers of a space, each option as `ask` says. Every gene is asked for, also of a block that is left out.
pub(super) fn build(space: &Space, ask: Ask<'_>) -> Subnet {
    let mut builder = Builder { space, nodes: Vec::new(), block: None, ask };
    let [height, width, channels] = space.input;
    let bits = builder.bits("input");
    builder.nodes.push(Node {
        name: "input".to_owned(),
        layer: Layer::Input,
        inputs: vec![],
        image: [height, width],
        channels,
        bits,
        relu: false,
        by: By { block: None, width: Width::Fixed },
    });
    for block in &space.blocks {
        builder.block(block);
    }
    builder.head();
    Subnet { nodes: builder.nodes }
}

struct Builder<'a> {
    space: &'a Space,
    nodes: Vec<Node>,
    block: Option<String>,
    ask: Ask<'a>,
}

/// Channels, and what decides how many.
#[derive(Clone, Copy)]
struct Wide {
    channels: usize,
    by: Width,
}

impl Builder<'_> {
    fn block(&mut self, block: &Block) {
        self.block = Some(block.name.clone());
        let there = !block.optional || (self.ask)(&block.name, Pick::Present, 2) == 1;
        let before = self.nodes.len();
        let kernel = self.of(&block.name, Pick::Kernel, &block.kernels);
        let given = self.like(before - 1);
        let out = match &block.channels[..] {
            [] => given,
            options => Wide {
                channels: self.of(&block.name, Pick::Channels, options),
                by: Width::Channels,
            },
        };
        let expansion = match &block.expansions[..] {
            [] => 1,
            options => self.of(&block.name, Pick::Expansion, options),
        };
        match block.kind {
            Kind::Conv => self.filter(block, kernel, out),
            Kind::Separable => self.separable(block, kernel, out),
            Kind::Inverted => {
                let by = Width::Times(before - 1);
                self.inverted(
                    block,
                    kernel,
                    out,
                    Wide { channels: expansion * given.channels, by },
                );
            }
            Kind::Bottleneck => {
                let inner = Wide { channels: expansion, by: Width::Expansion };
                self.bottleneck(block, kernel, out, inner);
            }
            Kind::Graph => self.graph(block),
        }
        if !there {
            self.nodes.truncate(before);
        }
    }

    fn filter(&mut self, block: &Block, kernel: [usize; 2], out: Wide) {
        let from = self.nodes.len() - 1;
        self.conv(&block.name, from, (kernel, block.stride), out, true);
        if block.optional {
            self.add(block, from);
        }
    }

    fn separable(&mut self, block: &Block, kernel: [usize; 2], out: Wide) {
        let from = self.nodes.len() - 1;
        let x = self.depthwise(&named(block, "depthwise"), from, (kernel, block.stride));
        self.conv(&named(block, "pointwise"), x, ONE, out, true);
        if block.optional {
            self.add(block, from);
        }
    }

    fn inverted(&mut self, block: &Block, kernel: [usize; 2], out: Wide, inner: Wide) {
        let from = self.nodes.len() - 1;
        let x = self.conv(&named(block, "expand"), from, ONE, inner, true);
        let x = self.depthwise(&named(block, "depthwise"), x, (kernel, block.stride));
        self.conv(&named(block, "project"), x, ONE, out, false);
        if block.channels.is_empty() && block.stride == [1, 1] {
            self.add(block, from);
        }
    }

    fn bottleneck(&mut self, block: &Block, kernel: [usize; 2], out: Wide, inner: Wide) {
        let from = self.nodes.len() - 1;
        let x = self.conv(&named(block, "reduce"), from, ONE, inner, true);
        let x = self.conv(&named(block, "filter"), x, (kernel, block.stride), inner, true);
        let branch = self.conv(&named(block, "expand"), x, ONE, out, false);
        let shortcut = match block.channels.is_empty() && block.stride == [1, 1] {
            true => from,
            false => {
                let name = named(block, "shortcut");
                self.conv(&name, from, ([1, 1], block.stride), out, false)
            }
        };
        self.sum(block, [shortcut, branch], true);
    }

    fn graph(&mut self, block: &Block) {
        let from = self.nodes.len() - 1;
        let (name, out) = (named(block, "nodes"), self.like(from));
        let weight_bits = self.weight_bits(&name);
        self.node(&name, Layer::Graph { weight_bits }, vec![from], out, true);
        self.add(block, from);
    }

    fn head(&mut self) {
        self.block = None;
        let from = self.nodes.len() - 1;
        let (out, relu) = (self.like(from), self.nodes[from].relu);
        self.node("mean", Layer::Mean, vec![from], out, relu);
        let weight_bits = self.weight_bits("scores");
        self.nodes.push(Node {
            name: "scores".to_owned(),
            layer: Layer::Dense { weight_bits },
            inputs: vec![from + 1],
            image: [1, 1],
            channels: self.space.classes,
            bits: 8,
            relu: false,
            by: By { block: None, width: Width::Fixed },
        });
    }

    fn conv(
        &mut self,
        name: &str,
        from: usize,
        (kernel, stride): ([usize; 2], [usize; 2]),
        out: Wide,
        relu: bool,
    ) -> usize {
        let weight_bits = self.weight_bits(name);
        self.node(name, Layer::Conv { kernel, stride, weight_bits }, vec![from], out, relu)
    }

    fn depthwise(
        &mut self,
        name: &str,
        from: usize,
        (kernel, stride): ([usize; 2], [usize; 2]),
    ) -> usize {
        let weight_bits = self.weight_bits(name);
        let out = self.like(from);
        self.node(name, Layer::Depthwise { kernel, stride, weight_bits }, vec![from], out, true)
    }

    /// What a block puts out and what went in.
    fn add(&mut self, block: &Block, from: usize) {
        self.sum(block, [from, self.nodes.len() - 1], false);
    }

    fn sum(&mut self, block: &Block, inputs: [usize; 2], relu: bool) {
        let out = self.like(inputs[0]);
        let relu = relu || inputs.iter().all(|&input| self.nodes[input].relu);
        self.node(&named(block, "sum"), Layer::Add, inputs.to_vec(), out, relu);
    }

    fn node(
        &mut self,
        name: &str,
        layer: Layer,
        inputs: Vec<usize>,
        out: Wide,
        relu: bool,
    ) -> usize {
        let bits = self.bits(name);
        let before = self.nodes[inputs[0]].image;
        let image = match layer {
            Layer::Conv { stride, .. } | Layer::Depthwise { stride, .. } => {
                [before[0].div_ceil(stride[0]), before[1].div_ceil(stride[1])]
            }
            Layer::Mean | Layer::Dense { .. } => [1, 1],
            Layer::Add | Layer::Input | Layer::Graph { .. } => before,
        };
        let by = By { block: self.block.clone(), width: out.by };
        let (name, channels) = (name.to_owned(), out.channels);
        self.nodes.push(Node { name, layer, inputs, image, channels, bits, relu, by });
        self.nodes.len() - 1
    }

    /// As many channels as a node has.
    fn like(&self, node: usize) -> Wide {
        Wide { channels: self.nodes[node].channels, by: Width::Same(node) }
    }

    fn bits(&mut self, name: &str) -> u32 {
        let options = &self.space.activation_bits;
        options[self.pick(name, Pick::ActivationBits, options.len())]
    }

    fn weight_bits(&mut self, name: &str) -> u32 {
        let options = &self.space.weight_bits;
        options[self.pick(name, Pick::WeightBits, options.len())]
    }

    fn of<T: Copy>(&mut self, name: &str, pick: Pick, options: &[T]) -> T {
        options[self.pick(name, pick, options.len())]
    }

    /// Asks only where there is a choice.
    fn pick(&mut self, name: &str, pick: Pick, options: usize) -> usize {
        if options == 1 { 0 } else { (self.ask)(name, pick, options) }
    }
}

/// A kernel of one tap.
const ONE: ([usize; 2], [usize; 2]) = ([1, 1], [1, 1]);

fn named(block: &Block, part: &str) -> String {
    format!("{}_{part}", block.name)
}
