//! A message as text and as JSON: without secrets, without what drives a terminal, and not long.

use std::env;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::printable;
use cc_kit::redact::{Key, RuleError, Rules, redacted};
use serde_json::{Value, json};

use super::message::{Message, Untold};
use crate::config::EventKind;

/// How many characters of a text are kept, and how many texts.
const TITLE: usize = 120;
const SUB: usize = 80;
const EVIDENCE: usize = 240;
const EVIDENCES: usize = 4;
const DETAIL: usize = 600;
const LABEL: usize = 120;
const LABELS: usize = 32;

/// No more than this of one text is looked at.
const RAW: usize = 16 * 1024;

/// The rules for what is a secret.
#[derive(Clone)]
pub struct Secrets(Arc<Rules>);

impl fmt::Debug for Secrets {
    /// They are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// The built-in rules, and these values of variables.
    ///
    /// # Errors
    /// When the rules cannot be used.
    pub fn new<'a>(
        key: [u8; 32],
        values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, RuleError> {
        let mut builder = Rules::builder();
        for (name, value) in values {
            if is_secret(name) {
                builder = builder.value(name, value);
            }
        }
        Ok(Self(Arc::new(builder.build(Key::new(key))?)))
    }

    /// The built-in rules, the values of our own environment, and those of `more`: what units are
    /// started with. Of all these only the variables count whose name says that it is a secret.
    ///
    /// # Errors
    /// Without random bytes, and when the rules cannot be used.
    pub fn known<'a>(more: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Failure> {
        let failed =
            |error: Box<dyn std::error::Error + Send + Sync>| Failure::new(Exit::Failed, error);
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| failed(error.into()))?;
        let owned = |(name, value): (&str, &[u8])| (name.to_owned(), value.to_owned());
        let ours = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_encoded_bytes()))
        });
        let all: Vec<_> = ours.chain(more.into_iter().map(owned)).collect();
        let all = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()));
        Self::new(key, all).map_err(|error| failed(error.into()))
    }

    /// One line, at most so many characters.
    pub(super) fn clean(&self, text: &str, most: usize) -> String {
        let raw = text
            .get(..text.floor_char_boundary(RAW))
            .unwrap_or_default();
        let clean = redacted(&self.0, raw);
        capped(&printable(clean.as_bytes()).to_string(), most)
    }
}

/// Does the name of a variable say that its value is a secret? The guardian's own webhooks are some.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let within = [
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "CREDENTIAL",
        "WEBHOOK",
    ];
    name.ends_with("_KEY")
        || name.ends_with("APIKEY")
        || within.iter().any(|word| name.contains(word))
}

/// At most so many characters; the last one says where there were more.
fn capped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept = text.chars().take(most.saturating_sub(1));
            kept.chain(['…']).collect()
        }
    }
}

/// A message that is ready to be sent: every text in it can be shown on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The same in every attempt.
    pub id: String,
    /// The alert's name.
    pub alert: String,
    /// The unit, or empty.
    pub unit: String,
    /// What happened, in one word.
    pub kind: &'static str,
    /// More exactly what, or empty.
    pub sub: String,
    /// Since when.
    pub since: String,
    /// When it is told.
    pub at: String,
    /// All in one line; begins with a letter.
    pub title: String,
    /// A few lines more.
    pub body: String,
    /// All of it.
    pub json: Value,
}

