//! Every component in several sizes, the smallest included: what lint and synthesis tests walk.

use super::*;
use crate::netlist::Module;
use std::sync::Arc;

/// A component built with one set of parameters.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The component's name.
    pub component: &'static str,
    /// Its parameters, as in the module's header: `depth=16 fields=w8`.
    pub parameters: String,
    /// The module.
    pub module: Arc<Module>,
}

impl Sample {
    fn new(component: &'static str, module: Arc<Module>) -> Sample {
        let parameters: Vec<_> =
            (module.parameters.iter()).map(|(name, value)| format!("{name}={value}")).collect();
        Sample { component, parameters: parameters.join(" "), module }
    }
}

/// Samples of every component.
pub fn catalogue() -> Vec<Sample> {
    let all: Vec<(&'static str, Vec<Arc<Module>>)> = vec![
        ("leading_one", leading_one::samples()),
        ("priority_encoder", priority_encoder::samples()),
        ("barrel_shifter", barrel_shifter::samples()),
        ("popcount", popcount::samples()),
        ("adder_tree", adder_tree::samples()),
        ("extrema", extrema::samples()),
        ("saturate", saturate::samples()),
        ("rounding", rounding::samples()),
        ("requantize", requantize::samples()),
        ("reciprocal", reciprocal::samples()),
        ("integer_sqrt", integer_sqrt::samples()),
        ("register_slice", register_slice::samples()),
        ("fifo", fifo::samples()),
        ("round_robin", round_robin::samples()),
        ("stream_select", stream_select::samples()),
        ("stream_fork", stream_fork::samples()),
        ("lfsr", lfsr::samples()),
        ("divider", divider::samples()),
        ("ram", ram::samples()),
        ("async_fifo", async_fifo::samples()),
        ("crc", crc::samples()),
        ("uart", uart::samples()),
        ("microphone", microphone::samples()),
        ("spi", spi::samples()),
        ("synchronizer", synchronizer::samples()),
    ];
    all.into_iter()
        .flat_map(|(component, modules)| {
            modules.into_iter().map(move |module| Sample::new(component, module))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn three_samples_each_under_names_of_their_own() {
        let samples = catalogue();
        let names: HashSet<_> = samples.iter().map(|sample| sample.module.name.clone()).collect();
        assert_eq!(names.len(), samples.len(), "two samples share a module name");
        let components: HashSet<_> = samples.iter().map(|sample| sample.component).collect();
        for component in components {
            let count = samples.iter().filter(|sample| sample.component == component).count();
            assert!(count >= 3, "{component}: {count} samples");
        }
        assert!(samples.iter().all(|sample| !sample.module.doc.is_empty()));
        assert!(samples.iter().all(|sample| !sample.parameters.is_empty()));
    }
}
