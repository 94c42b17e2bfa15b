//! What selecting keys costs whole models: `cargo xtask bars models`.

use hwgen_models::accuracy::{Running, Sentences};
use hwgen_models::selections::{
    Named, dense, fact, mass, mean_max, radius, rounded_radius, sanger, sigma, top_k,
};
use hwgen_models::texts::tokens;
use hwgen_models::weights;

/// Bits of a weight before division: the exact stage's default.
const PROBABILITY_BITS: u32 = 10;

/// The loss that counts as none.
const TARGET: f64 = 0.01;

/// What MiniLM is run with.
fn encoder_settings() -> Vec<Named> {
    vec![
        mass(&[4, 4], 200),
        mass(&[4, 4], 176),
        mass(&[4], 200),
        mass(&[4], 176),
        mean_max([0, 0]),
        mean_max([-10, -8]),
        sigma([-16, -12]),
        top_k([192, 128]),
        radius([8, 6]),
        radius([6, 4]),
        rounded_radius([8, 6]),
        rounded_radius([6, 4]),
        fact(128),
        sanger(655),
        sanger(328),
    ]
}

/// What SmolLM2 is run with.
fn decoder_settings() -> Vec<Named> {
    vec![
        mass(&[4, 4], 232),
        mass(&[4, 4], 200),
        mass(&[4], 232),
        mass(&[4], 200),
        mean_max([0, 0]),
        sigma([-16, -12]),
        top_k([192, 128]),
        radius([12, 8]),
        radius([8, 6]),
        rounded_radius([12, 8]),
        rounded_radius([12, 7]),
        fact(192),
        sanger(328),
        sanger(131),
    ]
}

/// What a setting came to on the texts so far.
struct Outcome {
    name: String,
    kept: Vec<f64>,
    worst: f64,
}

/// The LAPA setting that keeps the fewest keys among those that lose no more than the target on
/// any text, or if none does, the one that loses least.
fn best(results: &[Outcome]) -> &Outcome {
    let kept = |result: &Outcome| result.kept.iter().sum::<f64>();
    let lapa = || results.iter().filter(|result| result.name.starts_with("LAPA"));
    let close = lapa().filter(|result| result.worst <= TARGET);
    let best = close.min_by(|a, b| kept(a).total_cmp(&kept(b)));
    best.or_else(|| lapa().min_by(|a, b| a.worst.total_cmp(&b.worst))).expect("a LAPA setting")
}

/// Runs all keys at several widths, then every setting; `run` prints, and gives the kept part and
/// the loss.
fn sweep(
    results: &mut Vec<Outcome>,
    settings: Vec<Named>,
    run: impl Fn(&str, u32, &Named) -> (f64, f64),
) {
    for bits in [8, 10, 12] {
        run(&format!("all keys, {bits} bits"), bits, &dense());
    }
    for named in settings {
        let (kept, loss) = run(&named.name, PROBABILITY_BITS, &named);
        match results.iter_mut().find(|result| result.name == named.name) {
            Some(result) => {
                result.kept.push(kept);
                result.worst = result.worst.max(loss);
            }
            None => results.push(Outcome { name: named.name, kept: vec![kept], worst: loss }),
        }
    }
}

#[test]
#[ignore = "minutes, and weights: `cargo xtask bars models`"]
fn accuracy() {
    let folder = weights::folder().expect("weights: run scripts/fetch-models first");
    let encoder = weights::encoder(&folder, "minilm").unwrap();
    let decoder = weights::decoder(&folder.join("smollm2.gguf")).unwrap();
    let tokens = tokens(&folder).unwrap();

    let mut of_encoder = vec![];
    for texts in tokens.minilm {
        let sentences = Sentences::new(&encoder, texts).unwrap();
        println!("MiniLM, {}", sentences.name);
        sweep(&mut of_encoder, encoder_settings(), |name, bits, named| {
            let embedded = sentences.with(bits, &*named.select).unwrap();
            println!(
                "  {name:26} kept {:.3} cosine {:.4} worst {:.4} ranks {:.4}",
                embedded.kept, embedded.cosine, embedded.worst, embedded.ranks
            );
            (embedded.kept, embedded.loss())
        });
    }
    let mut of_decoder = vec![];
    for texts in tokens.smollm2 {
        let running = Running::new(&decoder, texts).unwrap();
        println!("SmolLM2, {}: perplexity {:.3}", running.name, running.perplexity);
        sweep(&mut of_decoder, decoder_settings(), |name, bits, named| {
            let predicted = running.with(bits, &*named.select).unwrap();
            println!(
                "  {name:26} kept {:.3} perplexity {:.3} loss {:.2} %",
                predicted.kept,
                predicted.perplexity,
                100.0 * predicted.loss()
            );
            (predicted.kept, predicted.loss())
        });
    }
    let best = [best(&of_encoder), best(&of_decoder)];
    for (model, best) in ["MiniLM", "SmolLM2"].into_iter().zip(best) {
        println!("{model} -> {}, loses {:.2} % at most", best.name, 100.0 * best.worst);
    }
    println!("models: {:.2}", 100.0 * best[0].worst.max(best[1].worst));
}
