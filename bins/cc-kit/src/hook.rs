//! What agents say of themselves through their hooks.
//!
//! An agent's hook setting calls a command with a JSON object on its standard input. Its shape is the
//! agent's own; what matters of it is read here, and the rest is left alone.
//!
//! | Agent | Events |
//! |---|---|
//! | Claude Code | `SessionStart`, `UserPromptSubmit`, `PreToolUse`, `PostToolUse`, `PermissionRequest`, `Notification`, `Stop`, `StopFailure`, `PreCompact`, `SessionEnd` |
//! | Gemini CLI | `SessionStart`, `BeforeAgent`, `BeforeTool`, `AfterTool`, `Notification`, `AfterAgent`, `SessionEnd` |
//! | Codex | `SessionStart`, `UserPromptSubmit`, `PreToolUse`, `PostToolUse`, `PermissionRequest`; `notify`: `agent-turn-complete` |
//!
//! **Source:** the agents' documentation of their hooks; Gemini CLI 0.61.0 measured.

use serde::{Deserialize, Serialize};

use crate::printable::printable;
use crate::profile::State;

/// The most bytes of a hook's input that are read: prompts and tool inputs are in it.
pub const LIMIT: usize = 1 << 20;

/// The longest name or detail that is kept, in characters.
const KEPT: usize = 200;

/// What a hook said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The event, as the agent calls it.
    pub event: String,
    /// The agent's session, by which it can be taken up again.
    pub session: Option<String>,
    /// What the program is doing from here on, where the event tells: state and more of it.
    pub claim: Option<(State, Option<String>)>,
    /// The prompt that was submitted, where that is the event.
    pub prompt: Option<String>,
    /// The tool, the message or the error that it is about.
    pub detail: Option<String>,
    /// The command that a tool is to run, where it is one and the event is before that; as it is.
    #[serde(default)]
    pub command: Option<String>,
}

/// Why something is no hook's input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It is longer than [`LIMIT`].
    #[error("hook input of {0} bytes is longer than {LIMIT}")]
    TooLong(usize),
    /// It is no JSON object.
    #[error("hook input is no JSON object")]
    Json(#[from] serde_json::Error),
    /// It names no event.
    #[error("hook input names no event: neither \"hook_event_name\" nor \"type\"")]
    NoEvent,
}

/// The members that are read, of whichever agent.
#[derive(Deserialize)]
struct Input {
    hook_event_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    session_id: Option<String>,
    #[serde(rename = "thread-id")]
    thread: Option<String>,
    prompt: Option<String>,
    tool_name: Option<String>,
    message: Option<String>,
    notification_type: Option<String>,
    error: Option<serde_json::Value>,
    tool_input: Option<serde_json::Value>,
}

impl Hook {
    /// Reads a hook's input.
    ///
    /// # Errors
    /// [`HookError`].
    pub fn parse(input: &[u8]) -> Result<Self, HookError> {
        if input.len() > LIMIT {
            return Err(HookError::TooLong(input.len()));
        }
        let input: Input = serde_json::from_slice(input)?;
        let event = input
            .hook_event_name
            .as_deref()
            .or(input.kind.as_deref())
            .ok_or(HookError::NoEvent)?;
        let claim = input.claim(event);
        let is_before = matches!(event, "PreToolUse" | "PermissionRequest" | "BeforeTool");
        let command = input.tool_input.as_ref();
        let command = command.and_then(|input| input.get("command")?.as_str());
        let command = command.filter(|_| is_before).map(str::to_owned);
        let is_prompt = matches!(event, "UserPromptSubmit" | "BeforeAgent");
        let error = input.error_word();
        let detail = input.tool_name.or(error).or(input.message);
        Ok(Self {
            event: kept(event),
            session: input.session_id.or(input.thread).map(|id| kept(&id)),
            claim: claim.map(|(state, sub)| (state, sub.map(str::to_owned))),
            prompt: input.prompt.filter(|_| is_prompt),
            detail: detail.as_deref().map(kept),
            command,
        })
    }
}

