//! Subnets of a run's supernet, trained alone.

use super::{Arm, Key, Set, settings};
use crate::search::{Alone, Progress, Search, SearchError};
use hwgen_data::{Data, Parts};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A subnet, and which run's it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AloneOf {
    /// On what.
    pub set: Set,
    /// The supernet's seed.
    pub seed: u64,
    /// The subnet.
    pub subnet: Alone,
}

/// Asks for a subnet of a run's supernet, which the run's folder has or which is trained there.
///
/// # Errors
/// See [`SearchError`].
pub(super) fn of_run(
    set: Set,
    seed: u64,
    number: usize,
    (data, folder): (&Data, &Path),
    tell: &mut dyn FnMut(Progress),
) -> Result<AloneOf, SearchError> {
    let key = Key { set, arm: Arm::Joint, seed, fold: 0 };
    let parts: Parts = set.parts(data, key)?;
    let items = parts.train.items();
    let shape = items.shape();
    let input = [shape.height, shape.width, shape.channels];
    let settings = settings(key, input, items.classes().len()).ok_or(SearchError::Preset)?;
    let folder = key.folder(folder)?;
    let search = Search {
        settings: &settings,
        parts: &parts,
        folder: &folder,
        augment: set.augment(),
        before: None,
        workers: None,
    };
    let supernet = search.supernet(tell)?;
    let subnet = search.alone(&supernet, number, tell)?;
    Ok(AloneOf { set, seed, subnet })
}
