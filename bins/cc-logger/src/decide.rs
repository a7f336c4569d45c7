//! What to write down: a pure function of what was known and what happened.

use std::collections::HashMap;

use cc_kit::journal::Position;
use cc_kit::journal::note::{self, Gap, Lost, Note};
use tmux_cc::client::{Cause, Ending, Event, Loss, PaneBytes, Resync, ServerChange};
use tmux_cc::tree::{Change, Pane};
use tmux_cc::wire::{PaneId, SessionId};

/// Something to be done to the journal of a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// Open it, in an epoch of its own; what follows counts from there.
    Open {
        pane: PaneId,
        place: note::Place,
        unit: Option<String>,
    },
    /// Append what the pane printed, at a position relative to where it was opened.
    Output {
        pane: PaneId,
        at: Position,
        data: PaneBytes<'a>,
    },
    /// Append a note, at such a position.
    Note {
        pane: PaneId,
        at: Position,
        note: Note,
    },
    /// Another unit runs in it.
    Unit {
        pane: PaneId,
        place: note::Place,
        unit: Option<String>,
    },
    /// Nothing more will come.
    Close { pane: PaneId },
}

/// What is known of one life of one server.
#[derive(Debug, Default)]
pub(crate) struct Decider {
    places: HashMap<PaneId, (note::Place, Option<String>)>,
    sessions: HashMap<SessionId, String>,
    /// The panes that are open, and where their streams stand.
    open: HashMap<PaneId, Stream>,
}

/// Where a pane's stream stands.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    end: Position,
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
                // Its last bytes may still be on their way: the stream says when it has ended.
                if !self.open.contains_key(&pane.id) {
                    self.places.remove(&pane.id);
                }
            }
            Change::SessionGone(session) => {
                self.sessions.remove(&session.id);
            }
            change => {
                if let Some(session) = change.session() {
                    self.sessions.insert(session.id, note::label(&session.name));
                }
                if let Some(pane) = change.pane() {
                    return self.on_place(pane);
                }
            }
        }
        Vec::new()
    }

    fn on_place(&mut self, pane: &Pane) -> Vec<Action<'static>> {
        let new = (place_of(pane), pane.unit.clone());
        let old = self.places.insert(pane.id, new.clone());
        let Some(Stream { end: at, .. }) = self.open.get(&pane.id).copied() else {
            return Vec::new();
        };
        let (place, unit) = new;
        let (old_place, old_unit) = old.unwrap_or_default();
        if unit != old_unit {
            vec![Action::Unit {
                pane: pane.id,
                place,
                unit,
            }]
        } else if place != old_place {
            vec![Action::Note {
                pane: pane.id,
                at,
                note: Note::Moved(place),
            }]
        } else {
            Vec::new()
        }
    }

    /// What an event of the output stream asks for; `session` is whose client brought it.
    pub(crate) fn on_output<'a>(
        &mut self,
        event: &Event<'a>,
        session: Option<SessionId>,
        act: &mut impl FnMut(Action<'a>),
    ) {
        match event {
            Event::Output(output) => {
                let pane = output.pane;
                self.open(pane, session, act);
                let at = Position {
                    epoch: output.epoch,
                    offset: output.offset,
                };
                act(Action::Output {
                    pane,
                    at,
                    data: output.data,
                });
                let end = at.advance(output.data.decoded_len() as u64);
                self.open.insert(pane, Stream { end, gap: false });
            }
            Event::Resync(Resync {
                pane,
                epoch,
                cause,
                loss,
                ..
            }) => {
                self.open(*pane, session, act);
                let end = Position {
                    epoch: *epoch,
                    offset: 0,
                };
                let note = Note::Gap(Gap {
                    cause: cause_of(*cause),
                    lost: lost(*loss),
                });
                act(Action::Note {
                    pane: *pane,
                    at: end,
                    note,
                });
                self.open.insert(*pane, Stream { end, gap: true });
            }
            Event::Ended(ended) => {
                let pane = ended.pane;
                let Some(stream) = self.open.remove(&pane) else {
                    return;
                };
                self.places.remove(&pane);
                let at = Position {
                    epoch: ended.epoch,
                    offset: ended.offset,
                };
                let (cause, end) = match &ended.why {
                    Ending::Server(exit) => (
                        note::Cause::Reconnect,
                        note::End::ServerGone {
                            reason: Some(exit.to_string()),
                        },
                    ),
                    _ => (note::Cause::DeadTail, note::End::PaneGone),
                };
                // What is missing behind a gap is part of that gap.
                if !stream.gap {
                    let gap = Gap {
                        cause,
                        lost: lost(ended.loss),
                    };
                    act(Action::Note {
                        pane,
                        at,
                        note: Note::Gap(gap),
                    });
                }
                act(Action::Note {
                    pane,
                    at,
                    note: Note::End(end),
                });
                act(Action::Close { pane });
            }
            _ => {}
        }
    }

    /// We stop: every open journal says so.
    pub(crate) fn on_stop(&mut self) -> Vec<Action<'static>> {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_by_key(|(pane, _)| *pane);
        open.into_iter()
            .flat_map(|(pane, stream)| {
                let note = Note::End(note::End::Stopped);
                [
                    Action::Note {
                        pane,
                        at: stream.end,
                        note,
                    },
                    Action::Close { pane },
                ]
            })
            .collect()
    }

    fn open<'a>(
        &mut self,
        pane: PaneId,
        session: Option<SessionId>,
        act: &mut impl FnMut(Action<'a>),
    ) {
        if self.open.contains_key(&pane) {
            return;
        }
        // A pane can print before any listing has it, and be gone before the next one.
        let unlisted = || {
            let session = session
                .and_then(|session| self.sessions.get(&session))
                .cloned();
            (
                note::Place {
                    session: session.unwrap_or_default(),
                    ..note::Place::default()
                },
                None,
            )
        };
        let (place, unit) = self.places.get(&pane).cloned().unwrap_or_else(unlisted);
        act(Action::Open { pane, place, unit });
        self.open.insert(pane, Stream::default());
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

    #[test]
    fn a_pane_that_moves_says_so_once_it_is_open() {
        let mut decider = Decider::default();
        for change in tree(&pane("0", "")) {
            assert_eq!(decider.on_change(&change), []);
        }
        let mut opened = Vec::new();
        decider.open(PANE, None, &mut |action| opened.push(action));
        assert!(
            matches!(&opened[..], [Action::Open { place, .. }] if place.session == "work" && place.window_name == "sh")
        );
        let moved: Vec<_> = tree(&pane("4", ""))
            .iter()
            .flat_map(|change| decider.on_change(change))
            .collect();
        assert!(
            matches!(&moved[..], [Action::Note { note: Note::Moved(place), .. }] if place.window_index == 4)
        );
        let unit: Vec<_> = tree(&pane("4", "coder"))
            .iter()
            .flat_map(|change| decider.on_change(change))
            .collect();
        assert!(matches!(&unit[..], [Action::Unit { unit: Some(unit), .. }] if unit == "coder"));
    }

    #[test]
    fn a_pane_that_no_listing_has_is_put_into_its_session() {
        let mut decider = Decider::default();
        for change in tree(&[]) {
            decider.on_change(&change);
        }
        let mut opened = Vec::new();
        decider.open(PANE, Some(SessionId(1)), &mut |action| opened.push(action));
        assert!(matches!(&opened[..], [Action::Open { place, .. }] if place.session == "work"));
    }

    #[test]
    fn every_open_journal_says_that_we_stop() {
        let mut decider = Decider::default();
        decider.open(PaneId(9), None, &mut |_| {});
        decider.open(PANE, None, &mut |_| {});
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
