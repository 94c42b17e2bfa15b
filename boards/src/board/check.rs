//! A board's file is checked before any of it is printed into Verilog, a script or a command line.

use super::{Board, Family, Uses};

/// The longest board file that is read.
pub(super) const MOST_BYTES: u64 = 64 << 10;
/// LEDs that a board may have.
const MOST_LEDS: usize = 64;
/// Pins that may be held.
const MOST_TIES: usize = 64;

/// What is wrong with a board's file.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// There is none of that name.
    #[error(
        "no board `{name}`{} there are {}, and files that end in .toml",
        nearest(name, known), known.join(", ")
    )]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<&'static str>,
    },
    /// The file cannot be read.
    #[error("board file: {0}")]
    File(#[from] hwgen_files::FileError),
    /// It is not TOML, or a field is missing or of the wrong kind.
    #[error("board file: line {line}: {what}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the reader says.
        what: String,
    },
    /// A value is not what its field takes.
    #[error("board file: {field} is `{value}`, it must be {must}")]
    Value {
        /// The field.
        field: String,
        /// What it says.
        value: String,
        /// What it may say.
        must: &'static str,
    },
    /// Two signals at one pin.
    #[error("board file: pin {pin} is both {first} and {second}")]
    PinTwice {
        /// The pin.
        pin: String,
        /// A signal.
        first: String,
        /// Another.
        second: String,
    },
}

impl Board {
    /// Whether all values are of their fields' kinds.
    pub(super) fn check(&self) -> Result<(), BoardError> {
        require("name", &self.name, "lower-case letters, digits and _, a letter first", is_name)?;
        let line = "one line of at most 200 printable characters";
        require("title", &self.title, line, is_line)?;
        require("memory", &self.memory, line, is_line)?;
        require("untested", self.untested.as_deref().unwrap_or_default(), line, is_line)?;
        self.check_fpga()?;
        let (clock, hertz) = (&self.clock, "1000000 to 400000000");
        for (field, value) in
            [("clock.hertz", Some(clock.hertz)), ("clock.run_hertz", clock.run_hertz)]
        {
            let right = |value: &str| {
                value.parse().is_ok_and(|hertz: u32| (1_000_000..=400_000_000).contains(&hertz))
            };
            require(field, &value.unwrap_or(clock.hertz).to_string(), hertz, right)?;
        }
        let count = self.leds.pins.len();
        require("leds.pins", &count.to_string(), "1 to 64 pins", |_| {
            (1..=MOST_LEDS).contains(&count)
        })?;
        let count = self.ties.len();
        require("tie", &count.to_string(), "64 at most", |_| count <= MOST_TIES)?;
        for tie in &self.ties {
            require("tie.name", &tie.name, "lower-case letters, digits and _", is_name)?;
            require("tie.level", &tie.level.to_string(), "0 or 1", |_| tie.level <= 1)?;
        }
        if let Some(microphone) = &self.microphone {
            require("microphone.header", &microphone.header, line, is_line)?;
        }
        for spi in [false, self.spi.is_some()] {
            self.check_pins(Uses { microphone: true, spi })?;
        }
        if let Some(spi) = &self.spi {
            let bits = "3 to 7: 0 to 2 are the clock and the data";
            let select = spi.ftdi_select;
            require("spi.ftdi_select", &select.to_string(), bits, |_| (3..=7).contains(&select))?;
            let left = self.led_pins(Uses { spi: true, ..Uses::default() });
            let must = "another pin than that of the only LED";
            require("spi.cs_n", &spi.cs_n, must, |_| !left.is_empty())?;
        }
        let loader = &self.program.openfpgaloader;
        require("program.openfpgaloader", loader, "letters, digits, - and _", |name| {
            is_word(name, "-_")
        })
    }

    fn check_fpga(&self) -> Result<(), BoardError> {
        let fpga = &self.fpga;
        let word = "letters, digits and -/_, 40 at most";
        require("fpga.device", &fpga.device, word, |value| is_word(value, "-_"))?;
        require("fpga.package", &fpga.package, word, |value| is_word(value, "-/_"))?;
        let known = super::super::build::capacity(&fpga.device).is_some();
        require("fpga.device", &fpga.device, "a device of boards/src/build/part.rs", |_| known)?;
        let optional = |value: &str| value.is_empty() || is_word(value, "-_");
        require("fpga.speed", &fpga.speed, word, optional)?;
        let drives = self.leds.drive.unwrap_or(4);
        require("leds.drive", &drives.to_string(), "4 to 24", |_| (4..=24).contains(&drives))?;
        let wants_speed = fpga.family == Family::Ecp5;
        require("fpga.speed", &fpga.speed, "the grade of an ECP5, empty for others", |grade| {
            grade.is_empty() != wants_speed
        })
    }

