//! Estimates of area held against Yosys, and the table of both in `docs/area.md`.
//!
//! The configurations were chosen before any rule was tuned (that of a tile after), and none is dropped
//! because it misses.

use hwgen_area::{Family, Resources, estimate};
use hwgen_designs::registry::find;
use hwgen_hdl::{Module, ModuleBuilder, s};
use hwgen_verify::area::synthesize;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Designs and what is set of them, as `--set` takes it.
#[rustfmt::skip]
const CONFIGURATIONS: &[(&str, &str)] = &[
    ("attend", "max_keys=16 head_dim=4 rows=2 lanes=4"),
    ("attend", "max_keys=64 head_dim=16 rows=4 lanes=16"),
    ("attend", "max_keys=256 head_dim=32 rows=4 lanes=32 probability_bits=8"),
    ("cnn", "lanes=4 results=1 activation_words=64 weight_rows=64 scale_rows=16 jobs=8"),
    ("cnn", "lanes=8 results=2 activation_words=256 weight_rows=256 scale_rows=64 jobs=16"),
    ("cnn", ""),
    ("cnn", "lanes=16 pixels=1 packed=false softmax_tables=0 matrices=false"),
    ("cnn", "lanes=32 results=4 activation_words=1024 weight_rows=2048"),
    ("cnn", "lanes=8 results=1 packed=false additions=false accumulator_bits=24 matrices=false softmax_tables=0"),
    ("cnn", "lanes=4 results=2 pixels=1 packed=false narrow_weights=false activation_words=2048 weight_rows=4096 jobs=64"),
    ("cnn", "lanes=8 results=2 dual=true additions=false maxima=false accumulator_bits=24 activation_words=256 weight_rows=256 scale_rows=64 jobs=16"),
    ("cnn", "lanes=8 results=2 dual=true packed=false activation_words=256 weight_rows=256 scale_rows=64 jobs=16"),
    ("fact_attention", "max_keys=32 head_dim=8 rows=2 lanes=8"),
    ("fact_attention", "max_keys=128 head_dim=16 rows=4 lanes=16"),
    ("fact_predictor", "max_keys=32 head_dim=8 rows=4"),
    ("fact_predictor", "max_keys=64 head_dim=16 rows=8"),
    ("feed_forward", "inputs=16 hidden=32 outputs=16 first_lanes=4 second_lanes=4"),
    ("feed_forward", ""),
    ("importance", ""),
    ("importance", "max_keys=64 rows=4 max_queries=256"),
    ("lapa_attention", "max_keys=32 head_dim=8 rows=2 lanes=8"),
    ("lapa_attention", "max_keys=64 head_dim=16 rows=4 lanes=16 filter.mode=radius"),
    ("lapa_attention_axi", "max_keys=32 head_dim=8 rows=2 lanes=8 bus_bits=64"),
    ("lapa", "inputs=8 max_keys=16 head_dim=8 rows=2 lanes=4 log_lanes=4 query_lanes=4 key_value_lanes=4 max_heads=2"),
    ("lapa_axi", "inputs=8 max_keys=8 head_dim=4 rows=1 lanes=4 log_lanes=4 query_lanes=2 key_value_lanes=2 max_heads=2 bus_bits=32"),
    ("lapa_predictor", "max_keys=32 head_dim=8 rows=4"),
    ("lapa_predictor", "max_keys=64 head_dim=16 rows=8"),
    ("lapa_predictor", "max_keys=64 head_dim=16 rows=4 filter.mode=sigma key_slices=[4,2,2]"),
    ("lapa_predictor", "max_keys=128 head_dim=8 rows=8 filter.mode=top_k key_slices=[8]"),
    ("lapa_predictor", "max_keys=64 head_dim=8 rows=4 filter.mode=mass"),
    ("lapa_predictor", "max_keys=64 head_dim=16 rows=4 tile=4 filter.mode=mass key_slices=[4] scores=false"),
    ("lapa_predictor", "max_keys=256 head_dim=32 rows=2 filter.mode=radius query_bits=6"),
    ("lapa_predictor", "max_keys=512 head_dim=64 rows=4"),
    ("linear", ""),
    ("linear", "inputs=16 outputs=16 lanes=4"),
    ("linear", "inputs=128 outputs=64 lanes=32"),
    ("log_linear", ""),
    ("log_linear", "inputs=16 outputs=16 lanes=4"),
    ("log_linear", "inputs=64 outputs=32 lanes=32"),
    ("mac_array", ""),
    ("mac_array", "rows=4 columns=4 weight_bits=4 activation_bits=4 accumulator_bits=16"),
    ("mac_array", "rows=4 columns=8 weight_bits=16 activation_bits=16 accumulator_bits=48"),
    ("mac_array", "rows=16 columns=4 activation_bits=5 accumulator_bits=24"),
    ("mfcc", ""),
    ("mfcc", "window=128 hop=64 fft=128 mels=20 frames=16 multipliers=2"),
    ("mfcc", "window=240 hop=160 fft=256 mels=16 coefficients=8 frames=20 table_bits=6 rotations=4 weight_bits=8"),
    ("sanger_attention", "max_keys=32 head_dim=8 rows=2 lanes=8"),
    ("sanger_predictor", "max_keys=32 head_dim=8 rows=4"),
    ("sanger_predictor", "max_keys=64 head_dim=16 rows=8 row_normalise=false"),
    ("spatten_attention", "max_keys=32 head_dim=8 rows=4 lanes=8"),
    ("spatten_attention", "max_keys=128 head_dim=16 rows=8 lanes=16 probability_bits=10"),
    ("spatten_tokens", "max_keys=64"),
    ("spatten_tokens", ""),
];

