//! How close SpAtten comes to floating-point attention, and what it saves at equal closeness.
//! `docs/baselines.md` has the tables; the sweep is
//! `cargo test -p hwgen-verify --test spatten_output -- --ignored --nocapture`.

use hwgen_designs::attention::spatten::golden::cascade::Keep;
use hwgen_designs::attention::spatten::golden::{Setting, Split};
use hwgen_verify::attention::cascade::{Cascaded, Layers};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{Workload, data};

/// The mean cosine that counts as no loss.
const TARGET: f64 = 0.99;

/// Every recorded model, or synthetic ones of the same kind: three layers of four heads.
fn workloads() -> Vec<Workload> {
    let synthetic = || {
        let shape = Clustered { tokens: 64, head_dim: 32, seeds: 12, ..Clustered::default() };
        let mut workloads = shape.both_masks();
        for workload in &mut workloads {
            for (i, head) in workload.heads.iter_mut().enumerate() {
                head.name = format!("layer {} head {}", i / 4, i % 4);
            }
        }
        workloads
    };
    data::recorded_or(synthetic)
}

fn line(name: &str, run: &Cascaded) {
    println!(
        "  {name:34} rows {:.3} flat {:.3} keys {:.3} low {:.3} values {:.3} work {:.3} cosine {:.4}, of all rows {:.4}",
        run.rows,
        run.flat,
        run.keys,
        run.low_keys,
        run.values,
        run.work(),
        run.cosine,
        run.cosine_of_all,
    );
}

fn tokens(tokens256: u32) -> Keep {
    Keep { tokens256, heads256: 256 }
}

/// High nibbles alone, cut in two ways; then with the low ones of flat rows.
#[test]
fn nibbles() {
    for workload in workloads() {
        println!("{}", workload.name);
        let layers = Layers::of(&workload);
        let run = |name: &str, tau256, split| {
            let run = layers.run(Setting { tau256, split, ..Setting::default() }, Keep::ALL);
            line(&format!("{name}, tau {tau256}"), &run);
            run
        };
        let balanced = run("balanced", 0, Split::Balanced);
        let runs = [0, 26, 64, 256].map(|tau| run("floor", tau, Split::Floor));
        assert!((runs[0].cosine - balanced.cosine).abs() < 0.02);
        for pair in runs.windows(2) {
            assert!(pair[0].low_keys <= pair[1].low_keys);
        }
        assert!(runs[3].cosine > 0.99, "exact scores are close");
    }
}

/// Less work costs closeness, whatever is saved.
#[test]
fn what_is_pruned_costs_closeness() {
    for workload in workloads().iter().take(1) {
        println!("{}", workload.name);
        let layers = Layers::of(workload);
        let exact = Setting { tau256: 256, ..Setting::default() };
        let all = layers.run(exact, Keep::ALL);
        line("all", &all);
        let runs = [
            ("half of the tokens", exact, tokens(128)),
            ("a quarter of the values", Setting { keep256: 64, ..exact }, Keep::ALL),
            ("three quarters of the heads", exact, Keep { tokens256: 256, heads256: 192 }),
        ];
        for (name, setting, keep) in runs {
            let run = layers.run(setting, keep);
            line(name, &run);
            assert!(run.work() < all.work() && run.cosine_of_all < all.cosine_of_all, "{name}");
        }
    }
}

/// The least work at a mean cosine of the target: with tokens pruned and without.
#[test]
#[ignore = "minutes: see the head of this file"]
fn least_work_at_equal_closeness() {
    for workload in workloads() {
        println!("{}", workload.name);
        let layers = Layers::of(&workload);
        for last in [256, 224, 192, 160, 128, 96, 64] {
            let mut best: Option<(String, Cascaded)> = None;
            for tau256 in [0, 13, 26, 51, 77, 128, 192, 256] {
                // fewer values are never closer: stop at the first that is too far
                for keep256 in [256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32] {
                    let setting = Setting { keep256, tau256, ..Setting::default() };
                    let run = layers.run(setting, tokens(last));
                    if run.cosine < TARGET {
                        break;
                    }
                    if best.as_ref().is_none_or(|(_, best)| run.work() < best.work()) {
                        let name = format!("tokens {last}, tau {tau256}, values {keep256}");
                        best = Some((name, run));
                    }
                }
            }
            match best {
                Some((name, run)) => line(&name, &run),
                None => println!("  tokens {last}: none is close enough"),
            }
        }
        // at what the paper prunes: tau 0.1, a third of the tokens left, nine tenths of the heads
        let paper = Setting { keep256: 128, ..Setting::default() };
        line("paper's", &layers.run(paper, Keep { tokens256: 85, heads256: 230 }));
    }
}
