//! NSGA-II (Deb and others, 2002) over choices: genes without an order among each other, uniform crossover, and
//! constraints that come before objectives.
//!
//! It is ours because those there are want real numbers (optirustic: simulated binary crossover, a first population
//! without a seed, C sources) or a linear algebra of their own (moors: faer), and none takes a first population that
//! is known, which is how a resumed search begins.

mod rank;

pub use rank::{crowding, dominates, fronts};

use crate::space::{Choice, Gene, Pick};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// What a choice is worth: less is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// Each objective.
    pub objectives: [f64; 2],
    /// By how much it misses what it must keep; 0 if it keeps all.
    pub violation: f64,
}

/// How long and how wide.
#[derive(Debug, Clone, PartialEq)]
pub struct Evolution {
    /// What is drawn from.
    pub seed: u64,
    /// Choices of a generation.
    pub population: usize,
    /// Generations after the first.
    pub generations: usize,
    /// Choices that the first generation has at least.
    pub first: Vec<Choice>,
}

/// A choice and its worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Individual {
    /// The choice.
    pub choice: Choice,
    /// Its worth.
    pub worth: Worth,
}

impl Evolution {
    /// The last generation. `evaluate` tells the worth of a generation's new choices, all at once.
    ///
    /// # Errors
    /// What `evaluate` says.
    pub fn run<E>(
        &self,
        genes: &[Gene],
        mut evaluate: impl FnMut(usize, &[Choice]) -> Result<Vec<Worth>, E>,
    ) -> Result<Vec<Individual>, E> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut seen = BTreeSet::new();
        let mut choices = self.begin(genes, &mut rng);
        choices.retain(|choice| seen.insert(choice.clone()));
        let mut population = judged(&choices, evaluate(0, &choices)?);
        for generation in 1..=self.generations {
            let children = self.children(genes, &population, &mut seen, &mut rng);
            population.extend(judged(&children, evaluate(generation, &children)?));
            population = rank::survivors(population, self.population);
        }
        Ok(population)
    }

    fn begin(&self, genes: &[Gene], rng: &mut ChaCha8Rng) -> Vec<Choice> {
        let rest = self.population.saturating_sub(self.first.len());
        let random = (0..rest).map(|n| {
            let mut choice = anything(genes, rng);
            if n % 2 == 0 {
                level(&mut choice, genes, rng);
            }
            choice
        });
        let random: Vec<Choice> = random.collect();
        self.first.iter().cloned().chain(random).collect()
    }

    /// As many new choices as there are old ones, or as can be found.
    fn children(
        &self,
        genes: &[Gene],
        population: &[Individual],
        seen: &mut BTreeSet<Choice>,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Choice> {
        let order = rank::order(population);
        let mut children = Vec::new();
        for _ in 0..20 * self.population {
            if children.len() == self.population {
                break;
            }
            let parents = [0, 1].map(|_| tournament(&order, rng)).map(|n| &population[n].choice);
            let mut child = cross(parents, rng);
            mutate(&mut child, genes, rng);
            if seen.insert(child.clone()) {
                children.push(child);
            }
        }
        children
    }
}

fn judged(choices: &[Choice], worths: Vec<Worth>) -> Vec<Individual> {
    let pairs = choices.iter().cloned().zip(worths);
    pairs.map(|(choice, worth)| Individual { choice, worth }).collect()
}

/// Any choice.
pub(crate) fn anything(genes: &[Gene], rng: &mut ChaCha8Rng) -> Choice {
    Choice(genes.iter().map(|gene| rng.random_range(0..gene.options) as u8).collect())
}

/// All weights of one width and all activations of one: lanes gain where both are narrow, which is rare by chance.
pub(crate) fn level(choice: &mut Choice, genes: &[Gene], rng: &mut ChaCha8Rng) {
    for pick in [Pick::WeightBits, Pick::ActivationBits] {
        let Some(options) = genes.iter().filter(|g| g.pick == pick).map(|g| g.options).max() else {
            continue;
        };
        let option = rng.random_range(0..options);
        for (chosen, gene) in choice.0.iter_mut().zip(genes).filter(|(_, gene)| gene.pick == pick) {
            *chosen = option.min(gene.options - 1) as u8;
        }
    }
}

