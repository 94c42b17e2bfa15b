//! LAPA behind AXI against its golden models: registers, then rows.

use crate::attention::axi::lapa_drive::{Load, expected, run_loads};
use crate::attention::axi::{LapaAttentionAxiSpec, build};
use crate::axi::RegisterMap;
use crate::axi::drive::{Host, Stalls, registers};
use crate::drive::Values;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random accesses, writes before reads in each of a few rounds; the accesses compared. The core
/// is not in reset at the end.
///
/// # Errors
/// The first answer that differs from the golden model's.
pub fn access_registers(
    host: &mut Host<'_>,
    map: &RegisterMap,
    rng: &mut impl Rng,
) -> Result<u64, String> {
    let mut model = registers(map);
    let mut compared = 0;
    let address = |rng: &mut ChaCha8Rng| match rng.random_range(0..4) {
        0 => rng.random_range(0..1 << map.address_bits),
        _ => map.registers.choose(rng).map_or(0, |register| register.offset),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(rng.random());
    let control = map.get("control").map_or(0, |register| register.offset);
    for _ in 0..4 {
        let (mut responses, mut reads) = (vec![], vec![]);
        for _ in 0..rng.random_range(1..20) {
            let (at, data, strobe) = (address(&mut rng), rng.random(), rng.random_range(0..16));
            host.begin_write(at, data, strobe);
            responses.push(model.write(at, data, strobe) as u32);
        }
        let answers = host.settle().map_err(|error| error.to_string())?;
        compare_lists("response to write", &answers.writes, &responses)?;
        for _ in 0..rng.random_range(1..20) {
            let at = address(&mut rng);
            host.begin_read(at);
            reads.push((at, model.read(at)));
        }
        let answers = host.settle().map_err(|error| error.to_string())?;
        let must: Vec<_> = (reads.iter().zip(&answers.reads))
            .map(|((_, (response, data)), is)| (*response as u32, data.unwrap_or(is.1)))
            .collect();
        compare_lists("answer to read", &answers.reads, &must)?;
        compared += (responses.len() + must.len()) as u64;
    }
    host.begin_write(control, 0, 1);
    host.settle().map_err(|error| error.to_string())?;
    Ok(compared)
}

impl Golden for LapaAttentionAxiSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let (registers, inputs, outputs) = (stall(), stall(), stall());
        let map = build(self).map;
        let stalls = Stalls { registers, inputs, outputs, seed };
        let most = self.engine.shape().max_keys.min(3 * self.engine.shape().rows) as usize;
        let loads: Result<Vec<_>, _> = (0..3)
            .map(|_| {
                let keys = rng.random_range(1..=most);
                let values = Values::any(&mut rng);
                Load::random(self, &mut rng, keys, values)
            })
            .collect();
        let loads = loads.map_err(|error| error.to_string())?;
        let must = expected(self, &loads)?;
        let mut host = Host::new(device, &map, stalls);
        let mut compared = access_registers(&mut host, &map, &mut rng)?;
        host.write(&[("control", 2)]).map_err(|error| error.to_string())?;
        let rows = run_loads(&mut host, self, &loads).map_err(|error| error.to_string())?;
        compare_lists("row", &rows, &must)?;
        let misframed: usize = loads.iter().map(Load::misframed).sum();
        let counted = host.read("misframed").map_err(|error| error.to_string())?;
        compare_lists("count of misframed rows", &[counted as usize], &[misframed])?;
        compared += must.len() as u64 * u64::from(self.engine.shape().head_dim + 1) + 1;
        Ok(Batch { cycles: host.bench.cycle, compared })
    }
}
