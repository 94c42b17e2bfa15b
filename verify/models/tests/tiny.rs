//! Models too small to be good at anything: by hand, and from a seed.

use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use hwgen_designs::attention::sanger_predictor::golden::Setting;
use hwgen_models::ModelError;
use hwgen_models::attention::{Attention, Float, Integer, Recorder, Select, Site, array};
use hwgen_models::decoder::{Decoder, DecoderShape};
use hwgen_models::encoder::{Encoder, EncoderShape};
use hwgen_models::measure::cosine;
use hwgen_models::tensors::{Random, Tensors};
use hwgen_verify::attention::output::{self, all_keys, fact, lapa, sanger};
use ndarray::{Array2, array as values, s};
use std::collections::HashMap;

const ENCODER: EncoderShape = EncoderShape {
    vocabulary: 40,
    positions: 64,
    width: 64,
    inner: 96,
    layers: 3,
    heads: 4,
    epsilon: 1e-12,
};

const DECODER: DecoderShape = DecoderShape {
    vocabulary: 40,
    positions: 64,
    width: 64,
    inner: 96,
    layers: 3,
    heads: 4,
    groups: 2,
    rotary_base: 10_000.0,
    epsilon: 1e-5,
};

/// Large enough that attention is far from even.
const GAIN: f32 = 1.5;

fn encoder() -> Encoder {
    Encoder::load(ENCODER, &mut Random::new(1, GAIN)).unwrap()
}

fn decoder() -> Decoder {
    Decoder::load(DECODER, &mut Random::new(2, GAIN)).unwrap()
}

fn text() -> Vec<u32> {
    (0..48u32).map(|n| (n * n + 7 * n) % 40).collect()
}

/// The last layer's rows, end to end, of the encoder and of the decoder.
fn both(select: &Select<'_>) -> [(Vec<f32>, f64); 2] {
    let (mut first, mut second) = (Integer::new(10, select), Integer::new(10, select));
    let encoded = encoder().hidden(&text(), &mut first).unwrap();
    let decoded = decoder().hidden(&text(), &mut second).unwrap();
    [(encoded, first), (decoded, second)]
        .map(|(rows, attention)| (rows.into_iter().collect(), attention.kept.mean()))
}

fn exact() -> [Vec<f32>; 2] {
    let encoded = encoder().hidden(&text(), &mut Float::default()).unwrap();
    let decoded = decoder().hidden(&text(), &mut Float::default()).unwrap();
    [encoded, decoded].map(|rows| rows.into_iter().collect())
}

fn lapa_with(filter: Filter) -> LapaPredictorSpec {
    LapaPredictorSpec { filter, ..LapaPredictorSpec::default() }
}

#[test]
fn integers_hardly_change_the_result() {
    for ((ours, kept), exact) in both(&|_, head| all_keys(head)).iter().zip(exact()) {
        let cosine = cosine(ours, &exact);
        println!("all keys: cosine {cosine:.5}");
        assert!(cosine > 0.999 && cosine < 1.0, "{cosine}");
        assert_eq!(*kept, 1.0);
    }
}

#[test]
fn selections_of_all_keys_are_alike() {
    let dense = both(&|_, head| all_keys(head));
    let whole = lapa_with(Filter::TopK { keep256: vec![256] });
    let (whole, eager) = (lapa(&whole, 12.0), fact(256));
    assert_eq!(both(&|_, head| whole(head)), dense);
    assert_eq!(both(&|_, head| eager(head)), dense);
}

#[test]
fn fewer_keys_cost_closeness() {
    let exact = exact();
    let closeness = |keep: u32| {
        let spec = lapa_with(Filter::TopK { keep256: vec![keep] });
        let select = lapa(&spec, 12.0);
        let ours = both(&|_, head| select(head));
        assert!(ours.iter().all(|(_, kept)| *kept < 1.0));
        ours.iter().zip(&exact).map(|((ours, _), exact)| cosine(ours, exact)).sum::<f64>()
    };
    let (most, half, few) = (closeness(224), closeness(128), closeness(16));
    assert!(most > half && half > few, "{most} {half} {few}");
}

/// A selection may differ from head to head.
#[test]
fn one_layer_alone_costs_less() {
    let few = fact(32);
    let [everywhere, last] = [0, 2].map(|from: usize| {
        both(&|site, head| if site.layer >= from { few(head) } else { all_keys(head) })
    });
    let chosen = Setting { threshold65536: 3000, ..Setting::default() };
    let peer = sanger(chosen);
    for ((everywhere, last), exact) in everywhere.iter().zip(&last).zip(exact()) {
        assert!(everywhere.1 < last.1);
        assert!(cosine(&everywhere.0, &exact) < cosine(&last.0, &exact));
    }
    assert!(both(&|_, head| peer(head)).iter().all(|(_, kept)| *kept < 1.0));
}

