//! The designs there are; the command line, the docs and the tests walk this list.

mod schema;

use crate::arrays::mac_array::MacArraySpec;
use crate::attention::attend::AttendSpec;
use crate::attention::axi::{LapaAttentionAxiSpec, LapaAxiSpec};
use crate::attention::engine::{FactAttentionSpec, LapaAttentionSpec, SangerAttentionSpec};
use crate::attention::fact_predictor::FactPredictorSpec;
use crate::attention::lapa::LapaSpec;
use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::attention::sanger_predictor::SangerPredictorSpec;
use crate::attention::spatten::{SpattenAttentionSpec, SpattenTokensSpec};
use crate::axi::RegisterMap;
use crate::cnn::CnnSpec;
use crate::generate::Generate;
use crate::golden::Golden;
use crate::linear::{FeedForwardSpec, ImportanceSpec, LinearSpec, LogLinearSpec};
use crate::spec::{LoadError, Parameter, Range, Spec, load};
use crate::speech::listen::ListenSpec;
use crate::speech::mfcc::MfccSpec;
use hwgen_hdl::Module;
use serde_json::Value;
use std::any::Any;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

/// A design in the registry.
pub trait Design: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn summary(&self) -> &'static str;

    /// The page that defines it, from the repository's root.
    fn page(&self) -> &'static str;

    /// Small sizes that tests walk, each a few overrides.
    fn sizes(&self) -> Vec<Vec<String>>;

    /// The default specification, as JSON.
    fn default_spec(&self) -> String;

    /// Its parameters, in the order of its table.
    fn parameters(&self) -> Vec<ParameterInfo>;

    /// The JSON Schema of its specification files.
    fn schema(&self) -> Value {
        schema::schema(self)
    }

    /// Reads a specification: the defaults, changed by a JSON `file` (its name and text), changed
    /// by `overrides` such as `rows=8`.
    ///
    /// # Errors
    /// The first fault, with the file's line or the override that said it.
    fn configure(
        &self,
        file: Option<(&Path, &str)>,
        overrides: &[String],
    ) -> Result<Box<dyn Configured>, LoadError>;
}

/// A design of a certain size.
pub trait Configured {
    /// The design's name.
    fn name(&self) -> &'static str;

    /// The specification, for those who know its type.
    fn as_any(&self) -> &dyn Any;

    /// The netlist; ports and streams are in the module.
    fn build(&self) -> Arc<Module>;

    /// The complete specification, as JSON.
    fn json(&self) -> String;

    /// Latency and throughput, in a line or a few.
    fn latency(&self) -> String;

    /// A block diagram, in text.
    fn diagram(&self) -> String;

    /// The registers a host reads and writes, if the design has such.
    fn registers(&self) -> Option<RegisterMap>;

    /// What it is held against.
    fn golden(&self) -> &dyn Golden;
}

/// A parameter as a help page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Path in the specification, as in `rows` or `filter.alpha16`.
    pub name: &'static str,
    /// The mode that it belongs to, if it is a member of a choice.
    pub mode: Option<String>,
    /// Its default, as JSON.
    pub default: String,
    /// Allowed values.
    pub range: Range,
    /// One line of help.
    pub meaning: &'static str,
}

/// Every design.
pub fn designs() -> Vec<&'static dyn Design> {
    vec![
        of::<AttendSpec>(),
        of::<CnnSpec>(),
        of::<FactAttentionSpec>(),
        of::<FactPredictorSpec>(),
        of::<FeedForwardSpec>(),
        of::<LapaAttentionSpec>(),
        of::<ImportanceSpec>(),
        of::<LapaAttentionAxiSpec>(),
        of::<LapaSpec>(),
        of::<LapaAxiSpec>(),
        of::<LapaPredictorSpec>(),
        of::<LinearSpec>(),
        of::<ListenSpec>(),
        of::<LogLinearSpec>(),
        of::<MacArraySpec>(),
        of::<MfccSpec>(),
        of::<SangerAttentionSpec>(),
        of::<SangerPredictorSpec>(),
        of::<SpattenAttentionSpec>(),
        of::<SpattenTokensSpec>(),
    ]
}

/// The design of that name.
pub fn find(name: &str) -> Option<&'static dyn Design> {
    designs().into_iter().find(|design| design.name() == name)
}

/// The design that a specification type sizes.
pub fn of<T: Generate>() -> &'static dyn Design {
    &Entry::<T>(PhantomData)
}

/// A specification type's place in the registry.
struct Entry<T>(PhantomData<fn() -> T>);

