//! Heads between stream drivers and golden models, and the exact stage on them.

use crate::attention::attend::AttendSpec;
use crate::attention::attend::cost::HeadShape;
use crate::attention::attend::golden::{Attend, AttendError, Memory, Query};
use crate::attention::attend::spec::{ELEMENT_BITS, OUT_BITS};
use crate::cost::Cost;
use crate::drive::{Driven, Feed, Values, feeds, pack, unpack};
use bitvec::vec::BitVec;
use hwgen_hdl::Int;
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

/// A query row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The query, with its scale.
    pub query: Query,
    /// Keys it sees, from key 0.
    pub visible: usize,
    /// For predictors that take one.
    pub radius: Option<u64>,
    /// The keys that are kept for it, if something chose: a bit a visible key, at least one set.
    pub survivors: BitVec,
}

impl Row {
    /// A row for which nothing has chosen yet.
    pub fn new(query: Query, visible: usize) -> Row {
        Row { query, visible, radius: None, survivors: BitVec::new() }
    }
}

impl Head {
    /// A head of random elements, keys of so many bits and queries of so many; each row sees a random
    /// part of the keys, and nothing has chosen for it yet.
    pub(crate) fn drawn(
        rng: &mut impl Rng,
        head_dim: u32,
        [key_bits, query_bits]: [u32; 2],
        (keys, rows): (usize, usize),
        values: Values,
    ) -> Head {
        let vector = |rng: &mut _, bits| (0..head_dim).map(|_| values.draw(rng, bits)).collect();
        let mut vectors = || (0..keys).map(|_| vector(rng, key_bits)).collect();
        let mut head = Head { keys: vectors(), values: vectors(), rows: vec![] };
        for _ in 0..rows {
            let shift = match values {
                Values::Corner => [0, 31, rng.random_range(0..32)][rng.random_range(0..3)],
                _ => rng.random_range(0..32),
            };
            let elements = vector(rng, query_bits);
            let query = Query { elements, scale: rng.random(), shift };
            head.rows.push(Row::new(query, rng.random_range(1..=keys)));
        }
        head
    }

    /// A random head for the exact stage; random keys are kept.
    pub fn kept_at_random(
        spec: &AttendSpec,
        rng: &mut impl Rng,
        keys: usize,
        rows: usize,
        values: Values,
    ) -> Head {
        let mut head = Head::drawn(rng, spec.head_dim, [ELEMENT_BITS; 2], (keys, rows), values);
        for row in &mut head.rows {
            let share = [0.0, 0.1, 0.3, 1.0][rng.random_range(0..4)];
            row.survivors = (0..row.visible).map(|_| rng.random_bool(share)).collect();
            row.survivors.set(rng.random_range(0..row.visible), true);
        }
        head
    }

    /// What the exact stage's model makes of the survivors: each row's result.
    ///
    /// # Errors
    /// A row without a survivor, or lists that do not fit each other.
    pub fn expected(&self, probability_bits: u32) -> Result<Vec<Vec<i32>>, AttendError> {
        let attend = Attend::new(probability_bits);
        let memory = Memory { keys: &self.keys, values: &self.values };
        let rows = self.rows.iter();
        rows.map(|row| Ok(attend.row(&row.query, memory, &row.survivors)?.out)).collect()
    }

    /// Keys kept, of all rows.
    pub fn kept(&self) -> usize {
        self.rows.iter().map(|row| row.survivors.count_ones()).sum()
    }

    /// Keys seen, of all rows.
    pub fn seen(&self) -> usize {
        self.rows.iter().map(|row| row.visible).sum()
    }

    /// The head as the timing sees it, in groups of `rows` keys.
    pub fn shape(&self, rows: u32) -> HeadShape {
        let groups = |row: &Row| {
            let groups = row.survivors.chunks(rows as usize);
            groups.map(|group| group.count_ones() as u32).collect()
        };
        HeadShape {
            keys: self.keys.len() as u32,
            rows: self.rows.iter().map(groups).collect(),
            visible: self.rows.iter().map(|row| row.visible as u32).collect(),
        }
    }
}

