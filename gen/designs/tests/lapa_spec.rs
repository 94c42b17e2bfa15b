//! Loading a LAPA specification: what is accepted, and the exact words when it is not.

use hwgen_designs::attention::engine::LapaAttentionSpec;
use hwgen_designs::attention::lapa_predictor::{Filter, LapaPredictorSpec, RoundFilter};
use hwgen_designs::spec::{LoadError, Origin, Spec, load};
use std::path::Path;

fn from_file(text: &str, overrides: &[&str]) -> Result<LapaPredictorSpec, LoadError> {
    let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
    load(Some((Path::new("lapa.json"), text)), &overrides)
}

fn from_overrides(overrides: &[&str]) -> Result<LapaPredictorSpec, LoadError> {
    let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
    load(None, &overrides)
}

fn file_error(text: &str) -> String {
    from_file(text, &[]).unwrap_err().to_string()
}

fn override_error(overrides: &[&str]) -> String {
    from_overrides(overrides).unwrap_err().to_string()
}

#[test]
fn nothing_said_is_the_default() {
    assert_eq!(from_overrides(&[]), Ok(LapaPredictorSpec::default()));
    assert_eq!(from_file("{}", &[]), Ok(LapaPredictorSpec::default()));
    assert_eq!(LapaPredictorSpec::default().validate(), Ok(()));
}

#[test]
fn a_spec_survives_its_own_json() {
    let spec = from_overrides(&["rows=8", "filter.mode=top_k"]).unwrap();
    let text = serde_json::to_string_pretty(&spec).unwrap();
    assert_eq!(from_file(&text, &[]), Ok(spec));
}

#[test]
fn overrides_win_over_the_file() {
    let spec = from_file("{\"rows\": 4, \"head_dim\": 32}", &["rows=8"]).unwrap();
    assert_eq!((spec.rows, spec.head_dim), (8, 32));
}

#[test]
fn a_new_mode_brings_its_own_fields_in_any_order() {
    let top_k = Filter::TopK { keep256: vec![64] };
    assert_eq!(from_overrides(&["filter.mode=top_k"]).unwrap().filter, top_k);
    let file = "{\"filter\": {\"alpha16\": [1, 2], \"mode\": \"mean_max\"}}";
    assert_eq!(from_file(file, &["filter.mode=top_k"]).unwrap().filter, top_k);
    let top_k = Filter::TopK { keep256: vec![128, 64] };
    let overrides = ["filter.keep256=[128, 64]", "filter.mode=top_k"];
    assert_eq!(from_overrides(&overrides).unwrap().filter, top_k);
    let mass = Filter::Mass { mass256: vec![208, 188] };
    let overrides = ["filter.mode=mass", "filter.mass256=[208,188]"];
    assert_eq!(from_overrides(&overrides).unwrap().filter, mass);
    let sigma = Filter::Sigma { c16: vec![4, 8] };
    let overrides = ["filter={\"mode\":\"sigma\",\"c16\":[4,8]}"];
    assert_eq!(from_overrides(&overrides).unwrap().filter, sigma);
    let mean_max = Filter::MeanMax { alpha16: vec![2] };
    assert_eq!(from_overrides(&["filter={\"alpha16\":[2]}"]).unwrap().filter, mean_max);
}

#[test]
fn one_filter_entry_serves_every_round() {
    let spec = from_overrides(&["key_slices=[4,2,2]", "filter.alpha16=[3]"]).unwrap();
    let rounds: Vec<_> = (0..3).map(|round| spec.filter.round(round)).collect();
    assert_eq!(rounds, [Some(RoundFilter::MeanMax { alpha16: 3 }); 3]);
    let spec = from_overrides(&["filter.alpha16=[3,-1]"]).unwrap();
    assert_eq!(spec.filter.round(1), Some(RoundFilter::MeanMax { alpha16: -1 }));
    assert_eq!(spec.filter.round(2), None);
}

#[test]
fn errors_name_parameter_value_range_and_place() {
    assert_eq!(
        override_error(&["rows=24"]),
        "--set rows=24: `rows` = 24 is out of range: must be a power of two in 1..=64"
    );
    assert_eq!(
        file_error("{\n  \"rows\": 8,\n  \"head_dim\": 0\n}"),
        "lapa.json:3: `head_dim` = 0 is out of range: must be 1..=256"
    );
    assert_eq!(
        file_error("{\n  \"key_slices\": [\n    4,\n    9\n  ]\n}"),
        "lapa.json:4: `key_slices[1]` = 9 is out of range: must be 1..=8"
    );
    assert_eq!(
        override_error(&["key_slices=[8,8,8]"]),
        "--set key_slices=[8,8,8]: `key_slices` = [8, 8, 8] is out of range: must be slices that \
         sum to 2..=16 bits"
    );
    assert_eq!(
        override_error(&["key_slices=[]"]),
        "--set key_slices=[]: `key_slices` has 0 entries: must have 1 to 3, one per round"
    );
    assert_eq!(
        override_error(&["filter.alpha16=[0,17]"]),
        "--set filter.alpha16=[0,17]: `filter.alpha16[1]` = 17 is out of range: must be -16..=16"
    );
    assert_eq!(
        override_error(&["filter.mode=mass", "filter.mass256=[0]"]),
        "--set filter.mass256=[0]: `filter.mass256[0]` = 0 is out of range: must be 1..=256"
    );
    assert_eq!(
        file_error("{\"filter\": {\"mode\": \"radius\",\n\"alpha16\": [-1]}}"),
        "lapa.json:2: `filter.alpha16[0]` = -1 is out of range: must be 0..=16"
    );
}

