//! Why something is not done, as it is answered.

use cc_kit::exit::Exit;
use serde_json::{Value, json};

use crate::store::StoreError;

/// Something that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The exit code of whoever asked for it.
    pub exit: Exit,
    /// Why.
    pub error: String,
    /// What to do next.
    pub advice: Option<&'static str>,
}

impl Mistake {
    /// What makes no sense.
    #[must_use]
    pub fn usage(error: impl Into<String>, advice: &'static str) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
            advice: Some(advice),
        }
    }

    /// What only a running balancer knows, where there is none.
    #[must_use]
    pub fn no_daemon() -> Self {
        Self {
            exit: Exit::Unreachable,
            error: "no balancer runs".to_owned(),
            advice: Some("Start one with `cc-balancer serve`."),
        }
    }

    /// As it is answered.
    #[must_use]
    pub fn answer(&self) -> Value {
        let mut answer = json!({"v": 1, "error": self.error, "exit": self.exit.code()});
        if let (Some(advice), Some(answer)) = (self.advice, answer.as_object_mut()) {
            answer.insert("advice".to_owned(), advice.into());
        }
        answer
    }
}

impl From<StoreError> for Mistake {
    fn from(error: StoreError) -> Self {
        let (exit, advice) = match &error {
            StoreError::Unknown(_) => (
                Exit::Unknown,
                "See `cc-balancer status` for those that there are.",
            ),
            StoreError::Ambiguous(_) => (Exit::Unknown, "Say more of its id."),
            StoreError::Lost(_) => (Exit::NotAllowed, "Another attempt has it now."),
            StoreError::NotNow { state, .. } if state.is_over() => (
                Exit::Failed,
                "It is over: `cc-balancer retry` queues it again.",
            ),
            StoreError::NotNow { state, .. } if state.is_under_way() => (
                Exit::Failed,
                "A worker has it: `cc-balancer cancel` takes it away.",
            ),
            StoreError::NotNow { .. } => (Exit::Failed, "It waits: see `cc-balancer why`."),
            StoreError::Full => (Exit::Store, "Make some space, then try again."),
            StoreError::Broken(_) => (
                Exit::Store,
                "See to the directory of state, or name another one with --state.",
            ),
        };
        Self {
            exit,
            error: error.to_string(),
            advice: Some(advice),
        }
    }
}
