//! A training in a file: safetensors, with its schedule and step beside the numbers. What is read goes on as if
//! nothing had happened, to the last bit.

use super::Trainer;
use crate::supernet::{Numbers, Parameter, Supernet};
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_data::Subset;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use thiserror::Error;

/// The largest checkpoint.
pub(crate) const MOST: u64 = 1 << 30;

/// Why a training does not go on from a file.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] hwgen_files::FileError),
    /// It is none.
    #[error("{path}: no checkpoint: {why}")]
    Damaged {
        /// Which.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// It is of another training.
    #[error("{path}: the checkpoint of another training: {what} differs")]
    Other {
        /// Which.
        path: String,
        /// What.
        what: &'static str,
    },
}

/// What stands beside the numbers.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// The digest of space, schedule, data, and what is begun with.
    of: String,
    /// The digest of the numbers.
    numbers: String,
    step: usize,
}

impl Trainer {
    /// What is trained, how, and on what.
    fn identity(&self) -> String {
        let parts =
            (&self.supernet.space, self.supernet.sharing, self.supernet.input, &self.schedule);
        let mut bytes = serde_json::to_vec(&parts).unwrap_or_default();
        bytes.extend(format!("{:?}{}", self.data.augment, self.begun).bytes());
        bytes.extend(digest(&self.data.items).bytes());
        hwgen_files::digest(&bytes)
    }

    /// Writes the training.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let damaged =
            |why: String| CheckpointError::Damaged { path: path.display().to_string(), why };
        let mut lists: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (place, parameter) in self.supernet.numbers.parameters.iter().enumerate() {
            lists.push(listed(parameter.name.clone(), parameter.value.clone().into_data()));
            let moments = self.learner.moments(place).into_iter();
            lists
                .extend(moments.map(|(of, data)| listed(format!("{}.{of}", parameter.name), data)));
        }
        let all = lists.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice()));
        let header =
            Header { version: 1, of: self.identity(), numbers: digest_of(all), step: self.step };
        let header = serde_json::to_string(&header).map_err(|error| damaged(error.to_string()))?;
        let views = lists.iter().map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.clone(), view))
        });
        let views: Vec<_> =
            views.collect::<Result<_, _>>().map_err(|error| damaged(error.to_string()))?;
        let beside = HashMap::from([("training".to_owned(), header)]);
        let bytes = safetensors::serialize(views, Some(beside))
            .map_err(|error| damaged(error.to_string()))?;
        Ok(hwgen_files::write(path, &bytes)?)
    }

    /// Goes on where a file of this very training stands.
    ///
    /// # Errors
    /// It is damaged, or another training's.
    pub fn load(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let name = || path.display().to_string();
        let damaged = |why: String| CheckpointError::Damaged { path: name(), why };
        let bytes = hwgen_files::read(path, MOST)?;
        let (_, beside) =
            SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
        let header = beside.metadata().as_ref().and_then(|beside| beside.get("training"));
        let header = header.ok_or_else(|| damaged("nothing tells how far it is".to_owned()))?;
        let header: Header =
            serde_json::from_str(header).map_err(|error| damaged(error.to_string()))?;
        if header.version != 1 {
            return Err(CheckpointError::Other { path: name(), what: "its version" });
        }
        if header.of != self.identity() {
            return Err(CheckpointError::Other { path: name(), what: "space, schedule or data" });
        }
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
        let all = tensors.iter().map(|(name, view)| (name, view.data()));
        if header.numbers != digest_of(all) || header.step > self.steps() {
            return Err(damaged("its numbers are not those that were written".to_owned()));
        }
        for (place, parameter) in self.supernet.numbers.parameters.iter_mut().enumerate() {
            let (shape, name) = (parameter.value.dims(), &parameter.name);
            let read = |name: &str| numbers(&tensors.tensor(name).ok()?, shape);
            parameter.value = read(name)
                .ok_or_else(|| damaged(format!("`{name}` is not there as it should be")))?;
            self.learner.restore(place, header.step, |of| read(&format!("{name}.{of}")));
        }
        self.step = header.step;
        Ok(())
    }
}

/// Numbers that another training found for the same space.
///
/// # Errors
/// Damaged, or of another space.
pub fn read_numbers(supernet: &mut Supernet, path: &Path) -> Result<(), CheckpointError> {
    let damaged = |why: String| CheckpointError::Damaged { path: path.display().to_string(), why };
    let bytes = hwgen_files::read(path, MOST)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
    for parameter in &mut supernet.numbers.parameters {
        let view = tensors.tensor(&parameter.name).ok();
        let value = view.and_then(|view| numbers(&view, parameter.value.dims()));
        parameter.value = value.ok_or_else(|| {
            damaged(format!("`{}` is not there as this space has it", parameter.name))
        })?;
    }
    Ok(())
}

/// Of items: their values and labels.
pub(crate) fn digest(items: &Subset) -> String {
    let mut bytes = Vec::new();
    for item in items.iter() {
        bytes.extend(item.values.iter().map(|&value| value as u8));
        bytes.extend((item.label as u64).to_le_bytes());
    }
    hwgen_files::digest(&bytes)
}

impl Numbers {
    /// Of all parameters.
    pub(crate) fn digest(&self) -> String {
        let list = |p: &Parameter| listed(p.name.clone(), p.value.clone().into_data());
        let lists: Vec<_> = self.parameters.iter().map(list).collect();
        digest_of(lists.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice())))
    }
}

/// Of lists, whatever their order in a file.
fn digest_of<'l>(lists: impl Iterator<Item = (&'l str, &'l [u8])>) -> String {
    let mut lists: Vec<_> = lists.collect();
    lists.sort_unstable_by_key(|(name, _)| *name);
    let each = lists.iter().map(|(name, bytes)| format!("{name} {}\n", hwgen_files::digest(bytes)));
    hwgen_files::digest(each.collect::<String>().as_bytes())
}

fn listed(name: String, data: TensorData) -> (String, Vec<usize>, Vec<u8>) {
    let shape = data.shape().to_vec();
    let numbers: Vec<f32> = data.try_to_vec().unwrap_or_default();
    (name, shape, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

/// Finite numbers of a shape, if those they are.
fn numbers(view: &TensorView<'_>, shape: [usize; 4]) -> Option<Tensor<4>> {
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return None;
    }
    let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let numbers: Vec<f32> = view.data().chunks_exact(4).map(number).collect();
    let finite = numbers.iter().all(|number| number.is_finite());
    finite.then(|| Tensor::from_data(TensorData::new(numbers, shape), &Device::default()))
}
