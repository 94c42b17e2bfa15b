//! A study from beginning to end.

use super::accelerator::{Accelerator, HeadRun, Model};
use super::contenders::Contender;
use super::gates::Gates;
use super::layer::Use;
use super::ledger::{Ledger, Record};
use super::point::{self, Point};
use crate::cosim::kept::key as key_of;
use crate::power::Library;
use hwgen_designs::attention::attend::AttendSpec;
use std::error::Error;

/// What a study runs.
pub struct Plan<'p> {
    /// Who takes part.
    pub contenders: Vec<Contender>,
    /// The models.
    pub models: Vec<Model>,
    /// What is built of: its name and cells.
    pub library: &'p Library,
    /// Heads of each layer that run on gates, evenly spread; 0: all.
    pub heads_per_layer: usize,
}

/// Something to tell while it runs.
pub enum Progress<'p> {
    /// A setting was chosen.
    Chosen(&'p Point, &'p str),
    /// No setting of this contender comes close on this model.
    NotClose(&'p str, &'p str),
    /// Gates are made of a contender.
    Synthesis(&'p str, &'p AttendSpec),
    /// A head ran, or was found in the ledger; done and to do of this contender and model.
    Head(&'p Record, usize, usize),
}

/// The size that all contenders have for a model: as many keys as it has, a multiplier an element.
pub fn size_of(model: &Model) -> AttendSpec {
    let heads = || model.heads.iter().map(|head| &head.integers.keys.rows);
    let keys = heads().map(Vec::len).max().unwrap_or(1) as u32;
    let head_dim = heads().flatten().map(Vec::len).max().unwrap_or(1) as u32;
    let lanes = head_dim.next_power_of_two().min(256);
    AttendSpec { head_dim, max_keys: keys, lanes, ..AttendSpec::default() }
}

/// What came of it.
pub struct Results {
    /// Every head's record, in the order of models, contenders, heads.
    pub records: Vec<Record>,
    /// What the masks of each model and contender say of the layers around attention.
    pub uses: Vec<Use>,
}

