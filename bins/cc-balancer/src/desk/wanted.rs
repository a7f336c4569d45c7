//! From what somebody wants to what is kept of it.

use std::time::Duration;

use jiff::SignedDuration;

use super::mistake::Mistake;
use crate::request::Wanted;
use crate::store::{Now, Store};
use crate::task::{Kind, Labels, Retry, Spec, TaskId};

/// The most bytes of a text.
const LONGEST_TEXT: usize = 1 << 20;
/// The most bytes of a name, a label, a key.
const LONGEST_WORD: usize = 128;
/// The longest time that anything waits: a hundred years.
const LONGEST_SPAN: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
/// The most that is tried again.
const MOST_RETRIES: u32 = 1000;
/// The group of what names none.
pub const DEFAULT_GROUP: &str = "default";

/// What a group says of its tasks that do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// What becomes of one when an attempt fails.
    pub retry: Retry,
    /// How long an attempt may take.
    pub timeout: Option<Duration>,
    /// What must end with 0.
    pub check: Option<Vec<String>>,
}

/// Is that something that can be wanted?
///
/// # Errors
/// What is wrong with it.
pub fn checked(wanted: &Wanted) -> Result<(), Mistake> {
    text(&wanted.text)?;
    labels(&wanted.needs)?;
    let group = wanted.group.as_deref().unwrap_or(DEFAULT_GROUP);
    for (what, said) in [
        ("group", Some(group)),
        ("submitter", Some(wanted.submitter.as_str())),
        ("affinity", wanted.affinity.as_deref()),
    ] {
        if let Some(said) = said {
            word(what, said)?;
        }
    }
    if let Some(to) = &wanted.to {
        recipient(to)?;
    }
    if let Some(key) = &wanted.key
        && (key.is_empty() || key.len() > LONGEST_WORD || key.contains(char::is_control))
    {
        return Err(Mistake::usage(
            format!("{key:?} is no key"),
            "Give one of 1 to 128 bytes without control characters.",
        ));
    }
    if let Some(beginning) = wanted.after.iter().find(|id| !TaskId::is_beginning(id)) {
        return Err(no_id(beginning));
    }
    if wanted.retry.is_some_and(|retry| retry > MOST_RETRIES) {
        return Err(Mistake::usage(
            "that is too often to try again",
            "Give --retry a number up to 1000.",
        ));
    }
    if let Some(command) = &wanted.check
        && (command.first().is_none_or(String::is_empty) || has_nul(command))
    {
        return Err(Mistake::usage(
            "the check names no program",
            "Give --check a program and its arguments.",
        ));
    }
    if wanted.cwd.as_ref().is_some_and(|cwd| !cwd.is_absolute()) {
        return Err(Mistake::usage(
            "the directory does not begin at the root",
            "Give --cwd a path from the root.",
        ));
    }
    if wanted.kind == Kind::Message && wanted.to.is_none() {
        return Err(Mistake::usage(
            "a message needs a recipient",
            "Name one with --to.",
        ));
    }
    Ok(())
}

/// Is that a text that can be typed?
pub(super) fn text(text: &str) -> Result<(), Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake::usage(
            "the text is empty",
            "Say what is to be done.",
        ));
    }
    if text.len() > LONGEST_TEXT {
        return Err(Mistake::usage(
            format!(
                "the text has {} bytes, and {LONGEST_TEXT} is the most",
                text.len()
            ),
            "Put it into a file, and say which one to read.",
        ));
    }
    let typed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.char_indices().find(|(_, c)| typed(*c)) {
        Some((at, found)) => Err(Mistake::usage(
            format!(
                "the text has the control character U+{:04X} at byte {at}",
                u32::from(found)
            ),
            "Take it out: it would be a key to the program.",
        )),
        None => Ok(()),
    }
}

pub(super) fn labels(labels: &Labels) -> Result<(), Mistake> {
    for (key, value) in labels {
        for said in [key, value] {
            word("label", said)?;
        }
    }
    Ok(())
}

/// A name: of a group, an account, a label.
pub(super) fn word(what: &str, said: &str) -> Result<(), Mistake> {
    let fits = |c: char| c.is_alphanumeric() || "_-.:/@+".contains(c);
    if !said.is_empty() && said.len() <= LONGEST_WORD && said.chars().all(fits) {
        return Ok(());
    }
    Err(Mistake::usage(
        format!("{said:?} is no {what}"),
        "Use letters, digits and any of _-.:/@+, 128 bytes at most.",
    ))
}

