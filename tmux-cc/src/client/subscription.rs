//! Values that are watched: typed, and whole whatever they hold.

mod asked;
mod shape;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub(super) use asked::Asked;
use shape::Shape;

use super::identity::Identity;
use crate::wire::{PaneId, SessionId, WindowId};

/// A format that tmux expands once a second; it is told when its value changes.
///
/// The server is asked for all values of all sessions at once. It has subscriptions of its own
/// (tmux.1, `refresh-client -B`), but those are one client's for its session: each client wakes the
/// server once a second, and each time that looks after all that it has, so fifty sessions are four
/// times the work for it. Up to 3.6 they can crash it, too: see
/// [`Quirk::SubscriptionCrash`](crate::protocol::Quirk::SubscriptionCrash).
///
/// A format is the program's own text: put no name or title into one, it would be expanded; and no
/// job (`#(...)`), it would be run again and again.
///
/// ```
/// use tmux_cc::client::Subscription;
///
/// let titles = Subscription::panes("#{pane_title}");
/// let dead = Subscription::panes("#{pane_dead} #{pane_dead_status}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subscription {
    what: What,
    format: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Sessions,
    Windows,
    Window(WindowId),
    Panes,
    Pane(PaneId),
}

impl Subscription {
    fn new(what: What, format: impl Into<Vec<u8>>) -> Self {
        let format = format.into();
        Self { what, format }
    }

    /// Of each session.
    #[must_use]
    pub fn sessions(format: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Sessions, format)
    }

    /// Of each window, once for each place that it is linked to.
    #[must_use]
    pub fn windows(format: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Windows, format)
    }

    /// Of one window, once for each place that it is linked to.
    #[must_use]
    pub fn window(window: WindowId, format: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Window(window), format)
    }

    /// Of each pane, also of one that is dead, once for each place that its window is linked to.
    #[must_use]
    pub fn panes(format: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Panes, format)
    }

    /// Of one pane, also when it is dead, once for each place that its window is linked to.
    #[must_use]
    pub fn pane(pane: PaneId, format: impl Into<Vec<u8>>) -> Self {
        Self::new(What::Pane(pane), format)
    }
}

/// A value that has changed, or is told for the first time.
///
/// Example: [`Subscribed`](super::Subscribed).
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reported {
    /// The server.
    pub server: Arc<Identity>,
    /// The session in which it was expanded.
    pub session: SessionId,
    /// The window, unless the subscription is for sessions.
    pub window: Option<WindowId>,
    /// Where the window stands in the session.
    pub index: Option<u32>,
    /// The pane, where the subscription is for panes.
    pub pane: Option<PaneId>,
    /// The value: all of it, newlines too.
    pub value: Vec<u8>,
}

impl fmt::Debug for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reported")
            .field("session", &self.session)
            .field("window", &self.window)
            .field("index", &self.index)
            .field("pane", &self.pane)
            .field("value", &format_args!("\"{}\"", self.value.escape_ascii()))
            .finish_non_exhaustive()
    }
}

/// What a value is of.
type Subject = (SessionId, Option<WindowId>, Option<u32>, Option<PaneId>);

/// A subscription and what has been reported for it: of each subject the latest value, so that who
/// is slow skips values but misses no last one, and nothing grows.
#[derive(Debug)]
pub(super) struct Watch {
    subscription: Subscription,
    shape: Shape,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    server: Option<Arc<Identity>>,
    values: HashMap<Subject, Vec<u8>>,
    /// Subjects whose value is to be told, in the order in which they changed.
    changed: VecDeque<Subject>,
    /// The same, to be found quickly.
    to_tell: HashSet<Subject>,
    waker: Option<Waker>,
    finished: bool,
}

impl Watch {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self {
            shape: Shape::of(&subscription.format),
            subscription,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below leaves the state half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the value of a subject, escaped as [`Asked`] has it.
    fn report_escaped(&self, server: &Arc<Identity>, subject: Subject, value: &[u8]) {
        self.report(server, subject, &unescape(value));
    }

