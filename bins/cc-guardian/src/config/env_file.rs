//! Files of variables: lines of `NAME=VALUE` that only the user may read.
//!
//! Lines that are empty or begin with `#` are left out, and so is `export` before a name. Quotes
//! around a whole value are taken off. Nothing else is interpreted: no `${VAR}`, no escapes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::{Refused, Trust, trusted};
use super::mistake::{Mistake, Mistakes, Place, Sources};
use super::unit::{Environment, Unit};

impl Unit {
    /// The variables it is started with: those of its files, and over them [`Unit::env`]. The files
    /// are read now, so that secrets are not kept longer than needed.
    ///
    /// # Errors
    /// What is wrong with a file. Values are never in it.
    pub fn environment(&self) -> Result<Environment, Vec<Mistake>> {
        let mut sources = Sources::default();
        let mut mistakes = Mistakes::default();
        let mut variables = BTreeMap::new();
        for path in &self.env_files {
            match read(path, &mut sources, &mut mistakes) {
                Ok(more) => variables.extend(more),
                Err((what, right)) => {
                    let place = sources.add(path, PathBuf::new(), String::new());
                    mistakes.add(place, what, right);
                }
            }
        }
        variables.extend(self.env.0.clone());
        if mistakes.is_empty() {
            Ok(Environment(variables))
        } else {
            Err(mistakes.said(&sources))
        }
    }
}

/// Reads a file of variables. What is wrong inside is noted at its line.
///
/// # Errors
/// When it cannot be read or others can.
pub(super) fn read(
    path: &Path,
    sources: &mut Sources,
    mistakes: &mut Mistakes,
) -> Result<BTreeMap<String, String>, Refused> {
    let bytes = trusted(path, Trust::Secrets)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| ("is not UTF-8".to_owned(), "a file in UTF-8".to_owned()))?;
    let start = sources.add(path, PathBuf::new(), text);
    Ok(parse(sources.text(start), start, mistakes))
}

fn parse(text: &str, start: Place, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let place = Place { offset, ..start };
        offset += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        // Not a word of the line is shown: it may be a secret that lost its name.
        match line.split_once('=') {
            Some((name, value)) if is_name(name.trim()) && !value.contains('\0') => {
                variables.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
            }
            _ => mistakes.add(
                place,
                "this is no variable",
                "NAME=VALUE, or # and a comment",
            ),
        }
    }
    variables
}

/// Is it a name that a shell would take?
pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|char: char| char.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unquoted(value: &str) -> &str {
    let within = |quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn parsed(text: &str) -> (BTreeMap<String, String>, Vec<Mistake>) {
        let mut sources = Sources::default();
        let start = sources.add("x.env".as_ref(), PathBuf::new(), text.to_owned());
        let mut mistakes = Mistakes::default();
        let variables = parse(text, start, &mut mistakes);
        (variables, mistakes.said(&sources))
    }

    #[test]
    fn variables_are_taken_literally() {
        let text = "# keys\n\nA=1\nexport B = \"two words\"\r\nC='${A}'\nD=a=b\nE=\nF=\"x\n";
        let (variables, mistakes) = parsed(text);
        assert_eq!(mistakes, []);
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "${A}"),
            ("D", "a=b"),
            ("E", ""),
            ("F", "\"x"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, expected.into());
    }

    #[test]
    fn a_bad_line_is_said_without_what_is_in_it() {
        let (_, mistakes) = parsed("A=1\nhunter2\n2B=hunter2\n=hunter2\n");
        let said: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        let right = "this is no variable; right: NAME=VALUE, or # and a comment";
        let expected = [2, 3, 4].map(|line| format!("x.env:{line}:1: {right}"));
        assert_eq!(said, expected);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.env");
        fs::write(&path, "A=1\n").unwrap();
        let read_with = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read(&path, &mut Sources::default(), &mut Mistakes::default())
        };
        assert_eq!(read_with(0o600), Ok([("A".into(), "1".into())].into()));
        let (what, right) = read_with(0o640).unwrap_err();
        assert_eq!(what, "others can use it (mode 0640)");
        assert!(right.ends_with("chmod 600"), "{right}");
    }
}