/// `coder`, `coder@1`, `%3`.
pub(super) fn recipient(to: &str) -> Result<(), Mistake> {
    let plain = |name: &str| {
        (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = match (to.strip_prefix('%'), to.rsplit_once('@')) {
        (Some(pane), _) => number(pane),
        (None, Some((unit, instance))) => plain(unit) && number(instance),
        (None, None) => plain(to),
    };
    match is_one {
        true => Ok(()),
        false => Err(Mistake::usage(
            format!("{to:?} is no unit and no pane"),
            "Name a unit such as coder or coder@1, or a pane such as %3.",
        )),
    }
}

/// What cannot be the beginning of an id.
pub(super) fn no_id(beginning: &str) -> Mistake {
    Mistake::usage(
        format!("{beginning:?} is no id of a task"),
        "See `cc-balancer status` for those that there are.",
    )
}

fn has_nul(words: &[String]) -> bool {
    words.iter().any(|word| word.contains('\0'))
}

/// What is kept of it.
pub(super) async fn spec(
    wanted: Wanted,
    defaults: &Defaults,
    store: &dyn Store,
    now: Now,
) -> Result<Spec, Mistake> {
    checked(&wanted)?;
    let mut after = Vec::new();
    for beginning in &wanted.after {
        after.push(store.task(beginning).await?.id);
    }
    let span = |ms: u64| Duration::from_millis(ms).min(LONGEST_SPAN);
    let not_before = wanted.delay_ms.map(|ms| {
        let delay = SignedDuration::try_from(span(ms)).unwrap_or_default();
        now.wall.checked_add(delay).unwrap_or(now.wall)
    });
    let mut retry = defaults.retry;
    if let Some(max) = wanted.retry {
        retry.max = max;
    }
    let is_message = wanted.kind == Kind::Message;
    Ok(Spec {
        text: wanted.text,
        kind: wanted.kind,
        needs: wanted.needs,
        to: wanted.to,
        group: wanted.group.unwrap_or_else(|| DEFAULT_GROUP.to_owned()),
        priority: wanted.priority,
        submitter: wanted.submitter,
        key: wanted.key,
        after,
        not_before,
        timeout: wanted.timeout_ms.map(span).or(defaults.timeout),
        retry,
        check: wanted.check.or_else(|| match is_message {
            true => None,
            false => defaults.check.clone(),
        }),
        cwd: wanted.cwd,
        affinity: wanted.affinity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cc_kit::exit::Exit;

    fn wanted() -> Wanted {
        Wanted {
            text: "do it".to_owned(),
            submitter: "me".to_owned(),
            ..Wanted::default()
        }
    }

    #[test]
    fn what_makes_no_sense_is_said_in_one_sentence() {
        assert_eq!(checked(&wanted()), Ok(()));
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let label = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
        let table: Vec<(Wanted, &str)> = vec![
            (
                Wanted {
                    text: " \n".into(),
                    ..wanted()
                },
                "the text is empty",
            ),
            (
                Wanted {
                    text: "a\u{1b}[2J".into(),
                    ..wanted()
                },
                "U+001B at byte 1",
            ),
            (
                Wanted {
                    text: "x".repeat(LONGEST_TEXT + 1),
                    ..wanted()
                },
                "1048577 bytes",
            ),
            (
                Wanted {
                    submitter: String::new(),
                    ..wanted()
                },
                "\"\" is no submitter",
            ),
            (
                Wanted {
                    group: Some("a b".into()),
                    ..wanted()
                },
                "\"a b\" is no group",
            ),
            (
                Wanted {
                    needs: label("role", ""),
                    ..wanted()
                },
                "\"\" is no label",
            ),
            (
                Wanted {
                    needs: label("a\n", "x"),
                    ..wanted()
                },
                "\"a\\n\" is no label",
            ),
            (
                Wanted {
                    key: Some("k\n".into()),
                    ..wanted()
                },
                "\"k\\n\" is no key",
            ),
            (
                Wanted {
                    to: Some("%".into()),
                    ..wanted()
                },
                "\"%\" is no unit",
            ),
            (
                Wanted {
                    to: Some("w@x".into()),
                    ..wanted()
                },
                "\"w@x\" is no unit",
            ),
            (
                Wanted {
                    to: Some("a:b.c".into()),
                    ..wanted()
                },
                "\"a:b.c\" is no unit",
            ),
            (
                Wanted {
                    after: words(&["no!"]),
                    ..wanted()
                },
                "\"no!\" is no id",
            ),
            (
                Wanted {
                    retry: Some(1001),
                    ..wanted()
                },
                "too often",
            ),
            (
                Wanted {
                    check: Some(vec![]),
                    ..wanted()
                },
                "names no program",
            ),
            (
                Wanted {
                    check: Some(words(&["a\0"])),
                    ..wanted()
                },
                "names no program",
            ),
            (
                Wanted {
                    cwd: Some("here".into()),
                    ..wanted()
                },
                "begin at the root",
            ),
            (
                Wanted {
                    kind: Kind::Message,
                    ..wanted()
                },
                "needs a recipient",
            ),
        ];
        for (wanted, said) in table {
            let wrong = checked(&wanted).unwrap_err();
            assert_eq!(wrong.exit, Exit::Usage);
            assert!(wrong.error.contains(said), "{wrong:?}: {said}");
            assert!(wrong.advice.is_some_and(|advice| advice.ends_with('.')));
        }
        for to in ["coder", "coder@12", "%3", "a_b-c"] {
            assert_eq!(recipient(to), Ok(()), "{to}");
        }
    }
}