/// Heads as the timing sees them, in groups of `rows` keys.
pub(crate) fn shapes(heads: &[Head], rows: u32) -> Vec<HeadShape> {
    heads.iter().map(|head| head.shape(rows)).collect()
}

/// A row's result, and whether it is its head's last.
pub type RowOut = (Vec<i32>, bool);

/// What the exact stage's model makes of the heads' survivors.
pub(crate) fn row_outs(heads: &[Head], probability_bits: u32) -> Result<Vec<RowOut>, String> {
    let mut outs = vec![];
    for head in heads {
        let rows = head.expected(probability_bits).map_err(|error| error.to_string())?;
        let count = rows.len();
        outs.extend(rows.into_iter().zip((1..=count).map(|row| row == count)));
    }
    Ok(outs)
}

/// A result as it came out: `head_dim` elements and a last flag.
pub(crate) fn row_out(beat: &[Int], head_dim: u32) -> RowOut {
    (unpack(&beat[0], OUT_BITS, head_dim), beat[1] == Int::from(1))
}

impl Driven for AttendSpec {
    type Job = Head;
    type Out = RowOut;

    fn random(&self, rng: &mut impl Rng, most_rows: usize) -> Head {
        let keys = rng.random_range(1..=self.max_keys as usize);
        let rows = rng.random_range(1..=most_rows);
        let values = Values::any(rng);
        Head::kept_at_random(self, rng, keys, rows, values)
    }

    fn feeds(&self, heads: &[Head], _: &mut impl Rng) -> Vec<Feed> {
        let (mut queries, mut survivors) = (vec![], vec![]);
        for head in heads {
            for (i, row) in head.rows.iter().enumerate() {
                let (query, last) = (&row.query, i + 1 == head.rows.len());
                let data = pack(query.elements.iter().copied(), ELEMENT_BITS);
                let rest = [query.scale.into(), query.shift.into(), u8::from(last).into()];
                queries.push([vec![data], rest.to_vec()].concat());
                let groups = row.survivors.chunks(self.rows as usize);
                let count = groups.len();
                survivors.extend(groups.enumerate().map(|(group, live)| {
                    let live: u64 = live.iter_ones().map(|i| 1 << i).sum();
                    vec![live.into(), u8::from(group + 1 == count).into()]
                }));
            }
        }
        feeds([("keys", key_beats(heads)), ("queries", queries), ("survivors", survivors)])
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<RowOut>, String> {
        row_outs(heads, self.probability_bits)
    }

    fn read(&self, beat: &[Int]) -> RowOut {
        row_out(beat, self.head_dim)
    }

    fn out_cycles(&self, heads: &[Head]) -> Vec<u64> {
        self.result_cycles(&shapes(heads, self.rows))
    }

    fn values(&self) -> u32 {
        self.head_dim
    }

    /// Of few groups, so that rows follow closely.
    fn few(&self, rng: &mut impl Rng) -> Vec<Head> {
        let most = self.max_keys.min(3 * self.rows) as usize;
        let head = |_| {
            let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
            let values = Values::any(rng);
            Head::kept_at_random(self, rng, keys, rows, values)
        };
        (0..2).map(head).collect()
    }
}

/// Heads' keys and values, as beats of the stream `keys`.
pub(crate) fn key_beats(heads: &[Head]) -> Vec<Vec<Int>> {
    let vector = |elements: &[i32]| pack(elements.iter().copied(), ELEMENT_BITS);
    let beats = |head: &Head| {
        let (keys, count) = (head.keys.iter().zip(&head.values), head.keys.len());
        let beat = |(j, (key, value)): (usize, (&Vec<i32>, &Vec<i32>))| {
            vec![vector(key), vector(value), u8::from(j + 1 == count).into()]
        };
        keys.enumerate().map(beat).collect::<Vec<_>>()
    };
    heads.iter().flat_map(beats).collect()
}
