//! A test bench: a device with drivers and monitors around it.

use super::{Device, SimError, StreamDriver, StreamMonitor};
use crate::netlist::ClockId;
use crate::ty::Int;

/// A device with drivers and monitors around it; every cycle ticks all clocks.
pub struct Bench<'d> {
    /// What is tested.
    pub device: &'d mut dyn Device,
    /// In the order of [`Bench::driver`].
    pub drivers: Vec<StreamDriver>,
    /// In the order of [`Bench::monitor`].
    pub monitors: Vec<StreamMonitor>,
    /// Cycles run.
    pub cycle: u64,
    clocks: Vec<ClockId>,
}

impl<'d> Bench<'d> {
    /// A bench without drivers and monitors, after a reset: every reset asserted for two edges of
    /// all clocks, then released.
    pub fn new(device: &'d mut dyn Device) -> Bench<'d> {
        let clocks = (0..device.module().clocks.len()).map(ClockId::new).collect();
        let mut bench = Bench { device, drivers: vec![], monitors: vec![], cycle: 0, clocks };
        bench.reset();
        bench
    }

    fn reset(&mut self) {
        let module = self.device.module().clone();
        let resets = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
        let resets: Vec<(usize, bool)> = resets
            .filter_map(|reset| {
                let port = module.inputs.iter().position(|port| port.node == reset.signal);
                Some((port?, reset.active_low))
            })
            .collect();
        for active in [true, false] {
            for &(port, low) in &resets {
                self.device.poke(port, &Int::from(u8::from(active != low)));
            }
            if active {
                self.device.tick(&self.clocks);
                self.device.tick(&self.clocks);
            }
        }
    }

    /// Adds a driver of an incoming stream; returns its position in [`Bench::drivers`].
    ///
    /// # Panics
    /// If there is no such stream.
    #[track_caller]
    pub fn driver(&mut self, stream: &str, stall: f64, seed: u64) -> usize {
        let driver = StreamDriver::new(self.device.module(), stream, stall, seed);
        self.drivers.push(driver.unwrap_or_else(|error| panic!("{error}")));
        self.drivers.len() - 1
    }

    /// Adds a monitor of an outgoing stream; returns its position in [`Bench::monitors`].
    ///
    /// # Panics
    /// If there is no such stream.
    #[track_caller]
    pub fn monitor(&mut self, stream: &str, stall: f64, seed: u64) -> usize {
        let monitor = StreamMonitor::new(self.device.module(), stream, stall, seed);
        self.monitors.push(monitor.unwrap_or_else(|error| panic!("{error}")));
        self.monitors.len() - 1
    }

    /// One cycle: everybody sets his wires, looks at what passes, and the clocks rise.
    pub fn step(&mut self) {
        self.drivers.iter_mut().for_each(|driver| driver.drive(self.device));
        self.monitors.iter_mut().for_each(|monitor| monitor.drive(self.device));
        self.drivers.iter_mut().for_each(|driver| driver.sample(self.device));
        self.monitors.iter_mut().for_each(|monitor| monitor.sample(self.device));
        self.device.tick(&self.clocks);
        self.cycle += 1;
    }

    /// Runs until `done`; returns how many cycles that took.
    ///
    /// # Errors
    /// [`SimError::TimedOut`], naming `what` was waited for, after `limit` cycles.
    pub fn run_until(
        &mut self,
        limit: u64,
        what: &str,
        mut done: impl FnMut(&Bench<'d>) -> bool,
    ) -> Result<u64, SimError> {
        for cycles in 0..=limit {
            if done(self) {
                return Ok(cycles);
            }
            if cycles < limit {
                self.step();
            }
        }
        Err(SimError::TimedOut { what: what.to_string(), cycles: limit })
    }
}
