//! Sums that nothing rescales, byte by byte.

use super::{Lowering, PlanError, unsupported};
use hwgen_designs::cnn::{Convolve, Job, Program, Rounding, Scale};

impl Lowering<'_> {
    /// Where the output is sums, makes the jobs from `first` on leave their lowest bytes, and adds
    /// the same jobs for each byte more: they read the same weights and write behind each other.
    pub(crate) fn by_bytes(
        &self,
        program: &mut dyn Program,
        first: usize,
    ) -> Result<(), PlanError> {
        if self.output.sums.is_none() {
            return Ok(());
        }
        if !self.spec.sums {
            let instead = "set the core's `sums`, or quantize the layer's result";
            return Err(unsupported(self.name, "it leaves sums that nothing rescales", instead));
        }
        let plane = self.plane().bytes();
        let mut lowest: Vec<Convolve> = vec![];
        for job in &mut program.jobs()[first..] {
            if let Job::Convolve(job) = job {
                (job.wraps, job.rounding) = (true, Rounding::Floor);
                if !plane.is_multiple_of(self.spec.results >> job.group) {
                    let what = "bytes of its sums do not lie as the core writes them";
                    return Err(unsupported(self.name, what, "lower the core's `results`"));
                }
                lowest.push(job.clone());
            }
        }
        for byte in 1..self.output.bytes() as u8 {
            for job in &lowest {
                let (from, rows) = (job.scales as usize, (job.blocks * job.chunks) as usize);
                let mut job = job.clone();
                job.output += u32::from(byte) * plane;
                job.scales = program.scale_rows() as u32;
                program.add(0, rows, &|image| {
                    let rows = image.scales[from..][..rows].to_vec();
                    let of_byte = |scale: &Scale| Scale::byte(byte, scale.bias);
                    let rows = rows.iter().map(|row| row.iter().map(of_byte).collect());
                    image.scales.extend(rows);
                });
                program.jobs().push(Job::Convolve(job));
            }
        }
        Ok(())
    }
}
