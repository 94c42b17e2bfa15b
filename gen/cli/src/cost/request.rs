//! Lines that the server reads.

use super::answer::VERSION;
use super::costs::{Subject, Target};
use hwgen_boards::board;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::registry;
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::printable;
use hwgen_network::policy::Policy;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::Path;

/// A line: a `candidate`, a list of `candidates`, or neither, which is the network that the server was
/// started with. The core is the one that it was started with, if the line does not say another.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request<'l> {
    /// Version of the format: 1.
    version: u32,
    /// Anything; it stands in the answer.
    #[serde(default, borrow)]
    #[schemars(with = "Option<Value>")]
    pub(super) id: Option<&'l RawValue>,
    /// A network without weights: `hwgen cost --schema candidate`.
    #[serde(default, borrow)]
    #[schemars(with = "Option<Value>")]
    candidate: Option<&'l RawValue>,
    /// Several; they are answered in a list.
    #[serde(default, borrow)]
    #[schemars(with = "Option<Vec<Value>>")]
    candidates: Option<Vec<&'l RawValue>>,
    /// Widths of weights by layer, as `--policy` has them, of all that the line names.
    #[serde(default)]
    policy: Option<Policy>,
    /// The core: parameters that differ from their defaults.
    #[serde(default, borrow)]
    #[schemars(with = "Option<Value>")]
    spec: Option<&'l RawValue>,
    /// Or the fastest core within so many multipliers.
    #[serde(default)]
    multipliers: Option<u32>,
    /// Memories of one port; not beside `spec`.
    #[serde(default)]
    single_port: bool,
    /// A board of those that hwgen knows: its clock, and the fastest core that it has room for if neither
    /// `spec` nor `multipliers` is said.
    #[serde(default)]
    board: Option<String>,
    /// Tell each layer's share.
    #[serde(default)]
    pub(super) layers: bool,
    /// Estimate the core's area: a second for a core that is new.
    #[serde(default)]
    pub(super) area: bool,
}

/// The JSON schema of a line.
pub(super) fn schema() -> Value {
    schema_for!(Request<'_>).to_value()
}

/// What a line asks for: one, or several.
pub(super) enum Asked<'s> {
    /// Of the network that the server was started with.
    Own(&'s Subject),
    One(Box<Subject>),
    Several(Vec<Result<Subject, String>>),
}

impl<'l> Request<'l> {
    /// Reads a line.
    pub(super) fn read(line: &'l str) -> Result<Request<'l>, String> {
        // lists are read as objects whose fields have no names
        if !line.trim_start().starts_with('{') {
            return Err("a request is a JSON object: {\"version\": 1, \"candidate\": ..}".into());
        }
        let request: Request<'_> =
            serde_json::from_str(line).map_err(|error| printable(&error.to_string()))?;
        match request.version {
            VERSION => Ok(request),
            other => Err(format!("request of version {other}: only {VERSION} is known")),
        }
    }

    /// The core that it asks for; `None` is the server's own.
    pub(super) fn target(&self) -> Result<Option<Target>, String> {
        let known = |name: &String| match board::names().any(|known| known == name) {
            true => board::find(name).map_err(|error| error.to_string()),
            false => Err(format!(
                "board `{}` is not known: {}",
                printable(name),
                board::names().collect::<Vec<_>>().join(", ")
            )),
        };
        let board = self.board.as_ref().map(known).transpose()?;
        Ok(Some(match (self.spec, self.multipliers, board) {
            (Some(_), Some(_), _) => {
                return Err("`multipliers` beside `spec`: the core is sized there".into());
            }
            (Some(_), ..) if self.single_port => {
                return Err("`single_port` beside `spec`: say it there".into());
            }
            (Some(text), None, board) => Target::core(spec(text.get())?, board),
            (None, Some(0), _) => return Err("`multipliers` = 0: must be 1 or more".into()),
            (None, Some(multipliers), board) => {
                Target::within(multipliers, self.single_port, board)
            }
            (None, None, Some(board)) => Target::board(board, self.single_port),
            (None, None, None) if self.single_port => {
                return Err("`single_port`: say `multipliers` or `board`, too".into());
            }
            (None, None, None) => return Ok(None),
        }))
    }

    /// What it asks the cost of; `own` is the network that the server was started with.
    pub(super) fn asked<'s>(&self, own: Option<&'s Subject>) -> Result<Asked<'s>, String> {
        let with = |subject: &Subject, policy: &Policy| {
            subject.with(policy).map_err(|error| error.to_string())
        };
        let read = |text: &&RawValue| {
            let candidate = Candidate::read(text.get()).map_err(|error| error.to_string())?;
            let subject = Subject::Candidate(candidate);
            match &self.policy {
                None => Ok(subject),
                Some(policy) => with(&subject, policy),
            }
        };
        match (&self.candidate, &self.candidates, own) {
            (Some(_), Some(_), _) => Err("`candidate` beside `candidates`: say one".into()),
            (Some(one), None, _) => Ok(Asked::One(Box::new(read(one)?))),
            (None, Some(all), _) => Ok(Asked::Several(all.iter().map(read).collect())),
            (None, None, Some(own)) => match &self.policy {
                None => Ok(Asked::Own(own)),
                Some(policy) => Ok(Asked::One(Box::new(with(own, policy)?))),
            },
            (None, None, None) => {
                Err("no `candidate`: and the server was started without --network".into())
            }
        }
    }
}

/// A core from its parameters.
fn spec(text: &str) -> Result<CnnSpec, String> {
    let core = registry::of::<CnnSpec>();
    let configured = core.configure(Some((Path::new("spec"), text)), &[]);
    let configured = configured.map_err(|error| printable(&error.to_string()))?;
    configured.as_any().downcast_ref::<CnnSpec>().cloned().ok_or_else(|| "no core".into())
}
