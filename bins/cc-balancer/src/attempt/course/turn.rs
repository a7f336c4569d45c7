//! What it says of a turn that its worker is believed to be in some state.

use std::time::Duration;

use cc_kit::profile::State;

use super::SHORT;
use super::word::{Belief, Manner};

/// How a turn stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// It goes on, as far as is known.
    GoesOn,
    /// It is over.
    Over,
    /// It is over, and the agent says what went wrong: in words.
    Failed(String),
    /// It goes nowhere by itself: what stops it.
    Blocked(String),
    /// Nothing more is done on this account: why, and how that is called for its task.
    Refused(String, String),
}

/// How the turn stands that began `since`, and in which the worker was or was not seen to `work`.
pub(super) fn turn(belief: &Belief, manner: Manner, since: Duration, worked: bool) -> Turn {
    // What it shows may be what it showed before the prompt was in.
    let is_fresh = worked || belief.seen >= since + SHORT;
    match belief.state {
        // Its command says itself when that is over.
        State::Idle if manner.commands => Turn::GoesOn,
        State::Idle if is_fresh => Turn::Over,
        State::Limited | State::Errored if !is_fresh && belief.began <= since => Turn::GoesOn,
        State::Blocked => Turn::Blocked(belief.sub.as_deref().unwrap_or("asks").to_owned()),
        State::Limited if manner.guarded => Turn::Blocked("limited".to_owned()),
        State::Limited => {
            let sub = belief.sub.as_deref().unwrap_or("limited");
            Turn::Refused(sub.to_owned(), format!("limited: {sub}"))
        }
        State::Errored => match belief.sub.as_deref().unwrap_or("error") {
            sub @ ("auth" | "billing") if manner.guarded => Turn::Blocked(sub.to_owned()),
            sub @ ("auth" | "billing") => Turn::Refused(sub.to_owned(), sub.to_owned()),
            sub => Turn::Failed(format!("the agent says: {sub}")),
        },
        State::Hung | State::Held => Turn::Blocked(belief.state.name().to_owned()),
        _ => Turn::GoesOn,
    }
}
