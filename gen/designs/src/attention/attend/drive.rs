//! The exact stage between stream drivers and its golden model.

use crate::attention::attend::AttendSpec;
use crate::attention::attend::cost::HeadShape;
use crate::attention::attend::golden::{Attend, AttendError, Memory, Query};
use crate::attention::attend::spec::{ELEMENT_BITS, OUT_BITS};
use crate::drive::{Feed, Values};
use crate::drive::{pack, unpack};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};
use rand::Rng;

/// One attention head: its keys and values, then its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Each `head_dim` elements.
    pub keys: Vec<Vec<i32>>,
    /// A value a key.
    pub values: Vec<Vec<i32>>,
    /// At least one.
    pub rows: Vec<Row>,
}

/// A query and the keys that survive for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The query.
    pub query: Query,
    /// A bit a key, up to the last key the row sees; at least one is set.
    pub survivors: BitVec,
}

impl Head {
    /// A random head; each row sees a random part of the keys and keeps some of them.
    pub fn random(
        spec: &AttendSpec,
        rng: &mut impl Rng,
        keys: usize,
        rows: usize,
        values: Values,
    ) -> Head {
        let dim = spec.head_dim as usize;
        let vector = |rng: &mut _| (0..dim).map(|_| values.draw(rng, 8)).collect::<Vec<i32>>();
        let rows = (0..rows).map(|_| {
            let seen = rng.random_range(1..=keys);
            let share = [0.0, 0.1, 0.3, 1.0][rng.random_range(0..4)];
            let mut survivors: BitVec = (0..seen).map(|_| rng.random_bool(share)).collect();
            survivors.set(rng.random_range(0..seen), true);
            let shift = rng.random_range(0..32);
            let query = Query { elements: vector(rng), scale: rng.random(), shift };
            Row { query, survivors }
        });
        let rows = rows.collect();
        let mut vectors = || (0..keys).map(|_| vector(rng)).collect();
        Head { keys: vectors(), values: vectors(), rows }
    }

    /// What the golden model says: each row's result.
    ///
    /// # Errors
    /// A row without a survivor, or lists that do not fit each other.
    pub fn expected(&self, spec: &AttendSpec) -> Result<Vec<Vec<i32>>, AttendError> {
        let attend = Attend::new(spec.probability_bits);
        let memory = Memory { keys: &self.keys, values: &self.values };
        let rows = self.rows.iter();
        rows.map(|row| Ok(attend.row(&row.query, memory, &row.survivors)?.out)).collect()
    }

    /// The head as the timing sees it.
    pub fn shape(&self, spec: &AttendSpec) -> HeadShape {
        let rows = self.rows.iter().map(|row| {
            let groups = row.survivors.chunks(spec.rows as usize);
            groups.map(|group| group.count_ones() as u32).collect()
        });
        HeadShape { keys: self.keys.len() as u32, rows: rows.collect() }
    }
}

/// What came out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// A row's result.
    pub rows: Vec<Vec<i32>>,
    /// Whether it was its head's last.
    pub last: Vec<bool>,
    /// The cycle at whose end each passed, counted from 0.
    pub cycles: Vec<u64>,
    /// Fields with unknown bits, on an engine that knows such; they read as 0.
    pub unknown: u64,
}

impl Run {
    /// Beats of `head_dim` elements and a last flag.
    pub fn from_beats(run: crate::drive::Run, head_dim: u32) -> Run {
        let rows = run.beats.iter().map(|beat| unpack(&beat[0], OUT_BITS, head_dim)).collect();
        let last = run.beats.iter().map(|beat| beat[1] == 1.into()).collect();
        Run { rows, last, cycles: run.cycles, unknown: run.unknown }
    }
}

/// How streams stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// Of `keys`.
    pub keys: f64,
    /// Of `queries`.
    pub queries: f64,
    /// Of `survivors`.
    pub survivors: f64,
    /// Of `out`.
    pub out: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// Resets the device, sends it all heads, one after the other, and takes `rows` results, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no result for long.
pub fn run(
    device: &mut dyn Device,
    spec: &AttendSpec,
    heads: &[Head],
    stalls: Stalls,
    rows: usize,
) -> Result<Run, SimError> {
    let (mut queries, mut survivors) = (vec![], vec![]);
    for head in heads {
        for (i, row) in head.rows.iter().enumerate() {
            let (query, last) = (&row.query, i + 1 == head.rows.len());
            let data = pack(query.elements.iter().copied(), ELEMENT_BITS);
            let rest = [query.scale.into(), query.shift.into(), u8::from(last).into()];
            queries.push([vec![data], rest.to_vec()].concat());
            let groups = row.survivors.chunks(spec.rows as usize);
            let count = groups.len();
            survivors.extend(groups.enumerate().map(|(group, live)| {
                let live: u64 = live.iter_ones().map(|i| 1 << i).sum();
                vec![live.into(), u8::from(group + 1 == count).into()]
            }));
        }
    }
    let keys = heads.iter().flat_map(|head| key_beats(&head.keys, &head.values)).collect();
    let feeds = [
        Feed { stream: "keys", beats: keys, stall: stalls.keys },
        Feed { stream: "queries", beats: queries, stall: stalls.queries },
        Feed { stream: "survivors", beats: survivors, stall: stalls.survivors },
    ];
    let run = crate::drive::run(device, &feeds, stalls.out, stalls.seed, rows)?;
    Ok(Run::from_beats(run, spec.head_dim))
}

/// A head's keys and values, as beats of the stream `keys`.
pub(crate) fn key_beats(keys: &[Vec<i32>], values: &[Vec<i32>]) -> Vec<Vec<Int>> {
    let vector = |elements: &[i32]| pack(elements.iter().copied(), ELEMENT_BITS);
    (keys.iter().zip(values).enumerate())
        .map(|(j, (key, value))| {
            vec![vector(key), vector(value), u8::from(j + 1 == keys.len()).into()]
        })
        .collect()
}
