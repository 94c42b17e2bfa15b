//! Commands and their answers.

use thiserror::Error;

/// What runs inferences.
pub trait Device {
    /// What it fails with.
    type Error: std::error::Error;

    /// Bytes of an input.
    fn input_bytes(&self) -> usize;

    /// Runs an inference; its scores as real numbers.
    ///
    /// # Errors
    /// The device failed.
    fn infer(&mut self, input: &[u8]) -> Result<Vec<f64>, Self::Error>;

    /// Microseconds since some time.
    ///
    /// # Errors
    /// The device failed.
    fn micros(&mut self) -> Result<u64, Self::Error>;
}

/// How the device calls itself.
#[derive(Debug, Clone)]
pub struct Names {
    /// The submitter's.
    pub vendor: String,
    /// The benchmark's model: `kws01`, `ic01`, `ad01`, `vww01`.
    pub model: String,
}

/// The most characters of a command.
const COMMAND_SIZE: usize = 80;

/// The most bytes that `db load` takes.
const MOST_INPUT: usize = 1 << 20;

/// Warm-up inferences of an `infer` that does not say.
const WARM_UP: u64 = 10;

/// Bytes in a line of `db print`.
const PRINTED: usize = 8;

const PROFILE: &str = "ULPMark for tinyML Firmware V0.0.1";

const HELP: &str = "\
\r
help         : Print this information\r
name         : Print the name of the device\r
timestsamp   : Generate a timetsamp\r
db SUBCMD    : Manipulate a generic byte buffer\r
  load N     : Allocate N bytes and set load counter\r
  db HH[HH]* : Load 8-bit hex byte(s) until N bytes\r
  print [N=16] [offset=0]\r
             : Print N bytes at offset as hex\r
infer N [W=0]: Load input, execute N inferences after W warmup loops\r
results      : Return the result fp32 vector\r
";

/// What a command is answered with instead, behind `e-`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Refusal {
    #[error("Unknown command: {0}")]
    Unknown(String),
    #[error("Command 'db' requires a subcommand")]
    NoSubcommand,
    #[error("Command 'db load' requires the # of bytes")]
    NoSize,
    #[error("Command 'db load' must be >0 bytes")]
    SizeZero,
    #[error("Insufficent number of hex digits")]
    OddDigits,
    #[error("Invalid hex digit '{0}'")]
    Digit(String),
    #[error("Inference iterations must be >0")]
    Iterations,
    #[error("Inference warmup must be >=0")]
    Warmup,
    #[error("Input db has {has} elements, expected {wants}")]
    Input { has: usize, wants: usize },
    #[error("Device failed: {0}")]
    Device(String),
}

/// The device under test, as the runner sees it.
pub struct Commands<D> {
    device: D,
    names: Names,
    command: Vec<u8>,
    /// `db load` has asked for so many bytes; those that came.
    size: usize,
    buffer: Vec<u8>,
    scores: Vec<f64>,
}

impl<D: Device> Commands<D> {
    /// In front of a device.
    pub fn new(device: D, names: Names) -> Commands<D> {
        Commands { device, names, command: vec![], size: 0, buffer: vec![], scores: vec![] }
    }

    /// What is sent at power-up.
    pub fn greeting(&mut self) -> String {
        let time = self.timestamp().unwrap_or_default();
        format!("m-timestamp-mode-performance\r\n{time}m-init-done\r\nm-ready\r\n")
    }

    /// Takes a byte from the runner; gives what is answered.
    pub fn push(&mut self, byte: u8) -> String {
        if byte != b'%' {
            // more than fits is dropped, as in the original
            if self.command.len() < COMMAND_SIZE {
                self.command.push(byte);
            }
            return String::new();
        }
        let command = String::from_utf8_lossy(&std::mem::take(&mut self.command)).into_owned();
        let mut said = String::new();
        if let Err(refusal) = self.run(command.trim_matches(['\r', '\n']), &mut said) {
            said += &format!("e-[{refusal}]\r\n");
        }
        said + "m-ready\r\n"
    }

    fn run(&mut self, command: &str, said: &mut String) -> Result<(), Refusal> {
        let mut words = command.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or("");
        match first {
            "name" => *said += &format!("m-name-dut-[{}]\r\n", self.names.vendor),
            "timestamp" => *said += &self.timestamp()?,
            "profile" => {
                let model = &self.names.model;
                *said += &format!("m-profile-[{PROFILE}]\r\nm-model-[{model}]\r\n");
            }
            "help" => *said += &format!("{PROFILE}\r\n{HELP}"),
            "db" => self.buffer(&mut words, said)?,
            "infer" => self.infer(&mut words, said)?,
            "results" => *said += &self.results(),
            _ => return Err(Refusal::Unknown(first.to_owned())),
        }
        Ok(())
    }

