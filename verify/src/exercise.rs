//! A design run at random in our simulator, promises and stream contracts watched.
//!
//! Streams carry random payloads and stall at random; inputs that belong to no stream take new
//! random values in every cycle. Nothing is compared: [`crate::check`] does that.

use hwgen_hdl::Module;
use hwgen_hdl::fuzz::random_value;
use hwgen_hdl::netlist::{Direction, StreamPort};
use hwgen_hdl::sim::{Bench, Simulator, Violation};
use hwgen_hdl::{Int, Type};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::Instant;

/// How to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Cycles after the reset.
    pub cycles: u64,
    /// What the random numbers are made from.
    pub seed: u64,
    /// The probability that a stream stalls in a cycle.
    pub stall: f64,
}

/// What passed through a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The stream's name.
    pub stream: String,
    /// Whose end the design holds.
    pub direction: Direction,
    /// Payloads that passed.
    pub transfers: u64,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Cycles after the reset.
    pub cycles: u64,
    /// In the order of the module's streams.
    pub streams: Vec<Traffic>,
    /// Broken promises and contracts; none are collected if the simulator panics on them.
    pub violations: Vec<Violation>,
    /// The time it took.
    pub seconds: f64,
}

impl Activity {
    /// Cycles a second.
    pub fn cycles_per_second(&self) -> f64 {
        self.cycles as f64 / self.seconds
    }
}

/// Resets the design and runs it.
pub fn exercise(simulator: &mut Simulator, plan: Plan) -> Activity {
    let module = simulator.module().clone();
    let start = Instant::now();
    let streams = run(simulator, &module, plan);
    Activity {
        cycles: plan.cycles,
        streams,
        violations: simulator.violations().to_vec(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

fn run(simulator: &mut Simulator, module: &Arc<Module>, plan: Plan) -> Vec<Traffic> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let free = free_inputs(module);
    let mut bench = Bench::new(simulator);
    // which driver or monitor a stream has
    let ends: Vec<usize> = (1..)
        .zip(&module.streams)
        .map(|(n, stream)| match stream.direction {
            Direction::In => bench.driver(&stream.name, plan.stall, plan.seed.wrapping_add(n)),
            Direction::Out => bench.monitor(&stream.name, plan.stall, plan.seed.wrapping_add(n)),
        })
        .collect();
    let incoming: Vec<(usize, Vec<Type>)> = (module.streams.iter().zip(&ends))
        .filter(|(stream, _)| stream.direction == Direction::In)
        .map(|(stream, &end)| (end, payload_types(module, stream)))
        .collect();
    for _ in 0..plan.cycles {
        for &(input, ty) in &free {
            bench.device.poke(input, &random_value(&mut rng, ty));
        }
        for (driver, types) in &incoming {
            if bench.drivers[*driver].pending() == 0 {
                let payload: Vec<Int> =
                    types.iter().map(|&ty| random_value(&mut rng, ty)).collect();
                bench.drivers[*driver].push(payload);
            }
        }
        bench.step();
    }
    (module.streams.iter().zip(ends))
        .map(|(stream, end)| Traffic {
            stream: stream.name.to_string(),
            direction: stream.direction,
            transfers: match stream.direction {
                Direction::In => bench.drivers[end].sent,
                Direction::Out => bench.monitors[end].received.len() as u64,
            },
        })
        .collect()
}

fn payload_types(module: &Module, stream: &StreamPort) -> Vec<Type> {
    stream.payload.iter().map(|(_, node)| module.ty(*node)).collect()
}

/// Inputs that are neither resets nor a stream's, with their types.
fn free_inputs(module: &Module) -> Vec<(usize, Type)> {
    let resets = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
    let mut taken: Vec<_> = resets.map(|reset| reset.signal).collect();
    let streams = module.streams.iter();
    let owned: Vec<String> = streams
        .flat_map(|stream| {
            let fields = stream.payload.iter().map(|(field, _)| &**field);
            let fields = fields.chain(["valid", "ready"]);
            fields.map(|field| stream.port(field)).collect::<Vec<_>>()
        })
        .collect();
    let inputs = module.inputs.iter().enumerate();
    let of_streams =
        inputs.clone().filter(|(_, port)| owned.iter().any(|name| **name == *port.name));
    taken.extend(of_streams.map(|(_, port)| port.node));
    inputs
        .filter(|(_, port)| !taken.contains(&port.node))
        .map(|(input, port)| (input, port.ty))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_hdl::sim::{Engine, SimOptions};
    use hwgen_hdl::{ModuleBuilder, fields, u};

    const PLAN: Plan = Plan { cycles: 400, seed: 1, stall: 0.25 };

    fn simulator(module: &Arc<Module>) -> Simulator {
        let options = SimOptions {
            engine: Engine::Interpreter,
            collect_violations: true,
            ..SimOptions::default()
        };
        Simulator::with_options(module, options)
    }

    #[test]
    fn what_goes_in_comes_out() {
        let data = fields([("data", u(70))]);
        let m = ModuleBuilder::new("queue");
        m.stream_out(
            "out",
            &m.stream_in("in", &data).through("fifo", &hwgen_hdl::lib::fifo(4, &data)),
        );
        let activity = exercise(&mut simulator(&m.finish()), PLAN);
        let [sent, received] = [0, 1].map(|n| activity.streams[n].transfers);
        assert!((received..=received + 4).contains(&sent), "{sent}, {received}");
        assert!(sent > 200, "{sent} of 400");
        assert!(activity.violations.is_empty());
    }

    #[test]
    fn free_inputs_move_and_promises_are_watched() {
        let m = ModuleBuilder::new("checked");
        let x = m.input("x", u(4));
        m.promise("x is not 15", x.ne(15));
        m.output("y", m.reg("y", u(4)).next(x));
        let activity = exercise(&mut simulator(&m.finish()), PLAN);
        assert!(activity.violations.len() > 10, "{}", activity.violations.len());
        assert!(activity.violations[0].message.contains("x is not 15"));
    }
}
