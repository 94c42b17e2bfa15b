//! The server: a line in, a line out, whatever the line is.

use super::answer::{Answer, OneOf, VERSION};
use super::costs::{Costs, Subject, Target};
use super::request::{Asked, Request};
use crate::failure::Failure;
use anyhow::Context;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{BufRead, ErrorKind, Read, Write};

/// The longest line; what is longer is read past, not kept.
const MOST_LINE: usize = 1 << 24;
/// The longest `id` that is echoed.
const MOST_ID: usize = 1 << 10;

/// Answers lines until there are no more.
pub(super) fn serve(own: Option<Subject>, target: &Target) -> Result<(), Failure> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut server = Server { own, target, costs: Costs::default() };
    let mut line = vec![];
    while let Some(whole) = next(&mut input, &mut line).context("cannot read stdin")? {
        let mut text = match (whole, str::from_utf8(&line)) {
            (false, _) => error(None, format!("a line of more than {MOST_LINE} bytes: split it")),
            (true, Err(_)) => error(None, "the line is no UTF-8".into()),
            (true, Ok(line)) => server.answer(line),
        };
        text.push(b'\n');
        match output.write_all(&text).and_then(|()| output.flush()) {
            // whoever asked has left
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(Failure::ReaderLeft),
            written => written.context("cannot write to stdout")?,
        }
    }
    Ok(())
}

/// Reads a line without its end; whether it is whole, or `None` if there is none.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    line.clear();
    let read = input.by_ref().take(MOST_LINE as u64 + 1).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() <= MOST_LINE {
        // the last line need not end
        return Ok(Some(true));
    }
    *line = vec![];
    input.skip_until(b'\n')?;
    Ok(Some(false))
}

struct Server<'s> {
    own: Option<Subject>,
    target: &'s Target,
    costs: Costs,
}

impl Server<'_> {
    fn answer(&mut self, line: &str) -> Vec<u8> {
        // a line that asks for something wrong is answered by its name, too
        let id = id(line);
        match Request::read(line).and_then(|request| self.told(&request, id)) {
            Ok(answer) => answer,
            Err(problem) => error(id, problem),
        }
    }

    fn told(&mut self, request: &Request<'_>, id: Option<&RawValue>) -> Result<Vec<u8>, String> {
        if request.id.is_some() && id.is_none() {
            return Err(format!("`id` has more than {MOST_ID} bytes: shorten it"));
        }
        let own = request.target()?;
        let target = own.as_ref().unwrap_or(self.target);
        let asked = request.asked(self.own.as_ref())?;
        let mut cost = |subject: &Subject| {
            let found = self.costs.cost(subject, target).map_err(|error| error.to_string())?;
            let area = request.area.then(|| self.costs.areas(&found, target));
            Ok(found.told(request.layers, area))
        };
        let mut answer = Answer { version: VERSION, id, cost: None, costs: None, error: None };
        match asked {
            Asked::Own(subject) => answer.cost = Some(cost(subject)?),
            Asked::One(subject) => answer.cost = Some(cost(&subject)?),
            Asked::Several(all) => {
                let one = |subject: Result<Subject, String>| match subject.and_then(|it| cost(&it))
                {
                    Ok(cost) => OneOf::Cost(Box::new(cost)),
                    Err(error) => OneOf::Error { error },
                };
                answer.costs = Some(all.into_iter().map(one).collect());
            }
        }
        serde_json::to_vec(&answer).map_err(|error| error.to_string())
    }
}

/// What a line calls itself, if it is JSON at all.
fn id(line: &str) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Named<'l> {
        #[serde(default, borrow)]
        id: Option<&'l RawValue>,
    }
    let named: Option<Named<'_>> = serde_json::from_str(line).ok();
    named?.id.filter(|id| id.get().len() <= MOST_ID)
}

fn error(id: Option<&RawValue>, problem: String) -> Vec<u8> {
    let error = Some(hwgen_files::printable(&problem));
    let answer = Answer { version: VERSION, id, cost: None, costs: None, error };
    // an answer of texts is always written
    serde_json::to_vec(&answer).unwrap_or_default()
}
