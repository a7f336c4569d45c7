//! What the dashboard knows and shows: a pure function of what happened.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::action::{Action, Event};
use super::confirm::Confirm;
use super::filter::Filter;
use super::layout::{self, Areas};
use super::line::Line;
use super::listing::{Listing, Unit};
use super::{beside, reading};

/// A peek that was not answered within this many seconds is asked for again.
const PEEK_PATIENCE: i64 = 5;

/// The whole of it. Feed it with [`App::update`], draw it with [`super::view`].
#[derive(Debug)]
pub(crate) struct App {
    /// In the order in which they are shown: who needs attention first, the longest first.
    pub(super) units: Vec<Unit>,
    /// When the last listing came.
    pub(super) heard: Option<Timestamp>,
    pub(super) lost: Option<Lost>,
    /// The places in `units` of those that the filter lets through.
    pub(super) rows: Vec<usize>,
    /// By name: rows move.
    pub(super) selected: Option<String>,
    /// The row of the selection, to stay near it when its unit goes.
    pub(super) row: usize,
    /// The first row on the screen.
    pub(super) top: usize,
    pub(super) columns: u16,
    pub(super) lines: u16,
    pub(super) filter: Filter,
    pub(super) filter_text: String,
    pub(super) mode: Mode,
    pub(super) beside: Beside,
    /// What came while somebody was typing.
    waiting: Option<Page>,
    pub(super) said: Option<Said>,
}

/// The daemon is not there.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) why: String,
    pub(super) since: Timestamp,
}

/// One line about what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) failed: bool,
}

/// Who gets the keys.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    List,
    /// With what it was before.
    Filter {
        line: Line,
        before: String,
    },
    Command(Line),
    Send {
        unit: String,
        line: Line,
    },
    /// What is to be answered to the dialog of a unit.
    Answer {
        unit: String,
        line: Line,
    },
    Confirm(Confirm),
    Reading(Page),
}

/// A text to read.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    /// How many lines are above the screen.
    pub(super) above: usize,
}

/// What is shown beside the list, of the unit that is selected.
#[derive(Clone, Debug)]
pub(super) enum Beside {
    None,
    Peek(Peek),
    Details { above: usize },
}

/// The screen of a pane.
#[derive(Clone, Debug, Default)]
pub(super) struct Peek {
    /// For which unit it was asked, and when.
    pub(super) asked: Option<(String, Timestamp)>,
    /// What came, of which unit.
    pub(super) got: Option<(String, Vec<String>)>,
    /// There may be something newer.
    pub(super) stale: bool,
    /// How many lines are below what is shown: the end of a screen says most.
    pub(super) below: usize,
}

impl App {
    /// Nothing is known yet.
    pub(crate) fn new(columns: u16, lines: u16) -> Self {
        Self {
            units: Vec::new(),
            heard: None,
            lost: None,
            rows: Vec::new(),
            selected: None,
            row: 0,
            top: 0,
            columns,
            lines,
            filter: Filter::default(),
            filter_text: String::new(),
            mode: Mode::List,
            beside: Beside::None,
            waiting: None,
            said: None,
        }
    }

    /// Takes in what happened at `now`, and says what is to be done about it.
    pub(crate) fn update(&mut self, event: Event, now: Timestamp) -> Option<Action> {
        let mut action = None;
        match event {
            Event::Listing(listing) => self.take(listing, now),
            Event::Lost(why) => self.lose(why, now),
            Event::Peeked { unit, rows } => self.peeked(unit, rows),
            Event::Page { title, lines } => {
                let above = 0;
                self.waiting = Some(Page {
                    title,
                    lines,
                    above,
                });
            }
            Event::Said(text) => self.say(text),
            Event::Failed(text) => self.fail(text),
            Event::Key(key) => action = self.key(key),
            Event::Paste(text) => self.paste(&text),
            Event::Resize { columns, rows } => (self.columns, self.lines) = (columns, rows),
            Event::Tick => {}
        }
        self.settle(now);
        action.or_else(|| self.want_peek(now))
    }