    /// Takes the value of a subject.
    fn report(&self, server: &Arc<Identity>, subject: Subject, value: &[u8]) {
        let (_, window, _, pane) = subject;
        let is_wanted = match self.subscription.what {
            What::Pane(only) => pane == Some(only),
            What::Window(only) => window == Some(only),
            What::Sessions | What::Windows | What::Panes => true,
        };
        if !is_wanted {
            return;
        }
        let mut state = self.lock();
        if state.server.as_ref() != Some(server) {
            // Ids are those of one life.
            let waker = state.waker.take();
            *state = State {
                server: Some(Arc::clone(server)),
                waker,
                finished: state.finished,
                ..State::default()
            };
        }
        // Each answer tells everything once more.
        if state.values.get(&subject).is_some_and(|it| it == value) {
            return;
        }
        state.values.insert(subject, value.to_vec());
        if state.to_tell.insert(subject) {
            state.changed.push_back(subject);
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// What is gone need not be remembered.
    pub(super) fn forget(
        &self,
        is_gone: impl Fn(SessionId, Option<WindowId>, Option<PaneId>) -> bool,
    ) {
        let mut state = self.lock();
        let gone = |subject: &Subject| is_gone(subject.0, subject.1, subject.3);
        let State {
            values, to_tell, ..
        } = &mut *state;
        values.retain(|subject, _| to_tell.contains(subject) || !gone(subject));
    }

    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Option<Reported>> {
        let mut state = self.lock();
        let State {
            server,
            values,
            changed,
            to_tell,
            ..
        } = &mut *state;
        if let (Some(server), Some(subject)) = (server, changed.pop_front()) {
            to_tell.remove(&subject);
            let (session, window, index, pane) = subject;
            return Poll::Ready(Some(Reported {
                server: Arc::clone(server),
                session,
                window,
                index,
                pane,
                value: values.get(&subject).cloned().unwrap_or_default(),
            }));
        }
        if state.finished {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Undoes what [`Asked::command`] has tmux do.
fn unescape(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (byte, length) = match escape {
            [b'=', b'0', b'A', ..] => (b'\n', 3),
            [b'=', b'3', b'D', ..] => (b'=', 3),
            [b'=', b'5', b'C', ..] => (b'\\', 3),
            [b'=', b'7', b'C', ..] => (b'|', 3),
            _ => (b'=', 1),
        };
        out.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::wire::Version;

    pub(super) fn server(pid: u32) -> Arc<Identity> {
        Arc::new(Identity {
            pid,
            start_time: 1,
            version: Version::new(3, 5),
            socket: PathBuf::new(),
        })
    }

    pub(super) fn told(watch: &Watch) -> Vec<(u32, Option<PaneId>, String)> {
        let mut told = Vec::new();
        let noop = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(found)) = watch.poll(&noop) {
            let value = String::from_utf8(found.value).unwrap();
            told.push((found.server.pid, found.pane, value));
        }
        told
    }

    fn take(watch: &Watch, pid: u32, pane: u32, value: &str) {
        let subject = (SessionId(0), Some(WindowId(0)), Some(0), Some(PaneId(pane)));
        watch.report_escaped(&server(pid), subject, value.as_bytes());
    }

    #[test]
    fn a_value_is_told_when_it_changes_and_only_the_latest() {
        let watch = Watch::new(Subscription::panes("#{pane_title}"));
        take(&watch, 1, 0, "a=3Db=0Ac=");
        take(&watch, 1, 1, "one");
        take(&watch, 1, 1, "two");
        let (p0, p1) = (Some(PaneId(0)), Some(PaneId(1)));
        let expected = [(1, p0, "a=b\nc=".to_owned()), (1, p1, "two".to_owned())];
        assert_eq!(told(&watch), expected);
        take(&watch, 1, 1, "two");
        assert_eq!(told(&watch), []);
        take(&watch, 2, 1, "two");
        assert_eq!(told(&watch), [(2, p1, "two".to_owned())]);
        watch.forget(|_, _, pane| pane == p1);
        assert!(watch.lock().values.is_empty());
        take(&watch, 2, 1, "two");
        assert_eq!(told(&watch), [(2, p1, "two".to_owned())]);
        watch.finish();
        let noop = Context::from_waker(Waker::noop());
        assert_eq!(watch.poll(&noop), Poll::Ready(None));
    }

    #[test]
    fn one_pane_is_told_of_among_all() {
        let watch = Watch::new(Subscription::pane(PaneId(5), "#{pane_title}"));
        take(&watch, 1, 1, "x");
        take(&watch, 1, 5, "y");
        assert_eq!(told(&watch), [(1, Some(PaneId(5)), "y".to_owned())]);
    }
}
