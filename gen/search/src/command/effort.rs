//! How long a search goes if nobody says: by the space.

/// Epochs and choices.
pub(super) struct Effort {
    pub(super) epochs: usize,
    pub(super) tuning: usize,
    pub(super) population: usize,
    pub(super) generations: usize,
    pub(super) judged: usize,
}

/// The effort for a space: `shapes` is a first look, which takes two minutes on two cores.
pub(super) fn of(space: &str) -> Effort {
    let [epochs, tuning, population, generations, judged] = match space {
        "shapes" => [14, 6, 24, 8, 400],
        _ => [15, 6, 32, 12, 2000],
    };
    Effort { epochs, tuning, population, generations, judged }
}
