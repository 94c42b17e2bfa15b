//! Items that a search keeps of what it learned from, so that one that goes on with other data does not forget.

use super::SearchError;
use hwgen_data::{Head, Items, Subset};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// The share of items that is kept.
const SHARE: f64 = 0.05;

/// The largest file of them.
const MOST: u64 = 1 << 28;

/// Keeps a share of the items that were learned from.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep(items: &Subset, seed: u64, path: &Path) -> Result<(), SearchError> {
    let kept = items.limit(((items.len() as f64 * SHARE).ceil() as usize).max(1), seed);
    let values: Vec<u8> = kept.iter().flat_map(|item| item.values).map(|&v| v as u8).collect();
    let labels: Vec<u8> = kept.iter().flat_map(|item| (item.label as u16).to_le_bytes()).collect();
    let damaged = |_| SearchError::Replay { path: path.into(), why: "they do not go into a file" };
    let elements = items.items().shape().elements();
    let views = [
        ("values", TensorView::new(Dtype::I8, vec![kept.len(), elements], &values)),
        ("labels", TensorView::new(Dtype::U16, vec![kept.len()], &labels)),
    ];
    let views = views.into_iter().map(|(name, view)| view.map(|view| (name, view)));
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(damaged)?;
    let head = HashMap::from([("head".to_owned(), head(items.items().head()))]);
    let bytes = safetensors::serialize(views, Some(head)).map_err(damaged)?;
    Ok(hwgen_files::write(path, &bytes)?)
}

/// The items and those that were kept, if they are of a kind.
///
/// # Errors
/// Damaged; of other shapes, scales or classes.
pub(super) fn join(items: &Subset, path: &Path) -> Result<Subset, SearchError> {
    let refuse = |why: &'static str| SearchError::Replay { path: path.into(), why };
    let bytes = hwgen_files::read(path, MOST)?;
    let damaged = |_| refuse("they are damaged");
    let (_, beside) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let said = beside.metadata().as_ref().and_then(|beside| beside.get("head"));
    if said != Some(&head(items.items().head())) {
        return Err(refuse("they have another shape, scale or other classes than the new data"));
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let (kept, told) = (tensors.tensor("values"), tensors.tensor("labels"));
    let (kept, told) = (kept.map_err(damaged)?, told.map_err(damaged)?);
    let mut values: Vec<i8> = kept.data().iter().map(|&byte| byte as i8).collect();
    let mut labels: Vec<u16> =
        told.data().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    values.extend(items.iter().flat_map(|item| item.values));
    labels.extend(items.iter().map(|item| item.label as u16));
    Ok(Items::new(items.items().head().clone(), values, labels)?.into())
}

/// What items must have in common.
fn head(head: &Head) -> String {
    let shape = [head.shape.height, head.shape.width, head.shape.channels];
    let (scale, zero_point) = (head.scale.scale, head.scale.zero_point);
    json!({"shape": shape, "scale": scale, "zero_point": zero_point, "classes": head.classes})
        .to_string()
}
