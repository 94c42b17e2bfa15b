//! Measurements that take minutes, each against its target.
//!
//! A bar's command prints a line with the bar's name and a colon; the first number after that is the
//! figure. To add a bar, add a row.

use crate::run::{cargo, watch};
use std::time::Instant;

/// A measurement.
struct Bar {
    /// What it is asked for by.
    name: &'static str,
    /// Arguments for `cargo`, apart by spaces; the figure of `build` is the command's time.
    command: &'static str,
    /// What the figure must reach.
    target: Target,
    /// What the figure counts.
    unit: &'static str,
}

enum Target {
    AtLeast(f64),
    AtMost(f64),
}
use Target::{AtLeast, AtMost};

const BARS: &[Bar] = &[
    Bar {
        name: "fuzz",
        command: "test -p hwgen-verify --test fuzz -- --ignored --nocapture",
        target: AtLeast(200_000.0),
        unit: "outputs equal on four engines",
    },
    Bar {
        name: "kills",
        command: "test --release -p hwgen --test kills -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "of 200 commands killed at any moment that leave something torn or running",
    },
    Bar {
        name: "farm",
        command: "test -p hwgen-farm --test slurm -- --ignored --nocapture --test-threads=1",
        target: AtLeast(50.0),
        unit: "results, each once, of 50 jobs on a Slurm cluster whose jobs are killed",
    },
    Bar {
        name: "readers",
        command: "test -p hwgen-readers --test mutants ten_thousand -- --ignored --nocapture",
        target: AtLeast(10_000.0),
        unit: "damaged files that every reader answered without a panic, in 512 MiB and 5 s",
    },
    Bar {
        name: "fuzz_readers",
        command: "test -p hwgen-readers --test mutants fuzzer -- --ignored --nocapture",
        target: AtLeast(10_000.0),
        unit: "inputs of libFuzzer that crashed no reader",
    },
    Bar {
        name: "race",
        command: "test --release -p hwgen-verify --test race -- --ignored --nocapture",
        target: AtLeast(1.0),
        unit: "times Verilator's cycles a second, the slowest design",
    },
    Bar {
        name: "emission",
        command: "test -p hwgen-designs --test emission -- --nocapture",
        target: AtMost(2.0),
        unit: "times as long a processing element at 64x64 as at 16x16",
    },
    Bar {
        name: "chain",
        command: "test --release -p hwgen-hdl --test scale -- --ignored --nocapture",
        target: AtMost(1.0),
        unit: "seconds to print a chain of 100,000 unnamed nets",
    },
    Bar {
        name: "wide",
        command: "test --release -p hwgen --test large wide -- --ignored --nocapture",
        target: AtMost(1.0),
        unit: "seconds to emit a linear layer of 4,096 inputs and 256 lanes",
    },
    Bar {
        name: "baked",
        command: "test --release -p hwgen --test large baked -- --ignored --nocapture",
        target: AtMost(2.0),
        unit: "seconds in which Yosys reads the trained keyword network in its core's memories",
    },
    Bar {
        name: "attention",
        command: "test -p hwgen-verify --test lapa_attention -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "mismatches on every recorded attention head in Verilator",
    },
    Bar {
        name: "engine",
        command: "test --release -p hwgen-verify --test engine_attention recorded_attention -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "rows of LAPA whole that differ on every recorded attention head",
    },
    Bar {
        name: "long",
        command: "test --release -p hwgen-verify --test engine_attention two_thousand -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "rows that differ on a head of 2,048 tokens of 64 elements",
    },
    Bar {
        name: "prediction",
        command: "test --release -p hwgen-verify --test study prediction -- --ignored --nocapture",
        target: AtMost(20.0),
        unit: "% of the energy of LAPA's attention, on any recorded model",
    },
    Bar {
        name: "output",
        command: "test -p hwgen-verify --test attention_output -- --ignored --nocapture",
        target: AtLeast(0.99),
        unit: "mean cosine of the output, the worst model at its best setting",
    },
    Bar {
        name: "models",
        command: "test --release -p hwgen-models --test models -- --ignored --nocapture",
        target: AtMost(1.0),
        unit: "percent lost by whole models with LAPA attention, the worst text",
    },
    Bar {
        name: "networks",
        command: "test --release -p hwgen-verify --test cnn_rtl all_inputs -- --ignored --nocapture",
        target: AtLeast(660.0),
        unit: "inputs of trained networks equal in our engine and Verilator",
    },
    Bar {
        name: "policies",
        command: "test --release -p hwgen-verify --test cnn_rtl ten_policies -- --ignored --nocapture",
        target: AtLeast(408.0),
        unit: "inputs of trained networks under random policies equal in our engine, Verilator and gates",
    },
    Bar {
        name: "narrow_lanes",
        command: "test -p hwgen-verify --test narrow lanes:: -- --include-ignored --nocapture",
        target: AtMost(130.0),
        unit: "LUT, and 60 FF, that two weights cost a packed lane on Xilinx' parts; prints what all lanes take",
    },
    Bar {
        name: "narrow_energy",
        command: "test -p hwgen-verify --test narrow energy:: -- --ignored --nocapture",
        target: AtMost(0.65),
        unit: "of eight bits' energy that four take in dense layers, on sky130's gates",
    },
    Bar {
        name: "graphs",
        command: "test --release -p hwgen-verify --test random_graphs two_thousand -- --ignored --nocapture",
        target: AtLeast(2_000.0),
        unit: "random graphs run as the interpreter does on 8 cores, or are refused: at most 15 %",
    },
    Bar {
        name: "lockstep",
        command: "test --release -p hwgen-verify --test lockstep every_design -- --ignored --nocapture",
        target: AtLeast(720.0),
        unit: "checks of all designs passed, 12 seeds each, our engine and Icarus",
    },
    Bar {
        name: "keywords",
        command: "test --release -p hwgen-verify --test mfcc_quality trained -- --ignored --nocapture",
        target: AtMost(1.0),
        unit: "points of top-1 that integer features cost the trained keyword model",
    },
    Bar {
        name: "real_models",
        command: "test --release -p hwgen-verify --test network_litert real_models -- --ignored --nocapture",
        target: AtLeast(19.0),
        unit: "models that others trained (HWGEN_MODELS) as LiteRT's reference kernels, byte for byte",
    },
    Bar {
        name: "kws_mini",
        command: "test -p hwgen-verify --test cnn_rtl kws_mini -- --ignored --nocapture",
        target: AtMost(12_000.0),
        unit: "cycles of KWS-mini with 18 DSP blocks and 5,000 LUTs of Yosys",
    },
    Bar {
        name: "board",
        command: "test --release -p hwgen --test link trained -- --ignored --nocapture",
        target: AtLeast(20.0),
        unit: "clips as the golden model with the trained network, on a sound line and on a bad one",
    },
    Bar {
        name: "link",
        command: "test --release -p hwgen-boards --test top hundred_thousand -- --ignored --nocapture",
        target: AtLeast(100_000.0),
        unit: "random packets answered as the model does",
    },
    Bar {
        name: "add_a_design",
        command: "test -p hwgen --test ways_in a_design -- --ignored --nocapture",
        target: AtMost(4.0),
        unit: "files that a new design touches beside its own",
    },
    Bar {
        name: "add_a_subcommand",
        command: "test -p hwgen --test ways_in a_subcommand -- --ignored --nocapture",
        target: AtMost(3.0),
        unit: "files that a new subcommand touches beside its own, one of them a snapshot",
    },
    Bar {
        name: "add_an_operator",
        command: "test -p hwgen --test ways_in an_operator -- --ignored --nocapture",
        target: AtMost(8.0),
        unit: "files that a new operator of networks touches beside its own",
    },
    Bar {
        name: "add_a_component",
        command: "test -p hwgen --test ways_in a_component -- --ignored --nocapture",
        target: AtMost(3.0),
        unit: "files that a new component touches beside its own, its table among them",
    },
    Bar {
        name: "planning",
        command: "test --release -p hwgen-network --test planning milliseconds -- --ignored --nocapture",
        target: AtMost(1.0),
        unit: "of 1 ms a plan of kws_mini, 10 ms of MobileNetV2, 10 us a layer without weights, the worst",
    },
    Bar {
        name: "cost",
        command: "test --release -p hwgen --test cost ten_thousand -- --ignored --nocapture",
        target: AtMost(10.0),
        unit: "seconds that 10,000 candidates of 20 layers take through a pipe, on a fixed core",
    },
    Bar {
        name: "search_example",
        command: "test --release -p hwgen-search --test example -- --ignored --nocapture",
        target: AtMost(120.0),
        unit: "seconds of the README's search, whose points are bit-exact on their cores",
    },
    Bar {
        name: "search_fashion",
        command: "test --release -p hwgen-search --test fashion -- --ignored --nocapture",
        target: AtLeast(91.0),
        unit: "percent of Fashion-MNIST's test by a found network of at most 100,000 weights, within an hour",
    },
    Bar {
        name: "search_cores",
        command: "test --release -p hwgen-search --test cores circuits -- --ignored --nocapture",
        target: AtLeast(800.0),
        unit: "inferences of recorded items by networks that were found, bit-exact in the cycles that were predicted",
    },
    Bar {
        name: "search_boards",
        command: "test --release -p hwgen-search --test cores bitstreams -- --ignored --nocapture",
        target: AtLeast(2.0),
        unit: "boards whose bitstream of a network that was found is fast enough, and which name items as its integers",
    },
    Bar {
        name: "search_runs",
        command: "test --release -p hwgen-search --test study search_runs -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "runs that the ledger of searches still lacks; hours, goes on where it was left",
    },
    Bar {
        name: "search_tau",
        command: "test --release -p hwgen-search --test study search_tau -- --ignored --nocapture",
        target: AtLeast(0.6),
        unit: "Kendall's tau of 20 networks of Fashion-MNIST, in the supernet and trained alone",
    },
    Bar {
        name: "compared_on_fashion",
        command: "test -p hwgen-search --test study compared_on_fashion -- --ignored --nocapture",
        target: AtLeast(1.5),
        unit: "times fewer cycles by a joint search than by eight bits that may lose as much, the worst of three seeds",
    },
    Bar {
        name: "compared_on_keywords",
        command: "test -p hwgen-search --test study compared_on_keywords -- --ignored --nocapture",
        target: AtLeast(1.5),
        unit: "times fewer cycles by a joint search than by eight bits that may lose as much, the worst of three seeds of five folds",
    },
    Bar {
        name: "search_drift",
        command: "test --release -p hwgen-search --test drift -- --ignored --nocapture",
        target: AtMost(0.75),
        unit: "of the seconds of a search from scratch that one takes that goes on with changed data, a point worse at most",
    },
    Bar {
        name: "search_gpu",
        command: "test -p hwgen-search --features gpu --test search portable -- --nocapture",
        target: AtLeast(500.0),
        unit: "results of operations as a GPU takes them that are the kernels', in a build that trains on GPUs",
    },
    Bar {
        name: "names",
        command: "test -p hwgen-verify --test lint nets_are_named -- --nocapture",
        target: AtMost(5.0),
        unit: "percent of the nets of a design's worst size that nobody named; fails at 5 itself",
    },
    Bar {
        name: "synthesis",
        command: "test -p hwgen-verify --test lint default_designs -- --ignored --nocapture",
        target: AtLeast(2.0),
        unit: "designs clean in Yosys at their default size",
    },
    Bar {
        name: "predictor_bitstream",
        command: "test -p hwgen-boards --test answers predictor -- --ignored --nocapture",
        target: AtLeast(8.0),
        unit: "groups of keys that a bitstream of HX8K, read back, predicts as the golden model",
    },
    Bar {
        name: "spi_bitstream",
        command: "test -p hwgen-boards --test bitstream -- --ignored --nocapture",
        target: AtLeast(4.0),
        unit: "questions that a bitstream of HX8K, read back, answers over SPI as the model",
    },
    Bar {
        name: "up5k_netlist",
        command: "test -p hwgen-boards --test answers up5k -- --ignored --nocapture",
        target: AtLeast(12.0),
        unit: "scores of a network that a netlist of UP5K's multipliers and memories gives as the interpreter",
    },
    Bar {
        name: "network_bitstreams",
        command: "test -p hwgen-boards --test networks keywords:: -- --ignored --nocapture",
        target: AtLeast(4.0),
        unit: "bitstreams of keyword networks that fit and are fast enough, iCEBreaker's, also over SPI, among them",
    },
    Bar {
        name: "narrow_board",
        command: "test --release -p hwgen-boards --test networks narrow:: -- --ignored --nocapture",
        target: AtLeast(1.5),
        unit: "times fewer cycles with weights of 4 bits than of 8 on iCEBreaker, whose bitstream is fast enough",
    },
    Bar {
        name: "boards",
        command: "test -p hwgen-boards --test flows -- --ignored --nocapture",
        target: AtLeast(6.0),
        unit: "bitstreams of iCE40, ECP5 and Gowin are what was placed, timing met",
    },
    Bar {
        name: "area",
        command: "test --release -p hwgen-verify --test area -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "estimated figures that miss Yosys by more than 15 %, and medians by more than 8 %",
    },
    Bar {
        name: "asic",
        command: "test --release -p hwgen-boards --test asic -- --ignored --nocapture",
        target: AtMost(0.0),
        unit: "failed routes, design rule and netlist errors in the layouts of processing elements and a predictor",
    },
    Bar {
        name: "integers_of_presets",
        command: "test --release -p hwgen-search --test search integers::integers_of_presets -- --ignored --nocapture",
        target: AtLeast(99.0),
        unit: "percent of items for which integers and what was trained have the same highest score, the worst preset",
    },
    Bar {
        name: "exact_costs",
        command: "test --release -p hwgen-search --test search costs::exact_costs -- --ignored --nocapture",
        target: AtLeast(400.0),
        unit: "costs of subnets without weights that equal the plans of trained ones",
    },
    Bar {
        name: "slopes_of_neighbors",
        command: "test --release -p hwgen-search --test search gates::slopes_of_neighbors -- --ignored --nocapture",
        target: AtMost(25.0),
        unit: "percent that slopes of gates are off the planner's cycles, four genes away",
    },
    Bar {
        name: "search_kills",
        command: "test --release -p hwgen-search --test search kills::search_kills -- --ignored --nocapture",
        target: AtLeast(1.0),
        unit: "kills after which each search found the same",
    },
    Bar {
        name: "training_speed",
        command: "test --release -p hwgen-search --test search speed::training_speed -- --ignored --nocapture",
        target: AtMost(3.0),
        unit: "times as long as PyTorch's a training step takes (HWGEN_TORCH_PYTHON names its interpreter)",
    },
    Bar {
        name: "build",
        command: "build --release --bin hwgen --target-dir target/bar-build",
        target: AtMost(240.0),
        unit: "seconds to build hwgen from nothing",
    },
];

