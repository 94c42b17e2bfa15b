//! Integers that nodes compute of shapes, which the file fixes: Keras writes a reshape of an open
//! batch as `SHAPE`, `STRIDED_SLICE`, `PACK`, `RESHAPE`.

use super::node::Node;
use super::schema::BuiltinOperator as Builtin;
use super::shaping::Steps;
use crate::import::report::Problem;

/// Most integers that are kept.
const MOST: usize = 64;

/// What a node computes, if it is known before the network runs.
pub(super) fn fold(node: &Node, code: Builtin) -> Result<Option<Vec<i64>>, Problem> {
    let of = |n: usize| node.known_integers(n);
    let all = || (0..node.inputs.len()).map(of).collect::<Option<Vec<_>>>();
    Ok(match code {
        Builtin::SHAPE => Some(node.input(0)?.shape.iter().map(|&size| size as i64).collect()),
        Builtin::STRIDED_SLICE => match of(0) {
            Some(list) => Some(strided(&list, &Steps::of(node)?)?),
            None => None,
        },
        Builtin::PACK | Builtin::CONCATENATION => {
            let lists = all();
            // what is packed is scalars: no list of lists is needed for a shape
            let flat = |lists: &Vec<Vec<i64>>| {
                code == Builtin::CONCATENATION || lists.iter().all(|list| list.len() == 1)
            };
            lists.filter(flat).map(|lists| lists.concat()).filter(|list| list.len() <= MOST)
        }
        Builtin::REDUCE_PROD => {
            of(0).map(|list| vec![list.into_iter().fold(1i64, i64::saturating_mul)])
        }
        _ => None,
    })
}

fn strided(list: &[i64], steps: &Steps) -> Result<Vec<i64>, Problem> {
    let along = &steps.along(&[list.len()])?[0];
    Ok(along.indices().map(|index| list[index]).collect())
}