/// The better of two: `order` tells each one's place.
fn tournament(order: &[usize], rng: &mut ChaCha8Rng) -> usize {
    let [a, b] = [0, 1].map(|_| rng.random_range(0..order.len()));
    if order[a] <= order[b] { a } else { b }
}

fn cross([a, b]: [&Choice; 2], rng: &mut ChaCha8Rng) -> Choice {
    if rng.random_bool(0.1) {
        return a.clone();
    }
    let gene = |(&a, &b): (&u8, &u8)| if rng.random_bool(0.5) { a } else { b };
    Choice(a.0.iter().zip(&b.0).map(gene).collect())
}

/// About one and a half genes change; by a small chance all widths do.
fn mutate(choice: &mut Choice, genes: &[Gene], rng: &mut ChaCha8Rng) {
    if rng.random_bool(0.1) {
        level(choice, genes, rng);
    }
    let share = (1.5 / genes.len().max(1) as f64).min(1.0);
    for (option, gene) in choice.0.iter_mut().zip(genes) {
        if rng.random_bool(share) {
            *option = rng.random_range(0..gene.options) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn genes(count: usize) -> Vec<Gene> {
        let gene = Gene { place: "x".to_owned(), pick: Pick::Kernel, options: 4 };
        vec![gene; count]
    }

    /// Ones against threes: the front is every number of threes, twos and zeros are waste.
    fn worth(choice: &Choice) -> Worth {
        let count = |option| choice.0.iter().filter(|&&o| o == option).count() as f64;
        let waste = count(0) + count(2);
        Worth { objectives: [count(3) + waste, count(1) + waste], violation: 0.0 }
    }

    #[test]
    fn the_front_of_a_known_problem_is_found() {
        let genes = genes(12);
        let evolution = Evolution { seed: 1, population: 40, generations: 60, first: vec![] };
        let found = evolution
            .run(&genes, |_, choices| Ok::<_, Infallible>(choices.iter().map(worth).collect()));
        let Ok(found) = found;
        let on_front = |n: usize| {
            let sums = |i: &&Individual| i.worth.objectives == [n as f64, (12 - n) as f64];
            found.iter().any(|i| sums(&i))
        };
        let hit = (0..=12).filter(|&n| on_front(n)).count();
        println!("{hit} of 13 points of the front");
        assert!(hit >= 12);
    }

    #[test]
    fn a_level_choice_has_one_width() {
        let gene = |pick: Pick, options| Gene { place: "x".to_owned(), pick, options };
        let (bits, activations) = (gene(Pick::WeightBits, 2), gene(Pick::ActivationBits, 3));
        let genes = [gene(Pick::Kernel, 4), bits.clone(), activations.clone(), bits, activations];
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut met = BTreeSet::new();
        for _ in 0..100 {
            let mut choice = anything(&genes, &mut rng);
            let kernel = choice.0[0];
            level(&mut choice, &genes, &mut rng);
            assert_eq!((choice.0[0], choice.0[1], choice.0[2]), (kernel, choice.0[3], choice.0[4]));
            met.insert([choice.0[1], choice.0[2]]);
        }
        assert_eq!(met.len(), 6, "all pairs of widths");
    }

    #[test]
    fn the_same_seed_finds_the_same() {
        let run = |seed| {
            let evolution = Evolution { seed, population: 10, generations: 5, first: vec![] };
            let Ok(found) = evolution.run(&genes(6), |_, choices| {
                Ok::<_, Infallible>(choices.iter().map(worth).collect())
            });
            found
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }

    #[test]
    fn a_choice_is_judged_once() {
        let mut all = Vec::new();
        let evolution =
            Evolution { seed: 2, population: 16, generations: 30, first: vec![Choice(vec![0; 2])] };
        let Ok(_) = evolution.run(&genes(2), |_, choices| {
            all.extend(choices.to_vec());
            Ok::<_, Infallible>(choices.iter().map(worth).collect())
        });
        let distinct: BTreeSet<&Choice> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(distinct.len(), 16, "all there are");
    }
}