impl Letter {
    /// Writes a message.
    #[must_use]
    pub fn write(message: &Message, secrets: &Secrets) -> Self {
        let facts = &message.facts;
        let sub = facts.sub.as_deref().map(|sub| secrets.clean(sub, SUB));
        let detail = facts.detail.as_deref();
        let detail = detail.map(|detail| secrets.clean(detail, DETAIL));
        let unit = secrets.clean(&message.unit, TITLE);
        let alert = secrets.clean(&message.alert, TITLE);
        let evidence: Vec<_> = facts
            .evidence
            .iter()
            .take(EVIDENCES)
            .map(|text| secrets.clean(text, EVIDENCE))
            .collect();
        let labels: serde_json::Map<_, _> = facts
            .labels
            .iter()
            .take(LABELS)
            .map(|(name, value)| {
                (
                    secrets.clean(name, LABEL),
                    secrets.clean(value, LABEL).into(),
                )
            })
            .collect();
        let title = title(message, &unit, &alert, sub.as_deref());
        let body = body(message, &evidence, detail.as_deref());
        let Untold {
            repeated,
            over_rate,
            in_quiet,
        } = message.untold;
        let (id, since) = (message.id(), facts.since.to_string());
        let json = json!({
            "v": 1,
            "id": id,
            "alert": alert,
            "test": message.kind.is_none(),
            "kind": message.word(),
            "unit": Some(&unit).filter(|unit| !unit.is_empty()),
            "sub": sub,
            "since": since,
            "at": message.at.to_string(),
            "lasted_s": message.lasted.as_secs(),
            "evidence": evidence,
            "detail": detail,
            "labels": labels,
            "untold": { "repeated": repeated, "over_rate": over_rate, "in_quiet": in_quiet },
            "title": title,
            "body": body,
            // The name under which most chat programs look for what they show.
            "text": format!("{title}\n{body}"),
        });
        Self {
            id,
            alert,
            unit,
            kind: message.word(),
            sub: sub.unwrap_or_default(),
            since,
            at: message.at.to_string(),
            title,
            body,
            json,
        }
    }
}

fn title(message: &Message, unit: &str, alert: &str, sub: Option<&str>) -> String {
    if message.kind.is_none() {
        return capped(&format!("test: alert {alert} of cc-guardian"), TITLE);
    }
    let mut title = format!("{}: {unit}", message.word());
    if let Some(sub) = sub {
        let _ = write!(title, " ({sub})");
    }
    let lasted = seconds(message.lasted);
    if !lasted.is_zero() {
        let _ = write!(title, ", for {}", humantime::format_duration(lasted));
    }
    capped(&title, TITLE)
}

fn body(message: &Message, evidence: &[String], detail: Option<&str>) -> String {
    let mut lines = vec![what(message.kind).to_owned()];
    if message.kind.is_some() {
        lines.push(format!("Since {}.", message.facts.since));
    }
    lines.extend(evidence.iter().map(|text| format!("Seen: {text}")));
    lines.extend(detail.map(str::to_owned));
    let Untold {
        repeated,
        over_rate,
        in_quiet,
    } = message.untold;
    for (count, why) in [
        (repeated, "of the same, so soon after the last"),
        (over_rate, "above the rate of this alert"),
        (in_quiet, "that were over before the quiet hours were"),
    ] {
        if count > 0 {
            lines.push(format!("Not told: {count} {why}."));
        }
    }
    lines.join("\n")
}

const fn what(kind: Option<EventKind>) -> &'static str {
    match kind {
        None => "Nothing happened: somebody wanted to see whether this arrives.",
        Some(EventKind::Blocked) => "It waits for somebody.",
        Some(EventKind::Held) => "It is not started again until somebody says so.",
        Some(EventKind::Limited) => "Its account has no more to give for now.",
        Some(EventKind::Errored) => "It cannot go on.",
        Some(EventKind::Dead) => "Its process is gone.",
        Some(EventKind::Hung) => "It is busy and does not get on.",
        Some(EventKind::Oom) => "It had too much memory.",
        Some(EventKind::LogGap) => "A part of its output is not in the log.",
    }
}