/// Runs the plan.
///
/// # Errors
/// A tool or a file that fails, a netlist that cannot be read.
pub fn run(
    plan: Plan<'_>,
    ledger: &mut Ledger,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<Results, Box<dyn Error>> {
    let (mut records, mut uses) = (vec![], vec![]);
    for model in &plan.models {
        let size = size_of(model);
        for contender in &plan.contenders {
            let chosen = point::cheapest((contender.chains)(contender.name), model, &size)?;
            let Some(point) = chosen else {
                tell(Progress::NotClose(contender.name, &model.name));
                continue;
            };
            tell(Progress::Chosen(&point, &model.name));
            uses.push(Use::of(model, contender.name, &point.heads));
            let heads = spread(&point.heads, plan.heads_per_layer);
            let mut gates = None;
            for (done, head) in heads.iter().enumerate() {
                let key = key(&*point.accelerator, &size, plan.library, model, head);
                let record = match ledger.get(&key) {
                    // perhaps of another contender that makes the same circuit
                    Some(record) => {
                        let accelerator = contender.name.to_owned();
                        Record { accelerator, ..record.clone() }
                    }
                    None => {
                        if gates.is_none() {
                            tell(Progress::Synthesis(contender.name, &size));
                        }
                        let gates = match &mut gates {
                            Some(gates) => gates,
                            none => {
                                none.insert(Gates::new(&*point.accelerator, &size, plan.library)?)
                            }
                        };
                        let record = gates.run(head, &model.name)?;
                        ledger.put(&key, record.clone())?;
                        record
                    }
                };
                tell(Progress::Head(&record, done + 1, heads.len()));
                records.push(record);
            }
        }
    }
    Ok(Results { records, uses })
}

/// To be raised when the same gates and heads are counted another way.
const REVISION: u32 = 1;

/// What a record depends on: the circuit, who makes gates of it and of what, and the numbers that run.
fn key(
    accelerator: &dyn Accelerator,
    size: &AttendSpec,
    library: &Library,
    model: &Model,
    head: &HeadRun,
) -> String {
    let text = accelerator.module(size).verilog();
    let text = text.unwrap_or_else(|error| error.to_string());
    // no Yosys: there will be no gates either
    let yosys = hwgen_tools::require("yosys").map(|yosys| yosys.version).unwrap_or_default();
    let integers = model.heads.iter().find(|of| of.name == head.head).map(|of| &of.integers);
    // not as `BitVec` is debugged, which tells where it lies in memory
    let survivors = head.survivors.iter().map(|row| row.iter().map(|bit| u8::from(*bit)));
    let survivors: Vec<Vec<u8>> = survivors.map(Iterator::collect).collect();
    let numbers = format!("{integers:?} {survivors:?} {:?}", head.output.cosine);
    let made_of = [&text, &library.text, &yosys, &numbers, &REVISION.to_string()];
    let all = key_of("study", &made_of.map(String::as_str), &[]);
    format!("{all} {} {} {}", accelerator.setting(), model.name, head.head)
}

/// `per_layer` heads of each layer, evenly spread; all for 0.
fn spread(heads: &[HeadRun], per_layer: usize) -> Vec<&HeadRun> {
    let mut chosen = vec![];
    for layer in heads.chunk_by(|a, b| layer(a) == layer(b)) {
        let count = if per_layer == 0 { layer.len() } else { per_layer.min(layer.len()) };
        chosen.extend((0..count).map(|n| &layer[n * layer.len() / count]));
    }
    chosen
}

fn layer(head: &HeadRun) -> &str {
    super::report::layer(&head.head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::synthetic::Clustered;
    use crate::attention::{Head, Matrix, Workload};
    use crate::study::{Split, contenders};

    /// A library without cells: whoever wants gates of it fails.
    const NO_CELLS: &str = "library (none) { nom_voltage : 1.8; }";

    /// ALOC that keeps all keys, so that it is close whatever the data.
    fn keeps_all(name: &'static str) -> Vec<point::Chain> {
        let mut chains = (contenders::parts()[0].chains)(name);
        let last = chains.pop().and_then(|mut chain| chain.pop());
        vec![last.into_iter().collect()]
    }

    fn workload() -> Workload {
        Clustered { tokens: 24, head_dim: 4, seeds: 2, ..Clustered::default() }.workload()
    }

    /// What a study tells and, if it ran to its end, the energies of its heads.
    fn study(workload: &Workload, ledger: &mut Ledger) -> (Vec<String>, Option<Vec<f64>>) {
        let library = Library::parse(NO_CELLS).unwrap();
        let contenders = vec![Contender { name: "ALOC", chains: keeps_all }];
        let models = vec![Model::of(workload)];
        let plan = Plan { contenders, models, library: &library, heads_per_layer: 0 };
        let mut told = vec![];
        let results = run(plan, ledger, |progress| match progress {
            Progress::Head(record, ..) => told.push(record.head.clone()),
            Progress::Synthesis(..) => told.push("gates".into()),
            _ => {}
        });
        let energy = |record: &Record| record.energy_pj.total();
        (told, results.ok().map(|results| results.records.iter().map(energy).collect()))
    }

    /// A ledger with made-up energies of all heads: 1, 2, ...
    fn filled(workload: &Workload, ledger: &mut Ledger) {
        let (library, model) = (Library::parse(NO_CELLS).unwrap(), Model::of(workload));
        let size = size_of(&model);
        let point = point::cheapest(keeps_all("ALOC"), &model, &size).unwrap().unwrap();
        for (at, head) in point.heads.iter().enumerate() {
            let energy_pj = Split { compute: 1.0 + at as f64, ..Split::default() };
            let record = Record { head: head.head.clone(), energy_pj, ..Record::default() };
            let key = key(&*point.accelerator, &size, &library, &model, head);
            ledger.put(&key, record).unwrap();
        }
    }

    /// The matrix with another first element.
    fn changed(matrix: &mut Matrix) {
        let mut values: Vec<f32> = matrix.iter().flatten().copied().collect();
        values[0] += 0.25;
        *matrix = Matrix::new(matrix.cols(), values);
    }

    #[test]
    fn energies_of_other_data_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let recorded = workload();
        let names: Vec<_> = recorded.heads.iter().map(|head| head.name.clone()).collect();
        filled(&recorded, &mut Ledger::open(&path).unwrap());
        // what is opened again holds what was recorded, and no gates are made
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(study(&recorded, &mut ledger), (names.clone(), Some(vec![1.0, 2.0])));
        let changes: [fn(&mut Head); 4] = [
            |head| changed(&mut head.queries),
            |head| changed(&mut head.keys),
            |head| changed(&mut head.values),
            |head| head.causal = true,
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut other = recorded.clone();
            change(&mut other.heads[1]);
            // the head that stayed is taken, the other one wants gates
            let told = vec![names[0].clone(), "gates".into()];
            assert_eq!(study(&other, &mut ledger), (told, None), "change {at}");
        }
        assert_eq!(study(&recorded, &mut ledger).1, Some(vec![1.0, 2.0]));
    }
}