#[test]
fn a_list_that_does_not_fit_the_rounds_says_what_would() {
    let text = "{\n\"key_slices\": [4, 2, 2],\n\"filter\": {\n\"alpha16\": [0, 1]}}";
    assert_eq!(
        file_error(text),
        "lapa.json:4: `filter.alpha16` has 2 entries: must have 1 (for every round) or 3 (one per \
         key slice)"
    );
}

#[test]
fn an_override_of_a_list_takes_the_blame_from_the_file() {
    let error = from_file("{\"key_slices\": [4,\n4]}", &["key_slices=[4,9]"]).unwrap_err();
    assert_eq!(error.origin, Origin::Set { text: "key_slices=[4,9]".into() });
}

#[test]
fn wrong_types_still_tell_the_range() {
    assert_eq!(
        override_error(&["rows=-1"]),
        "--set rows=-1: `rows` = -1 cannot be read: invalid value: integer `-1`, expected u32; \
         must be a power of two in 1..=64"
    );
    assert_eq!(
        file_error("{\n\"approx_mean\": 1}"),
        "lapa.json:2: `approx_mean` = 1 cannot be read: invalid type: integer `1`, expected a \
         boolean; must be true or false"
    );
    assert_eq!(
        override_error(&["filter.alpha16=lots"]),
        "--set filter.alpha16=lots: `filter.alpha16` = \"lots\" cannot be read: invalid type: \
         string \"lots\", expected a sequence; must be a list, each entry -16..=16 or a list, \
         each entry 0..=16"
    );
}

#[test]
fn a_tile_is_of_one_slice_and_no_more_queries_than_rows() {
    assert_eq!(from_overrides(&["key_slices=[4]", "rows=8", "tile=8"]).unwrap().tile, 8);
    assert_eq!(
        override_error(&["key_slices=[4]", "rows=8", "tile=16"]),
        "--set tile=16: `tile` = 16 is out of range: must be at most the 8 `rows`"
    );
    assert_eq!(
        override_error(&["tile=2"]),
        "--set tile=2: `tile` = 2 is out of range: must be 1 unless `key_slices` is one slice and \
         `rows` more than 1"
    );
    let engine = |overrides: &[&str]| {
        let overrides: Vec<String> = overrides.iter().map(|set| set.to_string()).collect();
        load::<LapaAttentionSpec>(None, &overrides).unwrap_err().to_string()
    };
    assert_eq!(
        engine(&["key_slices=[4]", "tile=4", "queries=3"]),
        "--set queries=3: `queries` = 3 is out of range: must be at least the 4 queries of a `tile`"
    );
}

#[test]
fn unknown_names_suggest_the_nearest() {
    assert_eq!(
        override_error(&["rowz=8"]),
        "--set rowz=8: unknown parameter `rowz` (did you mean `rows`?): known here are head_dim, \
         max_keys, rows, tile, query_bits, key_slices, unread_bits, round_leading_one, approx_mean, \
         filter, scores"
    );
    assert_eq!(
        file_error("{\"rows\": 8,\n\"filter\": {\"mode\": \"top_k\",\n\"keep\": [1]}}"),
        "lapa.json:3: unknown parameter `filter.keep` (did you mean `keep256`?): known here are \
         keep256"
    );
    assert_eq!(
        override_error(&["filter.mode=topk"]),
        "--set filter.mode=topk: `filter.mode` = \"topk\" is unknown: must be one of mean_max, \
         sigma, radius, top_k, mass (did you mean `top_k`?)"
    );
}

#[test]
fn faulty_text_is_located() {
    assert_eq!(
        file_error("{\n\"rows\" 8}"),
        "lapa.json:2: not valid JSON at column 8: expected `:`"
    );
    assert_eq!(
        file_error("[8]"),
        "lapa.json:1: a specification is a JSON object, as in {\"rows\": 8}"
    );
    assert_eq!(
        file_error("{\"rows\": 8,\n\"rows\": 4}"),
        "lapa.json:2: `rows` is given twice: keep one"
    );
    assert_eq!(
        override_error(&["rows"]),
        "--set rows: an override is key=value, as in rows=8 or filter.mode=top_k"
    );
}
