//! Circuits worked out by hand, against the energy told of them.
//!
//! `toy.lib` has numbers that are easy to add, and of osu035 those of a flip-flop's clock pin.

mod opensta;

use super::compiled::{Compiled, Conditions};
use super::engine::Machine;
use super::liberty::Library;
use super::netlist::flatten;
use super::report::{Report, Setting, report};
use super::sram::SramTechnology;
use serde_json::json;
use std::sync::Arc;

/// Supply 2 V, loads in pF, energies in pJ, leakage in nW.
const TOY: &str = include_str!("toy.lib");

const WIRE: f64 = 0.001e-12;

/// A cell: its name, its kind, its pins and their nets.
type Gate<'g> = (&'g str, &'g str, &'g [(&'g str, u32)]);

/// These cells of the toy library, with a port for every net of `ports`.
fn machine(ports: &[(&str, u32)], cells: &[Gate<'_>], slew: f64) -> Machine {
    machine_of(&Library::parse(TOY).unwrap(), ports, cells, Conditions { slew, wire: WIRE })
}

fn machine_of(
    library: &Library,
    ports: &[(&str, u32)],
    cells: &[Gate<'_>],
    conditions: Conditions,
) -> Machine {
    let ports: serde_json::Map<_, _> = ports
        .iter()
        .map(|(name, net)| (name.to_string(), json!({"direction": "input", "bits": [net]})))
        .collect();
    let cells: serde_json::Map<_, _> = cells
        .iter()
        .map(|(name, kind, pins)| {
            let pins: serde_json::Map<_, _> =
                pins.iter().map(|(pin, net)| (pin.to_string(), json!([net]))).collect();
            (name.to_string(), json!({"type": kind, "connections": pins}))
        })
        .collect();
    let design = json!({"modules": {"top": {"ports": ports, "cells": cells, "netnames": {}}}});
    let flat = flatten(&serde_json::from_value(design).unwrap(), "top", library).unwrap();
    Machine::new(Arc::new(Compiled::new(flat, library, "clk", conditions).unwrap()))
}

fn told(machine: &Machine) -> Report {
    let sram = SramTechnology { feature_um: 0.18, volts: 2.0, cell_leakage_watts: 0.0 };
    let (module, library) = ("top".to_string(), "toy".to_string());
    report(machine, &Setting { module, library, volts: 2.0, clock_hertz: 40e6, wire: WIRE, sram })
}

fn near(seen: f64, wanted: f64) {
    assert!((seen - wanted).abs() <= 1e-9 * wanted.abs().max(1e-18), "{seen:e}, not {wanted:e}");
}

#[test]
fn a_chain_of_inverters() {
    // a -> x -> y -> z; z drives nothing
    let cells: [Gate<'_>; 3] = [
        ("x", "INV", &[("A", 3), ("Y", 4)]),
        ("y", "INV", &[("A", 4), ("Y", 5)]),
        ("z", "INV", &[("A", 5), ("Y", 6)]),
    ];
    let mut machine = machine(&[("clk", 2), ("a", 3)], &cells, 0.1e-9);
    let a = machine.compiled.netlist.ports["a"][0];
    // changes at 3 of 5 edges: 0 1 1 0 1
    for value in [false, true, true, false, true] {
        machine.set(a, value);
        // what is taken back before the edge does not count
        machine.set(a, !value);
        machine.settle();
        machine.set(a, value);
        machine.tick();
    }
    let report = told(&machine);
    // a rises 2 times and falls once; so does y; x and z the other way round
    // an input pin is 0.01 pF, so a driven net has 0.011 pF with its wire, z has none
    let rise = |load: f64| 0.010 + load; // table of Y at 0.1 ns: 0.01 + 1 x load
    let fall = |load: f64| 0.020 + load;
    let x = rise(0.011) + 2.0 * fall(0.011);
    let y = 2.0 * rise(0.011) + fall(0.011);
    let z = rise(0.0) + 2.0 * fall(0.0);
    let nets = 0.5 * 2.0 * 2.0 * 0.011 * (3.0 + 3.0);
    near(report.total().energy.combinational_joules, (x + y + z + nets) * 1e-12);
    // three inverters, 1 nW with the input at 1 and 3 nW at 0, for five cycles of 25 ns:
    // x and z see 0 1 1 0 1, y the opposite
    let nanowatt_cycles = 2.0 * (3.0 * 1.0 + 2.0 * 3.0) + (2.0 * 1.0 + 3.0 * 3.0);
    near(report.total().energy.leakage_joules, nanowatt_cycles * 1e-9 * 25e-9);
}

#[test]
fn a_nand_tells_its_inputs_apart() {
    let cells: [Gate<'_>; 1] = [("y", "NAND", &[("A", 3), ("B", 4), ("Y", 5)])];
    let mut machine = machine(&[("clk", 2), ("a", 3), ("b", 4)], &cells, 0.1e-9);
    let [a, b] = ["a", "b"].map(|port| machine.compiled.netlist.ports[port][0]);
    let mut spent = 0.0;
    // inputs, what the output's change costs, what the inputs' own do: see the text of the cell
    for (inputs, output, own) in [
        ((true, false), 0.0, 0.002), // a rises while b is 0: 0.002, nothing out
        ((true, true), 0.2, 0.0),    // b rises: the output falls because of b
        ((false, true), 0.3, 0.0),   // a falls: the output rises because of a
        ((true, true), 0.1, 0.0),    // a rises: it falls because of a
        ((false, false), 0.35, 0.0), // both fall: it rises, half because of each
        ((false, true), 0.0, 0.0),
    ] {
        machine.set(a, inputs.0);
        machine.set(b, inputs.1);
        machine.tick();
        spent += output + own;
        near(told(&machine).total().energy.combinational_joules, spent * 1e-12);
    }
}

#[test]
fn a_flip_flop_pays_for_its_clock() {
    let cells: [Gate<'_>; 1] = [("q", "DFF", &[("CLK", 2), ("D", 3), ("Q", 4)])];
    let mut machine = machine(&[("clk", 2), ("d", 3)], &cells, 0.0);
    let d = machine.compiled.netlist.ports["d"][0];
    (0..40).for_each(|_| machine.tick());
    let energy = told(&machine).total().energy;
    // DFFPOSX1 of osu035 at a slew of 0: (0.0786 + 0.5091) pJ x 40 MHz = 23.51 uW, and here the
    // clock pin's 0.041 pF up and down besides
    let watts = energy.clock_joules / (40.0 / 40e6);
    assert!((watts - 23.51e-6 - 0.041e-12 * 4.0 * 40e6).abs() < 0.01e-6, "{watts:e}");
    assert_eq!(energy.register_joules, 0.0);
    // the state follows an edge later, and both cost: D 0.5 up, Q 0.25 up
    machine.start();
    machine.set(d, true);
    machine.tick();
    near(told(&machine).total().energy.register_joules, 0.5e-12);
    machine.tick();
    near(told(&machine).total().energy.register_joules, 0.75e-12);
}

#[test]
fn clear_and_preset_act_at_once() {
    let pins: [(&str, u32); 5] = [("CLK", 2), ("D", 3), ("R", 4), ("S", 5), ("Q", 6)];
    let ports = [("clk", 2), ("d", 3), ("r", 4), ("s", 5), ("q", 6)];
    let mut machine = machine(&ports, &[("q", "DFFSR", &pins)], 0.0);
    let [d, r, s, q] = ["d", "r", "s", "q"].map(|port| machine.compiled.netlist.ports[port][0]);
    let mut seen = vec![];
    let mut step = |machine: &mut Machine, (dv, rv, sv): (bool, bool, bool)| {
        for (net, value) in [(d, dv), (r, rv), (s, sv)] {
            machine.set(net, value);
        }
        machine.settle();
        seen.push(machine.value(q));
        machine.tick();
        machine.settle();
        seen.push(machine.value(q));
    };
    step(&mut machine, (true, true, true)); // both released (active low): taken at the edge
    step(&mut machine, (true, false, true)); // cleared before and at the edge
    step(&mut machine, (false, true, false)); // preset
    step(&mut machine, (false, true, true));
    assert_eq!(seen, [false, true, false, false, true, true, true, false]);
}
