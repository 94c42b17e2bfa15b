//! Which layers and heads a loss comes from: `cargo test --release -p hwgen-models --test sites --
//! --ignored --nocapture`.

use hwgen_models::accuracy::{Running, Sentences};
use hwgen_models::attention::{Select, Site};
use hwgen_models::selections::{Named, mean_max, radius, sinks};
use hwgen_models::texts::tokens;
use hwgen_models::weights;
use hwgen_verify::attention::output::all_keys;

/// Bits of a weight before division: the exact stage's default.
const PROBABILITY_BITS: u32 = 10;

/// Which heads a predictor works on.
type Chosen<'c> = dyn Fn(Site) -> bool + Sync + 'c;

/// Selects on the chosen heads only; the others see all keys.
fn on<'n>(named: &'n Named, chosen: &'n Chosen<'n>) -> Box<Select<'n>> {
    Box::new(
        move |site, head| {
            if chosen(site) { (named.select)(site, head) } else { all_keys(head) }
        },
    )
}

#[test]
#[ignore = "minutes, and weights"]
fn minilm() {
    let folder = weights::folder().expect("weights: run scripts/fetch-models first");
    let encoder = weights::encoder(&folder, "minilm").unwrap();
    let texts = tokens(&folder).unwrap().minilm.swap_remove(0);
    let found = sinks(&texts.texts, |text, float| encoder.hidden(text, float).map(drop)).unwrap();
    let sentences = Sentences::new(&encoder, texts).unwrap();
    println!("MiniLM, {}: {} of 72 heads are sinks", sentences.name, found.len());
    let named = mean_max([0, 0]);
    let line = |name: &str, chosen: &Chosen<'_>| {
        let embedded = sentences.with(PROBABILITY_BITS, &*on(&named, chosen)).unwrap();
        println!("  {name:22} kept {:.3} loss {:.2} %", embedded.kept, 100.0 * embedded.loss());
        embedded.loss()
    };
    let none = line("no head", &|_| false);
    let all = line(&named.name, &|_| true);
    line("sinks only", &|site| found.contains(&site));
    line("all but sinks", &|site| !found.contains(&site));
    for layer in 0..6 {
        let one = line(&format!("layer {layer} only"), &|site| site.layer == layer);
        assert!(none < one && one < all);
    }
}

#[test]
#[ignore = "minutes, and weights"]
fn smollm2() {
    let folder = weights::folder().expect("weights: run scripts/fetch-models first");
    let decoder = weights::decoder(&folder.join("smollm2.gguf")).unwrap();
    let texts = tokens(&folder).unwrap().smollm2.swap_remove(0);
    let found = sinks(&texts.texts, |text, float| decoder.hidden(text, float).map(drop)).unwrap();
    let running = Running::new(&decoder, texts).unwrap();
    println!("SmolLM2, {}: {} of 270 heads are sinks", running.name, found.len());
    for (named, by_layer) in [(mean_max([0, 0]), true), (radius([8, 6]), false)] {
        let line = |name: &str, chosen: &Chosen<'_>| {
            let predicted = running.with(PROBABILITY_BITS, &*on(&named, chosen)).unwrap();
            let loss = predicted.loss();
            println!("  {name:22} kept {:.3} loss {:.2} %", predicted.kept, 100.0 * loss);
            loss
        };
        let all = line(&named.name, &|_| true);
        line("sinks only", &|site| found.contains(&site));
        line("all but sinks", &|site| !found.contains(&site));
        if by_layer {
            assert!(line("no head", &|_| false) < all);
            for first in (0..30).step_by(5) {
                let last = first + 4;
                let layers = format!("layers {first}..={last} only");
                line(&layers, &|site| (first..=last).contains(&site.layer));
            }
        }
    }
}
