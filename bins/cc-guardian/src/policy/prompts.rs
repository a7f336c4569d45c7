//! What a unit's own rules say about what it asks.
//!
//! The first rule of the dialog's kind counts; where there is none, somebody is told. A rule answers
//! only what its profile reads as one yes or one no that a single key gives. A permission is given only
//! to a command that the agent's own hook has told, that stands in the dialog too, and that an `allow`
//! matches: words on a screen may be anybody's.

use cc_kit::printable::printable;
use cc_kit::profile::{Choice, Dialog, Says};

use crate::config::{PromptAction, PromptKind, PromptRule};

/// What a shell takes for more than a word: no `*` stands for it.
const SHELL: &[char] = &[
    ';', '&', '|', '<', '>', '`', '$', '(', ')', '{', '}', '\n', '\r', '\\',
];

/// What is done about a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Somebody is told.
    Alert,
    /// It waits, and nobody is told.
    Ignore,
    /// It is answered so.
    Answer(Choice),
    /// A rule would answer it, but may not, for that; somebody is told.
    May(&'static str),
}

/// Decides. `command` is what the agent's hook says that it asks for, `answered` how often the rule
/// has answered within the last hour.
#[must_use]
pub fn decide(
    rules: &[PromptRule],
    sub: Option<&str>,
    dialog: &Dialog,
    command: Option<&str>,
    answered: u32,
) -> Decision {
    let kind = sub.and_then(kind);
    let rule = rules.iter().find(|rule| Some(rule.kind) == kind);
    let Some(rule) = rule else {
        return Decision::Alert;
    };
    let says = match rule.action {
        PromptAction::Alert => return Decision::Alert,
        PromptAction::Ignore => return Decision::Ignore,
        PromptAction::Accept => Says::Yes,
        PromptAction::Refuse => Says::No,
    };
    if answered >= rule.per_hour {
        return Decision::May("it has answered as often as it may within an hour");
    }
    if says == Says::Yes && rule.kind == PromptKind::Permission {
        let Some(command) = command else {
            return Decision::May("no hook of the agent says which command it asks for");
        };
        if !dense(&dialog.question).contains(&dense(&printable(command.as_bytes()).to_string())) {
            return Decision::May("the command that its hook told does not stand in the dialog");
        }
        if !rule.allow.iter().any(|glob| matches(glob, command)) {
            return Decision::May("no `allow` matches the command");
        }
    }
    let mut choices = dialog
        .choices
        .iter()
        .filter(|choice| choice.says == Some(says));
    match (choices.next(), choices.next()) {
        (Some(choice), None) if !choice.key.is_empty() => Decision::Answer(choice.clone()),
        _ => Decision::May("its profile knows no single key for that answer"),
    }
}

/// The kind of what is asked, by the word that profiles have for it.
#[must_use]
pub fn kind(sub: &str) -> Option<PromptKind> {
    // The form of a tool server has a longer name in the configuration.
    let word = if sub == "mcp" { "mcp-form" } else { sub };
    PromptKind::ALL
        .iter()
        .find(|kind| kind.word() == word)
        .copied()
}

