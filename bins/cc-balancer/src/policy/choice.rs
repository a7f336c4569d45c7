//! Which of the free workers gets a task.
//!
//! Only who may have it: with all the labels that it needs, meant by its `to`, of its kind and group,
//! on an account with room. Of these the one that did the last of its affinity, then the one whose
//! last attempts failed least, then the one that has been idle longest.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::room::{self, NoRoom};
use crate::store::{Account, Offer};
use crate::task::{Kind, Labels, Spec};

/// What a task asks of its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// What its worker must have.
    pub needs: &'a Labels,
    /// Who alone may have it.
    pub to: Option<&'a str>,
    /// What it is.
    pub kind: Kind,
    /// Its group.
    pub group: &'a str,
    /// Its affinity.
    pub affinity: Option<&'a str>,
}

impl<'a> From<&'a Spec> for Wanted<'a> {
    fn from(spec: &'a Spec) -> Self {
        Self {
            needs: &spec.needs,
            to: spec.to.as_deref(),
            kind: spec.kind,
            group: &spec.group,
            affinity: spec.affinity.as_deref(),
        }
    }
}

/// Why a worker gets a task, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It gets it.
    Chosen(Edge),
    /// It has not the label that is needed, or another value of it.
    Lacks {
        /// Which label.
        label: String,
        /// What is needed.
        needed: String,
        /// What it has.
        has: Option<String>,
    },
    /// It is for somebody else.
    IsFor(String),
    /// It does not take such.
    Kind(Kind),
    /// It does not serve the group.
    Group(String),
    /// Its account has no room.
    NoRoom(NoRoom),
    /// Another did the last of that affinity.
    Affinity(String),
    /// More of its last attempts failed than of another's.
    Failures(u32, u32),
    /// It has not been idle for as long as another.
    Idle(Duration, Duration),
    /// Another that is just as good comes first.
    Same,
}

/// By what the chosen one comes before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// No other may have it.
    Only,
    /// It did the last of that affinity.
    Affinity,
    /// Its last attempts failed least.
    Failures,
    /// It has been idle longest, or others just as long.
    Idle,
}

impl Why {
    /// Is it a worker that may have the task, now or once there is time and room?
    #[must_use]
    pub const fn is_able(&self) -> bool {
        !matches!(
            self,
            Self::Lacks { .. } | Self::IsFor(_) | Self::Kind(_) | Self::Group(_)
        )
    }

    /// Is nothing begun on its account for a while?
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        matches!(self, Self::NoRoom(NoRoom::Limited(..)))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds =
            |time: &Duration| humantime::format_duration(Duration::from_secs(time.as_secs()));
        match self {
            Self::Chosen(Edge::Only) => f.write_str("gets it: no other may have it"),
            Self::Chosen(Edge::Affinity) => {
                f.write_str("gets it: it did the last of that affinity")
            }
            Self::Chosen(Edge::Failures) => f.write_str("gets it: its last attempts failed least"),
            Self::Chosen(Edge::Idle) => f.write_str("gets it: it has been idle longest"),
            Self::Lacks {
                label,
                needed,
                has: Some(has),
            } => write!(f, "{label}={needed} is needed, it has {label}={has}"),
            Self::Lacks { label, needed, .. } => {
                write!(f, "{label}={needed} is needed, it has no {label}")
            }
            Self::IsFor(to) => write!(f, "it is for {to} alone"),
            Self::Kind(Kind::Task) => f.write_str("it takes no tasks"),
            Self::Kind(Kind::Message) => f.write_str("it takes no messages"),
            Self::Group(group) => write!(f, "it does not serve the group {group}"),
            Self::NoRoom(why) => why.fmt(f),
            Self::Affinity(affinity) => write!(f, "another did the last of {affinity}"),
            Self::Failures(own, other) => {
                write!(f, "{own} of its last attempts failed, of another's {other}")
            }
            Self::Idle(own, other) => write!(
                f,
                "it has been idle for {}, another for {}",
                seconds(own),
                seconds(other)
            ),
            Self::Same => f.write_str("another is just as good and comes first"),
        }
    }
}