    fn timestamp(&mut self) -> Result<String, Refusal> {
        let micros = self.device.micros().map_err(failed)?;
        // an unsigned long of the devices that the runner knows
        Ok(format!("m-lap-us-{}\r\n", micros & u64::from(u32::MAX)))
    }

    fn results(&self) -> String {
        // three digits, cut as the original cuts them
        let score = |score: &f64| format!("{:.3}", (score * 1000.0).trunc() / 1000.0);
        let scores: Vec<_> = self.scores.iter().map(score).collect();
        format!("m-results-[{}]\r\n", scores.join(","))
    }

    fn buffer<'w>(
        &mut self,
        words: &mut impl Iterator<Item = &'w str>,
        said: &mut String,
    ) -> Result<(), Refusal> {
        match words.next().ok_or(Refusal::NoSubcommand)? {
            "load" => {
                self.size = 0;
                let size = number(words.next().ok_or(Refusal::NoSize)?);
                let size = usize::try_from(size).ok().filter(|size| *size > 0);
                let size = size.ok_or(Refusal::SizeZero)?;
                if size > MOST_INPUT {
                    let text = "Supplied buffer size";
                    *said += &format!("{text} {size} exceeds maximum of {MOST_INPUT}\n");
                    return Ok(());
                }
                (self.size, self.buffer) = (size, vec![]);
                *said += &format!("m-[Expecting {size} bytes]\r\n");
            }
            "print" => {
                for line in self.buffer.chunks(PRINTED) {
                    let bytes: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
                    *said += &format!("m-buffer-{}\r\n", bytes.join("-"));
                }
                if !self.buffer.len().is_multiple_of(PRINTED) {
                    *said += "\r\n";
                }
            }
            digits => self.digits(digits, said)?,
        }
        Ok(())
    }

    fn digits(&mut self, digits: &str, said: &mut String) -> Result<(), Refusal> {
        if !digits.len().is_multiple_of(2) {
            return Err(Refusal::OddDigits);
        }
        for pair in digits.as_bytes().chunks(2) {
            let text = String::from_utf8_lossy(pair);
            let all = pair.iter().all(u8::is_ascii_hexdigit);
            let byte = u8::from_str_radix(&text, 16).ok().filter(|_| all);
            let byte = byte.ok_or_else(|| Refusal::Digit(text.into_owned()))?;
            if self.buffer.len() == self.size {
                break;
            }
            self.buffer.push(byte);
            if self.buffer.len() == self.size {
                *said += "m-load-done\r\n";
                break;
            }
        }
        Ok(())
    }

    fn infer<'w>(
        &mut self,
        words: &mut impl Iterator<Item = &'w str>,
        said: &mut String,
    ) -> Result<(), Refusal> {
        let times = words.next().map_or(1, number);
        let times = u64::try_from(times).ok().filter(|times| *times > 0);
        let times = times.ok_or(Refusal::Iterations)?;
        let warm_up = words.next().map_or(Ok(WARM_UP), |word| u64::try_from(number(word)));
        let warm_up = warm_up.map_err(|_| Refusal::Warmup)?;
        let (has, wants) = (self.buffer.len(), self.device.input_bytes());
        if has != wants {
            return Err(Refusal::Input { has, wants });
        }
        *said += &format!("m-warmup-start-{warm_up}\r\n");
        self.repeat(warm_up)?;
        *said += &format!("m-warmup-done\r\nm-infer-start-{times}\r\n");
        *said += &self.timestamp()?;
        self.repeat(times)?;
        *said += &self.timestamp()?;
        *said += "m-infer-done\r\n";
        *said += &self.results();
        Ok(())
    }

    fn repeat(&mut self, times: u64) -> Result<(), Refusal> {
        for _ in 0..times {
            self.scores = self.device.infer(&self.buffer).map_err(failed)?;
        }
        Ok(())
    }
}

fn failed<E: std::error::Error>(error: E) -> Refusal {
    Refusal::Device(error.to_string())
}

/// C's `atoi`: leading digits, 0 for none.
fn number(word: &str) -> i64 {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    sign * digits[..end].parse().unwrap_or(if end > 0 { i64::from(i32::MAX) } else { 0 })
}

#[cfg(test)]
mod tests;