    fn check_pins(&self, uses: Uses) -> Result<(), BoardError> {
        let ports = self.ports(uses);
        for (n, port) in ports.iter().enumerate() {
            let pin = "letters and digits, 8 at most";
            require(&format!("pin of {port}"), port.pin, pin, |pin| {
                is_word(pin, "") && pin.len() <= 8
            })?;
            let standard = port.standard.unwrap_or("-");
            let wants = self.fpga.family != Family::Ice40;
            let must = "capital letters, digits and _; none for iCE40";
            require(&format!("standard of {port}"), standard, must, |standard| {
                if wants { is_word(standard, "_") } else { standard == "-" }
            })?;
            if let Some(other) = ports[..n].iter().find(|other| other.pin == port.pin) {
                let (first, second) = (other.to_string(), port.to_string());
                return Err(BoardError::PinTwice { pin: port.pin.into(), first, second });
            }
        }
        Ok(())
    }
}

fn require(
    field: &str,
    value: &str,
    must: &'static str,
    is_right: impl Fn(&str) -> bool,
) -> Result<(), BoardError> {
    if is_right(value) {
        return Ok(());
    }
    let value = value.chars().take(60).flat_map(char::escape_debug).collect();
    Err(BoardError::Value { field: field.into(), value, must })
}

fn is_name(value: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.len() <= 40
        && value.chars().all(fine)
}

/// A word that may start a command's argument, and that no tool takes for an option.
fn is_word(value: &str, also: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.len() <= 40
        && value.chars().all(fine)
}

fn is_line(value: &str) -> bool {
    value.len() <= 200 && !value.chars().any(char::is_control)
}

/// A question whether the nearest name was meant, if one is near.
fn nearest(name: &str, known: &[&str]) -> String {
    let far = |other: &&&str| strsim::damerau_levenshtein(&name.to_lowercase(), other);
    let near = known.iter().min_by_key(far).filter(|other| 3 * far(other) <= name.len());
    near.map_or(";".into(), |near| format!(", did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::super::boards;
    use super::*;

    const GOOD: &str = include_str!("../../boards/icebreaker.toml");

    #[test]
    fn our_boards_are_right_and_named_as_their_files() {
        let names: Vec<_> = boards().into_iter().map(|board| board.name).collect();
        assert_eq!(names, super::super::names().collect::<Vec<_>>());
        assert!(names.is_sorted());
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (right, wrong, says) in [
            ("\"icebreaker\"", "\"ice;breaker\"", "name is `ice;breaker`, it must be lower-case"),
            ("title = \"1B", "title = \"a\\nb", "title is `a\\nb"),
            ("\"up5k\"", "\"up6k\"", "fpga.device is `up6k`, it must be a device of"),
            ("\"sg48\"", "\"--help\"", "fpga.package is `--help`"),
            ("pin = \"35\"", "pin = \"3 5\"", "pin of clk_in is `3 5`, it must be letters"),
            ("hertz = 12_000_000", "hertz = 12", "clock.hertz is `12`, it must be 1000000 to"),
            ("[\"11\", \"37\"]", "[]", "leds.pins is `0`, it must be 1 to 64 pins"),
            ("rx = \"6\"", "rx = \"35\"", "pin 35 is both clk_in and uart_rx"),
            ("mosi = \"14\"", "mosi = \"16\"", "pin 16 is both spi_mosi and spi_flash_cs_n"),
            ("ftdi_select = 3", "ftdi_select = 2", "spi.ftdi_select is `2`, it must be 3 to 7"),
            ("\"11\", \"37\"", "\"11\"", "spi.cs_n is `11`, it must be another pin than"),
            ("active = \"low\"", "active = \"off\"", "unknown variant `off`"),
            ("[uart]", "[serial]", "unknown field `serial`"),
            ("\"ice40_generic\"", "\"a b\"", "program.openfpgaloader is `a b`"),
        ] {
            let text = GOOD.replacen(right, wrong, 1);
            assert_ne!(text, GOOD, "{right}");
            let error = Board::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn what_is_no_board_is_told_in_a_line() {
        let says = |text: &str| Board::parse(text).unwrap_err().to_string();
        let error = says(&GOOD.replacen("[uart]", "[\"u\\u001b[2J\"]", 1));
        assert!(error.contains("unknown field `u\\u{1b}[2J`"), "{error}");
        let twice = says(&format!("{GOOD}\n[uart]\nrx = \"1\"\ntx = \"2\"\n"));
        assert!(
            twice.starts_with("board file: line ") && twice.contains("duplicate key"),
            "{twice}"
        );
        for deep in
            ["a = ".to_owned() + &"[".repeat(60_000), format!("a{} = 1", ".a".repeat(30_000))]
        {
            let error = says(&deep);
            assert!(error.lines().count() == 1 && error.len() < 300, "{error}");
        }
    }

    #[test]
    fn no_text_is_a_panic() {
        for cut in 0..GOOD.len() {
            if let Some(text) = GOOD.get(..cut) {
                let _ = Board::parse(text);
            }
        }
        let error = super::super::find("nexys").unwrap_err().to_string();
        assert!(error.starts_with("no board `nexys`; there are arty_a7_35t, "), "{error}");
        let error = super::super::find("icebraker").unwrap_err().to_string();
        assert!(
            error.starts_with("no board `icebraker`, did you mean `icebreaker`? there are"),
            "{error}"
        );
    }
}