/// May that worker have the task?
///
/// # Errors
/// Why not.
pub fn fits(wanted: &Wanted<'_>, offer: &Offer) -> Result<(), Why> {
    if let Some(to) = wanted.to
        && !offer.names.iter().any(|name| name == to)
    {
        return Err(Why::IsFor(to.to_owned()));
    }
    if !offer.kinds.contains(&wanted.kind) {
        return Err(Why::Kind(wanted.kind));
    }
    if !offer.groups.is_empty() && !offer.groups.iter().any(|group| group == wanted.group) {
        return Err(Why::Group(wanted.group.to_owned()));
    }
    let missing = |(label, needed): &(&String, &String)| offer.labels.get(*label) != Some(*needed);
    match wanted.needs.iter().find(missing) {
        None => Ok(()),
        Some((label, needed)) => Err(Why::Lacks {
            label: label.clone(),
            needed: needed.clone(),
            has: offer.labels.get(label).cloned(),
        }),
    }
}

/// What decides among those that may have it: the least gets it.
type Rank = (bool, u32, Reverse<Duration>);

fn rank(wanted: &Wanted<'_>, offer: &Offer) -> Rank {
    let is_other = wanted.affinity.is_some() && offer.affinity.as_deref() != wanted.affinity;
    (is_other, offer.failures, Reverse(offer.idle))
}

fn may(
    wanted: &Wanted<'_>,
    offer: &Offer,
    accounts: &BTreeMap<String, Account>,
    now: Timestamp,
) -> Result<(), Why> {
    fits(wanted, offer)?;
    let account = offer.worker.account.as_ref();
    let account = account.and_then(|name| accounts.get(name));
    account.map_or(Ok(()), |account| {
        room::account(account, now).map_err(Why::NoRoom)
    })
}

/// Which of the offers gets the task.
#[must_use]
pub fn choose(
    wanted: &Wanted<'_>,
    offers: &[Offer],
    accounts: &BTreeMap<String, Account>,
    now: Timestamp,
) -> Option<usize> {
    let able = offers.iter().enumerate();
    let able = able.filter(|(_, offer)| may(wanted, offer, accounts, now).is_ok());
    let first = able.min_by_key(|(_, offer)| rank(wanted, offer));
    first.map(|(at, _)| at)
}

