//! Ports out of a wave file.

use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;
use wellen::{Hierarchy, LoadOptions, ScopeRef, Signal, SignalRef, viewers};

/// What is looked for: names and widths in bits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ports {
    clock: Option<String>,
    inputs: Vec<(String, u32)>,
    outputs: Vec<(String, u32)>,
}

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Waves {
    /// The clock's rising edges: positions in the file's time table.
    pub(super) edges: Vec<u32>,
    pub(super) inputs: Vec<Changes>,
    /// Those of the design's that the file has.
    pub(super) outputs: Vec<(usize, Changes)>,
}

/// A signal's values, each from a position in the time table on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Changes {
    width: usize,
    pub(super) at: Vec<u32>,
    /// Binary, one value after the other.
    digits: String,
}

/// Why there are none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fault {
    /// What the reader says.
    Read(String),
    /// No scope has all the names.
    Scope,
    /// A port of another width.
    Width { port: String, is: usize, must: usize },
}

impl Ports {
    pub(super) fn of(module: &Module) -> Ports {
        Ports {
            clock: module.clocks.first().map(|clock| clock.name.to_string()),
            inputs: module.inputs.iter().map(|p| (p.name.to_string(), p.ty.width)).collect(),
            outputs: module.outputs.iter().map(|p| (p.name.to_string(), p.ty.width)).collect(),
        }
    }

    /// Names that a scope must have.
    pub(super) fn needed(&self) -> impl Iterator<Item = &str> {
        self.clock.iter().chain(self.inputs.iter().map(|(name, _)| name)).map(String::as_str)
    }

    /// All ports with their widths.
    fn all(&self) -> impl Iterator<Item = (&str, u32)> {
        let clock = self.clock.iter().map(|name| (name.as_str(), 1));
        let ports = self.inputs.iter().chain(&self.outputs);
        clock.chain(ports.map(|(name, width)| (name.as_str(), *width)))
    }
}

impl Changes {
    /// The value from the n-th position on.
    pub(super) fn value(&self, n: usize) -> &str {
        self.digits.get(n * self.width..(n + 1) * self.width).unwrap_or_default()
    }

    fn of(signal: &Signal, port: &str, width: u32) -> Result<Changes, Fault> {
        let must = width as usize;
        let mut changes = Changes { width: must, ..Changes::default() };
        for (time, value) in signal.iter_changes() {
            let digits = value.to_bit_string().unwrap_or_default();
            if digits.len() != must {
                return Err(Fault::Width { port: port.to_owned(), is: digits.len(), must });
            }
            changes.at.push(time);
            changes.digits += &digits;
        }
        Ok(changes)
    }

    /// When a clock becomes 1.
    fn rising(&self) -> Vec<u32> {
        let rises = |n: &usize| self.value(n - 1) != "1" && self.value(*n) == "1";
        (1..self.at.len()).filter(rises).map(|n| self.at[n]).collect()
    }
}

/// Reads a VCD, FST or GHW file.
pub(super) fn waves(bytes: Vec<u8>, ports: &Ports) -> Result<Waves, Fault> {
    // the reader trusts what it reads more than we do
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| trusting(bytes, ports)));
    read.unwrap_or_else(|_| Err(Fault::Read("it is damaged".into())))
}

fn trusting(bytes: Vec<u8>, ports: &Ports) -> Result<Waves, Fault> {
    let failed = |error: wellen::WellenError| Fault::Read(error.to_string());
    // threads would take memory that is counted
    let options = LoadOptions { multi_thread: false, ..LoadOptions::default() };
    let header = viewers::read_header(Cursor::new(bytes), &options).map_err(failed)?;
    let hierarchy = header.hierarchy;
    let mut body = viewers::read_body(header.body, &hierarchy, None).map_err(failed)?;
    let needed: Vec<&str> = ports.needed().collect();
    let found = scope(&hierarchy, &needed).ok_or(Fault::Scope)?;
    let mut signals: Vec<SignalRef> =
        ports.all().filter_map(|(name, _)| found.get(name)).copied().collect();
    signals.sort_unstable();
    signals.dedup();
    let loaded = body.source.load_signals(&signals, &hierarchy, false);
    let loaded: HashMap<SignalRef, Signal> =
        loaded.into_iter().map(|signal| (signal.signal_ref(), signal)).collect();
    let changes = |name: &str, width| match found.get(name).and_then(|at| loaded.get(at)) {
        Some(signal) => Changes::of(signal, name, width),
        None => Ok(Changes::default()),
    };
    let clock = ports.clock.as_ref().map(|name| changes(name, 1)).transpose()?;
    let inputs = ports.inputs.iter().map(|(name, width)| changes(name, *width));
    let outputs = ports.outputs.iter().enumerate();
    let outputs = outputs.filter(|(_, (name, _))| found.contains_key(name));
    let outputs = outputs.map(|(index, (name, width))| Ok((index, changes(name, *width)?)));
    Ok(Waves {
        edges: clock.map_or(vec![], |clock| clock.rising()),
        inputs: inputs.collect::<Result<_, _>>()?,
        outputs: outputs.collect::<Result<_, _>>()?,
    })
}

/// The outermost scope with all these names: its variables.
fn scope(hierarchy: &Hierarchy, needed: &[&str]) -> Option<HashMap<String, SignalRef>> {
    let mut level: Vec<ScopeRef> = hierarchy.scopes().collect();
    while !level.is_empty() {
        for &scope in &level {
            let variables = hierarchy[scope].vars(hierarchy).map(|variable| {
                let variable = &hierarchy[variable];
                (variable.name(hierarchy).to_owned(), variable.signal_ref())
            });
            let variables: HashMap<_, _> = variables.collect();
            if needed.iter().all(|name| variables.contains_key(*name)) {
                return Some(variables);
            }
        }
        level = level.iter().flat_map(|&scope| hierarchy[scope].scopes(hierarchy)).collect();
    }
    None
}
