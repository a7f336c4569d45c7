//! Alerts as they are declared: on what, to where, how often.

use std::fmt;
use std::time::Duration;

use cc_kit::config::Span;
use jiff::civil::Time;

use super::reading::{Text, choices, text_values};

/// A way to tell someone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Its name.
    pub name: String,
    /// By what means.
    pub way: Way,
    /// On what; may be empty when units name it in `on_failure`.
    pub events: Vec<Event>,
    /// The same of the same unit is not said again for this long.
    pub dedupe: Duration,
    /// How many are sent at most.
    pub rate: Option<Rate>,
    /// When nothing is sent, by the clock of this machine.
    pub quiet: Option<Quiet>,
}

/// The means of an alert.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    /// A program is started, without a shell.
    Exec {
        /// The program and its arguments, never empty.
        command: Vec<String>,
    },
    /// Something is posted.
    Webhook {
        /// To where.
        to: WebhookUrl,
    },
    /// A notification on the desktop.
    Desktop,
}

/// Where a webhook is.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookUrl {
    /// There.
    Url(String),
    /// In a variable of the guardian's environment.
    Env(String),
}

impl fmt::Debug for Way {
    /// A URL is not shown: whoever knows it can post.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec { command } => f.debug_struct("Exec").field("command", command).finish(),
            Self::Webhook { to } => f.debug_struct("Webhook").field("to", to).finish(),
            Self::Desktop => f.write_str("Desktop"),
        }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(..)"),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
        }
    }
}

/// Something that happens to a unit, and how long it has to last to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Zero: at once.
    pub after: Duration,
}

choices! {
    /// The means of an alert.
    AlertType {
        /// A program.
        Exec = "exec",
        /// An HTTP POST.
        Webhook = "webhook",
        /// A notification on the desktop.
        Desktop = "desktop",
    }

    /// What can be told.
    EventKind {
        /// It waits for a human.
        Blocked = "blocked",
        /// It is not started again.
        Held = "held",
        /// Its account has no more to give.
        Limited = "limited",
        /// It cannot go on: not logged in, no such model, context full.
        Errored = "errored",
        /// Its process is gone.
        Dead = "dead",
        /// It is busy and does not get on.
        Hung = "hung",
        /// It had too much memory.
        Oom = "oom",
        /// Its log has a gap.
        LogGap = "log-gap",
    }
}

impl EventKind {
    /// Does it last? What is over at once cannot have lasted for a while.
    #[must_use]
    pub const fn lasts(self) -> bool {
        !matches!(self, Self::Oom | Self::LogGap)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        if !self.after.is_zero() {
            write!(f, ">{}", humantime::format_duration(self.after))?;
        }
        Ok(())
    }
}

impl Text for Event {
    const RIGHT: &'static str = "\"blocked\", \"held\", \"limited\", \"errored\", \"dead\", \
         \"hung\", \"oom\" or \"log-gap\"; all but the last two may have to last: \"blocked>2m\"";

    fn parse(text: &str) -> Result<Self, String> {
        let (word, span) = match text.split_once('>') {
            Some((word, span)) => (word.trim(), Some(span.trim())),
            None => (text, None),
        };
        let kind = EventKind::ALL.iter().find(|kind| kind.word() == word);
        let Some(&kind) = kind else {
            return Err(format!("{word:?} is nothing that can be told"));
        };
        let after = match span {
            None => Duration::ZERO,
            Some(_) if !kind.lasts() => {
                return Err(format!("{word:?} is over at once and cannot last"));
            }
            Some(span) => match span.parse() {
                Ok(Span(span)) => span,
                Err(_) => return Err(format!("{span:?} is no span of time")),
            },
        };
        Ok(Self { kind, after })
    }
}

/// So many within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub count: u32,
    /// A second, minute, hour or day.
    pub per: Duration,
}

impl Text for Rate {
    const RIGHT: &'static str = "a number for each s, m, h or d, such as \"10/h\"";

    fn parse(text: &str) -> Result<Self, String> {
        let rate = || {
            let (count, per) = text.split_once('/')?;
            let per = match per.trim() {
                "s" => Duration::from_secs(1),
                "m" => Duration::from_mins(1),
                "h" => Duration::from_hours(1),
                "d" => Duration::from_hours(24),
                _ => return None,
            };
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            Some(Self { count, per })
        };
        rate().ok_or_else(|| format!("{text:?} is no rate"))
    }
}

/// A time of each day, over midnight when it begins later than it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// From then.
    pub from: Time,
    /// Until then; not the same as `from`.
    pub to: Time,
}

impl Quiet {
    /// Is it quiet at this time of the day?
    #[must_use]
    pub fn contains(self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl Text for Quiet {
    const RIGHT: &'static str = "two different times of the day such as \"22:00-07:00\"";

    fn parse(text: &str) -> Result<Self, String> {
        let quiet = || {
            let (from, to) = text.split_once('-')?;
            let (from, to) = (time(from)?, time(to)?);
            (from != to).then_some(Self { from, to })
        };
        quiet().ok_or_else(|| format!("{text:?} are no quiet hours"))
    }
}

/// `HH:MM`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two_digits = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok()
}

text_values!(Event, Rate, Quiet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_may_have_to_last() {
        for (text, kind, seconds) in [
            ("blocked>2m", EventKind::Blocked, 120),
            ("blocked > 90s", EventKind::Blocked, 90),
            ("held", EventKind::Held, 0),
            ("log-gap", EventKind::LogGap, 0),
        ] {
            let after = Duration::from_secs(seconds);
            assert_eq!(Event::parse(text), Ok(Event { kind, after }), "{text}");
        }
        assert_eq!(
            Event::parse("blocked>2m").unwrap().to_string(),
            "blocked>2m"
        );
    }

    #[test]
    fn what_cannot_last_or_is_not_known_is_refused() {
        for text in [
            "oom>2m",
            "log-gap>1s",
            "blockd",
            "blocked>",
            "blocked>soon",
            "",
        ] {
            assert!(Event::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_kind_is_among_those_that_are_said_to_be_right() {
        for kind in EventKind::ALL {
            assert!(Event::RIGHT.contains(&format!("{:?}", kind.word())));
        }
    }

    #[test]
    fn a_rate_is_a_number_for_each_span() {
        let hour = Duration::from_hours(1);
        assert_eq!(
            Rate::parse("10/h"),
            Ok(Rate {
                count: 10,
                per: hour
            })
        );
        for text in ["10", "0/h", "10/w", "-1/h", "/h", "10/"] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let night = Quiet::parse("22:00-07:00").unwrap();
        let noon = Quiet::parse("12:00-13:30").unwrap();
        let at = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
        for (time, in_night, in_noon) in [
            (at(21, 59), false, false),
            (at(22, 0), true, false),
            (at(0, 0), true, false),
            (at(6, 59), true, false),
            (at(7, 0), false, false),
            (at(12, 0), false, true),
            (at(13, 29), false, true),
            (at(13, 30), false, false),
        ] {
            assert_eq!(night.contains(time), in_night, "{time}");
            assert_eq!(noon.contains(time), in_noon, "{time}");
        }
    }

    #[test]
    fn what_are_no_quiet_hours_is_refused() {
        for text in [
            "22-07",
            "22:00",
            "24:00-07:00",
            "22:60-07:00",
            "7:00-8:00",
            "07:00-07:00",
        ] {
            assert!(Quiet::parse(text).is_err(), "{text}");
        }
    }
}