/// The exact attention here against that which `hwgen-verify` measures predictors with.
#[test]
fn float_attention_has_a_second_witness() {
    let mut recorder = Recorder { attention: Float::default(), heads: vec![] };
    decoder().hidden(&text(), &mut recorder).unwrap();
    encoder().hidden(&text(), &mut recorder).unwrap();
    assert_eq!(recorder.heads.len(), 2 * 3 * 4);
    for (site, head) in &recorder.heads {
        let ours = Float::default().attend(*site, head).unwrap();
        for (row, ours) in ours.rows().into_iter().enumerate() {
            let (_, exact) = output::attention(head, row);
            let worst = ours.iter().zip(&exact).map(|(a, b)| (f64::from(*a) - b).abs());
            assert!(worst.fold(0.0, f64::max) < 1e-4, "{site:?} row {row}");
        }
    }
}

#[test]
fn a_decoder_does_not_look_ahead() {
    let (text, mut other) = (text(), text());
    other[40] = (other[40] + 1) % 40;
    let run = |text: &[u32]| decoder().hidden(text, &mut Float::default()).unwrap();
    let (a, b) = (run(&text), run(&other));
    let largest = |a: Array2<f32>| a.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    assert!(largest(&a.slice(s![..40, ..]) - &b.slice(s![..40, ..])) < 1e-4);
    assert!(largest(&a.slice(s![40.., ..]) - &b.slice(s![40.., ..])) > 1e-2);
    // an encoder does
    let run = |text: &[u32]| encoder().hidden(text, &mut Float::default()).unwrap();
    assert!(largest(&run(&text).slice(s![..1, ..]) - &run(&other).slice(s![..1, ..])) > 1e-3);
}

/// Keys and values that are shared are those of the group.
#[test]
fn shared_keys_are_as_good_as_copies() {
    struct Copies(Random);
    impl Tensors for Copies {
        fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
            if !name.contains("attn_k") && !name.contains("attn_v") {
                return self.0.values(name, shape);
            }
            let shared = self.0.values(name, &[shape[0] / 2, shape[1]])?;
            // heads 0 and 1 take group 0, of 16 rows; heads 2 and 3 group 1
            let groups = shared.chunks(16 * shape[1]);
            Ok(groups.flat_map(|group| [group, group].concat()).collect())
        }
    }
    let alone = DecoderShape { groups: 4, ..DECODER };
    let alone = Decoder::load(alone, &mut Copies(Random::new(2, GAIN))).unwrap();
    let mut heads = [decoder(), alone].map(|decoder| {
        let mut recorder = Recorder { attention: Float::default(), heads: vec![] };
        decoder.hidden(&text(), &mut recorder).unwrap();
        recorder.heads
    });
    let (shared, alone) = heads.split_at_mut(1);
    for ((_, shared), (_, alone)) in shared[0].iter().zip(&alone[0]) {
        for (a, b) in [(&shared.keys, &alone.keys), (&shared.values, &alone.values)] {
            let difference = array(a).unwrap() - array(b).unwrap();
            assert!(difference.iter().all(|x| x.abs() < 1e-4), "{}", shared.name);
        }
    }
}

/// Tensors by name; zeros where there is none.
struct Few(HashMap<&'static str, Array2<f32>>);

impl Tensors for Few {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let [rows, cols] = *shape else {
            return Ok(vec![if name.ends_with("weight") { 1.0 } else { 0.0 }; shape[0]]);
        };
        let found = self.0.get(name).cloned().unwrap_or(Array2::zeros((rows, cols)));
        assert_eq!(found.dim(), (rows, cols), "{name}");
        Ok(found.iter().copied().collect())
    }
}

/// Queries of zero attend to all alike, so that attention is a mean of what is seen.
#[test]
fn a_decoder_by_hand() {
    let shape = DecoderShape {
        vocabulary: 3,
        positions: 4,
        width: 2,
        inner: 1,
        layers: 1,
        heads: 1,
        groups: 1,
        rotary_base: 10.0,
        epsilon: 0.0,
    };
    let same = values![[1.0, 0.0], [0.0, 1.0]];
    let weights = [
        ("token_embd.weight", values![[1.0, 7.0], [7.0, 1.0], [-7.0, 1.0]]),
        ("blk.0.attn_v.weight", same.clone() * 10.0),
        ("blk.0.attn_output.weight", same),
        ("blk.0.ffn_gate.weight", values![[1.0, 0.0]]),
        ("blk.0.ffn_up.weight", values![[0.0, 2.0]]),
        ("blk.0.ffn_down.weight", values![[1.0], [0.0]]),
    ];
    let decoder = Decoder::load(shape, &mut Few(weights.into())).unwrap();
    let hidden = decoder.hidden(&[0, 1], &mut Float::default()).unwrap();
    // both tokens have root mean square 5: values (2, 14) and (14, 2); token 1 sees their mean.
    // token 0: (1, 7) + (2, 14) = (3, 21), which normalized is (0.2, 1.4): the gate lets
    // 0.2 / (1 + e^-0.2) * 2.8 = 0.307909 to the first element
    let by_hand = |x: f64, y: f64| {
        let size = ((x * x + y * y) / 2.0).sqrt();
        [(x / size) as f32, (y / size) as f32]
    };
    // token 1: (7, 1) + (8, 8) = (15, 9), size sqrt(153) = 12.369317: (1.212678, 0.727607); the
    // gate lets 1.212678 / (1 + e^-1.212678) * 1.455214 = 1.359941 through
    let expected = [by_hand(3.307_909, 21.0), by_hand(16.359_941, 9.0)];
    for (row, expected) in hidden.rows().into_iter().zip(expected) {
        for (ours, expected) in row.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-5, "{hidden} {expected}");
        }
    }
    // the token that follows is 1: its logit against those of all three
    let [a, b] = [hidden[[0, 0]], hidden[[0, 1]]].map(f64::from);
    let logits = [a + 7.0 * b, 7.0 * a + b, -7.0 * a + b];
    let surprise = logits.map(f64::exp).iter().sum::<f64>().ln() - logits[1];
    let ours = decoder.surprise(&[0, 1], &mut Float::default()).unwrap();
    assert!(ours.len() == 1 && (ours[0] - surprise).abs() < 1e-4, "{ours:?} {surprise}");
}

