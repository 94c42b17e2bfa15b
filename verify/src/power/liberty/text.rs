//! The grammar of Liberty files: groups of attributes and groups.
//!
//! ```text
//! cell (NAND2X1) { area : 24; values ("1, 2", "3, 4"); pin(A) { direction : input; } }
//! ```

use super::LibraryError;

/// Groups inside groups, at most.
const DEPTH: usize = 32;
/// Groups, attributes and their values that are kept, at most: some 200 MiB of them.
const MOST_PARTS: usize = 1 << 21;
/// The groups that are kept, which are those that somebody asks for; the others (timing, noise)
/// are passed over.
const KEPT: &[&str] = &[
    "bundle",
    "bus",
    "cell",
    "fall_power",
    "ff",
    "ff_bank",
    "internal_power",
    "latch",
    "latch_bank",
    "leakage_power",
    "lu_table_template",
    "operating_conditions",
    "pin",
    "power",
    "power_lut_template",
    "rise_power",
    "statetable",
];

/// `kind (names) { attributes, groups }`.
#[derive(Debug, Default)]
pub(super) struct Group<'t> {
    pub(super) kind: &'t str,
    pub(super) names: Vec<&'t str>,
    /// Both `name : value;` and `name (value, ..);`.
    pub(super) attributes: Vec<Attribute<'t>>,
    pub(super) groups: Vec<Group<'t>>,
    pub(super) line: u32,
    /// Where it stands in the text.
    pub(super) span: std::ops::Range<usize>,
}

#[derive(Debug)]
pub(super) struct Attribute<'t> {
    pub(super) name: &'t str,
    pub(super) values: Vec<&'t str>,
    pub(super) line: u32,
}

impl<'t> Group<'t> {
    /// The first attribute of that name.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'t>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of a simple attribute.
    pub(super) fn text(&self, name: &str) -> Option<&'t str> {
        self.attribute(name)?.values.first().copied()
    }

    /// The value of a simple attribute as a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, LibraryError> {
        self.attribute(name).map(Attribute::number).transpose()
    }

    /// The groups of a kind.
    pub(super) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Group<'t>> {
        self.groups.iter().filter(move |group| group.kind == kind)
    }

    /// The first name in parentheses.
    pub(super) fn name(&self) -> &'t str {
        self.names.first().copied().unwrap_or_default()
    }
}

impl Attribute<'_> {
    pub(super) fn number(&self) -> Result<f64, LibraryError> {
        let text = self.values.first().copied().unwrap_or_default();
        number(text, self.line)
    }

    /// All numbers of a list such as `("1, 2", "3, 4")`.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, LibraryError> {
        let parts = self.values.iter().flat_map(|value| value.split([',', ' ', '\t', '\n', '\\']));
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| number(part, self.line)).collect()
    }
}

fn number(text: &str, line: u32) -> Result<f64, LibraryError> {
    let value: Option<f64> = text.trim().parse().ok();
    let wrong = || error(line, format!("`{}` is no number", short(text)));
    value.filter(|value| value.is_finite()).ok_or_else(wrong)
}

pub(super) fn error(line: u32, what: String) -> LibraryError {
    LibraryError::Syntax { line, what }
}

/// The start of a word, for messages.
pub(super) fn short(text: &str) -> String {
    hwgen_files::printable(&text.chars().take(40).collect::<String>())
}

/// Reads the one group a file holds, and hands it to `read`.
pub(super) fn parse(text: &str) -> Result<Group<'_>, LibraryError> {
    let mut parser = Parser { text, at: 0, line: 1, parts: 0 };
    let (kind, line) = match parser.token()? {
        (Token::Word(kind), line) => (kind, line),
        (_, line) => return Err(error(line, "a library begins with `library (name) {`".into())),
    };
    let mut group = Group { kind, line, ..Group::default() };
    parser.expect(Token::Punctuation('('))?;
    group.names = parser.list()?;
    parser.expect(Token::Punctuation('{'))?;
    parser.body(&mut group, DEPTH)?;
    Ok(group)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    /// A word or the inside of a string.
    Word(&'t str),
    Punctuation(char),
    End,
}

impl Token<'_> {
    fn describe(self) -> String {
        match self {
            Token::Word(word) => format!("`{}`", short(word)),
            Token::Punctuation(sign) => format!("`{sign}`"),
            Token::End => "the end of the file".into(),
        }
    }
}

#[derive(Clone)]
struct Parser<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    /// Parts that were kept so far.
    parts: usize,
}

impl<'t> Parser<'t> {
    /// Keeps so many parts more.
    fn keep(&mut self, parts: usize) -> Result<(), LibraryError> {
        self.parts += parts;
        let few = self.parts <= MOST_PARTS;
        let what = || format!("the library has more than {MOST_PARTS} groups and values");
        few.then_some(()).ok_or_else(|| error(self.line, what()))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) {
        let passed = &self.text[self.at..self.at + bytes];
        self.line += passed.bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.at += bytes;
    }

