//! Where a search is, in words.

use hwgen_search::search::{self, MOST_EPOCHS, Progress};

/// A part of a search and how far it is.
#[derive(Debug, PartialEq)]
pub(super) struct Stage {
    /// What goes on.
    pub(super) name: String,
    /// Steps or generations that are done, and all of them.
    pub(super) done: u64,
    pub(super) all: u64,
    /// The epoch or the generation: a new one is news.
    pub(super) part: u64,
    /// What there is to tell.
    pub(super) text: String,
}

impl Stage {
    /// Of training with so many epochs of the supernet and of a point.
    pub(super) fn of(progress: &Progress, [supernet, gating, tuning]: [usize; 3]) -> Stage {
        match *progress {
            Progress::Training { stage, step, steps, loss } => {
                let (name, epochs) = match stage {
                    search::Stage::Supernet => ("supernet".to_owned(), supernet),
                    search::Stage::Gates(n) => (format!("gates {n}"), gating),
                    search::Stage::Point(n) => (format!("point {n}"), tuning),
                    search::Stage::Alone(n) => (format!("alone {n}"), MOST_EPOCHS),
                };
                let epoch = (step.saturating_sub(1) * epochs / steps.max(1) + 1).min(epochs);
                Stage {
                    name,
                    done: step as u64,
                    all: steps as u64,
                    part: epoch as u64,
                    text: format!("epoch {epoch} of {epochs}, loss {loss:.3}"),
                }
            }
            Progress::Evolving { generation, generations, .. } => Stage {
                name: "search".to_owned(),
                // the first is number 0
                done: generation as u64 + 1,
                all: generations as u64 + 1,
                part: generation as u64,
                text: format!("generation {generation} of {generations}"),
            },
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done >= self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_from_one() {
        let text = |step, stage| {
            let progress = Progress::Training { stage, step, steps: 40, loss: 0.5 };
            Stage::of(&progress, [4, 1, 2]).text
        };
        assert_eq!(text(1, search::Stage::Supernet), "epoch 1 of 4, loss 0.500");
        assert_eq!(text(10, search::Stage::Supernet), "epoch 1 of 4, loss 0.500");
        assert_eq!(text(11, search::Stage::Supernet), "epoch 2 of 4, loss 0.500");
        assert_eq!(text(40, search::Stage::Supernet), "epoch 4 of 4, loss 0.500");
        assert_eq!(text(40, search::Stage::Point(1)), "epoch 2 of 2, loss 0.500");
    }

    #[test]
    fn the_last_generation_is_the_end() {
        let stage = |generation| {
            let progress = Progress::Evolving { generation, generations: 6, best: None };
            Stage::of(&progress, [4, 1, 2])
        };
        assert!(!stage(0).is_done() && stage(6).is_done());
        assert_eq!(stage(0).text, "generation 0 of 6");
    }
}
