//! The readers.

use hwgen_boards::board::Board;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::registry;
use hwgen_files::Cache;
use hwgen_hdl::Module;
use hwgen_network::candidate::Candidate;
use hwgen_network::plan::outline;
use hwgen_network::policy::Policy;
use hwgen_network::{graph, import};
use hwgen_verify::attention::data::Array;
use hwgen_verify::power::Library;
use hwgen_verify::study::Ledger;
use hwgen_verify::waves::Recording;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A reader of files.
pub struct Reader {
    /// Its name, that of its format.
    pub name: &'static str,
    read: fn(&[u8], &Room) -> Result<(), String>,
}

/// What readers need beside a file's bytes.
pub struct Room {
    /// For those that take a path.
    folder: TempDir,
    /// Starts what calls [`hwgen_verify::waves::serve`].
    waves: Command,
}

/// All there are.
pub const READERS: &[Reader] = &[
    Reader { name: "tflite", read: model },
    Reader { name: "onnx", read: model },
    Reader { name: "network", read: network },
    Reader { name: "candidate", read: candidate },
    Reader { name: "policy", read: policy },
    Reader { name: "spec", read: spec },
    Reader { name: "set", read: set },
    Reader { name: "board", read: board },
    Reader { name: "liberty", read: liberty },
    Reader { name: "liberty_gz", read: packed_liberty },
    Reader { name: "vcd", read: waves },
    Reader { name: "fst", read: waves },
    Reader { name: "wav", read: clip },
    Reader { name: "flac", read: clip },
    Reader { name: "npy", read: array },
    Reader { name: "ledger", read: ledger },
    Reader { name: "cache", read: cache },
];

/// The reader of that name.
pub fn find(name: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.name == name)
}

impl Reader {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// What the user is told.
    pub fn read(&self, bytes: &[u8], room: &Room) -> Result<(), String> {
        (self.read)(bytes, room)
    }
}

impl Room {
    /// A room with an empty folder; `waves` starts a process that calls
    /// [`hwgen_verify::waves::serve`].
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(waves: Command) -> io::Result<Room> {
        Ok(Room { folder: tempfile::tempdir()?, waves })
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).map_err(told)?;
        Ok(path)
    }
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(told)
}

fn model(bytes: &[u8], _: &Room) -> Result<(), String> {
    import::import("mutant", bytes).map_err(told)?.validate().map_err(told)
}

fn network(bytes: &[u8], _: &Room) -> Result<(), String> {
    graph::read(text(bytes)?).map(drop).map_err(told)
}

/// A candidate, and its cost on a core: the planner sees what no network was made of.
fn candidate(bytes: &[u8], _: &Room) -> Result<(), String> {
    let candidate = Candidate::read(text(bytes)?).map_err(told)?;
    outline(&candidate, &CnnSpec::default()).map(drop).map_err(told)
}

fn policy(bytes: &[u8], _: &Room) -> Result<(), String> {
    serde_json::from_slice::<Policy>(bytes).map(drop).map_err(told)
}

/// A specification of any design.
fn spec(bytes: &[u8], _: &Room) -> Result<(), String> {
    let file = Some((Path::new("mutant.json"), text(bytes)?));
    any(registry::designs().into_iter().map(|design| design.configure(file, &[]).map_err(told)))
}

/// Values of `--set`, a line each.
fn set(bytes: &[u8], _: &Room) -> Result<(), String> {
    let lines: Vec<String> = text(bytes)?.lines().map(str::to_owned).collect();
    any(registry::designs().into_iter().map(|design| design.configure(None, &lines).map_err(told)))
}

/// All are tried; one that takes it is enough.
fn any<T>(tried: impl Iterator<Item = Result<T, String>>) -> Result<(), String> {
    let (taken, refused): (Vec<_>, Vec<_>) = tried.partition(Result::is_ok);
    match refused.into_iter().find_map(Result::err) {
        Some(said) if taken.is_empty() => Err(said),
        _ => Ok(()),
    }
}

fn board(bytes: &[u8], _: &Room) -> Result<(), String> {
    Board::parse(text(bytes)?).map(drop).map_err(told)
}

fn liberty(bytes: &[u8], room: &Room) -> Result<(), String> {
    Library::read(room.file("mutant.lib", bytes)?).map(drop).map_err(told)
}

fn packed_liberty(bytes: &[u8], room: &Room) -> Result<(), String> {
    Library::read(room.file("mutant.lib.gz", bytes)?).map(drop).map_err(told)
}

fn waves(bytes: &[u8], room: &Room) -> Result<(), String> {
    let path = room.file("mutant.waves", bytes)?;
    let module = recorded()?;
    Recording::read_apart(&path, &module, &room.waves).map(drop).map_err(told)
}

/// The design whose runs the readers of waves take.
///
/// # Errors
/// None while there is such a design.
pub fn recorded() -> Result<Arc<Module>, String> {
    let design = registry::find("mac_array").ok_or("there is no such design")?;
    let sizes = ["rows=1".into(), "columns=1".into()];
    Ok(design.configure(None, &sizes).map_err(told)?.build())
}

fn clip(bytes: &[u8], _: &Room) -> Result<(), String> {
    hwgen_audio::decode(Path::new("mutant"), bytes).map(drop).map_err(told)
}

fn array(bytes: &[u8], _: &Room) -> Result<(), String> {
    Array::parse("mutant.npy".into(), bytes, "any axes").map(drop).map_err(told)
}

fn ledger(bytes: &[u8], room: &Room) -> Result<(), String> {
    Ledger::open(&room.file("ledger.jsonl", bytes)?).map(drop).map_err(told)
}

/// The list of what lies in a cache.
fn cache(bytes: &[u8], room: &Room) -> Result<(), String> {
    let cache = Cache::open(&room.folder.path().join("cache")).map_err(told)?;
    let making = cache.make().map_err(told)?;
    std::fs::write(making.path().join("result"), "kept").map_err(told)?;
    let place = making.keep("key").map_err(told)?;
    std::fs::write(place.join("manifest.sha256"), bytes).map_err(told)?;
    match cache.get("key") {
        Some(_) => Ok(()),
        None => Err("what is in the cache is not what was put there".into()),
    }
}
