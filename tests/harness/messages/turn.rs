//! From a request to what is answered.

use std::time::Duration;

use serde_json::Value;

/// What the program puts beside a prompt stands between these.
const MARK: &str = "<system-reminder>";
const END: &str = "</system-reminder>";

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The prompt, where this is the first request for it.
    pub prompt: Option<String>,
    /// The answer.
    pub parts: Vec<Part>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, and how long it takes.
    Text(String, Duration),
    /// It is waited until it may go on.
    Wait,
    /// The agent's shell is used.
    Run(String),
}

/// What is answered to the body of a request for a message.
#[must_use]
pub fn said(body: &Value) -> Said {
    let none = Vec::new();
    let messages = body["messages"].as_array().unwrap_or(&none);
    let own = |message: &Value| own_text(&message["content"]).filter(|_| message["role"] == "user");
    let at = messages.iter().rposition(|message| own(message).is_some());
    let prompt = at.and_then(|at| own(messages.get(at)?)).unwrap_or_default();
    // Asks that are the program's own, such as for the name of a session, bring no tools.
    let is_own = body["tools"].as_array().is_none_or(Vec::is_empty);
    if is_own {
        let parts = vec![Part::Text(
            "{\"title\": \"A test\"}".to_owned(),
            Duration::ZERO,
        )];
        return Said {
            prompt: None,
            parts,
        };
    }
    let behind = messages.iter().skip(at.map_or(0, |at| at + 1));
    let runs = behind.filter(|message| has_result(&message["content"]));
    let runs = runs.count();
    let mut rounds = rounds(&prompt);
    let parts = match runs < rounds.len() {
        true => rounds.swap_remove(runs),
        false => vec![text("done", Duration::ZERO)],
    };
    Said {
        prompt: (runs == 0).then_some(prompt),
        parts,
    }
}

/// What somebody wrote in a message, last: prompts that were not answered may stand before it in the same
/// one. Without what the program puts beside it, in marks of its own.
fn own_text(content: &Value) -> Option<String> {
    let whole = content.as_str();
    let parts = content.as_array().into_iter().flatten();
    let parts = parts.filter(|part| part["type"] == "text");
    let parts = parts.filter_map(|part| part["text"].as_str());
    let mut texts = whole.into_iter().chain(parts).map(unmarked);
    texts.rfind(|text| !text.is_empty())
}

/// A text without what stands in the program's marks.
fn unmarked(text: &str) -> String {
    let mut left = text.to_owned();
    while let Some(from) = left.find(MARK) {
        let end = left[from..].find(END).map(|at| from + at + END.len());
        left.replace_range(from..end.unwrap_or(left.len()), "");
    }
    left.trim().to_owned()
}

fn has_result(content: &Value) -> bool {
    let mut parts = content.as_array().into_iter().flatten();
    parts.any(|part| part["type"] == "tool_result")
}

fn text(text: &str, over: Duration) -> Part {
    Part::Text(text.to_owned(), over)
}

/// What is answered, before and after each use of the shell.
fn rounds(prompt: &str) -> Vec<Vec<Part>> {
    let mut rounds = vec![Vec::new()];
    let mut said: Vec<String> = Vec::new();
    let mut any = false;
    let orders = prompt.lines().filter_map(|line| line.strip_prefix("do: "));
    for order in orders {
        any = true;
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        let Some(round) = rounds.last_mut() else {
            break;
        };
        match word {
            "say" => said.push(rest.to_owned()),
            "code" => said.push(format!("```\n{rest}\n```")),
            "list" => {
                let points = 1..=rest.trim().parse().unwrap_or(3);
                let points: Vec<String> = points.map(|at| format!("- point {at}")).collect();
                said.push(points.join("\n"));
            }
            "over" => {
                let over = rest.trim().trim_end_matches('s').parse().unwrap_or(1.0);
                flush(&mut said, Duration::from_secs_f64(over), round);
            }
            "wait" => {
                flush(&mut said, Duration::ZERO, round);
                round.push(Part::Wait);
            }
            "run" => {
                flush(&mut said, Duration::ZERO, round);
                round.push(Part::Run(rest.to_owned()));
                rounds.push(Vec::new());
            }
            other => said.push(format!("{other:?} is nothing that can be done")),
        }
    }
    if !any {
        said.push(format!(
            "heard: {}",
            prompt.lines().next().unwrap_or_default()
        ));
    }
    if let Some(round) = rounds.last_mut() {
        flush(&mut said, Duration::ZERO, round);
    }
    rounds
}

/// What was said becomes a part; it ends a paragraph where more may follow.
fn flush(said: &mut Vec<String>, over: Duration, into: &mut Vec<Part>) {
    if said.is_empty() {
        return;
    }
    let before = into.iter().any(|part| matches!(part, Part::Text(..)));
    let gap = if before { "\n\n" } else { "" };
    let all = std::mem::take(said).join("\n\n");
    into.push(text(&format!("{gap}{all}"), over));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prompt_says_what_is_answered() {
        let body = |messages: Value| json!({"tools": [{}], "messages": messages});
        let prompt = "do: say a\ndo: code b\ndo: over 2s\ndo: run x\ndo: say c";
        let reminder =
            json!({"type": "text", "text": "<system-reminder>\ndo: say z</system-reminder>\n"});
        let first =
            json!({"role": "user", "content": [reminder, {"type": "text", "text": prompt}]});
        let said_first = said(&body(json!([first])));
        let two = Duration::from_secs(2);
        let parts = vec![text("a\n\n```\nb\n```", two), Part::Run("x".to_owned())];
        assert_eq!(said_first.parts, parts);
        assert_eq!(said_first.prompt.as_deref(), Some(prompt));
        let result = json!({"role": "user", "content": [{"type": "tool_result", "content": "x"}]});
        let behind = said(&body(
            json!([first, {"role": "assistant", "content": []}, result]),
        ));
        assert_eq!(behind.parts, [text("c", Duration::ZERO)]);
        assert_eq!(behind.prompt, None);
        let plain = said(&body(json!([{"role": "user", "content": "hello\nyou"}])));
        assert_eq!(plain.parts, [text("heard: hello", Duration::ZERO)]);
    }
}
