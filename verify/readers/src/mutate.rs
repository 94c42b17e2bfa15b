//! Mutants of a file.

use rand::Rng;
use std::ops::Range;

/// The longest mutant.
const LONGEST: usize = 1 << 18;

/// A mutant: one to four changes, of the kinds that readers trip over. Words of both byte orders,
/// numbers of variable length and decimal numbers are what lengths, counts and offsets are written
/// in; brackets make depth.
pub fn mutate(seed: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        match rng.random_range(0..12) {
            0 => flip(&mut bytes, rng),
            1 => byte(&mut bytes, rng),
            2..=4 => word(&mut bytes, rng),
            5 => varint(&mut bytes, rng),
            6..=7 => decimal(&mut bytes, rng),
            8 => splice(&mut bytes, rng),
            9 => remove(&mut bytes, rng),
            10 => nest(&mut bytes, rng),
            _ => token(&mut bytes, rng),
        }
    }
    if rng.random_range(0..16) == 0 {
        bytes.truncate(rng.random_range(0..=bytes.len()));
    }
    bytes.truncate(LONGEST);
    bytes
}

/// A position; headers at either end are hit as often as all the rest.
fn position(length: usize, rng: &mut impl Rng) -> usize {
    let near = length.min(256);
    match rng.random_range(0..4) {
        0 => rng.random_range(0..=near),
        1 => length - rng.random_range(0..=near),
        _ => rng.random_range(0..=length),
    }
}

fn flip(bytes: &mut [u8], rng: &mut impl Rng) {
    let at = position(bytes.len(), rng);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << rng.random_range(0..8);
    }
}

fn byte(bytes: &mut [u8], rng: &mut impl Rng) {
    let at = position(bytes.len(), rng);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = [0, 1, 0x1b, 0x7f, 0x80, 0xff, rng.random()][rng.random_range(0..7)];
    }
}

/// A number that lengths should not be: near a bound, or near what is there.
fn number(was: u64, length: usize, rng: &mut impl Rng) -> u64 {
    let near = rng.random_range(0..4);
    match rng.random_range(0..8) {
        0 => near,
        1 => u64::MAX - near,
        2 => (1 << rng.random_range(1..64)) - near.min(1),
        3 => was.wrapping_add(near),
        4 => was.wrapping_sub(near),
        5 => was.wrapping_mul(1 << rng.random_range(1..40)),
        6 => length as u64 + near,
        _ => rng.random(),
    }
}

fn word(bytes: &mut [u8], rng: &mut impl Rng) {
    let size: usize = [2, 4, 8][rng.random_range(0..3)];
    let at = position(bytes.len(), rng);
    let length = bytes.len();
    let Some(place) = bytes.get_mut(at..at + size) else { return };
    let big = rng.random();
    let mut whole = [0; 8];
    whole[..size].copy_from_slice(place);
    let was =
        if big { u64::from_be_bytes(whole) >> (64 - 8 * size) } else { u64::from_le_bytes(whole) };
    let is = number(was, length, rng);
    match big {
        true => place.copy_from_slice(&is.to_be_bytes()[8 - size..]),
        false => place.copy_from_slice(&is.to_le_bytes()[..size]),
    }
}

/// A number of seven bits a byte, as protocol buffers and FST have them.
fn varint(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let at = position(bytes.len(), rng);
    let rest = &bytes[at..];
    let length = rest.iter().position(|byte| *byte < 0x80).map_or(0, |last| (last + 1).min(10));
    let was = rest[..length].iter().rev().fold(0u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
    let mut is = number(was, bytes.len(), rng);
    let mut new = vec![];
    while is >= 0x80 {
        new.push(is as u8 | 0x80);
        is >>= 7;
    }
    new.push(is as u8);
    bytes.splice(at..at + length, new);
}

/// A number in digits, if there is one.
fn decimal(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let from = position(bytes.len(), rng);
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(at) = bytes[from..].iter().position(digit).map(|at| from + at) else { return };
    let end = bytes[at..].iter().position(|byte| !digit(byte)).map_or(bytes.len(), |end| at + end);
    let was = std::str::from_utf8(&bytes[at..end]).ok().and_then(|text| text.parse().ok());
    let new = match rng.random_range(0..4) {
        0 => ["-1", "1e30", "1e999", "NaN", "0.5", "-0", "null", "{}", "[]", "\"1\""]
            [rng.random_range(0..10)]
        .to_owned(),
        1 => "9".repeat(rng.random_range(1..400)),
        _ => number(was.unwrap_or(0), bytes.len(), rng).to_string(),
    };
    bytes.splice(at..end, new.into_bytes());
}

fn range(bytes: &[u8], rng: &mut impl Rng) -> Range<usize> {
    let at = position(bytes.len(), rng);
    let length = 1 << rng.random_range(0..10);
    at..(at + length).min(bytes.len())
}

/// A part again, up to a thousand times.
fn splice(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let part = bytes[range(bytes, rng)].to_vec();
    let times = 1 << rng.random_range(0..11);
    let times = if part.len() * times > LONGEST { 1 } else { times };
    let at = position(bytes.len(), rng);
    bytes.splice(at..at, part.repeat(times));
}

fn remove(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let range = range(bytes, rng);
    bytes.drain(range);
}

/// Brackets, open more often than closed.
fn nest(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let at = position(bytes.len(), rng);
    let open = ["[", "{", "(", "{\"a\":", "a{", "a(b){", "!", ".a", "'"][rng.random_range(0..9)];
    let depth = 1 << rng.random_range(0..16);
    bytes.splice(at..at, open.repeat(depth).into_bytes());
}

/// What texts are made of.
fn token(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let at = position(bytes.len(), rng);
    let tokens: [&[u8]; 14] = [
        b"\"",
        b"\\",
        b"\n",
        b"\0",
        b"\x1b[2J",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b":",
        b",",
        b"=",
        b"#",
        b"/*",
        b"\xe2\x80\xae",
    ];
    let token = tokens[rng.random_range(0..tokens.len())].to_vec();
    bytes.splice(at..at, token);
}
