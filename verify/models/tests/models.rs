//! What selecting keys costs whole models: `cargo xtask bars models`.

use hwgen_models::accuracy::{Running, Sentences};
use hwgen_models::selections::{Named, dense, fact, mean_max, radius, sanger, sigma, top_k};
use hwgen_models::texts::tokens;
use hwgen_models::weights;

/// Bits of a weight before division: the exact stage's default.
const PROBABILITY_BITS: u32 = 10;

fn settings() -> Vec<Named> {
    vec![
        mean_max([0, 0]),
        mean_max([-10, -8]),
        sigma([-24, 4]),
        sigma([-16, -12]),
        top_k([192, 128]),
        top_k([224, 192]),
        radius([10, 8]),
        radius([8, 6]),
        radius([7, 5]),
        radius([6, 4]),
        fact(128),
        fact(192),
        sanger(655),
        sanger(328),
        sanger(131),
    ]
}

#[test]
#[ignore = "minutes, and weights: `cargo xtask bars models`"]
fn accuracy() {
    let folder = weights::folder().expect("weights: run scripts/fetch-models first");
    let encoder = weights::encoder(&folder, "minilm").unwrap();
    let decoder = weights::decoder(&folder.join("smollm2.gguf")).unwrap();
    let tokens = tokens(&folder).unwrap();
    for texts in tokens.smollm2 {
        let running = Running::new(&decoder, texts).unwrap();
        println!("SmolLM2, {}: perplexity {:.3}", running.name, running.perplexity);
        let line = |name: &str, bits: u32, select: &_| {
            let predicted = running.with(bits, select).unwrap();
            println!(
                "  {name:22} kept {:.3} perplexity {:.3} loss {:.2} %",
                predicted.kept,
                predicted.perplexity,
                100.0 * predicted.loss()
            );
        };
        for bits in [8, 10, 12] {
            line(&format!("all keys, {bits} bits"), bits, &*dense().select);
        }
        for Named { name, select } in settings() {
            line(&name, PROBABILITY_BITS, &*select);
        }
    }
    for texts in tokens.minilm {
        let sentences = Sentences::new(&encoder, texts).unwrap();
        println!("MiniLM, {}", sentences.name);
        let line = |name: &str, bits: u32, select: &_| {
            let embedded = sentences.with(bits, select).unwrap();
            println!(
                "  {name:22} kept {:.3} cosine {:.4} worst {:.4} ranks {:.4}",
                embedded.kept, embedded.cosine, embedded.worst, embedded.ranks
            );
        };
        for bits in [8, 10, 12] {
            line(&format!("all keys, {bits} bits"), bits, &*dense().select);
        }
        for Named { name, select } in settings() {
            line(&name, PROBABILITY_BITS, &*select);
        }
    }
}
