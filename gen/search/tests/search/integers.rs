//! Networks of integers against what was trained.

use crate::common::{batch, choice, list, rng, trained};
use hwgen_network::graph::{Network, Tensor};
use hwgen_network::interpret::Interpreter;
use hwgen_search::integers;
use hwgen_search::space::{Choice, Pick, Subnet};
use hwgen_search::supernet::{Normal, Run, Sharing, Statistics, Supernet};
use hwgen_search::train::Judge;

/// How integers and real numbers agree.
#[derive(Debug, Default, Clone, Copy)]
struct Agreement {
    items: usize,
    /// Items whose highest score is the same.
    same: usize,
    /// Items that are right, by real numbers and by integers.
    right: [usize; 2],
    elements: usize,
    /// Elements that are more than a step apart.
    apart: usize,
}

impl Agreement {
    fn add(&mut self, other: Agreement) {
        self.items += other.items;
        self.same += other.same;
        self.right = [0, 1].map(|n| self.right[n] + other.right[n]);
        self.elements += other.elements;
        self.apart += other.apart;
    }

    fn same(&self) -> f64 {
        self.same as f64 / self.items as f64
    }

    fn apart(&self) -> f64 {
        self.apart as f64 / self.elements as f64
    }

    fn tell(&self, what: &str) {
        let share = |n: usize| 100.0 * n as f64 / self.items as f64;
        println!(
            "{what}: {:.2} % of {} items alike; {:.2} % right as real numbers, {:.2} % as integers; {:.3} % of {} elements more than a step apart",
            share(self.same),
            self.items,
            share(self.right[0]),
            share(self.right[1]),
            100.0 * self.apart(),
            self.elements,
        );
    }

    fn check(&self, what: &str) {
        let points = (self.right[0] as f64 - self.right[1] as f64).abs() / self.items as f64;
        assert!(self.same() >= 0.99, "{what}: {self:?}");
        assert!(points <= 0.005, "{what}: {self:?}");
        // a sum that real numbers of 24 bits have beside a half is a step, and a step of four bits is many of eight
        assert!(self.apart() <= 0.01, "{what}: {self:?}");
    }
}

fn integer(tensor: &Tensor, real: f32) -> i32 {
    let place = (f64::from(real) / tensor.scale).round() + f64::from(tensor.zero_point);
    place.clamp(tensor.lowest().into(), tensor.highest().into()) as i32
}

fn highest(scores: impl Iterator<Item = f32>) -> usize {
    let first = |best: (usize, f32), next: (usize, f32)| if next.1 > best.1 { next } else { best };
    scores.enumerate().fold((0, f32::MIN), first).0
}

/// Runs both on the first items.
fn agree(supernet: &Supernet, judge: &Judge, subnet: &Subnet, count: usize) -> Agreement {
    let statistics = judge.statistics(supernet, subnet);
    let network = integers::trained(supernet, subnet, &statistics, judge).unwrap();
    let mut told = Agreement::default();
    for first in (0..count).step_by(50) {
        let part = Judge { judged: judge.judged.pick(first..first + 50), ..judge.clone() };
        told.add(compare(supernet, &part, subnet, &statistics, &network));
    }
    told
}

