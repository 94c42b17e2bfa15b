//! Waves: every named signal, in scopes named after instances, with the clocks.
//!
//! Cycle `k` begins at time `10 k`, with the clocks low and the inputs as they were set; the clocks
//! rise at `10 k + 5`. The file takes its place when it is complete.

mod fst;
mod vcd;

use super::SimError;
use super::core::Core;
use super::flatten::sources;
use crate::netlist::{ClockId, Module, NodeId};
use crate::ty::{Int, Type, u};
use hwgen_files::{FileError, Pending};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Vcd,
    Fst,
}

/// Where changes go.
trait Sink: Send {
    fn time(&mut self, time: u64) -> Result<(), String>;

    /// A new value as binary digits, most significant first, one for each bit.
    fn change(&mut self, signal: usize, digits: &str) -> Result<(), String>;

    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// Names and what they show: for the path of each scope, names and positions of its signals. A dot
/// sorts before all that stands in names, so that each scope is followed by what is inside it.
#[derive(Default)]
struct Scopes<'a>(BTreeMap<&'a str, Vec<(&'a str, usize)>>);

/// A line of a wave file's header.
enum Line<'a> {
    Open(&'a str),
    Variable(&'a str, usize),
    Close,
}

/// A wave file in the making.
pub(super) struct Wave {
    path: PathBuf,
    file: Option<Pending>,
    nodes: Vec<NodeId>,
    types: Vec<Type>,
    /// For each node, then each clock, the value written last.
    last: Vec<Option<Int>>,
    sink: Option<Box<dyn Sink>>,
    /// The first thing that went wrong; nothing is written afterwards.
    error: Option<String>,
}

impl Wave {
    pub(super) fn new(
        path: &Path,
        format: Format,
        flat: &Module,
        names: &HashMap<Arc<str>, NodeId>,
    ) -> Result<Wave, SimError> {
        let (mut nodes, mut position) = (vec![], HashMap::new());
        let mut scopes = Scopes::default();
        let mut named: Vec<_> = names.iter().collect();
        named.sort_by_key(|(name, id)| (**id, (*name).clone()));
        let sources = sources(flat);
        for (name, id) in named {
            let id = sources[id.index()];
            let signal = *position.entry(id).or_insert_with(|| {
                nodes.push(id);
                nodes.len() - 1
            });
            scopes.add(name, signal);
        }
        let mut types: Vec<Type> = nodes.iter().map(|&id| flat.ty(id)).collect();
        // Clocks beyond the top's are the same ones.
        for clock in flat.clocks.iter().filter(|clock| !clock.name.contains('.')) {
            scopes.add(&clock.name, types.len());
            types.push(u(1));
        }
        let failed = |error: FileError| wave_error(path, error.why());
        let file = Pending::create(path).map_err(failed)?;
        let lines = scopes.lines(&flat.name);
        let sink: Result<Box<dyn Sink>, String> = match format {
            Format::Vcd => vcd::create(&file, &lines, &types).map(|sink| Box::new(sink) as _),
            Format::Fst => fst::create(&file, &lines, &types).map(|sink| Box::new(sink) as _),
        };
        let sink = sink.map_err(|reason| wave_error(path, reason))?;
        let last = vec![None; types.len()];
        let path = path.to_owned();
        Ok(Wave { path, file: Some(file), nodes, types, last, sink: Some(sink), error: None })
    }

    /// Writes what has changed; these clocks are high.
    pub(super) fn sample(&mut self, core: &mut dyn Core, time: u64, high: &[ClockId]) {
        if self.error.is_none()
            && let Err(error) = self.try_sample(core, time, high)
        {
            self.error = Some(error);
        }
    }

    fn try_sample(
        &mut self,
        core: &mut dyn Core,
        time: u64,
        high: &[ClockId],
    ) -> Result<(), String> {
        let Some(sink) = &mut self.sink else {
            return Ok(());
        };
        sink.time(time)?;
        core.show(&self.nodes);
        for index in 0..self.types.len() {
            let value = match self.nodes.get(index) {
                Some(&node) => core.peek(node),
                None => {
                    let clock = ClockId::new(index - self.nodes.len());
                    Int::from(u8::from(high.contains(&clock)))
                }
            };
            if self.last[index].as_ref() != Some(&value) {
                let (ty, bits) = (self.types[index], self.types[index].to_bits(&value));
                let digits = bits.to_str_radix(2);
                let zeros = "0".repeat(ty.width as usize - digits.len());
                sink.change(index, &(zeros + &digits))?;
                self.last[index] = Some(value);
            }
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(&mut self) -> Result<(), SimError> {
        let Some(sink) = self.sink.take() else {
            return Ok(());
        };
        let written = match self.error.take() {
            Some(error) => Err(error),
            None => sink.finish(),
        };
        // without an error it takes its place, else it goes
        let file = self.file.take();
        let put = |()| file.map_or(Ok(()), Pending::finish).map_err(|error| error.why());
        written.and_then(put).map_err(|reason| wave_error(&self.path, reason))
    }
}

/// A simulation that panics leaves its waves too.
impl Drop for Wave {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

impl<'a> Scopes<'a> {
    fn add(&mut self, path: &'a str, signal: usize) {
        let (scope, name) = path.rsplit_once('.').unwrap_or(("", path));
        self.0.entry(scope).or_default().push((name, signal));
    }

    /// The header, inside a scope of this name.
    fn lines(&self, top: &'a str) -> Vec<Line<'a>> {
        let mut lines = vec![Line::Open(top)];
        let mut open: Vec<&str> = vec![];
        for (path, variables) in &self.0 {
            let scopes: Vec<&str> = path.split('.').filter(|scope| !scope.is_empty()).collect();
            let same = open.iter().zip(&scopes).take_while(|(old, new)| old == new).count();
            lines.extend(open.drain(same..).map(|_| Line::Close));
            lines.extend(scopes[same..].iter().map(|&scope| Line::Open(scope)));
            open = scopes;
            lines.extend(variables.iter().map(|&(name, signal)| Line::Variable(name, signal)));
        }
        lines.extend(open.iter().map(|_| Line::Close));
        lines.push(Line::Close);
        lines
    }
}

fn wave_error(path: &Path, reason: String) -> SimError {
    SimError::Wave { path: path.display().to_string(), reason }
}
