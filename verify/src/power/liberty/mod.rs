//! Liberty libraries: cells' functions, areas, pin capacitances, leakage and energy tables.
//!
//! [`Library::read`] takes `.lib` and `.lib.gz`; numbers come out in SI units. What a use of the
//! library does not need (timing, noise) is passed over.

mod cell;
mod function;
mod table;
mod text;

pub use cell::{Cell, FlipFlop, InternalPower, Pin};
pub use function::Function;
pub use table::Table;

use hwgen_files::{FileError, reason};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use table::{Template, Units};
use text::{Group, error, parse};

/// The longest text that is read.
const LONGEST: u64 = 1 << 28;
/// What a packed text of few bytes may unpack to, and a byte of a longer one: libraries, which are
/// numbers, pack ten to twenty times.
const UNPACKED_BYTES: u64 = 1 << 24;
const UNPACKED_BYTES_A_BYTE: u64 = 64;

/// A library of cells.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// The supply in volts: that of its default operating conditions, else the nominal one.
    pub volts: f64,
    /// All cells, by name.
    pub cells: HashMap<String, Cell>,
    /// The unpacked text, for other tools, without the cells that synthesis must not use.
    pub(crate) text: String,
}

/// Parts of names of cells that are no logic: power gating and isolation, delays, probes and
/// spares. Synthesis would take some of them for cheap gates.
const NO_LOGIC: &[&str] = &["lpflow", "dlygate", "dlymetal", "clkdly", "probe", "sparecell"];

/// What is wrong with a library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Its file cannot be read.
    #[error("{0}")]
    File(FileError),
    /// It cannot be unpacked.
    #[error("cannot unpack library {}: {reason}", path.display())]
    Packed {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not written as Liberty is.
    #[error("line {line}: {what}")]
    Syntax {
        /// Where.
        line: u32,
        /// What is there.
        what: String,
    },
    /// The same, in a file.
    #[error("{}, {inner}", path.display())]
    InFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        inner: Box<LibraryError>,
    },
}

impl Library {
    /// Reads a file; it is unpacked if its name ends in `.gz`.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than 256 MiB, unpacks to more than libraries do, or is
    /// not a library.
    pub fn read(path: impl AsRef<Path>) -> Result<Library, LibraryError> {
        let path = path.as_ref();
        let mut text = hwgen_files::read(path, LONGEST).map_err(LibraryError::File)?;
        if path.extension().is_some_and(|extension| extension == "gz") {
            text = unpack(&text)
                .map_err(|reason| LibraryError::Packed { path: path.into(), reason })?;
        }
        // names and numbers are ASCII; comments may be anything
        Library::parse(&String::from_utf8_lossy(&text))
            .map_err(|error| LibraryError::InFile { path: path.into(), inner: Box::new(error) })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`LibraryError::Syntax`] if it is not a library.
    pub fn parse(text: &str) -> Result<Library, LibraryError> {
        let group = parse(text)?;
        if group.kind != "library" {
            let what =
                format!("a library begins with `library`, not `{}`", text::short(group.kind));
            return Err(error(group.line, what));
        }
        let volts = volts(&group)?;
        let units = units(&group)?;
        let mut templates: HashMap<&str, Template> = HashMap::new();
        for kind in ["power_lut_template", "lu_table_template"] {
            for group in group.of_kind(kind) {
                templates.entry(group.name()).or_insert(table::template(group)?);
            }
        }
        let default = |name| Ok(group.number(name)?.unwrap_or_default());
        let defaults = cell::Defaults {
            input_capacitance: default("default_input_pin_cap")?,
            output_capacitance: default("default_output_pin_cap")?,
            leakage: default("default_cell_leakage_power")?,
        };
        let unused = |group: &&Group<'_>| {
            NO_LOGIC.iter().any(|part| group.name().contains(part))
                || group.text("dont_use") == Some("true")
        };
        let mut for_synthesis = String::with_capacity(text.len());
        let mut at = 0;
        for unused in group.of_kind("cell").filter(unused) {
            for_synthesis += &text[at..unused.span.start];
            at = unused.span.end;
        }
        for_synthesis += &text[at..];
        let cells = group.of_kind("cell").map(|group| {
            let cell = cell::read(group, &templates, units, defaults)?;
            Ok((cell.name.clone(), cell))
        });
        let cells = cells.collect::<Result<_, LibraryError>>()?;
        Ok(Library { name: group.name().to_string(), volts, cells, text: for_synthesis })
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let most = UNPACKED_BYTES.max(packed.len() as u64 * UNPACKED_BYTES_A_BYTE).min(LONGEST);
    let mut text = vec![];
    let unpacker = flate2::read::MultiGzDecoder::new(packed);
    unpacker.take(most + 1).read_to_end(&mut text).map_err(|error| reason(&error))?;
    match text.len() as u64 > most {
        true => Err(format!("{} bytes unpack to more than {most}", packed.len())),
        false => Ok(text),
    }
}

fn volts(library: &Group<'_>) -> Result<f64, LibraryError> {
    let default = library.text("default_operating_conditions");
    let mut conditions = library.of_kind("operating_conditions");
    let chosen = conditions.find(|group| Some(group.name()) == default);
    let chosen = chosen.map(|group| group.number("voltage")).transpose()?.flatten();
    let volts = chosen.map_or_else(|| library.number("nom_voltage"), |volts| Ok(Some(volts)))?;
    let unit = unit(library, "voltage_unit", "V", 1.0)?;
    let volts = volts.map(|volts| volts * unit);
    volts
        .filter(|volts| (0.05..=50.0).contains(volts))
        .ok_or_else(|| error(library.line, "the library has no supply of 0.05 to 50 V".into()))
}

/// A unit such as `1ns`; `default` if the library does not say.
fn unit(library: &Group<'_>, name: &str, base: &str, default: f64) -> Result<f64, LibraryError> {
    let Some(attribute) = library.attribute(name) else { return Ok(default) };
    let text = attribute.values.first().copied().unwrap_or_default();
    let digits = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, letters) = text.split_at(digits);
    let letters = letters.trim().to_lowercase();
    let prefix = match letters.strip_suffix(&base.to_lowercase()) {
        Some("") => 1.0,
        Some("k") => 1e3,
        Some("m") => 1e-3,
        Some("u") => 1e-6,
        Some("n") => 1e-9,
        Some("p") => 1e-12,
        Some("f") => 1e-15,
        _ => 0.0,
    };
    let number: Option<f64> = number.trim().parse().ok();
    let value = number.map(|number| number * prefix).filter(|&value| value > 0.0);
    let wrong = || error(attribute.line, format!("`{}` is no {name}", text::short(text)));
    value.filter(|value| value.is_finite()).ok_or_else(wrong)
}

fn units(library: &Group<'_>) -> Result<Units, LibraryError> {
    let capacitance = match library.attribute("capacitive_load_unit") {
        None => 1e-12,
        Some(attribute) => {
            let number = attribute.number()?;
            let name = attribute.values.get(1).copied().unwrap_or("pf").to_lowercase();
            match name.as_str() {
                "pf" => number * 1e-12,
                "ff" => number * 1e-15,
                _ => return Err(error(attribute.line, "loads are in `pf` or `ff`".into())),
            }
        }
    };
    let volt = unit(library, "voltage_unit", "V", 1.0)?;
    Ok(Units {
        time: unit(library, "time_unit", "s", 1e-9)?,
        capacitance,
        // internal energy is counted in units of load and voltage
        energy: capacitance * volt * volt,
        leakage: unit(library, "leakage_power_unit", "W", 1e-9)?,
    })
}
