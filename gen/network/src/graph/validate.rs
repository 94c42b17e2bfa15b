//! Checks of a whole network.

use super::{
    Layer, Linear, MOST_BIASES, MOST_IN_ALL, MOST_LAYERS, MOST_NAME, MOST_WEIGHTS, Network,
    NetworkError, State, Tensor, VERSION,
};
use crate::basics::check::{Result, count, same_kind, within};
use std::collections::{BTreeMap, BTreeSet};

impl Network {
    /// Checks every value.
    ///
    /// # Errors
    /// The first fault, with its place and the range allowed.
    pub fn validate(&self) -> Result<()> {
        let place = "network";
        within(place, "version", i64::from(self.version), VERSION.into(), VERSION.into())?;
        count(place, "tensors", self.tensors.len(), MOST_LAYERS)?;
        count(place, "layers", self.layers.len(), MOST_LAYERS)?;
        count(place, "inputs", self.inputs.len(), MOST_LAYERS)?;
        count(place, "outputs", self.outputs.len(), MOST_LAYERS)?;
        let names = self.tensors.iter().map(|tensor| &tensor.name);
        let names = names.chain(self.layers.iter().map(|layer| &layer.name)).chain([&self.name]);
        names.into_iter().try_for_each(|name| named(name))?;
        unique("tensors", self.tensors.iter().map(|tensor| &tensor.name))?;
        unique("layers", self.layers.iter().map(|layer| &layer.name))?;
        self.tensors.iter().try_for_each(Tensor::check)?;
        let elements: usize = self.tensors.iter().map(Tensor::stored).sum();
        if elements > MOST_IN_ALL {
            let range = format!("at most {MOST_IN_ALL}");
            return Err(NetworkError::out_of_range(place, "elements of tensors", elements, range));
        }
        let tensors: BTreeMap<&str, &Tensor> =
            self.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        self.order(&tensors)?;
        let inputs = self.inputs.iter().filter_map(|name| tensors.get(name.as_str()));
        if let Some(input) = inputs.into_iter().find(|input| input.sums.is_some()) {
            let problem = format!("input `{}` has `sums`: only layers make sums", input.name);
            return Err(NetworkError::Shape { place: place.to_owned(), problem });
        }
        self.amounts()?;
        self.layers.iter().try_for_each(|layer| layer.validate(&tensors))?;
        let mut kept = BTreeSet::new();
        self.states.iter().try_for_each(|state| {
            if !kept.insert(&state.input) {
                let name = state.input.clone();
                return Err(NetworkError::Duplicate { kind: "states", name });
            }
            state.validate(self, &tensors)
        })
    }

    /// What all layers have together.
    fn amounts(&self) -> Result<()> {
        let linear = || self.layers.iter().filter_map(|layer| layer.operator.linear());
        let all = |of: fn(&Linear) -> usize| linear().map(of).sum::<usize>() as i64;
        let (weights, biases) = (all(|l| l.weights.len()), all(|l| l.bias.len()));
        let multipliers = all(|l| l.multipliers.mantissas.len());
        within("network", "weights in all", weights, 0, MOST_WEIGHTS as i64)?;
        within("network", "biases in all", biases, 0, MOST_BIASES as i64)?;
        within("network", "multipliers in all", multipliers, 0, MOST_BIASES as i64)
    }

    /// Every tensor is written once, before it is read.
    fn order(&self, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let known = |place: &str, name: &str| match tensors.contains_key(name) {
            true => Ok(()),
            false => Err(NetworkError::UnknownTensor { place: place.into(), name: name.into() }),
        };
        let mut written = BTreeSet::new();
        let mut write = |place: &str, name: &str| {
            known(place, name)?;
            match written.insert(name.to_owned()) {
                true => Ok(()),
                false => Err(NetworkError::WrittenTwice { place: place.into(), name: name.into() }),
            }
        };
        self.inputs.iter().try_for_each(|name| write("network", name))?;
        let mut ready: BTreeSet<&str> = self.inputs.iter().map(String::as_str).collect();
        let read = |place: &str, name: &str, ready: &BTreeSet<&str>| {
            known(place, name)?;
            match ready.contains(name) {
                true => Ok(()),
                false => Err(NetworkError::NotWritten { place: place.into(), name: name.into() }),
            }
        };
        for layer in &self.layers {
            let place = layer.place();
            layer.inputs.iter().try_for_each(|name| read(&place, name, &ready))?;
            write(&place, &layer.output)?;
            ready.insert(&layer.output);
        }
        self.outputs.iter().try_for_each(|name| read("network", name, &ready))
    }
}

