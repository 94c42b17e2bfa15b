//! What selecting keys costs whole models: `cargo xtask bars models`.

mod common;

use common::{
    Named, Running, Sentences, dense, eager, mean_max, models, radius, sigma, threshold, top_k,
};
use std::time::Instant;

fn settings() -> Vec<Named> {
    vec![
        dense(),
        mean_max([0, 0]),
        mean_max([-4, -2]),
        mean_max([-8, -6]),
        mean_max([-10, -8]),
        sigma([-16, 8]),
        sigma([-24, 4]),
        sigma([-16, -12]),
        sigma([-24, -16]),
        top_k([192, 128]),
        top_k([224, 192]),
        radius([14, 10]),
        radius([10, 8]),
        radius([8, 6]),
        eager(128),
        eager(192),
        threshold(328),
        threshold(197),
        threshold(131),
        threshold(33),
    ]
}

#[test]
#[ignore = "minutes, and weights: `cargo xtask bars models`"]
fn accuracy() {
    let (encoder, decoder, tokens) = models();
    for texts in tokens.minilm {
        let start = Instant::now();
        let sentences = Sentences::new(&encoder, texts);
        println!("MiniLM, {}:", sentences.name);
        for Named { name, select } in settings() {
            let embedded = sentences.with(&encoder, &*select);
            println!(
                "  {name:24} kept {:.3} cosine {:.4} worst {:.4} ranks {:.4}",
                embedded.kept, embedded.cosine, embedded.worst, embedded.ranks
            );
        }
        println!("  {:?}", start.elapsed());
    }
    for texts in tokens.smollm2 {
        let start = Instant::now();
        let running = Running::new(&decoder, texts);
        println!(
            "SmolLM2, {}: perplexity {:.3} {:?}",
            running.name,
            running.perplexity,
            start.elapsed()
        );
        for Named { name, select } in settings() {
            let predicted = running.with(&decoder, &*select);
            println!(
                "  {name:24} kept {:.3} perplexity {:.3} ratio {:.4}",
                predicted.kept,
                predicted.perplexity,
                predicted.perplexity / running.perplexity
            );
        }
        println!("  {:?}", start.elapsed());
    }
}