/// What Yosys 0.23 itself cannot map: it has no row.
const FAILS: &[(&str, &str, Family)] = &[(
    "mac_array",
    "rows=4 columns=8 weight_bits=16 activation_bits=16 accumulator_bits=48",
    Family::Ice40,
)];

/// How far off an estimate may be, of what Yosys makes.
const PERCENT: f64 = 15.0;

/// The same for the median of a resource.
const MEDIAN_PERCENT: f64 = 8.0;

/// Differences that count as none: a control signal more or less in LUT and FF, a block in
/// DSP and BRAM.
const SLACK: [u64; 4] = [10, 10, 1, 1];

const RESOURCES: [&str; 4] = ["LUT", "FF", "DSP", "BRAM"];

/// The most LUTs, by Yosys, of a configuration that the quick test estimates again.
const QUICK_LUTS: u64 = 2_500;

fn module(design: &str, sets: &str) -> Arc<Module> {
    let sets: Vec<String> = sets.split_whitespace().map(str::to_string).collect();
    find(design).unwrap().configure(None, &sets).unwrap().build()
}

fn counts(resources: &Resources) -> [u64; 4] {
    [resources.lut, resources.ff, resources.dsp, resources.bram]
}

/// How far off, in percent of what Yosys makes; none where there is nothing to divide by.
fn percent(estimated: u64, made: u64) -> Option<f64> {
    (made > 0).then(|| 100.0 * (estimated as f64 / made as f64 - 1.0))
}

/// A row of the table.
struct Row {
    design: &'static str,
    sets: &'static str,
    family: Family,
    estimated: Resources,
    made: Resources,
}

impl Row {
    /// Resources that miss.
    fn misses(&self) -> Vec<&'static str> {
        let pairs = counts(&self.estimated).into_iter().zip(counts(&self.made));
        let pairs = pairs.zip(SLACK).zip(RESOURCES);
        let miss = pairs.filter(|(((estimated, made), slack), _)| {
            let off = percent(*estimated, *made).map_or(f64::INFINITY, f64::abs);
            off > PERCENT && estimated.abs_diff(*made) > *slack
        });
        miss.map(|(_, name)| name).collect()
    }

    fn text(&self) -> String {
        let mut text = self.start();
        let pairs = counts(&self.estimated).into_iter().zip(counts(&self.made));
        for (estimated, made) in pairs {
            let off = percent(estimated, made).map_or(String::new(), |off| format!(" {off:+.1} %"));
            write!(text, " {estimated} / {made}{off} |").unwrap();
        }
        let misses = self.misses().join(", ");
        text + &if misses.is_empty() { " |".to_string() } else { format!(" {misses} |") }
    }

    fn start(&self) -> String {
        start(self.design, self.sets, self.family)
    }
}

/// What a row begins with.
fn start(design: &str, sets: &str, family: Family) -> String {
    format!("| `{design}` | {sets} | {} |", family.name())
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/area.md")
}

const BEGIN: &str = "<!-- table: kept true by verify/tests/area.rs -->\n";
const END: &str = "<!-- end -->";

/// The document before its table, the table, and what is after.
fn parts(text: &str) -> (String, String, String) {
    let (before, rest) = text.split_once(BEGIN).expect("docs/area.md has a table");
    let (table, after) = rest.split_once(END).expect("the table ends");
    (before.to_string(), table.to_string(), after.to_string())
}

/// The table says what the code says, as far as that takes seconds.
#[test]
fn the_table_is_true() {
    let text = std::fs::read_to_string(document()).unwrap();
    let (_, table, _) = parts(&text);
    let mut checked = 0;
    for (design, sets) in CONFIGURATIONS {
        for family in Family::ALL {
            if FAILS.contains(&(*design, *sets, family)) {
                continue;
            }
            let start = start(design, sets, family);
            let row = table.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("docs/area.md has no row `{start}`"));
            let cells = row[start.len()..].split('|').map(str::trim).take(4);
            let told: Vec<(u64, u64)> = cells
                .map(|cell| {
                    let mut words = cell.split(' ');
                    let mut number = || words.find_map(|word| word.parse().ok()).unwrap();
                    (number(), number())
                })
                .collect();
            if told[0].1 > QUICK_LUTS {
                continue;
            }
            let now = counts(&estimate(&module(design, sets), family));
            let told: Vec<u64> = told.iter().map(|(estimated, _)| *estimated).collect();
            assert_eq!(told, now, "{start}: UPDATE_DOCS=1 cargo xtask bars area");
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} rows checked");
}