impl State {
    fn validate(&self, network: &Network, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let place = format!("state `{}`", self.input);
        for (list, name) in [(&network.inputs, &self.input), (&network.outputs, &self.output)] {
            if !list.contains(name) {
                let what = if name == &self.input { "input" } else { "output" };
                let problem = format!("`{name}` is no {what} of the network");
                return Err(NetworkError::Shape { place, problem });
            }
        }
        let of = |name: &String| tensors.get(name.as_str()).copied();
        let (Some(input), Some(output)) = (of(&self.input), of(&self.output)) else {
            return Ok(());
        };
        same_kind(&place, output, input)?;
        if input.shape != output.shape {
            let problem = format!("shapes {:?} and {:?} differ", input.shape, output.shape);
            return Err(NetworkError::Shape { place, problem });
        }
        let (lowest, highest) = (input.lowest().into(), input.highest().into());
        within(&place, "initial", self.initial.into(), lowest, highest)
    }
}

impl Layer {
    fn place(&self) -> String {
        format!("layer `{}`", self.name)
    }

    fn validate(&self, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let place = self.place();
        let tensor = |name: &String| tensors.get(name.as_str()).copied();
        let inputs: Vec<&Tensor> = self.inputs.iter().filter_map(tensor).collect();
        let Some(output) = tensor(&self.output) else { return Ok(()) };
        let (operator, reads) = (self.operator.known(), self.operator.known().arity());
        if !reads.contains(&inputs.len()) {
            let (least, most) = reads.into_inner();
            let expected =
                if least == most { least.to_string() } else { format!("{least} to {most}") };
            return Err(NetworkError::wrong_length(&place, "inputs", inputs.len(), expected));
        }
        self.validate_sums(&place, &inputs, output)?;
        operator.check(&place, &inputs, output)?;
        let problem = match operator.shape(&inputs, output) {
            Ok(shape) if shape == output.shape => return Ok(()),
            Ok(shape) => format!("the output has shape {:?}: must be {shape:?}", output.shape),
            Err(problem) => problem,
        };
        Err(NetworkError::Shape { place, problem })
    }

    /// Sums are made by layers with weights, and read by none that computes.
    fn validate_sums(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Result<()> {
        let (kind, operator) = (self.operator.kind(), self.operator.known());
        let refuse =
            |problem: String| Err(NetworkError::Shape { place: place.to_owned(), problem });
        if output.sums.is_some() && !operator.makes_sums() {
            return refuse(format!("`{}` has `sums`, which `{kind}` does not make", output.name));
        }
        let moves = operator.makes_sums() && operator.linear().is_none();
        match inputs.iter().find(|input| input.sums.is_some() && !moves) {
            None => Ok(()),
            Some(input) => refuse(format!(
                "it reads `{}`, whose sums nothing rescales: only `reshape` reads such",
                input.name
            )),
        }
    }
}

/// Names are printed: they are short, and nothing in them moves a cursor.
fn named(name: &str) -> Result<()> {
    let place = "network";
    if name.len() > MOST_NAME {
        return Err(NetworkError::out_of_range(
            place,
            "bytes of a name",
            name.len(),
            format!("at most {MOST_NAME}"),
        ));
    }
    match name.chars().any(char::is_control) {
        false => Ok(()),
        true => {
            let (value, range) = (name.escape_debug(), "free of control characters");
            Err(NetworkError::out_of_range(place, "a name", value, range))
        }
    }
}

fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(NetworkError::Duplicate { kind, name: name.clone() });
        }
    }
    Ok(())
}
