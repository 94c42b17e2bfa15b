//! The script of an array of attempts, for engines that start what a script says.

use crate::attempt::{Attempt, RUN};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A script that makes the attempt whose number is in this variable.
pub(crate) fn script(index: &str, attempts: &[Attempt]) -> Vec<u8> {
    let mut text = b"#!/bin/sh\ncr=$(printf '\\r')\n".to_vec();
    text.extend(format!("case ${index} in\n").bytes());
    for (number, attempt) in attempts.iter().enumerate() {
        text.extend(format!("{number}) set --").bytes());
        for word in attempt.words(attempt.limit) {
            text.push(b' ');
            text.extend(quoted(&word));
        }
        text.extend(b" ;;\n");
    }
    text.extend(format!("*) echo \"no attempt ${index}\" >&2; exit 1 ;;\nesac\n").bytes());
    text.extend(RUN.bytes());
    text
}

/// A word as the shell takes it for itself, whatever is in it. A carriage return is not in the text:
/// `sbatch` refuses scripts that look as if they came from DOS.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => text.extend(br"'\''"),
            b'\r' => text.extend(br#"'"$cr"'"#),
            other => text.push(*other),
        }
    }
    text.push(b'\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;
    use std::time::Duration;

    fn hostile() -> Vec<OsString> {
        let words = [
            "",
            " ",
            "'",
            "''",
            "\"",
            "$(touch /tmp/no)",
            "`id`",
            "a\nb",
            "\r\n",
            "; rm -rf /",
            "*",
            "~",
            "-n",
            "--",
            "\\",
            "\\'",
            "${HOME}",
            "é",
            "\t",
            "#",
            "!!",
            "esac",
            ";;",
            "%s",
        ];
        let bytes = OsString::from_vec(vec![0xff, 0xfe, b'\'', 0x1b, b'[', 1]);
        words.iter().map(OsString::from).chain([bytes]).collect()
    }

    fn attempt(arguments: Vec<OsString>) -> Attempt {
        Attempt {
            ticket: "a1-0".into(),
            job: "/farm's $HOME/0f".into(),
            program: "/opt/our tools/it's".into(),
            arguments,
            limit: Some(Duration::from_millis(1500)),
        }
    }

    #[test]
    fn hostile_names_are_words() {
        let lossy: Vec<_> = hostile().into_iter().filter(|word| word.to_str().is_some()).collect();
        let plain = Attempt { limit: None, arguments: vec!["work".into()], ..attempt(vec![]) };
        let text = script("SLURM_ARRAY_TASK_ID", &[attempt(lossy), plain]);
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with(RUN) && !text.contains('\r'));
        insta::assert_snapshot!(text.strip_suffix(RUN).unwrap());
    }

    #[test]
    fn the_shell_reads_the_words_back() {
        let attempt = attempt(hostile());
        let whole = script("INDEX", std::slice::from_ref(&attempt));
        let mut head = whole[..whole.len() - RUN.len()].to_vec();
        head.extend(b"printf '%s\\0' \"$@\"\n");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), head).unwrap();
        let output = Command::new("/bin/sh").arg(file.path()).env("INDEX", "0").output().unwrap();
        let said: Vec<_> = output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        let mut meant: Vec<_> =
            attempt.words(attempt.limit).into_iter().map(|w| w.into_vec()).collect();
        meant.push(vec![]);
        assert_eq!(said, meant);
        assert_eq!(meant[1], b"2", "seconds are rounded up");
    }
}
