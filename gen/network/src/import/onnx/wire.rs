//! The file's outermost bytes, before anything is kept: is it a model, and how much would it unfold
//! into?
//!
//! Decoding makes a structure of some hundred bytes of an empty message that takes two, so the
//! messages are counted first.

use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};
use prost::encoding::{WireType, decode_key, decode_varint};

/// Most fields of all messages: some thirty a node.
const MOST_FIELDS: usize = 1 << 20;
/// Most bytes of all messages' structures.
const MOST_BYTES: usize = 1 << 26;
/// Most bytes of one list of variable-length numbers, each of which becomes four or eight.
const MOST_LIST: usize = 1 << 24;
/// Most messages within one another.
const MOST_DEPTH: usize = 32;

/// Messages that hold others; the rest count as bytes or numbers.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    /// Small: only what it holds is counted, whatever that is.
    Other,
}

impl Kind {
    /// Bytes of the structure that it becomes.
    fn size(self) -> usize {
        match self {
            Kind::Model => 0,
            Kind::Graph => size_of::<GraphProto>(),
            Kind::Node => size_of::<NodeProto>(),
            Kind::Attribute => size_of::<AttributeProto>(),
            Kind::Tensor => size_of::<TensorProto>(),
            Kind::Other => 128,
        }
    }
}

/// What messages come to.
#[derive(Default)]
struct Count {
    fields: usize,
    bytes: usize,
}

/// What a field of a message holds.
fn field(kind: Kind, tag: u32) -> Option<Kind> {
    Some(match (kind, tag) {
        (Kind::Model, 7) => Kind::Graph,
        (Kind::Model, 8 | 14 | 20 | 25 | 26) => Kind::Other,
        (Kind::Graph, 1) => Kind::Node,
        (Kind::Graph, 5) => Kind::Tensor,
        (Kind::Graph, 11..=16) => Kind::Other,
        (Kind::Node, 5) => Kind::Attribute,
        (Kind::Node, 9 | 10) => Kind::Other,
        (Kind::Attribute, 5 | 10) => Kind::Tensor,
        (Kind::Attribute, 6 | 11) => Kind::Graph,
        (Kind::Attribute, 14 | 15 | 22 | 23) => Kind::Other,
        (Kind::Tensor, 3 | 13 | 16) => Kind::Other,
        _ => return None,
    })
}

/// Whether the fields up to the graph are those of a model. The format has no mark of its own.
pub(super) fn recognizes(mut bytes: &[u8]) -> bool {
    while let Ok((tag, wire)) = decode_key(&mut bytes) {
        let known = match wire {
            WireType::Varint => tag == 1 || tag == 5,
            WireType::LengthDelimited => matches!(tag, 2..=4 | 6..=8 | 14 | 20 | 25 | 26),
            _ => false,
        };
        if !known {
            return false;
        }
        if tag == 7 {
            return true;
        }
        if step(&mut bytes, wire).is_none() {
            return false;
        }
    }
    false
}

/// Passes over a field's value; a length-delimited one is returned.
fn step<'a>(bytes: &mut &'a [u8], wire: WireType) -> Option<&'a [u8]> {
    let skip = match wire {
        WireType::Varint => return decode_varint(bytes).ok().map(|_| &[][..]),
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => usize::try_from(decode_varint(bytes).ok()?).ok()?,
        // groups are in no version of the format
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    let (value, rest) = bytes.split_at_checked(skip)?;
    *bytes = rest;
    Some(value)
}

/// Checks that the messages lie within one another and unfold into bounded memory.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    message(bytes, Kind::Model, 0, &mut Count::default())
}

fn message(mut bytes: &[u8], kind: Kind, depth: usize, count: &mut Count) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Err(format!("it has more than {MOST_DEPTH} messages within one another"));
    }
    count.bytes += kind.size();
    if count.bytes > MOST_BYTES {
        return Err(format!("its messages become more than {MOST_BYTES} bytes"));
    }
    while !bytes.is_empty() {
        count.fields += 1;
        if count.fields > MOST_FIELDS {
            return Err(format!("it has more than {MOST_FIELDS} fields"));
        }
        let left = bytes.len();
        let cut = || format!("a field ends beyond its message, {left} bytes before that ends");
        let (tag, wire) = decode_key(&mut bytes).map_err(|_| cut())?;
        let value = step(&mut bytes, wire).ok_or_else(cut)?;
        if wire != WireType::LengthDelimited {
            continue;
        }
        if let (Kind::Tensor, 5 | 7 | 11) = (kind, tag)
            && value.len() > MOST_LIST
        {
            return Err(format!("a list has {} bytes: keep it as raw data", value.len()));
        }
        match (field(kind, tag), kind) {
            (Some(inner), _) => message(value, inner, depth + 1, count)?,
            // what of it is text and what a message does not matter: each byte may be half a field
            (None, Kind::Other) => count.fields += value.len() / 4,
            (None, _) => {}
        }
    }
    Ok(())
}