    /// White space, continued lines and comments.
    fn blank(&mut self) -> Result<(), LibraryError> {
        loop {
            let rest = self.rest();
            let blank = |c: char| c.is_whitespace() || c == '\\' || c == '\u{feff}';
            let space = rest.len() - rest.trim_start_matches(blank).len();
            self.skip(space);
            let rest = self.rest();
            if rest.starts_with("/*") {
                let end = rest
                    .find("*/")
                    .ok_or_else(|| error(self.line, "a comment is not closed".into()))?;
                self.skip(end + 2);
            } else if rest.starts_with("//") {
                self.skip(rest.find('\n').unwrap_or(rest.len()));
            } else if space == 0 {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<(Token<'t>, u32), LibraryError> {
        self.blank()?;
        let (rest, line) = (self.rest(), self.line);
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, line));
        };
        let sign = |c: char| "{}():;,".contains(c);
        if sign(first) {
            self.skip(first.len_utf8());
            return Ok((Token::Punctuation(first), line));
        }
        if first == '"' {
            let end =
                rest[1..].find('"').ok_or_else(|| error(line, "a string is not closed".into()))?;
            self.skip(end + 2);
            return Ok((Token::Word(&rest[1..1 + end]), line));
        }
        let end = rest.find(|c: char| sign(c) || c.is_whitespace() || c == '"' || c == '\\');
        let end = end.unwrap_or(rest.len());
        self.skip(end);
        Ok((Token::Word(&rest[..end]), line))
    }

    fn peek(&self) -> Result<(Token<'t>, u32), LibraryError> {
        self.clone().token()
    }

    fn expect(&mut self, wanted: Token<'_>) -> Result<(), LibraryError> {
        match self.token()? {
            (token, _) if token == wanted => Ok(()),
            (token, line) => {
                let (wanted, token) = (wanted.describe(), token.describe());
                Err(error(line, format!("{wanted} expected, not {token}")))
            }
        }
    }

    /// `a, b, c)`
    fn list(&mut self) -> Result<Vec<&'t str>, LibraryError> {
        let mut list = vec![];
        loop {
            match self.token()? {
                (Token::Word(word), _) => {
                    self.keep(1)?;
                    list.push(word);
                }
                (Token::Punctuation(','), _) => {}
                (Token::Punctuation(')'), _) => return Ok(list),
                (token, line) => {
                    let what = format!("{} in a list in parentheses", token.describe());
                    return Err(error(line, what));
                }
            }
        }
    }

    /// Statements up to `}`.
    fn body(&mut self, group: &mut Group<'t>, depth: usize) -> Result<(), LibraryError> {
        loop {
            self.blank()?;
            let start = self.at;
            let (name, line) = match self.token()? {
                (Token::Punctuation(';'), _) => continue,
                (Token::Punctuation('}'), _) => return Ok(()),
                (Token::Word(name), line) => (name, line),
                (token, line) => {
                    let what = format!("{} in group `{}`", token.describe(), short(group.kind));
                    return Err(error(line, format!("{what} of line {}", group.line)));
                }
            };
            self.keep(1)?;
            match self.token()? {
                (Token::Punctuation(':'), _) => {
                    let values = vec![self.simple(line)?];
                    group.attributes.push(Attribute { name, values, line });
                }
                (Token::Punctuation('('), _) => {
                    let values = self.list()?;
                    if self.peek()?.0 != Token::Punctuation('{') {
                        group.attributes.push(Attribute { name, values, line });
                        continue;
                    }
                    self.token()?;
                    if depth == 0 {
                        return Err(error(line, format!("groups nest more than {DEPTH} deep")));
                    }
                    if !KEPT.contains(&name) {
                        self.pass_over(name, line, depth - 1)?;
                        continue;
                    }
                    let mut inner = Group { kind: name, names: values, line, ..Group::default() };
                    self.body(&mut inner, depth - 1)?;
                    inner.span = start..self.at;
                    group.groups.push(inner);
                }
                (token, line) => {
                    let what = format!("`:` or `(` expected after `{}`", short(name));
                    return Err(error(line, format!("{what}, not {}", token.describe())));
                }
            }
        }
    }

    /// What is in a group, and its `}`.
    fn pass_over(&mut self, kind: &str, began: u32, depth: usize) -> Result<(), LibraryError> {
        let mut open = 1;
        while open > 0 {
            match self.token()? {
                (Token::Punctuation('{'), line) => {
                    open += 1;
                    if open > depth + 1 {
                        return Err(error(line, format!("groups nest more than {DEPTH} deep")));
                    }
                }
                (Token::Punctuation('}'), _) => open -= 1,
                (Token::End, line) => {
                    let what = format!("the end of the file in group `{}`", short(kind));
                    return Err(error(line, format!("{what} of line {began}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The value after a colon: up to a semicolon, or the end of the line where one is missing.
    fn simple(&mut self, line: u32) -> Result<&'t str, LibraryError> {
        let (Token::Word(first), started) = self.token()? else {
            return Err(error(line, "a value expected after `:`".into()));
        };
        let string = self.text[..self.at].ends_with('"');
        let start = self.at - first.len();
        loop {
            let end = self.at;
            match self.peek()? {
                (Token::Punctuation(';'), _) => {
                    self.token()?;
                    return Ok(if string { first } else { self.text[start..end].trim() });
                }
                (Token::Word(_) | Token::Punctuation('(' | ')' | ','), at) if at == started => {
                    self.token()?;
                }
                _ => return Ok(if string { first } else { self.text[start..end].trim() }),
            }
        }
    }
}
