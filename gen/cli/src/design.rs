//! Which design, of which size: the arguments most commands share.

use crate::failure::Failure;
use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hwgen_designs::registry::{self, Configured, Design};
use std::path::PathBuf;

/// A design of the registry, named on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Named(pub(crate) &'static dyn Design);

/// Reads a name; a wrong one is answered with the names there are and the nearest.
pub(crate) fn named() -> impl TypedValueParser<Value = Named> {
    let names = registry::designs().iter().map(|design| design.name());
    PossibleValuesParser::new(names)
        .try_map(|name| registry::find(&name).map(Named).ok_or("no such design"))
}

/// Where the parameters come from: the defaults, changed by a file, changed by `--set`.
#[derive(clap::Args)]
pub(crate) struct Size {
    /// JSON file with parameters, as in {"rows": 8}
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// A parameter, as in rows=8, key_slices=[4,2,2] or filter.mode=top_k; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Size {
    /// The design in this size.
    pub(crate) fn configure(&self, design: Named) -> Result<Box<dyn Configured>, Failure> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let text = self.spec.as_ref().map(read).transpose()?;
        let file = self.spec.as_deref().zip(text.as_deref());
        Ok(design.0.configure(file, &self.set)?)
    }
}