impl<T: Generate> Design for Entry<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn summary(&self) -> &'static str {
        T::SUMMARY
    }

    fn page(&self) -> &'static str {
        T::PAGE
    }

    fn sizes(&self) -> Vec<Vec<String>> {
        let words = |size: &&str| size.split(' ').map(str::to_string).collect();
        T::SIZES.iter().map(words).collect()
    }

    fn default_spec(&self) -> String {
        pretty(&T::default())
    }

    fn parameters(&self) -> Vec<ParameterInfo> {
        let variants = variants::<T>();
        let table = T::table();
        let rows = table.iter().enumerate();
        rows.map(|(row, parameter)| {
            // the n-th row of one name belongs to the n-th mode that has such a member
            let earlier = table[..row].iter();
            let n = earlier.filter(|other| other.name == parameter.name).count();
            let has = |spec: &&Value| at(spec, parameter.name).is_some();
            let spec = variants.iter().filter(has).nth(n);
            let choice = parameter.name.split_once('.').map(|(choice, _)| format!("{choice}.mode"));
            let mode = spec.zip(choice).and_then(|(spec, choice)| at(spec, &choice)?.as_str());
            let default = spec.and_then(|spec| at(spec, parameter.name));
            ParameterInfo {
                name: parameter.name,
                mode: mode.map(str::to_string),
                default: default.map_or(String::new(), Value::to_string),
                range: parameter.range,
                meaning: parameter.meaning,
            }
        })
        .collect()
    }

    fn configure(
        &self,
        file: Option<(&Path, &str)>,
        overrides: &[String],
    ) -> Result<Box<dyn Configured>, LoadError> {
        Ok(Box::new(load::<T>(file, overrides)?))
    }
}

impl<T: Generate> Configured for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn build(&self) -> Arc<Module> {
        Generate::build(self)
    }

    fn json(&self) -> String {
        pretty(self)
    }

    fn latency(&self) -> String {
        Generate::latency(self)
    }

    fn diagram(&self) -> String {
        Generate::diagram(self)
    }

    fn registers(&self) -> Option<RegisterMap> {
        Generate::registers(self)
    }

    fn golden(&self) -> &dyn Golden {
        self
    }
}

fn pretty(spec: &impl Spec) -> String {
    serde_json::to_string_pretty(spec).unwrap_or_default()
}

/// The default specification, then the defaults of the other modes.
fn variants<T: Spec>() -> Vec<Value> {
    let default = serde_json::to_value(T::default()).unwrap_or_default();
    let mut variants = vec![default];
    for Parameter { name, range, .. } in T::table() {
        let Range::Choice(words) = range else {
            continue;
        };
        let others = words.iter().filter_map(|word| {
            let spec = load::<T>(None, &[format!("{name}={word}")]).ok()?;
            serde_json::to_value(spec).ok()
        });
        let others: Vec<_> = others.filter(|other| *other != variants[0]).collect();
        variants.extend(others);
    }
    variants
}

/// The value at a path such as `filter.mode`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for design in designs() {
            assert_eq!(find(design.name()).unwrap().summary(), design.summary());
        }
        assert!(find("none").is_none());
    }

    #[test]
    fn every_parameter_has_a_default() {
        for design in designs() {
            for parameter in design.parameters() {
                assert_ne!(parameter.default, "", "{}", parameter.name);
            }
        }
        let lapa = find("lapa_predictor").unwrap().parameters();
        let of = |name: &str| {
            let rows = lapa.iter().filter(|p| p.name == name);
            rows.map(|p| p.default.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of("key_slices"), ["[4,4]"]);
        assert_eq!(of("filter.mode"), ["\"mean_max\""]);
        assert_eq!(of("filter.alpha16"), ["[0]", "[16]"]);
        assert_eq!(of("filter.keep256"), ["[64]"]);
    }

    #[test]
    fn a_header_shows_every_parameter() {
        for design in designs() {
            let configured = design.configure(None, &[]).unwrap();
            let module = configured.build();
            let shown: Vec<&str> = module.parameters.iter().map(|(name, _)| &name[..]).collect();
            let spec: Value = serde_json::from_str(&configured.json()).unwrap();
            let table = design.parameters();
            let wanted = table.iter().map(|parameter| parameter.name);
            let mut wanted: Vec<&str> = wanted.filter(|name| at(&spec, name).is_some()).collect();
            wanted.dedup();
            assert_eq!(shown, wanted, "{}", design.name());
            // and the table has all that a specification says
            let named = |name: &str| wanted.iter().any(|row| row.split('.').next() == Some(name));
            let members = spec.as_object().unwrap();
            assert!(members.keys().all(|name| named(name)), "{}", design.name());
        }
    }

    /// What LAPA's predictor takes is stated there and nowhere else.
    #[test]
    fn parameters_of_a_part_are_those_of_the_whole() {
        let table = |name: &str| find(name).unwrap().parameters();
        let fixed = ["query_bits", "unread_bits", "scores"];
        let meaning = |parameter: &ParameterInfo| (parameter.name, parameter.meaning);
        for whole in ["lapa_attention", "lapa", "lapa_attention_axi", "lapa_axi"] {
            let rows = table(whole);
            let has = |part: &ParameterInfo| rows.iter().any(|row| meaning(row) == meaning(part));
            for part in table("lapa_predictor") {
                let alone = part.name == "tile" && matches!(whole, "lapa" | "lapa_axi");
                let sets = fixed.contains(&part.name) || alone;
                assert_eq!(has(&part), !sets, "{whole}: {}", part.name);
            }
        }
    }

    #[test]
    fn a_bad_value_is_told_with_its_override() {
        let error = find("mac_array").unwrap().configure(None, &["rows=65".to_string()]);
        assert_eq!(
            error.err().unwrap().to_string(),
            "--set rows=65: `rows` = 65 is out of range: must be 1..=64"
        );
    }

    #[test]
    fn every_default_builds() {
        for design in designs() {
            let configured = design.configure(None, &[]).unwrap();
            assert!(!configured.build().outputs.is_empty());
            assert_eq!(configured.json(), design.default_spec());
        }
    }
}
