//! What to write down: a pure function of what was known and what happened.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cc_kit::journal::note::{self, Gap, Lost, Note, ProgramExit, Size, Source, SourceChange};
use tmux_cc::client::{Cause, Ending, Event, Loss, PaneBytes, Resync, Screen, ServerChange};
use tmux_cc::format::Signal;
use tmux_cc::tree::{Change, Pane};
use tmux_cc::wire::{PaneId, SessionId};

/// Something to be done to the journal of a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// Open it, in an epoch of its own.
    Open { pane: PaneId, about: Box<About> },
    /// Append what the pane printed.
    Output { pane: PaneId, data: PaneBytes<'a> },
    /// Say what is missing, and begin an epoch behind it.
    Gap {
        pane: PaneId,
        gap: Gap,
        screen: Option<Arc<Screen>>,
    },
    /// Append a note.
    Note { pane: PaneId, note: Note },
    /// Another unit runs in it.
    Unit {
        pane: PaneId,
        place: note::Place,
        unit: Option<String>,
    },
    /// Nothing more will come.
    Close { pane: PaneId },
}

/// What is known of a pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) place: note::Place,
    pub(crate) unit: Option<String>,
    pub(crate) size: Option<Size>,
    pub(crate) source: Option<Source>,
    /// How its program ended, as far as that was said.
    exit: Option<ProgramExit>,
}

/// What is known of one life of one server.
#[derive(Debug, Default)]
pub(crate) struct Decider {
    panes: HashMap<PaneId, About>,
    sessions: HashMap<SessionId, String>,
    /// The panes that are open.
    open: HashMap<PaneId, Stream>,
    /// Those that have a pipe of their own, so that control is their source.
    untapped: HashSet<PaneId>,
}

/// How a pane's stream stands.
#[derive(Clone, Copy, Debug)]
struct Stream {
    source: Source,
    /// Was a gap said, and nothing since?
    gap: bool,
}

