//! How many multipliers a device has room for.

use super::{SearchError, Settings};
use crate::evolve::anything;
use crate::space::Choice;
use crate::supernet::{InputScale, Supernet};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Subnets drawn at random whose cores have to fit, beside the ends of the space.
const DRAWN: usize = 4;

impl Settings {
    /// Lowers the multipliers until the device has room for the cores of the largest and the smallest subnet and of
    /// some between. A point whose own core has no room all the same takes a smaller one when it is finished.
    ///
    /// # Errors
    /// A subnet that no core runs, or none that the device has room for.
    pub fn make_room(&mut self, input: InputScale) -> Result<(), SearchError> {
        if self.target.device.is_none() {
            return Ok(());
        }
        let supernet = Supernet::new(self.space.clone(), self.sharing, input, self.seed);
        for choice in self.probes() {
            let subnet = self.space.subnet(&choice)?;
            let (_, allowed) = self.target.fitted(&supernet, &subnet)?;
            self.target.multipliers = self.target.multipliers.min(allowed);
        }
        Ok(())
    }

    fn probes(&self) -> Vec<Choice> {
        let (genes, mut rng) = (self.space.genes(), ChaCha8Rng::seed_from_u64(self.seed));
        let drawn = (0..DRAWN).map(|_| anything(&genes, &mut rng)).collect::<Vec<_>>();
        [self.space.largest(), self.space.smallest()].into_iter().chain(drawn).collect()
    }
}
