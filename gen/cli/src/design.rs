//! Which design, of which size: the arguments most commands share.

use crate::failure::Failure;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hwgen_designs::registry::{self, Configured, Design};
use std::path::{Path, PathBuf};

/// The longest specification.
const MOST_BYTES: u64 = 1 << 20;

/// A design of the registry, named on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Named(pub(crate) &'static dyn Design);

/// Reads a name; a wrong one is answered with the names there are and the nearest.
pub(crate) fn named() -> impl TypedValueParser<Value = Named> {
    let names = registry::designs().into_iter().map(|design| design.name());
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
    /// Whether a parameter is said.
    pub(crate) fn is_given(&self) -> bool {
        self.spec.is_some() || !self.set.is_empty()
    }

    /// The file that it is read from, with its argument.
    pub(crate) fn file(&self) -> (&'static str, Option<&Path>) {
        ("--spec", self.spec.as_deref())
    }

    /// The design in this size as arguments for a shell: `lapa --set rows=8`.
    pub(crate) fn arguments(&self, design: Named) -> String {
        let spec =
            self.spec.iter().map(|path| format!("--spec {}", quoted(&path.to_string_lossy())));
        let set = self.set.iter().map(|set| format!("--set {}", quoted(set)));
        let name = std::iter::once(design.0.name().to_string());
        name.chain(spec).chain(set).collect::<Vec<_>>().join(" ")
    }

    /// The design in this size.
    pub(crate) fn configure(&self, design: Named) -> Result<Box<dyn Configured>, Failure> {
        let read = |path: &PathBuf| hwgen_files::read_text(path, MOST_BYTES);
        let text = self.spec.as_ref().map(read).transpose()?;
        let file = self.spec.as_deref().zip(text.as_deref());
        Ok(design.0.configure(file, &self.set)?)
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,:+".contains(c);
    if word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_a_shell() {
        let size = Size {
            spec: Some("my spec.json".into()),
            set: vec!["rows=8".into(), "key_slices=[4,4]".into(), "it's".into()],
        };
        let lapa = Named(registry::find("lapa_attention").unwrap());
        assert_eq!(
            size.arguments(lapa),
            r"lapa_attention --spec 'my spec.json' --set rows=8 --set 'key_slices=[4,4]' --set 'it'\''s'"
        );
    }
}
