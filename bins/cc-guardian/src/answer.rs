//! `answer`: what a unit asks is answered; and what `why` says of it.

use cc_kit::ask::{members, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use serde_json::{Value, json};

use crate::ask;
use crate::cli;
use crate::request::Request;

/// Answers.
pub(crate) fn answer(given: &cli::Answer) -> Result<Exit, Failure> {
    let request = Request::Answer {
        unit: given.unit.clone(),
        choice: given.choice.clone(),
        hash: given.dialog.clone(),
    };
    let told = ask::ask(&ask::places(&given.state)?, &request, ask::PATIENCE)?;
    let came = told.get("answer").cloned().unwrap_or_default();
    if given.json {
        let told = json!({"v": 1, "unit": given.unit, "answer": came});
        print(&format!("{told}\n"))?;
    } else {
        print(&format!("{}\n", words(&came)))?;
    }
    Ok(exit(&came))
}

/// With which code it ends.
fn exit(came: &Value) -> Exit {
    let why = came.pointer("/reason/why").and_then(Value::as_str);
    match (came.get("outcome").and_then(Value::as_str), why) {
        (Some("answered"), _) => Exit::Success,
        (Some("uncertain"), _) => Exit::DeliveryUncertain,
        (_, Some("no-dialog" | "dead" | "gone" | "refused")) => Exit::Failed,
        _ => Exit::Blocked,
    }
}

/// What came of it, for people.
pub(crate) fn words(came: &Value) -> String {
    let why = came.get("reason").map(|reason| {
        let why = word(reason, "why").unwrap_or_default();
        match why.as_str() {
            "no-dialog" => "it asks nothing now".to_owned(),
            "other-dialog" => "it asks something else now: see `cc-guardian why`".to_owned(),
            "still-asks" => "the dialog still stands there: attach to answer it".to_owned(),
            "human-typing" => "somebody is typing there".to_owned(),
            "in-mode" => "the pane is in a mode, such as copy mode".to_owned(),
            _ => match word(reason, "detail") {
                Some(detail) => format!("{why} ({detail})"),
                None => why,
            },
        }
    });
    let choice = came.get("choice").and_then(|choice| word(choice, "text"));
    let choice = choice.map_or_else(String::new, |choice| format!(" {choice:?}"));
    let outcome = word(came, "outcome").unwrap_or_default();
    match why {
        Some(why) => format!("{outcome}{choice}: {why}"),
        None => format!("{outcome}{choice}"),
    }
}

/// What a unit waits for, as `why` has it, line by line: an answer, the end of a limit.
pub(crate) fn waits(unit: &Value) -> Vec<String> {
    let is_there = |name| unit.get(name).filter(|value| !value.is_null());
    let mut lines = Vec::new();
    if let Some(question) = is_there("question") {
        let text = word(question, "text").unwrap_or_default();
        lines.push(format!("  it asks: {text}"));
        lines.extend(members(question, "choices").map(|choice| {
            let key = word(choice, "key").unwrap_or_else(|| "-".to_owned());
            let says = word(choice, "says");
            let says = says.map_or_else(String::new, |says| format!(" ({says})"));
            let text = word(choice, "text").unwrap_or_default();
            format!("    {key}{says}: {text}")
        }));
    }
    if let Some(limit) = is_there("limit") {
        let with = word(limit, "with").unwrap_or_default();
        let alone = with.starts_with("unit:");
        let with = match alone {
            true => "what failed may pass".to_owned(),
            false => format!("it waits with {with} for the end of a limit"),
        };
        let reset = word(limit, "reset");
        let reset = reset.map_or_else(String::new, |reset| format!(", which ends at {reset}"));
        let then = match (word(limit, "first"), word(limit, "next")) {
            (None, None) => String::new(),
            (None, Some(next)) if alone => format!("; it is told to go on at {next}"),
            (None, Some(next)) => format!("; the first is told to go on at {next}"),
            (Some(first), _) => format!("; {first} was told to go on, and is watched"),
        };
        lines.push(format!("  {with}{reset}{then}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_code_and_its_words() {
        for (came, code, said) in [
            (
                json!({"outcome": "answered", "choice": {"key": "1", "text": "Yes"}}),
                0,
                "answered \"Yes\"",
            ),
            (
                json!({"outcome": "held", "reason": {"why": "no-dialog"}}),
                1,
                "held: it asks nothing now",
            ),
            (
                json!({"outcome": "held", "reason": {"why": "other-dialog"}}),
                3,
                "held: it asks something else now: see `cc-guardian why`",
            ),
            (
                json!({"outcome": "held", "reason": {"why": "leased", "detail": "cc-balancer"}}),
                3,
                "held: leased (cc-balancer)",
            ),
            (
                json!({"outcome": "uncertain", "reason": {"why": "gone", "detail": "x"}}),
                8,
                "uncertain: gone (x)",
            ),
        ] {
            assert_eq!((exit(&came).code(), words(&came).as_str()), (code, said));
        }
    }

    #[test]
    fn what_it_waits_for_is_said() {
        let asks = json!({"question": {"text": "Run it?", "choices": [
            {"key": "1", "text": "Yes", "says": "yes"}, {"key": "", "text": "Later"},
        ]}});
        let said = ["  it asks: Run it?", "    1 (yes): Yes", "    -: Later"];
        assert_eq!(waits(&asks), said);
        let limited = json!({"limit": {"with": "team", "reset": "R", "next": "N", "first": null}});
        let said = "  it waits with team for the end of a limit, which ends at R; the first is told to go on at N";
        assert_eq!(waits(&limited), [said]);
        let nothing = waits(&json!({"limit": null, "question": null}));
        assert_eq!(nothing, [""; 0]);
    }
}