#[test]
fn an_encoder_by_hand() {
    let shape = EncoderShape {
        vocabulary: 2,
        positions: 2,
        width: 2,
        inner: 1,
        layers: 1,
        heads: 2,
        epsilon: 0.0,
    };
    let weights = [
        ("embeddings.word_embeddings.weight", values![[3.0, 0.0], [0.0, 1.0]]),
        ("embeddings.position_embeddings.weight", values![[0.0, 0.0], [0.0, 1.0]]),
        ("embeddings.token_type_embeddings.weight", values![[0.0, 1.0], [9.0, 9.0]]),
        ("encoder.layer.0.attention.self.value.weight", values![[1.0, 0.0], [0.0, 3.0]]),
        ("encoder.layer.0.attention.output.dense.weight", values![[1.0, 1.0], [0.0, 0.0]]),
    ];
    let encoder = Encoder::load(shape, &mut Few(weights.into())).unwrap();
    // token 0 is (3, 1), token 1 (0, 3): normalized (1, -1) and (-1, 1). Both see the mean of the
    // values (1, -3) and (-1, 3), which is 0, so that each stays as it is
    let hidden = encoder.hidden(&[0, 1], &mut Float::default()).unwrap();
    assert_eq!(hidden, values![[1.0, -1.0], [-1.0, 1.0]]);
    assert_eq!(encoder.embedding(&[0, 1], &mut Float::default()).unwrap(), values![0.0, 0.0]);
    // alone it sees (1, -3), of which the output makes (-2, 0): (-1, -1) has no deviation, so a
    // text of three tokens of which two are alike is taken instead
    let text = encoder.hidden(&[0, 1, 0], &mut Float::default()).unwrap_err();
    assert_eq!(text.to_string(), "a text of 3 tokens: must be 1..=2");
}

#[test]
fn attention_that_fails_says_where() {
    let few = |site: Site, head: &_| {
        let mut rows = all_keys(head)?;
        if site == (Site { layer: 1, head: 2 }) {
            rows.pop();
        } else if site.layer == 2 {
            rows[0].fill(false);
        }
        Ok(rows)
    };
    let error = encoder().hidden(&text(), &mut Integer::new(10, &few)).unwrap_err();
    assert!(error.to_string().starts_with("layer 1 head 2: "), "{error}");
    let none =
        |site: Site, head: &_| if site.layer == 2 { few(site, head) } else { all_keys(head) };
    let error = encoder().hidden(&text(), &mut Integer::new(10, &none)).unwrap_err();
    let text = "layer 2 head 0: a row has no surviving key: a predictor must keep at least one";
    assert_eq!(error.to_string(), text);
}

#[test]
fn other_dimensions_are_refused_in_words() {
    let error = |shape| Decoder::load(shape, &mut Random::new(0, 1.0)).unwrap_err().to_string();
    assert_eq!(error(DecoderShape { heads: 5, ..DECODER }), "heads = 5: must be a divisor of 64");
    assert_eq!(
        error(DecoderShape { groups: 3, ..DECODER }),
        "groups of heads = 3: must be a divisor of 4"
    );
    assert_eq!(error(DecoderShape { layers: 0, ..DECODER }), "layers = 0: must be 1..=256");
    assert_eq!(
        error(DecoderShape { width: 12, ..DECODER }),
        "elements of a head = 3: must be even: it is turned in pairs"
    );
    let shape = EncoderShape { width: 10_000, ..ENCODER };
    let error = Encoder::load(shape, &mut Random::new(0, 1.0)).unwrap_err().to_string();
    assert_eq!(error, "width = 10000: must be 1..=8192");
}
