//! Cycles of a program, exactly: from the definition in `docs/cnn.md`.

use super::CnnSpec;
use super::fields::JOB_WORDS;
use super::job::{Add, Convolve, Job, Lookup, Softmax};
use super::softmax::{BYTE_CYCLES, ELEMENT_CYCLES};
use crate::cost::Cost;

/// From a job's end to the next one's first cycle: its words are fetched.
pub const FETCH_CYCLES: u32 = JOB_WORDS + 2;

/// From a convolution's last step to its last chunk, or from that to the end.
const STEP_TO_CHUNK: u64 = 6;
const CHUNK_TO_END: u64 = 6;

/// From an addition's last turn to the end: twice through the requantizers.
const ADD_TAIL: u64 = 15;

/// From the last byte's read to the row's write, and the end.
const FILL_TAIL: u64 = 6;

/// Of a beat that goes out: read, held, sent.
const OUTPUT_BEAT: u64 = 4;

impl CnnSpec {
    /// Cycles of a job from its first to its last, when streams never wait.
    pub fn job_cycles(&self, job: &Job) -> u64 {
        match job {
            Job::Input(transfer) => transfer.beats.into(),
            Job::Output(transfer) => u64::from(transfer.beats) * OUTPUT_BEAT,
            Job::Convolve(job) => self.convolve_cycles(job),
            Job::Add(job) => add_cycles(job),
            Job::Softmax(job) => softmax_cycles(job),
            Job::Lookup(job) => lookup_cycles(job),
            Job::Fill(job) => {
                let rows = u64::from(job.blocks) * u64::from(job.steps);
                rows * u64::from(self.lanes) + FILL_TAIL
            }
        }
    }

    /// Cycles of a program, from the first job's first word to the last one's end.
    pub fn program_cycles(&self, jobs: &[Job]) -> u64 {
        jobs.iter().map(|job| u64::from(FETCH_CYCLES) + self.job_cycles(job)).sum()
    }

    fn convolve_cycles(&self, job: &Convolve) -> u64 {
        let groups = u64::from(job.blocks) * u64::from(job.positions.div_ceil(self.pixels));
        let group = u64::from(job.steps() + job.idle);
        let drain = u64::from(job.chunks * self.pixels);
        groups * group - u64::from(job.idle) + STEP_TO_CHUNK + drain + CHUNK_TO_END
    }
}

fn add_cycles(job: &Add) -> u64 {
    3 * u64::from(job.chunks) + ADD_TAIL
}

fn softmax_cycles(job: &Softmax) -> u64 {
    let (length, byte) = (u64::from(job.length), u64::from(BYTE_CYCLES));
    let (largest, sum) = (length + byte, length + byte + 2);
    u64::from(job.rows) * (largest + sum + length * u64::from(ELEMENT_CYCLES)) + SOFTMAX_TAIL
}

/// From the last element's quotient to the end.
const SOFTMAX_TAIL: u64 = 1;

fn lookup_cycles(job: &Lookup) -> u64 {
    // an entry comes a cycle after its byte
    u64::from(job.rows) * u64::from(job.length + BYTE_CYCLES + 1) + LOOKUP_TAIL
}

/// From the last element's entry to the end.
const LOOKUP_TAIL: u64 = 2;

impl Cost for CnnSpec {
    type Workload = [Job];

    fn result_cycles(&self, program: &[Job]) -> Vec<u64> {
        vec![self.program_cycles(program) - 1]
    }
}
