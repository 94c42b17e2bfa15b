//! LAPA.

use super::peer::{self, Peer};
use super::{engine, predictor};
use hwgen_designs::attention::engine::LapaAttentionSpec as Whole;
use hwgen_designs::attention::engine::drive::Head;
use hwgen_designs::attention::lapa_predictor::LapaPredictorSpec as Alone;
use hwgen_designs::drive::{Stalls, Values};
use hwgen_designs::generate::Generate;
use hwgen_verify::suite::{self, check, pick, simulator, spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FILTERS: [&str; 5] = ["mean_max", "sigma", "radius", "top_k", "mass"];

struct Lapa;

peer_tests!(Lapa);

impl Peer for Lapa {
    type Alone = Alone;
    type Whole = Whole;

    const SEEDS: [u64; 3] = [90, 60, 40];
    const SIZES: &[(u32, &str)] = &[
        (1, "filter.mode=mean_max"),
        (4, "filter.mode=sigma"),
        (4, "filter.mode=mean_max"),
        (16, "filter.mode=mean_max"),
        (4, "filter.mode=top_k"),
        (4, "filter.mode=mass"),
        (4, "filter.mode=mass key_slices=[4] tile=4"),
        (16, "filter.mode=mean_max key_slices=[4] tile=4"),
    ];
    const ENGINES: &[&str] = &["", "key_slices=[4] tile=4"];

    /// A chain of rounds, or a tile.
    fn random_spec(rng: &mut ChaCha8Rng) -> Alone {
        let tiled = rng.random_bool(0.5);
        let tile = if tiled { pick(rng, &[2, 4, 4, 8, 16]) } else { 1 };
        let rows = tile * pick(rng, &[1, 1, 2, 4, 8, 16]);
        let rows = rows.min(64);
        let slices = match tiled {
            true => &["[8]", "[2]", "[3]", "[5]"][..],
            false => &["[4,4]", "[8]", "[4,2,2]", "[1,1]", "[2,8]", "[8,1,7]", "[3,3,3]", "[2]"],
        };
        let slices = pick(rng, slices);
        let unread = if slices == "[8,1,7]" { 0 } else { pick(rng, &[0, 0, 1, 4]) };
        let rounds = slices.split(',').count();
        let mut list = |least: i32, most: i32| {
            let entries: Vec<String> =
                (0..rounds).map(|_| rng.random_range(least..=most).to_string()).collect();
            format!("[{}]", entries.join(","))
        };
        let filters = [
            format!("filter={{\"mode\":\"mean_max\",\"alpha16\":{}}}", list(-16, 16)),
            format!("filter={{\"mode\":\"sigma\",\"c16\":{}}}", list(-64, 64)),
            format!("filter={{\"mode\":\"radius\",\"alpha16\":{}}}", list(0, 16)),
            format!("filter={{\"mode\":\"top_k\",\"keep256\":{}}}", list(1, 256)),
            format!("filter={{\"mode\":\"mass\",\"mass256\":{}}}", list(1, 256)),
        ];
        let filter = filters[rng.random_range(0..filters.len())].clone();
        let all = [
            format!("rows={rows}"),
            format!("tile={tile}"),
            format!("scores={}", rng.random_bool(0.5)),
            format!("head_dim={}", pick(rng, &[1, 2, 3, 5, 8, 17])),
            format!("max_keys={}", pick(rng, &[1, 2, 7, 16, 40, 70])),
            format!("query_bits={}", pick(rng, &[2, 3, 4, 8, 11, 16])),
            format!("key_slices={slices}"),
            format!("unread_bits={unread}"),
            format!("round_leading_one={}", rng.random_bool(0.5)),
            format!("approx_mean={}", rng.random_bool(0.5)),
            filter,
        ];
        spec(&all.join(" "))
    }

    fn random_engine(rng: &mut ChaCha8Rng) -> Whole {
        let modes = FILTERS.map(|mode| format!("filter.mode={mode}"));
        let slices = ["key_slices=[4,4]", "key_slices=[8]", "key_slices=[4,2,2]", "key_slices=[4]"];
        let (mode, slices) = (&modes[rng.random_range(0..5)], pick(rng, &slices));
        let mut spec: Whole = spec(&format!("{} {mode} {slices}", engine::random_size(rng)));
        let tile = if spec.lapa.key_slices.len() == 1 {
            [1, spec.shape().rows, 2.min(spec.shape().rows)]
        } else {
            [1; 3]
        };
        spec.lapa.tile = pick(rng, &tile);
        spec.buffers.queries = spec.buffers.queries.max(spec.lapa.tile);
        spec
    }

    /// For each filter what makes it of two rounds, of two queries at a time, and of one key for four
    /// queries, which tells no scores.
    fn settings() -> Vec<String> {
        let shapes =
            ["key_slices=[4,4]", "key_slices=[8] tile=2", "key_slices=[8] tile=4 scores=false"];
        let all = FILTERS.iter().flat_map(move |filter| shapes.map(|shape| (*filter, shape)));
        all.map(|(filter, shape)| format!("filter.mode={filter} {shape}")).collect()
    }

    fn extremes() -> Vec<String> {
        let sizes = [
            "head_dim=256 query_bits=16 key_slices=[8,8] round_leading_one=true rows=2 max_keys=5",
            "head_dim=1 query_bits=2 key_slices=[2] max_keys=1 rows=1",
            "head_dim=4 query_bits=16 key_slices=[8] rows=16 tile=16 max_keys=40",
            "head_dim=1 query_bits=2 key_slices=[2] max_keys=1 rows=2 tile=2",
        ];
        let all = FILTERS.iter().flat_map(|filter| sizes.map(|size| (filter, size)));
        let all = all.map(|(filter, size)| format!("filter.mode={filter} {size}"));
        all.chain([String::new()]).collect()
    }

    fn elsewhere() -> [Vec<String>; 2] {
        let tile = "tile=2 key_slices=[8] scores=false";
        let rest = [("mean_max", ""), ("sigma", ""), ("radius", tile), ("top_k", ""), ("mass", "")];
        let alone = rest.into_iter().chain([("mass", tile)]);
        let alone = alone.map(|(filter, rest)| format!("filter.mode={filter} {rest}"));
        let whole = ["", "key_slices=[3] tile=2 filter.mode=mass"].map(str::to_owned);
        [alone.collect(), whole.into()]
    }
}

/// Rows take as many cycles as they have groups: the last row's result, or tile's, comes as late as
/// if it had been alone and had waited one cycle for each group before it.
#[test]
fn throughput() {
    println!("| filter | keys a row sees | tile | cycles a row, measured | groups a row |");
    let filters = ["mean_max", "mean_max", "sigma", "radius", "mass", "mass", "mass"];
    let causal = [false, true, false, true, true, false, false];
    for ((filter, causal), tile) in filters.into_iter().zip(causal).zip([1, 1, 1, 1, 1, 2, 4]) {
        let slices = if tile > 1 { "[8]" } else { "[4,4]" };
        let spec: Alone = spec(&format!(
            "filter.mode={filter} head_dim=8 max_keys=128 rows=4 tile={tile} key_slices={slices}"
        ));
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut head = Head::random(&spec, &mut rng, 128, 128, Values::Uniform).unwrap();
        for (i, row) in head.rows.iter_mut().enumerate() {
            row.visible = if causal { i + 1 } else { 128 };
        }
        let alone = tile as usize;
        let last = Head { rows: head.rows[128 - alone..].to_vec(), ..head.clone() };
        let mut simulator = simulator(&spec.build(), 0);
        let mut end = |head: &Head| {
            let heads = std::slice::from_ref(head);
            let run = check(&mut simulator, &spec, heads, Stalls::default());
            run.cycles[run.cycles.len() - 1]
        };
        let cycles = end(&head) - end(&last);
        let before = &head.rows[..128 - alone];
        let groups: u32 = before.iter().map(|row| spec.groups(row.visible as u32)).sum();
        let sees = if causal { "1..=128" } else { "128" };
        let (measured, groups_a_row) =
            [cycles as f64, f64::from(groups)].map(|all| all / before.len() as f64).into();
        println!("| {filter} | {sees} | {tile} | {measured:.2} | {groups_a_row:.2} |");
        assert_eq!(cycles, u64::from(groups));
    }
}

#[test]
fn counters_tell_where_cycles_went() {
    let spec: Whole = spec("head_dim=8 lanes=8 max_keys=32 rows=4");
    let heads = suite::jobs(&spec, &mut ChaCha8Rng::seed_from_u64(6), (3, 29));
    let rows: usize = heads.iter().map(|head| head.rows.len()).sum();
    let mut simulator = simulator(&spec.build(), 0);
    check(&mut simulator, &spec, &heads, Stalls::default());
    let mut count = |name: &str| simulator.peek_u64(name);
    let cycles: u64 = ["scoring", "loading", "starved", "blocked"].map(&mut count).iter().sum();
    assert_eq!(cycles, count("cycles"));
    let kept: usize = heads.iter().map(Head::kept).sum();
    assert_eq!((count("rows"), count("survivors")), (rows as u64, kept as u64));
    assert_eq!(count("scoring"), kept as u64);
    simulator.poke("clear_counters", 1);
    simulator.step();
    assert_eq!(simulator.peek_u64("survivors"), 0);
}
