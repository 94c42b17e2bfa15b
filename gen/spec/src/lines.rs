//! The line of every value in a JSON text, which serde does not keep.

use std::collections::{BTreeMap, HashSet};

/// Paths are kept up to this length: longer ones are of no parameter, and would take the square of
/// a file's length.
const LONGEST_PATH: usize = 256;

/// A key given twice in one object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DuplicateKey {
    /// Path of the key, as in `filter.mode`.
    pub(super) path: String,
    /// Line of its second appearance, counted from 1.
    pub(super) line: usize,
}

/// Maps each path (`rows`, `key_slices[1]`, `filter.mode`) to its line, counted from 1.
///
/// `text` has already been read by serde_json, so it is well formed and its depth is bounded.
/// A member's line is that of its key.
pub(super) fn lines(text: &str) -> Result<BTreeMap<String, usize>, DuplicateKey> {
    let mut scan = Scan { text, at: 0, line: 1, found: BTreeMap::new() };
    scan.value("")?;
    Ok(scan.found)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    found: BTreeMap<String, usize>,
}

impl Scan<'_> {
    fn value(&mut self, path: &str) -> Result<(), DuplicateKey> {
        match self.peek() {
            Some(b'{') => self.object(path),
            Some(b'[') => self.array(path),
            Some(b'"') => {
                self.string();
                Ok(())
            }
            _ => {
                let rest = &self.text[self.at..];
                self.at += rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                Ok(())
            }
        }
    }

    fn object(&mut self, path: &str) -> Result<(), DuplicateKey> {
        self.at += 1;
        let mut keys = HashSet::new();
        while self.peek() == Some(b'"') {
            let line = self.line;
            let key = self.string();
            let member = super::load::member_path(path, &key);
            if !keys.insert(key) {
                return Err(DuplicateKey { path: member, line });
            }
            let member = self.keep(member, line);
            self.skip(b':');
            self.value(&member)?;
            self.skip(b',');
        }
        self.skip(b'}');
        Ok(())
    }

    fn array(&mut self, path: &str) -> Result<(), DuplicateKey> {
        self.at += 1;
        let mut index = 0;
        while !matches!(self.peek(), Some(b']') | None) {
            let entry = self.keep(format!("{path}[{index}]"), self.line);
            self.value(&entry)?;
            self.skip(b',');
            index += 1;
        }
        self.skip(b']');
        Ok(())
    }

    /// Notes a path's line; returns the path, or its beginning if it is too long.
    fn keep(&mut self, mut path: String, line: usize) -> String {
        if path.len() > LONGEST_PATH {
            path.truncate(path.floor_char_boundary(LONGEST_PATH));
        } else {
            self.found.insert(path.clone(), line);
        }
        path
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return Some(byte),
            }
            self.at += 1;
        }
        None
    }

    fn skip(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        serde_json::from_str(&self.text[start..self.at]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let text =
            "{\n \"a\": [1,\n 2, {\"x\": \"q]\\\"\"}],\n\n \"b\": {\"c\": -1.5e3,\n \"a\": []}\n}";
        let found = lines(text).unwrap();
        let found: Vec<_> = found.iter().map(|(path, &line)| (path.as_str(), line)).collect();
        let expected = [
            ("a", 2),
            ("a[0]", 2),
            ("a[1]", 3),
            ("a[2]", 3),
            ("a[2].x", 3),
            ("b", 5),
            ("b.a", 6),
            ("b.c", 5),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_key_given_twice_is_found_inside_its_own_object() {
        let text = "{\"a\": 1,\n \"b\": {\"a\": 1,\n \"c\": 2,\n \"a\": 3}}";
        assert_eq!(lines(text), Err(DuplicateKey { path: "b.a".into(), line: 4 }));
    }

    #[test]
    fn long_paths_take_no_memory() {
        let text = format!("{{\"{}\": [{}1]}}", "k".repeat(1 << 18), "1,".repeat(1 << 17));
        assert_eq!(lines(&text).unwrap().len(), 0);
    }
}
