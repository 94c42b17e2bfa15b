//! Weight-stationary systolic array of multiply-accumulators (MACs).
//!
//! `sums[c] = sum over r of weights[r][c] * activations[r]`: activations travel right, partial
//! sums travel down, one processing element a cycle. Source: the textbook array (Kung 1982), as
//! in the TPU's matrix unit; the interface is our definition.

mod check;
pub mod drive;
pub mod golden;

use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use crate::wiring::{delayed, delayed_flag, pack, unpack};
use hwgen_hdl::{Module, ModuleBuilder, Type, bits_for, s, u};
use std::sync::Arc;

/// A MAC array, sized. All numbers are two's complement.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct MacArraySpec {
    /// Activations that meet in one sum.
    #[parameter(default = 8, range = 1..=64)]
    pub rows: u32,
    /// Sums made at once.
    #[parameter(default = 8, range = 1..=64)]
    pub columns: u32,
    /// Bits of a weight.
    #[parameter(default = 8, range = 2..=16)]
    pub weight_bits: u32,
    /// Bits of an activation.
    #[parameter(default = 8, range = 2..=16)]
    pub activation_bits: u32,
    /// Bits of a sum: weight_bits + activation_bits + log2(rows), or more.
    #[parameter(default = 32, range = 4..=64)]
    pub accumulator_bits: u32,
}

impl Spec for MacArraySpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        let least = self.least_accumulator_bits();
        if self.accumulator_bits < least {
            let range = format!("at least {least}, or sums of {} rows overflow", self.rows);
            return Err(SpecError::out_of_range("accumulator_bits", self.accumulator_bits, range));
        }
        Ok(())
    }
}

impl MacArraySpec {
    /// The narrowest accumulator in which no sum overflows.
    pub fn least_accumulator_bits(&self) -> u32 {
        // the largest sum is rows * 2^(w-1) * 2^(a-1), the product of the two least values
        bits_for(u64::from(self.rows) << (self.weight_bits + self.activation_bits - 2)) + 1
    }

    /// Cycles from activations to their sums.
    pub fn latency_cycles(&self) -> u32 {
        self.rows + self.columns - 1
    }

    fn weight(&self) -> Type {
        s(self.weight_bits)
    }

    fn activation(&self) -> Type {
        s(self.activation_bits)
    }

    fn sum(&self) -> Type {
        s(self.accumulator_bits)
    }

    fn name(&self, what: &str) -> String {
        let (w, a, sum) = (self.weight_bits, self.activation_bits, self.accumulator_bits);
        format!("{what}_w{w}_a{a}_acc{sum}")
    }
}

/// One processing element: keeps a weight, passes the activation right, adds the product to the
/// sum from above.
pub fn mac_pe(spec: &MacArraySpec) -> Arc<Module> {
    let m = ModuleBuilder::new(spec.name("mac_pe"));
    m.doc("Processing element: sum_out = sum_in + weight * x_in, a cycle later.");
    let load = m.input("load", u(1));
    let weight_in = m.input("weight_in", spec.weight());
    let x_in = m.input("x_in", spec.activation());
    let sum_in = m.input("sum_in", spec.sum());

    let weight = m.reg("weight", spec.weight()).no_reset().enable(load);
    let x = m.reg("x", spec.activation()).no_reset();
    let sum = m.reg("sum", spec.sum()).no_reset();
    weight.next(weight_in);
    x.next(x_in);
    let product = weight.mul(x_in).named("product");
    sum.next(sum_in + product.resize(spec.accumulator_bits));

    m.output("weight_out", weight);
    m.output("x_out", x);
    m.output("sum_out", sum);
    m.finish()
}

/// A row of processing elements.
fn mac_row(spec: &MacArraySpec) -> Arc<Module> {
    let columns = spec.columns;
    let m = ModuleBuilder::new(format!("{}_x{columns}", spec.name("mac_row")));
    m.doc("A row of processing elements; vectors are packed, column 0 lowest.");
    let load = m.input("load", u(1));
    let weights_in = m.input("weights_in", u(columns * spec.weight_bits));
    let mut x = m.input("x_in", spec.activation());
    let sums_in = m.input("sums_in", u(columns * spec.accumulator_bits));

    let pe = mac_pe(spec);
    let weights = unpack(weights_in, spec.weight(), columns);
    let sums = unpack(sums_in, spec.sum(), columns);
    let (mut weights_out, mut sums_out) = (vec![], vec![]);
    for (column, (weight, sum)) in weights.into_iter().zip(sums).enumerate() {
        let pe = m.instance(format!("pe_{column}"), &pe);
        pe.input("load", load).input("weight_in", weight).input("x_in", x).input("sum_in", sum);
        weights_out.push(pe.output("weight_out"));
        sums_out.push(pe.output("sum_out"));
        if column + 1 < columns as usize {
            x = pe.output("x_out");
        }
    }
    m.output("weights_out", pack(&weights_out));
    m.output("sums_out", pack(&sums_out));
    m.finish()
}

