//! Each wrong file says exactly what is wrong, where, and what would be right.

use crate::config::mistake::{Mistakes, Sources};
use crate::config::{example, join, load_in};

use super::Folder;

/// Blocks between `---`: a text that stands under a first line `version = 1`, and behind `>> ` what is
/// said of it.
const CASES: &str = include_str!("mistakes.txt");

fn said(text: &str) -> Vec<String> {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, text);
    folder.write("open.env", 0o644, "A=1\n");
    folder.write("bad.env", 0o600, "A=1\nhunter2\n");
    folder.mistakes()
}

#[test]
fn every_mistake_is_said_with_its_line_and_with_what_is_right() {
    let mut cases = 0;
    for case in CASES.split("---\n") {
        let (mut text, mut expected) = (String::from("version = 1\n"), Vec::new());
        for line in case.lines() {
            match line.strip_prefix(">> ") {
                Some(line) => expected.push(line),
                None => text.extend([line, "\n"]),
            }
        }
        assert!(!expected.is_empty(), "nothing is expected of\n{text}");
        assert_eq!(said(&text), expected, "of\n{text}");
        cases += 1;
    }
    assert!(cases > 80, "{cases} cases were read");
}

#[test]
fn without_a_home_a_path_cannot_begin_there() {
    let folder = Folder::new();
    let text = "version = 1\n[unit.a]\ncommand = [\"x\"]\ncwd = \"~/src\"\n";
    let path = folder.write("g.toml", 0o600, text);
    let mistakes = load_in(&path, &[], None).unwrap_err();
    let said = mistakes[0].to_string();
    assert!(
        said.contains("g.toml:4:7: there is no home for `~`"),
        "{said}"
    );
}

/// Editors write halves of files, and people half of what they mean.
#[test]
fn a_torn_file_has_mistakes_within_it_or_none() {
    let whole = example();
    let (mut right, mut wrong) = (0, 0);
    for cut in (0..whole.len()).step_by(13) {
        for text in [
            whole.get(..cut).map(str::to_owned),
            whole
                .get(cut + 1..)
                .map(|rest| format!("{}{rest}", &whole[..cut])),
            Some(format!("{}]{}", &whole[..cut], &whole[cut..])),
        ] {
            let text = text.unwrap();
            let lines = text.matches('\n').count() + 1;
            let mut sources = Sources::default();
            let mut mistakes = Mistakes::default();
            let start = sources.add("x".as_ref(), "/".into(), text);
            let config = join::join(
                &[start],
                &["claude"],
                Some("/".as_ref()),
                &mut sources,
                &mut mistakes,
            );
            assert!(
                config.is_some() || !mistakes.is_empty(),
                "nothing was said at {cut}"
            );
            let said = mistakes.said(&sources);
            if said.is_empty() {
                right += 1
            } else {
                wrong += 1
            }
            for mistake in said {
                assert!(
                    (1..=lines).contains(&mistake.line) && mistake.column > 0,
                    "{mistake}"
                );
            }
        }
    }
    assert!(right > 30 && wrong > 30, "{right} right, {wrong} wrong");
}
