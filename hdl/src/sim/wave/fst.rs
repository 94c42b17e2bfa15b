//! GTKWave's compressed format, for long runs.

use super::{Line, Sink};
use crate::ty::Type;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType,
    FstVarDirection, FstVarType, open_fst,
};
use hwgen_files::Pending;
use std::fs::File;
use std::io::BufWriter;

/// Bytes of changes that are gathered before they are written out.
const BUFFER: usize = 16 << 20;

pub(super) struct Fst {
    writer: FstBodyWriter<BufWriter<File>>,
    ids: Vec<Option<FstSignalId>>,
}

/// Starts a file that shows these signals under these names.
pub(super) fn create(file: &Pending, lines: &[Line<'_>], types: &[Type]) -> Result<Fst, String> {
    let no_file = "FST goes back to its beginning, so a file is needed; --vcd takes a pipe";
    let path = file.temporary().ok_or(no_file)?;
    let start = || {
        let info = FstInfo {
            start_time: 0,
            timescale_exponent: -9,
            version: concat!("hwgen ", env!("CARGO_PKG_VERSION")).to_string(),
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let mut header = open_fst(path, &info)?;
        let mut ids = vec![None; types.len()];
        lines.iter().try_for_each(|line| define(&mut header, line, types, &mut ids))?;
        Ok(Fst { writer: header.finish()?, ids })
    };
    start().map_err(|error: fst_writer::FstWriteError| error.to_string())
}

fn define(
    header: &mut FstHeaderWriter<BufWriter<File>>,
    line: &Line<'_>,
    types: &[Type],
    ids: &mut [Option<FstSignalId>],
) -> fst_writer::Result<()> {
    match *line {
        Line::Open(scope) => header.scope(scope, "", FstScopeType::Module),
        Line::Variable(name, signal) => {
            let ty = FstSignalType::bit_vec(types[signal].width);
            let (kind, direction) = (FstVarType::Wire, FstVarDirection::Implicit);
            ids[signal] = Some(header.var(name, ty, kind, direction, ids[signal])?);
            Ok(())
        }
        Line::Close => header.up_scope(),
    }
}

impl Sink for Fst {
    fn time(&mut self, time: u64) -> Result<(), String> {
        let mut step = || {
            if self.writer.size() > BUFFER {
                self.writer.flush()?;
            }
            self.writer.time_change(time)
        };
        step().map_err(|error| error.to_string())
    }

    fn change(&mut self, signal: usize, digits: &str) -> Result<(), String> {
        match self.ids[signal] {
            Some(id) => self.writer.signal_change(id, digits.as_bytes()),
            None => Ok(()),
        }
        .map_err(|error| error.to_string())
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        self.writer.finish().map(drop).map_err(|error| error.to_string())
    }
}