impl Decider {
    /// What a change of the server asks for.
    pub(crate) fn on_change(&mut self, change: &ServerChange) -> Vec<Action<'static>> {
        match change {
            ServerChange::Tree(change) => self.on_tree(change),
            _ => Vec::new(),
        }
    }

    fn on_tree(&mut self, change: &Change) -> Vec<Action<'static>> {
        match change {
            Change::PaneGone(pane) => {
                let mut actions = Vec::new();
                // Its last bytes may still be on their way: the stream says when it has ended.
                if self.open.contains_key(&pane.id) {
                    actions.extend(self.on_exit(pane));
                } else {
                    self.panes.remove(&pane.id);
                }
                return actions;
            }
            Change::SessionGone(session) => {
                self.sessions.remove(&session.id);
            }
            change => {
                if let Some(session) = change.session() {
                    self.sessions.insert(session.id, note::label(&session.name));
                }
                if let Some(pane) = change.pane() {
                    return self.on_pane(pane);
                }
            }
        }
        Vec::new()
    }

    fn on_pane(&mut self, pane: &Pane) -> Vec<Action<'static>> {
        let about = self.panes.entry(pane.id).or_default();
        let old = about.clone();
        about.place = place_of(pane);
        about.unit.clone_from(&pane.unit);
        about.size = Some(Size {
            cols: pane.width,
            rows: pane.height,
        });
        let about = about.clone();
        let exit = self.on_exit(pane);
        if !self.open.contains_key(&pane.id) {
            // What is known by then is said when it is opened.
            return Vec::new();
        }
        let mut actions = Vec::new();
        let id = pane.id;
        if about.unit != old.unit {
            actions.push(Action::Unit {
                pane: id,
                place: about.place,
                unit: about.unit,
            });
        } else if about.place != old.place {
            let note = Note::Moved(about.place);
            actions.push(Action::Note { pane: id, note });
        }
        if let Some(size) = about.size.filter(|_| about.size != old.size) {
            let note = Note::Resize(size);
            actions.push(Action::Note { pane: id, note });
        }
        actions.extend(exit);
        actions
    }

    /// How a program ended, when that is new.
    fn on_exit(&mut self, pane: &Pane) -> Option<Action<'static>> {
        let about = self.panes.entry(pane.id).or_default();
        let exit = pane.death.as_ref().map(|death| ProgramExit {
            status: death.status,
            signal: death.signal.as_ref().map(signal_of),
        });
        let known = exit
            .clone()
            .filter(|exit| *exit != ProgramExit::default() && about.exit != Some(exit.clone()));
        about.exit = exit;
        let note = Note::Exit(known?);
        Some(Action::Note {
            pane: pane.id,
            note,
        })
    }

    /// What an event of an output stream asks for; `session` is whose client brought it.
    pub(crate) fn on_output<'a>(
        &mut self,
        source: Source,
        event: &Event<'a>,
        session: Option<SessionId>,
        act: &mut impl FnMut(Action<'a>),
    ) {
        match event {
            Event::Output(output) => {
                let pane = output.pane;
                if !self.takes(source, pane, session, act) {
                    return;
                }
                let data = output.data;
                act(Action::Output { pane, data });
                self.open.insert(pane, Stream { source, gap: false });
            }
            Event::Resync(Resync {
                pane,
                cause,
                loss,
                screen,
                ..
            }) => {
                if !self.takes(source, *pane, session, act) {
                    return;
                }
                let gap = Gap {
                    cause: cause_of(*cause),
                    lost: lost(*loss),
                };
                let (pane, screen) = (*pane, screen.clone());
                act(Action::Gap { pane, gap, screen });
                self.open.insert(pane, Stream { source, gap: true });
            }
            Event::Untapped(pane) => {
                self.untapped.insert(*pane);
                if self.open.contains_key(pane) {
                    self.switch(*pane, Source::Control, act);
                }
            }
            Event::Ended(ended) => {
                let pane = ended.pane;
                if !self.open.get(&pane).is_some_and(|s| s.source == source) {
                    return;
                }
                let Some(stream) = self.open.remove(&pane) else {
                    return;
                };
                self.panes.remove(&pane);
                self.untapped.remove(&pane);
                self.end(pane, stream, &ended.why, ended.loss, act);
            }
            _ => {}
        }
    }

    fn end<'a>(
        &self,
        pane: PaneId,
        stream: Stream,
        why: &Ending,
        loss: Loss,
        act: &mut impl FnMut(Action<'a>),
    ) {
        let (cause, end) = match why {
            Ending::Server(exit) => (
                note::Cause::Reconnect,
                note::End::ServerGone {
                    reason: Some(exit.to_string()),
                },
            ),
            _ => (note::Cause::DeadTail, note::End::PaneGone),
        };
        // The tap has all that the server has read: nothing is missing that is known to be.
        let whole = stream.source == Source::Tap
            && cause == note::Cause::DeadTail
            && matches!(loss, Loss::Unknown { at_least: 0 } | Loss::Known(0));
        // What is missing behind a gap is part of that gap.
        if !stream.gap && !whole {
            let lost = lost(loss);
            act(Action::Gap {
                pane,
                gap: Gap { cause, lost },
                screen: None,
            });
        }
        let note = Note::End(end);
        act(Action::Note { pane, note });
        act(Action::Close { pane });
    }

    /// We stop: every open journal says so.
    pub(crate) fn on_stop(&mut self) -> Vec<Action<'static>> {
        let mut open: Vec<_> = self.open.drain().map(|(pane, _)| pane).collect();
        open.sort();
        open.into_iter()
            .flat_map(|pane| {
                let note = Note::End(note::End::Stopped);
                [Action::Note { pane, note }, Action::Close { pane }]
            })
            .collect()
    }

    /// Is a pane taken from that source? Opens it where it is new.
    fn takes<'a>(
        &mut self,
        source: Source,
        pane: PaneId,
        session: Option<SessionId>,
        act: &mut impl FnMut(Action<'a>),
    ) -> bool {
        match self.open.get(&pane) {
            None => {
                if source == Source::Tap {
                    self.untapped.remove(&pane);
                }
                self.open(source, pane, session, act);
                true
            }
            Some(stream) if stream.source == source => true,
            // The tap has it again; what control still brings would come twice.
            Some(_) if source == Source::Tap => {
                self.untapped.remove(&pane);
                self.switch(pane, source, act);
                true
            }
            Some(_) if self.untapped.contains(&pane) => {
                self.switch(pane, source, act);
                true
            }
            Some(_) => false,
        }
    }

    fn switch<'a>(&mut self, pane: PaneId, source: Source, act: &mut impl FnMut(Action<'a>)) {
        let before = self.open.insert(pane, Stream { source, gap: false });
        if before.is_some_and(|before| before.source != source) {
            let note = Note::Source(SourceChange { source });
            act(Action::Note { pane, note });
        }
    }

    fn open<'a>(
        &mut self,
        source: Source,
        pane: PaneId,
        session: Option<SessionId>,
        act: &mut impl FnMut(Action<'a>),
    ) {
        // A pane can print before any listing has it, and be gone before the next one.
        let unlisted = || About {
            place: note::Place {
                session: session
                    .and_then(|session| self.sessions.get(&session))
                    .cloned()
                    .unwrap_or_default(),
                ..note::Place::default()
            },
            ..About::default()
        };
        let mut about = self.panes.get(&pane).cloned().unwrap_or_else(unlisted);
        about.source = Some(source);
        let exit = about.exit.clone();
        let about = Box::new(about);
        act(Action::Open { pane, about });
        if let Some(exit) = exit.filter(|exit| *exit != ProgramExit::default()) {
            let note = Note::Exit(exit);
            act(Action::Note { pane, note });
        }
        self.open.insert(pane, Stream { source, gap: false });
    }
}