impl Input {
    fn claim(&self, event: &str) -> Option<(State, Option<&'static str>)> {
        Some(match event {
            "SessionStart" | "Stop" | "AfterAgent" | "agent-turn-complete" => (State::Idle, None),
            "UserPromptSubmit" | "PostToolUse" | "BeforeAgent" | "AfterTool" => {
                (State::Busy, Some("thinking"))
            }
            "PreToolUse" | "BeforeTool" => (State::Busy, Some("tool")),
            "PreCompact" => (State::Busy, Some("compacting")),
            "PermissionRequest" => (State::Blocked, Some("permission")),
            "Notification" => match self.notification_type.as_deref()? {
                "permission_prompt" | "ToolPermission" => (State::Blocked, Some("permission")),
                "elicitation_dialog" => (State::Blocked, Some("mcp")),
                "idle_prompt" => (State::Idle, None),
                _ => return None,
            },
            "StopFailure" => match self.error_word().as_deref() {
                Some("rate_limit") => (State::Limited, Some("usage")),
                Some("overloaded") => (State::Limited, Some("overloaded")),
                Some("billing_error") => (State::Limited, Some("billing")),
                Some("authentication_failed") => (State::Errored, Some("auth")),
                Some("server_error") => (State::Errored, Some("server")),
                Some("model_not_found") => (State::Errored, Some("model-unavailable")),
                _ => (State::Errored, Some("other")),
            },
            // Some events say nothing of what comes next.
            _ => return None,
        })
    }

    /// The error's word: a string, or an object's `type`.
    fn error_word(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        let word = error.as_str().or_else(|| error.get("type")?.as_str())?;
        Some(word.to_owned())
    }
}

fn kept(text: &str) -> String {
    let shown = printable(text.as_bytes()).to_string();
    shown.chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(json: &str) -> (String, Option<(State, Option<String>)>) {
        let hook = Hook::parse(json.as_bytes()).unwrap();
        (hook.event, hook.claim)
    }

    #[test]
    fn an_event_says_what_comes_next() {
        for (json, state, sub) in [
            (
                r#"{"hook_event_name":"Stop","session_id":"s"}"#,
                State::Idle,
                None,
            ),
            (
                r#"{"hook_event_name":"UserPromptSubmit","prompt":"hi"}"#,
                State::Busy,
                Some("thinking"),
            ),
            (
                r#"{"hook_event_name":"PreToolUse","tool_name":"Bash"}"#,
                State::Busy,
                Some("tool"),
            ),
            (
                r#"{"hook_event_name":"Notification","notification_type":"ToolPermission"}"#,
                State::Blocked,
                Some("permission"),
            ),
            (
                r#"{"hook_event_name":"StopFailure","error":"rate_limit"}"#,
                State::Limited,
                Some("usage"),
            ),
            (
                r#"{"hook_event_name":"StopFailure","error":{"type":"authentication_failed"}}"#,
                State::Errored,
                Some("auth"),
            ),
            (
                r#"{"type":"agent-turn-complete","thread-id":"t"}"#,
                State::Idle,
                None,
            ),
        ] {
            let (_, said) = claim(json);
            assert_eq!(said, Some((state, sub.map(str::to_owned))), "{json}");
        }
    }

    #[test]
    fn what_an_event_does_not_tell_is_not_guessed() {
        for json in [
            r#"{"hook_event_name":"SessionEnd"}"#,
            r#"{"hook_event_name":"Notification","message":"Do you want to proceed?"}"#,
            r#"{"hook_event_name":"SomethingNew"}"#,
        ] {
            assert_eq!(claim(json).1, None, "{json}");
        }
    }

    #[test]
    fn a_prompt_is_kept_whole_and_names_are_made_harmless() {
        let long = "x".repeat(5000);
        let json = serde_json::json!({
            "hook_event_name": "UserPromptSubmit", "prompt": long, "session_id": "a\u{1b}[2Jb",
            "tool_name": "y".repeat(500),
        });
        let hook = Hook::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!(hook.prompt, Some(long));
        assert!(!hook.session.unwrap().contains('\u{1b}'));
        assert_eq!(hook.detail.unwrap().chars().count(), KEPT);
    }

    #[test]
    fn what_is_no_hook_is_refused() {
        assert!(matches!(Hook::parse(b"{}"), Err(HookError::NoEvent)));
        assert!(matches!(Hook::parse(b"[1]"), Err(HookError::Json(_))));
        let long = vec![b' '; LIMIT + 1];
        assert!(matches!(Hook::parse(&long), Err(HookError::TooLong(_))));
    }
}
