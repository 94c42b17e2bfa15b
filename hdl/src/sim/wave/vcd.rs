//! Value change dump, the text format every viewer reads.

use super::{Line, Sink};
use crate::ty::Type;
use hwgen_files::{Pending, reason};
use std::io::{BufWriter, Write};
use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

pub(super) struct Vcd {
    writer: Writer<Output>,
}

type Output = BufWriter<Box<dyn Write + Send>>;

/// Starts a file that shows these signals under these names.
pub(super) fn create(file: &Pending, lines: &[Line<'_>], types: &[Type]) -> Result<Vcd, String> {
    let start = || {
        let mut writer = Writer::new(file.writer()?);
        writer.version(concat!("hwgen ", env!("CARGO_PKG_VERSION")))?;
        writer.timescale(1, TimescaleUnit::NS)?;
        for line in lines {
            match line {
                Line::Open(scope) => writer.add_module(scope)?,
                Line::Variable(name, signal) => {
                    writer.var_def(VarType::Wire, types[*signal].width, id(*signal), name, None)?;
                }
                Line::Close => writer.upscope()?,
            }
        }
        writer.enddefinitions()?;
        Ok(Vcd { writer })
    };
    start().map_err(|error: std::io::Error| reason(&error))
}

fn id(signal: usize) -> IdCode {
    IdCode::from(signal as u64)
}

impl Sink for Vcd {
    fn time(&mut self, time: u64) -> Result<(), String> {
        self.writer.timestamp(time).map_err(|error| reason(&error))
    }

    fn change(&mut self, signal: usize, digits: &str) -> Result<(), String> {
        let bit = |digit| if digit == b'1' { Value::V1 } else { Value::V0 };
        let written = match digits.as_bytes() {
            [digit] => self.writer.change_scalar(id(signal), bit(*digit)),
            digits => self.writer.change_vector(id(signal), digits.iter().map(|&d| bit(d))),
        };
        written.map_err(|error| reason(&error))
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        self.writer.writer().flush().map_err(|error| reason(&error))
    }
}