/// For each of the offers, why it gets the task or does not.
#[must_use]
pub fn judge(
    wanted: &Wanted<'_>,
    offers: &[Offer],
    accounts: &BTreeMap<String, Account>,
    now: Timestamp,
) -> Vec<Why> {
    let chosen = choose(wanted, offers, accounts, now);
    let best = chosen.and_then(|at| offers.get(at));
    let others = offers.iter().enumerate();
    let others = others
        .filter(|(at, offer)| Some(*at) != chosen && may(wanted, offer, accounts, now).is_ok());
    let second = others.map(|(_, offer)| rank(wanted, offer)).min();
    let why = |(at, offer): (usize, &Offer)| {
        if let Err(why) = may(wanted, offer, accounts, now) {
            return why;
        }
        let own = rank(wanted, offer);
        // Whoever may have it is chosen, or another is.
        let best = best.map_or(own, |best| rank(wanted, best));
        if Some(at) == chosen {
            return Why::Chosen(match second {
                None => Edge::Only,
                Some(second) if own.0 != second.0 => Edge::Affinity,
                Some(second) if own.1 != second.1 => Edge::Failures,
                Some(_) => Edge::Idle,
            });
        }
        if own.0 != best.0 {
            return Why::Affinity(wanted.affinity.unwrap_or_default().to_owned());
        }
        if own.1 != best.1 {
            return Why::Failures(own.1, best.1);
        }
        match own.2 == best.2 {
            true => Why::Same,
            false => Why::Idle(own.2.0, best.2.0),
        }
    };
    offers.iter().enumerate().map(why).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Worker;

    fn labels(text: &str) -> Labels {
        let pairs = text
            .split_terminator(' ')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn offer(pane: &str, has: &str) -> Offer {
        Offer {
            worker: Worker {
                unit: Some("coder".to_owned()),
                socket: "/tmp/s".to_owned(),
                server: "1.1".to_owned(),
                pane: pane.to_owned(),
                account: None,
            },
            labels: labels(has),
            names: vec!["coder".to_owned(), pane.to_owned()],
            kinds: vec![Kind::Task, Kind::Message],
            groups: Vec::new(),
            affinity: None,
            failures: 0,
            idle: Duration::from_secs(5),
        }
    }

    fn wanted(needs: &Labels) -> Wanted<'_> {
        Wanted {
            needs,
            to: None,
            kind: Kind::Task,
            group: "ci",
            affinity: None,
        }
    }

    fn judged(wanted: &Wanted<'_>, offers: &[Offer]) -> Vec<String> {
        let (accounts, now) = (BTreeMap::new(), Timestamp::UNIX_EPOCH);
        let why = judge(wanted, offers, &accounts, now);
        let chosen = why.iter().position(|why| matches!(why, Why::Chosen(_)));
        assert_eq!(chosen, choose(wanted, offers, &accounts, now));
        why.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_who_has_what_is_needed_may_have_it() {
        let needs = labels("repo=app role=ci");
        let offers =
            ["role=ci", "role=dev repo=app", "repo=app role=ci x=y"].map(|has| offer("%1", has));
        assert_eq!(
            judged(&wanted(&needs), &offers),
            [
                "repo=app is needed, it has no repo",
                "role=ci is needed, it has role=dev",
                "gets it: no other may have it",
            ]
        );
    }

    #[test]
    fn only_who_is_meant_serves_the_group_and_takes_the_kind_may_have_it() {
        let none = Labels::new();
        let to = Wanted {
            to: Some("%2"),
            ..wanted(&none)
        };
        let mut offers = [
            offer("%1", ""),
            offer("%2", ""),
            offer("%2", ""),
            offer("%2", ""),
        ];
        offers[1].kinds = vec![Kind::Message];
        offers[2].groups = vec!["other".to_owned()];
        offers[3].groups = vec!["other".to_owned(), "ci".to_owned()];
        assert_eq!(
            judged(&to, &offers),
            [
                "it is for %2 alone",
                "it takes no tasks",
                "it does not serve the group ci",
                "gets it: no other may have it",
            ]
        );
    }

    #[test]
    fn affinity_then_failures_then_the_longest_idle_decide() {
        let none = Labels::new();
        let wanted = Wanted {
            affinity: Some("app"),
            ..wanted(&none)
        };
        let mut offers = [1, 2, 3, 4].map(|n| offer(&format!("%{n}"), ""));
        offers[0].affinity = Some("app".to_owned());
        offers[0].failures = 3;
        assert_eq!(
            judged(&wanted, &offers[..2]),
            [
                "gets it: it did the last of that affinity",
                "another did the last of app",
            ]
        );
        offers[0].affinity = Some("other".to_owned());
        offers[2].idle = Duration::from_secs(7);
        assert_eq!(
            judged(&wanted, &offers),
            [
                "3 of its last attempts failed, of another's 0",
                "it has been idle for 5s, another for 7s",
                "gets it: it has been idle longest",
                "it has been idle for 5s, another for 7s",
            ]
        );
        assert_eq!(
            judged(&wanted, &offers[..2])[1],
            "gets it: its last attempts failed least"
        );
        assert_eq!(
            judged(&wanted, &[offers[1].clone(), offers[3].clone()]),
            [
                "gets it: it has been idle longest",
                "another is just as good and comes first",
            ]
        );
    }

    #[test]
    fn nobody_is_given_more_than_its_account_has_room_for() {
        let none = Labels::new();
        let now = Timestamp::UNIX_EPOCH;
        let mut offers = [offer("%1", ""), offer("%2", ""), offer("%3", "")];
        offers[0].worker.account = Some("full".to_owned());
        offers[1].worker.account = Some("limited".to_owned());
        offers[2].worker.account = Some("unheard of".to_owned());
        let account = |name: &str, parallel, limited_until| Account {
            name: name.to_owned(),
            parallel,
            limited_until,
            why: None,
            under_way: 1,
        };
        let later = Timestamp::from_second(60).unwrap();
        let accounts = [
            account("full", Some(1), None),
            account("limited", None, Some(later)),
        ];
        let accounts = accounts.map(|account| (account.name.clone(), account));
        let why = judge(&wanted(&none), &offers, &BTreeMap::from(accounts), now);
        assert_eq!(
            why.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "1 are under way on the account full, and no more may be",
                "the account limited is limited until 1970-01-01T00:01:00Z",
                "gets it: no other may have it",
            ]
        );
    }
}