/// The array; top module `mac_array`.
///
/// - A cycle with `load` = 1 shifts all weights a row down and takes `weights` (packed, column 0
///   lowest) into row 0: `rows` such cycles load the array, the last row first. Sums whose
///   activations are on their way meanwhile see weights of both matrices.
/// - `activations` (packed, row 0 lowest) with `valid` = 1 come out as `sums` (packed, column 0
///   lowest) with `sums_valid` = 1 after [`MacArraySpec::latency_cycles`]; a vector a cycle.
pub fn build(spec: &MacArraySpec) -> Arc<Module> {
    let (rows, columns) = (spec.rows, spec.columns);
    let m = ModuleBuilder::new("mac_array");
    m.doc(
        "Weight-stationary systolic array: sums[c] = sum over r of weights[r][c] * activations[r].",
    );
    let load = m.input("load", u(1));
    m.port_doc(
        "load",
        "Shifts all weights a row down and takes `weights` into row 0; the last row goes first.",
    );
    let mut weights = m.input("weights", u(columns * spec.weight_bits));
    m.port_doc("weights", "A row of weights, column 0 lowest.");
    let valid = m.input("valid", u(1));
    m.port_doc("valid", "There are activations.");
    let activations = m.input("activations", u(rows * spec.activation_bits));
    m.port_doc("activations", "An activation a row, row 0 lowest.");

    let row_module = mac_row(spec);
    let mut sums = m.lit(u(columns * spec.accumulator_bits), 0);
    let activations = unpack(activations, spec.activation(), rows);
    for (r, activation) in (0..).zip(activations) {
        // row r meets the sums from above r cycles later
        let x = delayed(&m, &format!("skew_{r}"), activation, r);
        let row = m.instance(format!("row_{r}"), &row_module);
        row.input("load", load)
            .input("weights_in", weights)
            .input("x_in", x)
            .input("sums_in", sums);
        sums = row.output("sums_out");
        if r + 1 < rows {
            weights = row.output("weights_out");
        }
    }
    let aligned: Vec<_> = (0..)
        .zip(unpack(sums, spec.sum(), columns))
        .map(|(c, sum)| delayed(&m, &format!("align_{c}"), sum, columns - 1 - c))
        .collect();

    let sums_valid = delayed_flag(&m, "on_the_way", valid, spec.latency_cycles());
    m.output("sums_valid", sums_valid);
    m.port_doc("sums_valid", "There are sums.");
    m.output("sums", pack(&aligned));
    m.port_doc("sums", "A sum a column, column 0 lowest.");
    m.finish()
}

impl Generate for MacArraySpec {
    const NAME: &'static str = "mac_array";
    const SUMMARY: &'static str = "weight-stationary systolic array of multiply-accumulators";
    const PAGE: &'static str = "docs/arrays.md";

    const SIZES: &'static [&'static str] = &[
        "rows=1 columns=1",
        "rows=2 columns=3 weight_bits=4",
        "rows=4 columns=4 activation_bits=5 accumulator_bits=24",
    ];

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        format!(
            "{} cycles from activations to sums (rows + columns - 1); a vector a cycle; weights load in {} cycles",
            self.latency_cycles(),
            self.rows
        )
    }

    fn diagram(&self) -> String {
        format!(
            "\
activations x{rows}          weights x{columns}
     |              |  (shift down on load)
     v              v
 skew r cycles -> [PE][PE]..  row 0
               -> [PE][PE]..  row 1      PE: sum_out = sum_in + weight * x
                    :   :                    activations move right,
               -> [PE][PE]..  row {last}      sums move down
                    |   |
                align columns -> sums x{columns}
",
            rows = self.rows,
            columns = self.columns,
            last = self.rows - 1
        )
    }
}

impl Cost for MacArraySpec {
    type Workload = u64;

    fn result_cycles(&self, vectors: &u64) -> Vec<u64> {
        // the weights, then a vector a cycle
        let first = u64::from(self.rows + self.latency_cycles());
        (first..first + vectors).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(rows: u32, columns: u32) -> MacArraySpec {
        MacArraySpec { rows, columns, ..MacArraySpec::default() }
    }

    #[test]
    fn builds_at_the_extremes() {
        for (rows, columns) in [(1, 1), (1, 8), (8, 1), (3, 5), (64, 64)] {
            let module = build(&spec(rows, columns));
            assert_eq!(module.instances.len(), rows as usize);
        }
    }

    #[test]
    fn a_narrow_accumulator_is_refused() {
        let spec = MacArraySpec { accumulator_bits: 18, ..MacArraySpec::default() };
        assert_eq!(spec.least_accumulator_bits(), 19);
        assert_eq!(
            spec.validate().unwrap_err().to_string(),
            "`accumulator_bits` = 18 is out of range: must be at least 19, or sums of 8 rows overflow"
        );
    }
}