/// Measures the bars of these names, or all.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    let known: Vec<_> = BARS.iter().map(|bar| bar.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("no bar `{unknown}`; there are {}", known.join(", ")));
    }
    let chosen = BARS.iter().filter(|bar| names.is_empty() || names.contains(&bar.name));
    let mut lines = vec![];
    let mut short = false;
    for bar in chosen {
        let figure = measure(bar)?;
        let (met, target) = match bar.target {
            AtLeast(least) => (figure.is_some_and(|f| f >= least), format!("at least {least}")),
            AtMost(most) => (figure.is_some_and(|f| f <= most), format!("at most {most}")),
        };
        short |= !met;
        let figure = figure.map_or("failed".to_string(), |figure| format!("{figure:.2}"));
        let verdict = if met { "met" } else { "SHORT" };
        lines.push(format!("{verdict:6}{:10}{figure} {} (target {target})", bar.name, bar.unit));
    }
    println!("{}", lines.join("\n"));
    if short { Err("a bar is short of its target".into()) } else { Ok(()) }
}

/// The figure, or none if the command failed or did not print it.
fn measure(bar: &Bar) -> Result<Option<f64>, String> {
    let timed = bar.command.starts_with("build ");
    if timed {
        // from nothing
        let folder = crate::run::workspace().join("target/bar-build");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
        }
    }
    let words: Vec<_> = bar.command.split(' ').collect();
    let (mut seen, began) = (None, Instant::now());
    let label = format!("{}:", bar.name);
    let passed = watch(&mut cargo(&words), |line| {
        let figure = line.split_once(&label).and_then(|(_, after)| first_number(after));
        seen = figure.or(seen);
    })?;
    let time = timed.then(|| began.elapsed().as_secs_f64());
    Ok(time.or(seen).filter(|_| passed))
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().find_map(|word| word.trim_end_matches([',', ';']).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        assert_eq!(first_number(" 200160 outputs compared on 96"), Some(200_160.0));
        assert_eq!(first_number(" slowest 1.25, on lapa"), Some(1.25));
        assert_eq!(first_number(" none"), None);
    }

    #[test]
    fn names_are_unique() {
        for (n, bar) in BARS.iter().enumerate() {
            assert!(BARS[..n].iter().all(|other| other.name != bar.name));
        }
    }
}
