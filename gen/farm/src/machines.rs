//! Which machines work, as one writes it: `local:4`, `slurm:partition=long,cpus=2`, `hq`.

use crate::FarmError;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// Which machines work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machines {
    /// `local`, `local:4`: this one, as many children at once, or as many as it has cores.
    Local(Option<NonZeroUsize>),
    /// `slurm`, `slurm:partition=NAME`: a Slurm cluster.
    Slurm(SlurmOptions),
    /// `hq`: HyperQueue.
    Hq,
}

/// What `sbatch` is told: `slurm:partition=NAME,account=NAME,qos=NAME,cpus=2,memory=4G,at_once=16`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    /// `--partition`.
    pub partition: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--qos`.
    pub qos: Option<String>,
    /// `--cpus-per-task`.
    pub cpus: Option<NonZeroUsize>,
    /// `--mem`.
    pub memory: Option<String>,
    /// Jobs of an array at once.
    pub at_once: Option<NonZeroUsize>,
}

impl SlurmOptions {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let cpus = self.cpus.map(|cpus| cpus.to_string());
        let options = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
            ("cpus-per-task", &cpus),
            ("mem", &self.memory),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.map(|(name, value)| format!("--{name}={value}")).collect()
    }

    fn set(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if value.is_empty() || !value.chars().all(plain) {
            return Err(format!("`{option}` is not NAME=VALUE of letters, digits, `-`, `_`, `.`"));
        }
        let text = || Some(value.to_owned());
        match name {
            "partition" => self.partition = text(),
            "account" => self.account = text(),
            "qos" => self.qos = text(),
            "memory" => self.memory = text(),
            "cpus" => self.cpus = Some(count(value)?),
            "at_once" => self.at_once = Some(count(value)?),
            _ => {
                let known = "partition, account, qos, cpus, memory, at_once";
                return Err(format!("there is no option `{name}`; there are {known}"));
            }
        }
        Ok(())
    }
}

impl FromStr for Machines {
    type Err = FarmError;

    fn from_str(text: &str) -> Result<Machines, FarmError> {
        let wrong = |why| FarmError::Engine { got: hwgen_files::printable(text), why };
        let (name, options) = match text.split_once(':') {
            Some((name, options)) => (name, Some(options)),
            None => (text, None),
        };
        match (name, options) {
            ("local", options) => {
                Ok(Machines::Local(options.map(count).transpose().map_err(wrong)?))
            }
            ("slurm", options) => {
                let mut slurm = SlurmOptions::default();
                let mut options = options.into_iter().flat_map(|options| options.split(','));
                options.try_for_each(|option| slurm.set(option)).map_err(wrong)?;
                Ok(Machines::Slurm(slurm))
            }
            ("hq", None) => Ok(Machines::Hq),
            ("hq", Some(_)) => Err(wrong("hq has no options".into())),
            _ => Err(wrong("there is none of that name".into())),
        }
    }
}

/// More at once than any machine has.
const MOST_AT_ONCE: usize = 4096;

fn count(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= MOST_AT_ONCE);
    let wrong = || format!("`{}` is not 1 to {MOST_AT_ONCE}", hwgen_files::printable(text));
    count.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let read = |text: &str| text.parse::<Machines>().unwrap();
        assert_eq!(read("local"), Machines::Local(None));
        assert_eq!(read("local:4"), Machines::Local(NonZeroUsize::new(4)));
        assert_eq!(read("hq"), Machines::Hq);
        assert_eq!(read("slurm"), Machines::Slurm(SlurmOptions::default()));
        let Machines::Slurm(slurm) = read("slurm:partition=long,cpus=2,memory=4G,at_once=9") else {
            panic!("no Slurm");
        };
        assert_eq!(slurm.arguments(), ["--partition=long", "--cpus-per-task=2", "--mem=4G"]);
        assert_eq!(slurm.at_once, NonZeroUsize::new(9));
    }

    #[test]
    fn wrong_ones_are_told() {
        let texts = [
            "",
            "pbs",
            "local:",
            "local:0",
            "local:-1",
            "local:5000",
            "local:\u{1b}",
            "slurm:",
            "slurm:partition",
            "slurm:partition=",
            "slurm:partition=a b",
            "slurm:gpu=1",
            "hq:2",
        ];
        let told: Vec<_> =
            texts.iter().map(|text| text.parse::<Machines>().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