    fn take(&mut self, listing: Listing, now: Timestamp) {
        self.units = listing.units;
        self.units
            .sort_by(|one, other| order(one).cmp(&order(other)));
        self.heard = Some(now);
        self.lost = None;
        if let Beside::Peek(peek) = &mut self.beside {
            peek.stale = true;
        }
        match &self.mode {
            Mode::Confirm(confirm) => {
                if let Some(why) = confirm.is_void(self.unit(&confirm.unit)) {
                    self.mode = Mode::List;
                    self.fail(why);
                }
            }
            Mode::Send { unit, .. } if self.unit(unit).is_none() => {
                let why = format!("{unit} is gone: nothing was sent");
                self.mode = Mode::List;
                self.fail(why);
            }
            Mode::Answer { unit, .. } if !self.unit(unit).is_some_and(Unit::asks) => {
                let why = format!("{unit} asks nothing any more: nothing was answered");
                self.mode = Mode::List;
                self.fail(why);
            }
            _ => {}
        }
    }

    fn lose(&mut self, why: String, now: Timestamp) {
        let since = self.lost.as_ref().map_or(now, |lost| lost.since);
        self.lost = Some(Lost { why, since });
        if matches!(self.mode, Mode::Confirm(_)) {
            self.mode = Mode::List;
            self.fail("the guardian went away: nothing was done".to_owned());
        }
    }

    fn peeked(&mut self, unit: String, rows: Vec<String>) {
        if let Beside::Peek(peek) = &mut self.beside {
            peek.asked = None;
            peek.got = Some((unit, rows));
        }
    }

    /// The screen of the selected unit, when it is to be shown and not yet asked for. One is asked for
    /// at a time, however fast the selection moves.
    fn want_peek(&mut self, now: Timestamp) -> Option<Action> {
        let selected = self.selected.clone()?;
        let Beside::Peek(peek) = &mut self.beside else {
            return None;
        };
        let waits = peek
            .asked
            .as_ref()
            .is_some_and(|(_, asked)| now.as_second() - asked.as_second() < PEEK_PATIENCE);
        let other = peek.got.as_ref().is_none_or(|(unit, _)| *unit != selected);
        if waits || self.lost.is_some() || !(other || peek.stale) {
            return None;
        }
        peek.asked = Some((selected.clone(), now));
        peek.stale = false;
        Some(Action::Peek(selected))
    }

    pub(super) fn say(&mut self, text: String) {
        self.said = Some(Said {
            text,
            failed: false,
        });
    }

    pub(super) fn fail(&mut self, text: String) {
        self.said = Some(Said { text, failed: true });
    }

    pub(super) fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.unit == name)
    }

    /// The unit that is selected.
    pub(super) fn selection(&self) -> Option<&Unit> {
        self.shown().nth(self.row)
    }

    /// The units that the filter lets through, in order.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Unit> {
        self.rows.iter().filter_map(|at| self.units.get(*at))
    }

    pub(super) fn select(&mut self, row: usize) {
        self.row = row.min(self.rows.len().saturating_sub(1));
        self.selected = self.selection().map(|unit| unit.unit.clone());
    }

    /// Where things are on a screen of the size that was said last.
    pub(super) fn areas(&self) -> Areas {
        layout::areas(self, Rect::new(0, 0, self.columns, self.lines))
    }

    /// Makes one thing follow from the other after any change.
    fn settle(&mut self, now: Timestamp) {
        let through = self.units.iter().enumerate();
        let through = through.filter(|(_, unit)| self.filter.shows(unit));
        self.rows = through.map(|(at, _)| at).collect();
        let selected = self.selected.as_deref();
        let found = self
            .shown()
            .position(|unit| Some(unit.unit.as_str()) == selected);
        self.select(found.unwrap_or(self.row));
        if matches!(self.mode, Mode::List)
            && let Some(page) = self.waiting.take()
        {
            self.mode = Mode::Reading(page);
        }
        let areas = self.areas();
        self.top = layout::top(
            self.top,
            self.row,
            areas.list.height.into(),
            self.rows.len(),
        );
        let (width, height) = (areas.beside.width, areas.beside.height);
        let surplus = beside::lines(self, width, now)
            .len()
            .saturating_sub(layout::within(height).into());
        match &mut self.beside {
            Beside::Peek(Peek { below: hidden, .. }) | Beside::Details { above: hidden } => {
                *hidden = surplus.min(*hidden);
            }
            Beside::None => {}
        }
        if let Mode::Reading(page) = &mut self.mode {
            let lines = reading::lines(page, areas.body.width).len();
            let surplus = lines.saturating_sub(layout::within(areas.body.height).into());
            page.above = page.above.min(surplus);
        }
    }
}

/// Who needs attention first, the longest first; names keep the rest in place.
fn order(unit: &Unit) -> impl Ord + use<'_> {
    (
        unit.state(),
        unit.since.is_none(),
        unit.since,
        unit.unit.as_str(),
    )
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "answer_tests.rs"]
mod answer_tests;
