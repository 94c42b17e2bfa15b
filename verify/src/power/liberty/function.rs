//! Boolean functions as Liberty writes them: `!`, `'`, `^`, `&`, `*`, a space, `|`, `+`.

use super::LibraryError;
use super::text::{error, short};

/// Parentheses and nots inside each other, at most.
const DEPTH: u32 = 64;

/// A boolean function of named signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// 0 or 1.
    Constant(bool),
    /// A pin, or a name of the flip-flop's state.
    Name(String),
    /// The opposite.
    Not(Box<Function>),
    /// All of them.
    And(Vec<Function>),
    /// Any of them.
    Or(Vec<Function>),
    /// An odd number of them.
    Xor(Vec<Function>),
}

impl Function {
    /// Reads a function; `line` is where it stands in its file.
    ///
    /// # Errors
    /// [`LibraryError::Syntax`] if it is none.
    pub fn parse(text: &str, line: u32) -> Result<Function, LibraryError> {
        let mut parser = Parser { text, rest: text, line };
        let function = parser.or(DEPTH)?;
        match parser.next() {
            None => Ok(function),
            Some(_) => Err(parser.wrong()),
        }
    }

    /// Its value, names looked up.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn value(&self, of: &dyn Fn(&str) -> Option<bool>) -> Result<bool, String> {
        let fold = |parts: &[Function], start: bool, join: fn(bool, bool) -> bool| {
            parts.iter().try_fold(start, |so_far, part| Ok(join(so_far, part.value(of)?)))
        };
        match self {
            Function::Constant(value) => Ok(*value),
            Function::Name(name) => of(name).ok_or_else(|| name.clone()),
            Function::Not(inner) => Ok(!inner.value(of)?),
            Function::And(parts) => fold(parts, true, |a, b| a & b),
            Function::Or(parts) => fold(parts, false, |a, b| a | b),
            Function::Xor(parts) => fold(parts, false, |a, b| a ^ b),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    line: u32,
}

impl Parser<'_> {
    fn wrong(&self) -> LibraryError {
        error(self.line, format!("`{}` is no boolean function", short(self.text)))
    }

    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, signs: &[char]) -> bool {
        match self.next() {
            Some(c) if signs.contains(&c) => {
                self.rest = &self.rest[c.len_utf8()..];
                true
            }
            _ => false,
        }
    }

    fn or(&mut self, depth: u32) -> Result<Function, LibraryError> {
        let mut parts = vec![self.and(depth)?];
        while self.take(&['|', '+']) {
            parts.push(self.and(depth)?);
        }
        Ok(joined(parts, Function::Or))
    }

    fn and(&mut self, depth: u32) -> Result<Function, LibraryError> {
        let mut parts = vec![self.xor(depth)?];
        while self.take(&['&', '*']) || matches!(self.next(), Some(c) if begins(c)) {
            parts.push(self.xor(depth)?);
        }
        Ok(joined(parts, Function::And))
    }

    fn xor(&mut self, depth: u32) -> Result<Function, LibraryError> {
        let mut parts = vec![self.not(depth)?];
        while self.take(&['^']) {
            parts.push(self.not(depth)?);
        }
        Ok(joined(parts, Function::Xor))
    }

    fn not(&mut self, depth: u32) -> Result<Function, LibraryError> {
        let deeper = depth.checked_sub(1).ok_or_else(|| self.wrong())?;
        let mut function = if self.take(&['!']) {
            Function::Not(Box::new(self.not(deeper)?))
        } else if self.take(&['(']) {
            let inner = self.or(deeper)?;
            if !self.take(&[')']) {
                return Err(self.wrong());
            }
            inner
        } else {
            self.name()?
        };
        while self.take(&['\'']) {
            function = match function {
                Function::Not(inner) => *inner,
                other => Function::Not(Box::new(other)),
            };
        }
        Ok(function)
    }

    fn name(&mut self) -> Result<Function, LibraryError> {
        self.next();
        let end = self.rest.find(|c: char| !word(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match name {
            "" => Err(self.wrong()),
            "0" => Ok(Function::Constant(false)),
            "1" => Ok(Function::Constant(true)),
            name => Ok(Function::Name(name.into())),
        }
    }
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || "_[].".contains(c)
}

/// Whether a factor can begin so, which makes the space before it an `and`.
fn begins(c: char) -> bool {
    word(c) || c == '(' || c == '!'
}

fn joined(mut parts: Vec<Function>, join: fn(Vec<Function>) -> Function) -> Function {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values for `CBA` = 000, 001, .. 111.
    fn table(text: &str) -> String {
        let function = Function::parse(text, 1).unwrap();
        let value = |bits: u32| {
            let name = |name: &str| Some(bits >> "ABC".find(name)? & 1 == 1);
            if function.value(&name).unwrap() { '1' } else { '0' }
        };
        (0..8).map(value).collect()
    }

    #[test]
    fn every_way_to_write_a_function() {
        assert_eq!(table("(!((A B)+C))"), "11100000");
        assert_eq!(table("!A&B | C"), "00101111");
        assert_eq!(table("A' B' C'"), "10000000");
        assert_eq!(table("A^B^C"), "01101001");
        assert_eq!(table("A*B^C"), "00010100"); // `^` binds tighter than `*`
        assert_eq!(table("(A+B)'"), "10001000");
        assert_eq!(table("1"), "11111111");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "A &", "(A", "A)", "!", "A ? B : C", "^A"] {
            let said = Function::parse(text, 7).unwrap_err().to_string();
            assert_eq!(said, format!("line 7: `{text}` is no boolean function"));
        }
        assert!(Function::parse(&"(".repeat(100_000), 1).is_err());
        assert!(Function::parse(&"!".repeat(100_000), 1).is_err());
        assert!(Function::parse(&format!("A{}", "'".repeat(100_000)), 1).is_ok());
    }
}
