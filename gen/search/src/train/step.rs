//! Gradients of a batch, in shards.

use super::Slopes;
use crate::space::Subnet;
use crate::supernet::{Gates, Normal, Run, Supernet};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_data::Batch;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A part of a batch and the subnet that sees it.
pub(super) struct Shard<'s> {
    supernet: &'s Supernet,
    subnet: Subnet,
    inputs: TensorData,
    labels: Vec<usize>,
    /// Its share of all items.
    share: f32,
}

impl<'s> Shard<'s> {
    pub(super) fn new(
        supernet: &'s Supernet,
        subnet: Subnet,
        batch: &Batch,
        items: Range<usize>,
    ) -> Shard<'s> {
        let [height, width, channels] = supernet.space.input;
        let size = height * width * channels;
        let inputs = batch.inputs[items.start * size..items.end * size].to_vec();
        let inputs = TensorData::new(inputs, [items.len(), height, width, channels]);
        let share = items.len() as f32 / batch.labels.len() as f32;
        Shard { supernet, subnet, inputs, labels: batch.labels[items].to_vec(), share }
    }

    /// The loss, and a gradient for each parameter that had to do with it.
    fn gradients(
        &self,
        smoothing: f32,
        slopes: Option<&(Slopes, f32)>,
    ) -> (f32, Vec<Option<Tensor<4>>>) {
        let parameters = self.supernet.numbers.parameters.iter();
        // leaves of its own: shards that shared them would wait for each other
        let leaves: Vec<Tensor<4>> =
            parameters.map(|p| p.value.clone().autodiff().require_grad()).collect();
        let gates = slopes.map(|_| Gates::new(self.supernet, &leaves, &self.subnet));
        let gates = gates.as_ref();
        let run = Run { supernet: self.supernet, leaves: &leaves, subnet: &self.subnet, gates };
        let batch = Tensor::from_data(self.inputs.clone(), &Device::default());
        let scores = run.scores(batch.autodiff(), Normal::Batch);
        let mut loss = self.loss(scores, smoothing);
        if let (Some(gates), Some((slopes, weight))) = (gates, slopes) {
            let penalty = slopes.penalty(gates, weight * self.share);
            loss = penalty.map_or(loss.clone(), |penalty| loss + penalty);
        }
        let told = loss.clone().inner().into_scalar::<f32>();
        let mut gradients = loss.backward();
        (told, leaves.iter().map(|leaf| leaf.grad_remove(&mut gradients)).collect())
    }

    /// Cross entropy with labels that are spread a little.
    fn loss(&self, scores: Tensor<2>, smoothing: f32) -> Tensor<1> {
        let [items, classes] = scores.dims();
        let spread = smoothing / classes as f32;
        let mut target = vec![spread; items * classes];
        for (n, label) in self.labels.iter().enumerate() {
            target[n * classes + label] += 1.0 - smoothing;
        }
        let target = TensorData::new(target, [items, classes]);
        let target = Tensor::from_data(target, &scores.device());
        (log_softmax(scores, 1) * target).sum() * (-self.share / items as f32)
    }
}

/// The batch's loss and gradients: shards each in a thread, summed in their order.
pub(super) fn gradients(
    shards: &[Shard<'_>],
    smoothing: f32,
    slopes: Option<&(Slopes, f32)>,
) -> (f32, Vec<Option<Tensor<4>>>) {
    let parts = each(shards, |shard| shard.gradients(smoothing, slopes));
    let mut parts = parts.into_iter();
    let Some((mut loss, mut sums)) = parts.next() else { return (0.0, vec![]) };
    for (part, gradients) in parts {
        loss += part;
        for (sum, gradient) in sums.iter_mut().zip(gradients) {
            *sum = match (sum.take(), gradient) {
                (Some(sum), Some(gradient)) => Some(sum + gradient),
                (sum, gradient) => sum.or(gradient),
            };
        }
    }
    (loss, sums)
}

/// Work on each of many things by so many threads, of which each takes the next when it is done with one.
pub(crate) fn shared_out<T: Sync, R: Send>(
    things: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let workers: Vec<usize> = (0..threads.clamp(1, things.len().max(1))).collect();
    let some = |_: &usize| {
        let mut done = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(n) else { return done };
            done.push((n, work(thing)));
        }
    };
    let mut all: Vec<(usize, R)> = each(&workers, some).into_iter().flatten().collect();
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, result)| result).collect()
}

/// Work on each of some things in a thread of its own, in which nothing else is shared out.
pub(super) fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let alone = |thing: &T| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(|| work(thing)),
        Err(_) => work(thing),
    };
    if let [only] = things {
        return vec![alone(only)];
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = things.iter().map(|thing| scope.spawn(|| alone(thing))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