/// A sum that is squared and read as it is: `xilinx_dsp` loses it to the block.
#[test]
fn no_sum_before_a_multiplier_is_lost() {
    let m = ModuleBuilder::new("squares");
    let (a, b) = (m.input("a", s(15)), m.input("b", s(15)));
    let sum = m.reg("sum", s(16)).no_reset().next(a.extend(16) + b.extend(16));
    m.output("square", m.reg("square", s(32)).no_reset().next(sum.mul(*sum)));
    m.output("sum_out", sum);
    let module = m.finish();
    let (made, estimated) =
        (synthesize(&module, Family::Xilinx7), estimate(&module, Family::Xilinx7));
    let made = made.unwrap();
    assert_eq!((made.dsp, made.ff), (1, 16));
    assert_eq!((estimated.dsp, estimated.ff), (made.dsp, made.ff));
}

/// Sums that pass from block to block, whose registers `ice40_dsp` gives to two blocks at once.
#[test]
fn no_multiplier_of_a_systolic_array_is_lost() {
    let module = module("mac_array", "rows=4 columns=2 activation_bits=5 accumulator_bits=24");
    let made = synthesize(&module, Family::Ice40).unwrap();
    let estimated = estimate(&module, Family::Ice40);
    assert_eq!((made.dsp, made.ff), (8, estimated.ff));
    assert_eq!(made.dsp, estimated.dsp);
}

#[test]
#[ignore = "up to an hour of Yosys the first time: `cargo xtask bars area`"]
fn estimates_hold_against_yosys() {
    let work: Vec<_> = (CONFIGURATIONS.iter())
        .flat_map(|&(design, sets)| Family::ALL.map(|family| (design, sets, family)))
        .collect();
    let (next, rows) = (Mutex::new(work.iter().enumerate()), Mutex::new(vec![]));
    let run = || {
        loop {
            let taken = next.lock().unwrap().next();
            let Some((at, &(design, sets, family))) = taken else { return };
            let module = module(design, sets);
            let estimated = estimate(&module, family);
            let made = match synthesize(&module, family) {
                Ok(made) => made,
                Err(error) if FAILS.contains(&(design, sets, family)) => {
                    println!("{} Yosys fails: {error}", start(design, sets, family));
                    continue;
                }
                Err(error) => panic!("{}: {error}", start(design, sets, family)),
            };
            let row = Row { design, sets, family, estimated, made };
            println!("{}", row.text());
            rows.lock().unwrap().push((at, row));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(run);
        scope.spawn(run);
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(at, _)| *at);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let mut table = String::from(
        "| design | set | family | LUT | FF | DSP | BRAM | misses |\n|---|---|---|---|---|---|---|---|\n",
    );
    rows.iter().for_each(|row| writeln!(table, "{}", row.text()).unwrap());
    let (medians, short) = medians(&rows);
    table += &format!("\n{medians}\n");
    let text = std::fs::read_to_string(document()).unwrap();
    let (before, _, after) = parts(&text);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(document(), text).unwrap();
    }
    let misses: usize = rows.iter().map(|row| row.misses().len()).sum();
    println!("{medians}\nmedians above {MEDIAN_PERCENT} %: {short}");
    println!("area: {} figures of {} miss", misses + short, 4 * rows.len());
}

/// The medians, as a table, and how many are too far off.
fn medians(rows: &[Row]) -> (String, usize) {
    let mut text =
        String::from("| family | resource | median off | most off | miss |\n|---|---|---|---|---|");
    let mut short = 0;
    for family in Family::ALL {
        for (at, name) in RESOURCES.iter().enumerate() {
            let of = rows.iter().filter(|row| row.family == family);
            let off = of.clone().filter_map(|row| {
                percent(counts(&row.estimated)[at], counts(&row.made)[at]).map(f64::abs)
            });
            let mut off: Vec<f64> = off.collect();
            off.sort_by(f64::total_cmp);
            let median = off.get(off.len() / 2).copied().unwrap_or(0.0);
            let most = off.last().copied().unwrap_or(0.0);
            let misses = of.clone().filter(|row| row.misses().contains(name)).count();
            short += usize::from(median > MEDIAN_PERCENT);
            write!(
                text,
                "\n| {} | {name} | {median:.1} % | {most:.1} % | {misses} of {} |",
                family.name(),
                of.clone().count(),
            )
            .unwrap();
        }
    }
    (text, short)
}