fn compare(
    supernet: &Supernet,
    judge: &Judge,
    subnet: &Subnet,
    statistics: &Statistics,
    network: &Network,
) -> Agreement {
    let items = &judge.judged;
    let leaves = crate::common::leaves(supernet);
    let run = Run { supernet, leaves: &leaves, subnet, gates: None };
    let mut values: Vec<(String, Vec<f32>)> = vec![];
    let scores =
        run.watched(batch(items, items.len()), Normal::Known(statistics), |node, value| {
            values.push((node.name.clone(), list(value.clone())));
        });
    let (scores, classes) = (list(scores), supernet.space.classes);
    let mut interpreter = Interpreter::new(network).unwrap();
    let input = network.tensor(&network.inputs[0]).unwrap();
    let mut told = Agreement { items: items.len(), ..Agreement::default() };
    for (n, item) in items.iter().enumerate() {
        let scale = items.items().scale();
        let fed: Vec<i16> =
            item.values.iter().map(|&q| input.quantize(scale.real(q).into()) as i16).collect();
        interpreter.run(&[&fed]);
        for (name, value) in &values {
            let (tensor, size) = (network.tensor(name).unwrap(), value.len() / items.len());
            let tapped = interpreter.tap(name).unwrap();
            assert_eq!(tapped.len(), size, "{name}");
            for (&tapped, &real) in tapped.iter().zip(&value[n * size..]) {
                told.apart += usize::from((i32::from(tapped) - integer(tensor, real)).abs() > 1);
            }
            told.elements += size;
        }
        let real = highest(scores[n * classes..][..classes].iter().copied());
        let tapped = interpreter.outputs().next().unwrap();
        let integer = highest(tapped.iter().map(|&score| score.into()));
        told.same += usize::from(real == integer);
        told.right[0] += usize::from(real == item.label);
        told.right[1] += usize::from(integer == item.label);
    }
    told
}

/// Some choices of a preset: the largest with all widths at an option, and random ones.
fn preset(
    name: &str,
    input: [usize; 3],
    sharing: Sharing,
    steps: usize,
    choices: usize,
    count: usize,
) -> Agreement {
    let (supernet, judge) = trained(name, input, sharing, steps);
    let mut rng = rng(3);
    let mut all = Agreement::default();
    for n in 0..choices {
        let genes = supernet.space.genes();
        let any = choice(&supernet.space, &mut rng);
        let few = genes.iter().zip(&any.0).map(|(gene, &option)| match gene.pick {
            Pick::WeightBits => 0,
            Pick::Present => 1,
            _ => option,
        });
        let of = if n == 0 { Choice(few.collect()) } else { any.clone() };
        let told = agree(&supernet, &judge, &supernet.space.subnet(&of).unwrap(), count);
        told.tell(&format!("{name}, {sharing:?}, choice {n}"));
        all.add(told);
    }
    all
}

#[test]
fn integers_are_what_was_trained() {
    let cases = [
        ("shapes", [14, 13, 2], Sharing::Free),
        ("shapes", [14, 13, 2], Sharing::TopBits),
        ("cenet", [24, 24, 1], Sharing::DoubleRounding),
        ("keywords", [20, 10, 1], Sharing::TopBits),
        ("mobile", [12, 12, 1], Sharing::Residual),
    ];
    for (name, input, sharing) in cases {
        let told = preset(name, input, sharing, 24, 2, 100);
        told.tell(&format!("{name}, {sharing:?}"));
        assert!(told.apart() <= 0.01 && told.same() >= 0.98, "{name}, {sharing:?}: {told:?}");
    }
}

#[test]
#[ignore = "takes minutes: a bar"]
fn integers_of_presets() {
    let cases = [
        ("shapes", [28, 28, 1], Sharing::Free),
        ("shapes", [28, 28, 1], Sharing::DoubleRounding),
        ("images", [28, 28, 1], Sharing::Free),
        ("images", [28, 28, 1], Sharing::TopBits),
        ("mobile", [16, 16, 3], Sharing::Residual),
        ("keywords", [49, 10, 1], Sharing::Free),
        ("keywords", [49, 10, 1], Sharing::TopBits),
        ("cenet", [32, 32, 1], Sharing::Free),
        ("cenet", [32, 32, 1], Sharing::DoubleRounding),
    ];
    let mut least = 1.0f64;
    for (name, input, sharing) in cases {
        let told = preset(name, input, sharing, 60, 2, 500);
        told.tell(&format!("{name}, {sharing:?}"));
        told.check(&format!("{name}, {sharing:?}"));
        least = least.min(told.same());
    }
    println!("integers_of_presets: {:.2} % of items alike at least", 100.0 * least);
}