/// Without what is less than a second.
const fn seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::alert::message::Facts;

    fn secrets() -> Secrets {
        let values = [
            ("CC_WEBHOOK", b"https://hooks.example.org/xyzzy".as_slice()),
            ("HOME", b"/home/somebody"),
        ];
        Secrets::new([7; 32], values).unwrap()
    }

    fn message(facts: Facts) -> Message {
        Message {
            alert: "phone".into(),
            unit: "coder@1".into(),
            kind: Some(EventKind::Blocked),
            facts,
            lasted: Duration::from_millis(130_900),
            at: "2026-07-01T10:02:10.9Z".parse().unwrap(),
            untold: Untold::default(),
        }
    }

    fn facts() -> Facts {
        Facts {
            sub: Some("permission".into()),
            evidence: vec!["Do you want to proceed?".into()],
            detail: Some("Answer it: cc-guardian answer coder@1 yes".into()),
            since: "2026-07-01T10:00:00Z".parse().unwrap(),
            labels: [("role".to_owned(), "worker".to_owned())].into(),
        }
    }

    #[test]
    fn a_message_is_a_line_and_a_few_more() {
        let mut message = message(facts());
        message.untold = Untold {
            repeated: 3,
            over_rate: 0,
            in_quiet: 1,
        };
        let letter = Letter::write(&message, &secrets());
        assert_eq!(letter.title, "blocked: coder@1 (permission), for 2m 10s");
        assert_eq!(
            letter.body,
            "It waits for somebody.\n\
             Since 2026-07-01T10:00:00Z.\n\
             Seen: Do you want to proceed?\n\
             Answer it: cc-guardian answer coder@1 yes\n\
             Not told: 3 of the same, so soon after the last.\n\
             Not told: 1 that were over before the quiet hours were."
        );
    }

    #[test]
    fn the_json_has_everything_under_a_version() {
        let letter = Letter::write(&message(facts()), &secrets());
        let told = &letter.json;
        for (name, value) in [
            ("v", json!(1)),
            ("test", json!(false)),
            ("alert", json!("phone")),
            ("kind", json!("blocked")),
            ("unit", json!("coder@1")),
            ("sub", json!("permission")),
            ("since", json!("2026-07-01T10:00:00Z")),
            ("at", json!("2026-07-01T10:02:10.9Z")),
            ("lasted_s", json!(130)),
            ("evidence", json!(["Do you want to proceed?"])),
            ("labels", json!({ "role": "worker" })),
            (
                "untold",
                json!({ "repeated": 0, "over_rate": 0, "in_quiet": 0 }),
            ),
            ("id", json!(letter.id)),
            ("text", json!(format!("{}\n{}", letter.title, letter.body))),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        let message = Message::test("phone", Timestamp::UNIX_EPOCH);
        let letter = Letter::write(&message, &secrets());
        assert_eq!(letter.title, "test: alert phone of cc-guardian");
        assert_eq!(
            (&letter.json["test"], &letter.json["unit"]),
            (&json!(true), &Value::Null)
        );
        assert!(letter.body.starts_with("Nothing happened"));
    }

    #[test]
    fn secrets_are_not_told() {
        // Put together here, so that nothing in this file looks like one.
        let token = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0cD2fG4hJ6");
        let mut facts = facts();
        facts.evidence = vec![
            format!("export GITHUB_TOKEN={token}"),
            "curl https://hooks.example.org/xyzzy".into(),
            "cd /home/somebody".into(),
        ];
        facts.detail = Some(format!("{token} in the detail"));
        facts.labels = [("label".to_owned(), token.clone())].into();
        let letter = Letter::write(&message(facts), &secrets());
        let all = format!("{letter:?}");
        assert!(!all.contains(&token), "{all}");
        assert!(!all.contains("xyzzy"), "{all}");
        assert!(letter.body.contains("<redacted:"), "{}", letter.body);
        assert!(letter.body.contains("cd /home/somebody"), "{}", letter.body);
    }

    #[test]
    fn every_way_to_call_a_secret_is_known() {
        for (name, secret) in [
            ("ANTHROPIC_API_KEY", true),
            ("GH_TOKEN", true),
            ("DB_PASSWORD", true),
            ("client_secret", true),
            ("CC_WEBHOOK", true),
            ("KEYBOARD", false),
            ("PATH", false),
        ] {
            assert_eq!(is_secret(name), secret, "{name}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        for (text, most, expected) in [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 2, "日…")]
        {
            assert_eq!(capped(text, most), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn strangers_can_neither_drive_a_terminal_nor_write_much(
            texts in prop::collection::vec("(\\PC|[\\x00-\\x1f\\x7f-\\u{9f}\\u{202e}]){0,400}", 0..8),
        ) {
            let text = |at: usize| texts.get(at).cloned();
            let facts = Facts {
                sub: text(0),
                detail: text(1),
                evidence: texts.clone(),
                labels: texts.iter().map(|text| (text.clone(), text.clone())).collect(),
                since: Timestamp::UNIX_EPOCH,
            };
            let letter = Letter::write(&message(facts), &secrets());
            prop_assert!(!letter.title.contains(char::is_control));
            prop_assert!(letter.title.chars().count() <= TITLE);
            prop_assert!(letter.title.starts_with(|first: char| first.is_ascii_alphabetic()));
            prop_assert!(letter.body.lines().count() <= 3 + EVIDENCES);
            prop_assert!(letter.body.chars().count() <= 3_000);
            for line in letter.body.split('\n') {
                let harmful = |char: char| char.is_control() || char == '\u{202e}';
                prop_assert!(!line.contains(harmful));
            }
        }
    }
}
