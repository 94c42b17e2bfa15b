//! Inputs beside each point, for `hwgen verify`: a core is compared on what it is meant for.

use super::failure::Failure;
use hwgen_data::Subset;
use hwgen_network::graph;
use hwgen_search::integers::inputs;
use std::path::{Path, PathBuf};

/// Items of each point.
const ITEMS: usize = 16;

/// Where a point's lie.
pub(super) fn file(out: &Path, point: usize) -> PathBuf {
    out.join(format!("point_{point}.inputs.bin"))
}

/// Writes some items for each point, in steps of its input.
pub(super) fn write(out: &Path, points: usize, items: &Subset, seed: u64) -> Result<(), Failure> {
    let items = items.limit(ITEMS, seed);
    for point in 0..points {
        let path = out.join(format!("point_{point}.network.json"));
        let network = graph::load(&path).map_err(anyhow::Error::from)?;
        let bytes: Vec<u8> = inputs(&network, &items).flatten().map(|value| value as u8).collect();
        hwgen_files::write(&file(out, point), &bytes)?;
    }
    Ok(())
}
