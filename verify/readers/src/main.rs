//! `hwgen-readers NAME FILE` reads a file as the reader of that name does.

use hwgen_readers::{READERS, Room, find};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            eprintln!("{said}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        // what reads waves apart
        ["waves"] => hwgen_verify::waves::serve().map_err(|error| error.to_string()),
        [name, file] => {
            let names: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
            let reader = find(name).ok_or_else(|| format!("readers: {}", names.join(", ")))?;
            let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
            let mut waves = std::env::current_exe().map(Command::new).map_err(|e| e.to_string())?;
            waves.arg("waves");
            reader.read(&bytes, &Room::new(waves).map_err(|error| error.to_string())?)
        }
        _ => Err("usage: hwgen-readers NAME FILE".into()),
    }
}