/// Does a glob match all of a command? `*` stands for any text that a shell takes for words.
fn matches(glob: &str, command: &str) -> bool {
    let command = command.trim();
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| command.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some((any, behind)) = rest.split_once(part) else {
            return false;
        };
        if any.contains(SHELL) {
            return false;
        }
        rest = behind;
    }
    rest.strip_suffix(last)
        .is_some_and(|any| !any.contains(SHELL))
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(key: &str, text: &str, says: Option<Says>) -> Choice {
        Choice {
            key: key.to_owned(),
            text: text.to_owned(),
            says,
            enter: false,
        }
    }

    fn dialog() -> Dialog {
        Dialog {
            hash: 1,
            question: "Bash command cargo test --all Do you want to proceed?".to_owned(),
            choices: vec![
                choice("1", "Yes", Some(Says::Yes)),
                choice("2", "Yes, and always", None),
                choice("3", "No", Some(Says::No)),
            ],
        }
    }

    fn rule(kind: PromptKind, action: PromptAction, allow: &[&str]) -> PromptRule {
        PromptRule {
            kind,
            action,
            allow: allow.iter().map(|&glob| glob.to_owned()).collect(),
            per_hour: 2,
        }
    }

    fn permission(allow: &[&str], command: Option<&str>, answered: u32) -> Decision {
        let rules = [rule(PromptKind::Permission, PromptAction::Accept, allow)];
        decide(&rules, Some("permission"), &dialog(), command, answered)
    }

    #[test]
    fn without_a_rule_somebody_is_told() {
        assert_eq!(
            decide(&[], Some("permission"), &dialog(), None, 0),
            Decision::Alert
        );
        let rules = [rule(PromptKind::Trust, PromptAction::Accept, &[])];
        assert_eq!(
            decide(&rules, Some("permission"), &dialog(), None, 0),
            Decision::Alert
        );
        assert_eq!(decide(&rules, None, &dialog(), None, 0), Decision::Alert);
    }

    #[test]
    fn the_first_rule_of_the_kind_counts() {
        let rules = [
            rule(PromptKind::McpForm, PromptAction::Ignore, &[]),
            rule(PromptKind::Trust, PromptAction::Refuse, &[]),
            rule(PromptKind::Trust, PromptAction::Accept, &[]),
        ];
        assert_eq!(
            decide(&rules, Some("mcp"), &dialog(), None, 0),
            Decision::Ignore
        );
        let no = Decision::Answer(choice("3", "No", Some(Says::No)));
        assert_eq!(decide(&rules, Some("trust"), &dialog(), None, 0), no);
    }

    #[test]
    fn a_permission_is_given_to_a_command_that_is_told_shown_and_allowed() {
        let yes = Decision::Answer(choice("1", "Yes", Some(Says::Yes)));
        assert_eq!(
            permission(&["cargo test*"], Some("cargo test --all"), 0),
            yes
        );
        for (allow, command, answered) in [
            ("cargo test*", None, 0),
            ("cargo build*", Some("cargo test --all"), 0),
            // The screen shows another command than the hook told.
            ("cargo test*", Some("cargo test --lib"), 0),
            ("cargo test*", Some("cargo test --all"), 2),
        ] {
            let decided = permission(&[allow], command, answered);
            assert!(matches!(decided, Decision::May(_)), "{decided:?}");
        }
    }

    #[test]
    fn an_answer_that_no_key_gives_is_not_given() {
        let mut dialog = dialog();
        dialog.choices[0].key.clear();
        let rules = [rule(PromptKind::Trust, PromptAction::Accept, &[])];
        let decided = decide(&rules, Some("trust"), &dialog, None, 0);
        assert!(matches!(decided, Decision::May(_)), "{decided:?}");
    }

    #[test]
    fn a_star_stands_for_words_alone() {
        for (glob, command) in [
            ("cargo test*", "cargo test"),
            ("cargo test*", "cargo test --all -- x"),
            ("git * --oneline", "git log --oneline"),
            ("a*b*c", "a1b2b3c"),
            ("ls | wc*", "ls | wc -l"),
        ] {
            assert!(matches(glob, command), "{glob} {command}");
        }
        for (glob, command) in [
            ("cargo test*", "cargo test; rm -rf /"),
            ("cargo test*", "cargo test && x"),
            ("cargo test*", "cargo test $(x)"),
            ("cargo test*", "cargo test > /etc/passwd"),
            ("cargo test*", "cargo test\nrm x"),
            ("cargo test*", "x cargo test"),
            ("cargo test", "cargo test --all"),
            ("* --oneline", "x; y --oneline"),
            ("a*b*c", "a;b2c"),
            ("a*a", "a"),
            ("", "x"),
        ] {
            assert!(!matches(glob, command), "{glob} {command}");
        }
    }
}
