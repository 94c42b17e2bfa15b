//! What a design is: a specification that becomes a netlist, held against a golden model.

use crate::axi::RegisterMap;
use crate::golden::Golden;
use crate::spec::{Parameters, Spec};
use hwgen_hdl::Module;
use serde_json::Value;
use std::sync::Arc;

/// A specification that becomes a netlist.
pub trait Generate: Spec + Golden + 'static {
    /// The design's name: `hwgen emit --design NAME`.
    const NAME: &'static str;
    /// What it is, in a line.
    const SUMMARY: &'static str;
    /// The page that defines it, from the repository's root.
    const PAGE: &'static str;
    /// Small sizes that tests walk beside the default, each a few `key=value`: parts turned on and
    /// off, the least and odd numbers.
    const SIZES: &'static [&'static str];

    /// The netlist; its top module has the design's name. The specification must be one that
    /// [`Spec::validate`] accepts.
    fn circuit(&self) -> Arc<Module>;

    /// The netlist, whose header shows every parameter.
    fn build(&self) -> Arc<Module> {
        described(self.circuit(), self)
    }

    /// Latency and throughput of this size, in a line or a few.
    fn latency(&self) -> String;

    /// A block diagram of this size, in text.
    fn diagram(&self) -> String;

    /// The registers a host reads and writes, if the design has such.
    fn registers(&self) -> Option<RegisterMap> {
        None
    }
}

/// The same module with every parameter in its header.
pub(crate) fn described(module: Arc<Module>, spec: &impl Parameters) -> Arc<Module> {
    let mut module = Arc::unwrap_or_clone(module);
    module.parameters = spec.values().iter().map(|(name, value)| shown(name, value)).collect();
    Arc::new(module)
}

/// A parameter as a header shows it.
fn shown(name: &str, value: &Value) -> (String, String) {
    let text = match value {
        Value::String(word) => word.clone(),
        value => value.to_string(),
    };
    (name.to_string(), text)
}