fn signal_of(signal: &Signal) -> String {
    match signal {
        Signal::Number(number) => number.to_string(),
        Signal::Name(name) => note::label(name),
        _ => "?".to_owned(),
    }
}

fn place_of(pane: &Pane) -> note::Place {
    pane.place()
        .map_or_else(note::Place::default, |place| note::Place {
            session: note::label(&place.session_name),
            window_index: place.window_index,
            window_name: note::label(&place.window_name),
            pane_index: place.pane_index,
        })
}

fn cause_of(cause: Cause) -> note::Cause {
    match cause {
        Cause::FirstSight => note::Cause::FirstSight,
        Cause::Paused => note::Cause::Pause,
        Cause::Disconnected => note::Cause::Reconnect,
        Cause::Moved => note::Cause::SourceChange,
        Cause::Dropped => note::Cause::Overflow,
        Cause::PipeClosed => note::Cause::PipeClosed,
        _ => note::Cause::Other,
    }
}

fn lost(loss: Loss) -> Lost {
    match loss {
        Loss::Known(bytes) => Lost::Known(bytes),
        _ => Lost::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use tmux_cc::format::{PaneRow, SessionRow, print_row_into};
    use tmux_cc::tree::{Listing, Tree};

    use super::*;

    const PANE: PaneId = PaneId(3);

    /// A session, and a pane in it.
    fn tree(pane: &[(&str, &str)]) -> Vec<ServerChange> {
        let mut printed = b"S|3.3a|7|1|".to_vec();
        let session = [("session_id", "$1"), ("session_name", "work")];
        print_row_into::<SessionRow>(&session, &mut printed);
        if !pane.is_empty() {
            printed.extend_from_slice(b"P|");
            print_row_into::<PaneRow>(pane, &mut printed);
        }
        let listing = Listing::read([&printed[..]]).unwrap();
        let changes = Tree::default().apply(listing).into_iter();
        changes.map(ServerChange::Tree).collect()
    }

    /// The pane at a window's index, of a unit.
    fn pane<'a>(index: &'a str, unit: &'a str) -> [(&'a str, &'a str); 6] {
        [
            ("pane_id", "%3"),
            ("session_id", "$1"),
            ("window_index", index),
            ("session_name", "work"),
            ("window_name", "sh"),
            ("@cc_unit", unit),
        ]
    }

    fn acted(act: impl FnOnce(&mut dyn FnMut(Action<'static>))) -> Vec<Action<'static>> {
        let mut actions = Vec::new();
        act(&mut |action| actions.push(action));
        actions
    }

    fn heard(
        decider: &mut Decider,
        source: Source,
        event: &Event<'static>,
    ) -> Vec<Action<'static>> {
        acted(|mut act| decider.on_output(source, event, None, &mut act))
    }

    fn opened(decider: &mut Decider, pane: PaneId) -> Vec<Action<'static>> {
        acted(|mut act| decider.open(Source::Tap, pane, Some(SessionId(1)), &mut act))
    }

    fn changed(decider: &mut Decider, changes: &[ServerChange]) -> Vec<Action<'static>> {
        changes
            .iter()
            .flat_map(|change| decider.on_change(change))
            .collect()
    }

    #[test]
    fn a_pane_that_moves_says_so_once_it_is_open() {
        let mut decider = Decider::default();
        assert_eq!(changed(&mut decider, &tree(&pane("0", ""))), []);
        let opened = opened(&mut decider, PANE);
        assert!(
            matches!(&opened[..], [Action::Open { about, .. }] if about.place.session == "work" && about.place.window_name == "sh")
        );
        let moved = changed(&mut decider, &tree(&pane("4", "")));
        assert!(
            matches!(&moved[..], [Action::Note { note: Note::Moved(place), .. }] if place.window_index == 4)
        );
        let unit = changed(&mut decider, &tree(&pane("4", "coder")));
        assert!(matches!(&unit[..], [Action::Unit { unit: Some(unit), .. }] if unit == "coder"));
        let mut larger = pane("4", "coder").to_vec();
        larger.extend([("pane_width", "90"), ("pane_height", "30")]);
        let resized = changed(&mut decider, &tree(&larger));
        let size = Size { cols: 90, rows: 30 };
        assert_eq!(
            resized,
            [Action::Note {
                pane: PANE,
                note: Note::Resize(size)
            }]
        );
    }

    #[test]
    fn how_a_program_ended_is_said_once_and_when_it_is_known() {
        let mut decider = Decider::default();
        changed(&mut decider, &tree(&pane("0", "")));
        opened(&mut decider, PANE);
        let mut dead = pane("0", "").to_vec();
        dead.push(("pane_dead", "1"));
        assert_eq!(changed(&mut decider, &tree(&dead)), []);
        dead.push(("pane_dead_status", "7"));
        let said = changed(&mut decider, &tree(&dead));
        let seven = ProgramExit {
            status: Some(7),
            signal: None,
        };
        assert_eq!(
            said,
            [Action::Note {
                pane: PANE,
                note: Note::Exit(seven)
            }]
        );
        assert_eq!(changed(&mut decider, &tree(&dead)), []);
    }

    #[test]
    fn how_a_program_ended_before_its_output_came_is_said_when_it_is_opened() {
        let mut decider = Decider::default();
        let mut dead = pane("0", "").to_vec();
        dead.extend([("pane_dead", "1"), ("pane_dead_status", "7")]);
        assert_eq!(changed(&mut decider, &tree(&dead)), []);
        let seven = ProgramExit {
            status: Some(7),
            signal: None,
        };
        let opened = opened(&mut decider, PANE);
        assert_eq!(
            opened.last(),
            Some(&Action::Note {
                pane: PANE,
                note: Note::Exit(seven)
            })
        );
    }

    #[test]
    fn a_pane_that_no_listing_has_is_put_into_its_session() {
        let mut decider = Decider::default();
        changed(&mut decider, &tree(&[]));
        let opened = opened(&mut decider, PANE);
        assert!(
            matches!(&opened[..], [Action::Open { about, .. }] if about.place.session == "work")
        );
    }

    #[test]
    fn a_pane_with_a_pipe_of_its_own_comes_by_control_and_goes_back() {
        let mut decider = Decider::default();
        opened(&mut decider, PANE);
        let source = |source| Action::Note {
            pane: PANE,
            note: Note::Source(SourceChange { source }),
        };
        // What control brings of a pane that the tap has would be twice in the log.
        let mut decider_before = Decider::default();
        opened(&mut decider_before, PANE);
        let mut taken = Vec::new();
        let takes = decider_before.takes(Source::Control, PANE, None, &mut |a| taken.push(a));
        assert!(!takes && taken.is_empty());

        let untapped = heard(&mut decider, Source::Tap, &Event::Untapped(PANE));
        assert_eq!(untapped, [source(Source::Control)]);
        let mut taken = Vec::new();
        assert!(decider.takes(Source::Control, PANE, None, &mut |a| taken.push(a)));
        assert_eq!(taken, []);
        assert!(decider.takes(Source::Tap, PANE, None, &mut |a| taken.push(a)));
        assert_eq!(taken, [source(Source::Tap)]);
        assert!(!decider.takes(Source::Control, PANE, None, &mut |a| taken.push(a)));
    }

    #[test]
    fn every_open_journal_says_that_we_stop() {
        let mut decider = Decider::default();
        opened(&mut decider, PaneId(9));
        opened(&mut decider, PANE);
        let stopped = decider.on_stop();
        assert!(matches!(
            &stopped[..],
            [
                Action::Note {
                    pane: PANE,
                    note: Note::End(note::End::Stopped),
                    ..
                },
                Action::Close { pane: PANE },
                Action::Note {
                    pane: PaneId(9),
                    ..
                },
                Action::Close { pane: PaneId(9) }
            ]
        ));
        assert_eq!(decider.on_stop(), []);
    }
}
