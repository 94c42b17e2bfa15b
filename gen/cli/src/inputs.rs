//! Inputs of networks: files of bytes, NumPy's arrays, folders of both.

mod npy;

use anyhow::{Context, bail, ensure};
use hwgen_network::graph::{Network, Tensor};
use std::path::{Path, PathBuf};

pub(crate) use npy::write as write_npy;

/// The largest file of inputs.
const MOST_BYTES: u64 = 1 << 28;

/// What inputs' names end with.
pub(crate) const EXTENSIONS: [&str; 2] = ["bin", "npy"];

/// A file's runs, each with the elements of all inputs that are given, one after the other.
pub(crate) struct Runs {
    /// The file's name.
    pub(crate) name: String,
    /// Elements of each run.
    pub(crate) runs: Vec<Vec<i16>>,
}

/// Runs in a file, or in the files of a folder in the order of their names.
pub(crate) fn runs(path: &Path, network: &Network) -> anyhow::Result<Vec<Runs>> {
    let given: Vec<&Tensor> = network.given().collect();
    ensure!(!given.is_empty(), "the network has no input");
    let mut left = MOST_BYTES;
    let of = |file: PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = hwgen_files::read(&file, left)?;
        left = left.saturating_sub(bytes.len() as u64);
        let elements = match is(&file, "npy") {
            true => npy::read(&bytes, &given),
            false => raw(&bytes, &given),
        };
        let runs = elements.with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Runs { name, runs })
    };
    files(path, &EXTENSIONS)?.into_iter().map(of).collect()
}

/// Whether a file's name ends so.
pub(crate) fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}

/// The file, or those of a folder whose names end so, in the order of their names.
pub(crate) fn files(path: &Path, extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot = || format!("cannot read folder {}", path.display());
    let mut files = vec![];
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        let file = entry.with_context(cannot)?.path();
        if extensions.iter().any(|extension| is(&file, extension)) {
            files.push(file);
        }
    }
    files.sort();
    let names = extensions.join(", *.");
    ensure!(!files.is_empty(), "folder {} has none of *.{names}", path.display());
    Ok(files)
}

/// Elements of all inputs.
fn each(given: &[&Tensor]) -> usize {
    given.iter().map(|tensor| tensor.elements()).sum()
}

/// Bytes, input after input, run after run.
fn raw(bytes: &[u8], given: &[&Tensor]) -> anyhow::Result<Vec<Vec<i16>>> {
    let each = each(given);
    let whole = !bytes.is_empty() && bytes.len().is_multiple_of(each);
    ensure!(whole, "its {} bytes are not inputs of {}", bytes.len(), sizes(given));
    let run = |bytes: &[u8]| {
        let mut rest = bytes;
        let mut run = Vec::with_capacity(each);
        for tensor in given {
            let (own, after) = rest.split_at(tensor.elements());
            rest = after;
            let signed = |&byte: &u8| i16::from(byte as i8);
            let element = |byte| if tensor.signed { signed(byte) } else { i16::from(*byte) };
            run.extend(own.iter().map(element));
        }
        run
    };
    let runs: Vec<Vec<i16>> = bytes.chunks(each).map(run).collect();
    runs.iter().try_for_each(|run| in_range(run, given))?;
    Ok(runs)
}

fn sizes(given: &[&Tensor]) -> String {
    let one = |tensor: &&Tensor| format!("{} bytes (`{}`)", tensor.elements(), tensor.name);
    given.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// Every element is one that its tensor can hold.
fn in_range(run: &[i16], given: &[&Tensor]) -> anyhow::Result<()> {
    let mut rest = run;
    for tensor in given {
        let (own, after) = rest.split_at(tensor.elements());
        rest = after;
        let range = tensor.lowest()..=tensor.highest();
        if let Some(bad) = own.iter().find(|&&element| !range.contains(&element.into())) {
            let (least, most) = (range.start(), range.end());
            bail!("input `{}` has element {bad}: must be {least} to {most}", tensor.name);
        }
    }
    Ok(())
}

/// All inputs of a network from run to run: what is given, and states that it left.
pub(crate) struct Carried<'n> {
    network: &'n Network,
    kept: Vec<Vec<i16>>,
}

impl<'n> Carried<'n> {
    /// States with their first values.
    pub(crate) fn new(network: &'n Network) -> Carried<'n> {
        let mut carried = Carried { network, kept: vec![] };
        carried.restart();
        carried
    }

    /// Gives states their first values again.
    pub(crate) fn restart(&mut self) {
        let first = |state: &hwgen_network::graph::State| {
            let elements = self.network.tensor(&state.input).map_or(0, Tensor::elements);
            vec![state.initial as i16; elements]
        };
        self.kept = self.network.states.iter().map(first).collect();
    }

    /// All inputs of a run, one after the other.
    pub(crate) fn inputs(&self, given: &[i16]) -> Vec<i16> {
        let mut rest = given;
        let mut all = vec![];
        for name in &self.network.inputs {
            let state = self.network.states.iter().position(|state| state.input == *name);
            match state {
                Some(state) => all.extend(&self.kept[state]),
                None => {
                    let elements = self.network.tensor(name).map_or(0, Tensor::elements);
                    let (own, after) = rest.split_at(elements.min(rest.len()));
                    rest = after;
                    all.extend(own);
                }
            }
        }
        all
    }

    /// Keeps what a run left for the next; `outputs` are all of the network's.
    pub(crate) fn keep(&mut self, outputs: &[Vec<i16>]) {
        for (state, kept) in self.network.states.iter().zip(&mut self.kept) {
            let at = self.network.outputs.iter().position(|name| *name == state.output);
            if let Some(output) = at.and_then(|at| outputs.get(at)) {
                kept.clone_from(output);
            }
        }
    }
}

/// Inputs one after the other as one slice each.
pub(crate) fn apart<'i>(network: &Network, mut all: &'i [i16]) -> Vec<&'i [i16]> {
    let tensor = |name: &String| {
        let elements = network.tensor(name).map_or(0, Tensor::elements);
        let (own, rest) = all.split_at(elements.min(all.len()));
        all = rest;
        own
    };
    network.inputs.iter().map(tensor).collect()
}
