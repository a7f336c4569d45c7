//! How states look: by glyph, by word and by colour, any of which is enough.

use ratatui::style::{Color, Modifier, Style};

use super::listing::{State, Unit};

/// What the terminal is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// May colours be used? Not where `NO_COLOR` is set.
    pub(crate) color: bool,
}

impl Look {
    pub(super) fn state(self, state: State) -> Style {
        let style = match state {
            State::Blocked | State::Errored | State::Held | State::Hung | State::Dead => {
                Style::new().add_modifier(Modifier::BOLD)
            }
            State::Limited | State::Suspect | State::Unknown | State::Busy | State::Starting => {
                Style::new()
            }
            State::Idle | State::Absent => self.faint(),
        };
        self.colored(style, color(state))
    }

    /// For what is of less interest.
    pub(super) const fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// For what went wrong.
    pub(super) fn alarm(self) -> Style {
        self.colored(Style::new().add_modifier(Modifier::BOLD), Color::Red)
    }

    /// For headings and keys.
    pub(super) const fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// For the selection, and for what waits for an answer.
    pub(super) const fn picked(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn colored(self, style: Style, color: Color) -> Style {
        if self.color { style.fg(color) } else { style }
    }
}

const fn color(state: State) -> Color {
    match state {
        State::Blocked => Color::Yellow,
        State::Errored | State::Hung | State::Dead => Color::Red,
        State::Held | State::Limited => Color::Magenta,
        State::Suspect => Color::LightYellow,
        State::Busy => Color::Green,
        State::Starting => Color::Cyan,
        State::Unknown | State::Idle | State::Absent => Color::Reset,
    }
}

/// One column wide, and no two alike.
pub(crate) const fn glyph(state: State) -> char {
    match state {
        State::Blocked => '?',
        State::Errored => '!',
        State::Held => '‖',
        State::Hung => '#',
        State::Dead => '✗',
        State::Limited => '◔',
        State::Suspect => '~',
        State::Unknown => '·',
        State::Busy => '►',
        State::Starting => '↑',
        State::Idle => '○',
        State::Absent => '-',
    }
}

/// The glyph and the word. A word that is not known is shown as it came.
pub(super) fn state(unit: &Unit) -> String {
    let state = unit.state();
    let word = match state {
        State::Unknown if !unit.state_word.is_empty() => &unit.state_word,
        _ => state.word(),
    };
    format!("{} {word}", glyph(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use unicode_width::UnicodeWidthChar as _;

    #[test]
    fn states_are_told_apart_without_colour() {
        let glyphs: HashSet<_> = State::ALL.into_iter().map(glyph).collect();
        let words: HashSet<_> = State::ALL.into_iter().map(State::word).collect();
        assert_eq!(
            (glyphs.len(), words.len()),
            (State::ALL.len(), State::ALL.len())
        );
        assert!(glyphs.into_iter().all(|glyph| glyph.width() == Some(1)));
    }

    #[test]
    fn without_colour_no_style_has_one() {
        let look = Look { color: false };
        let styles = State::ALL.into_iter().map(|state| look.state(state));
        for style in styles.chain([look.alarm(), look.picked(), look.faint(), look.strong()]) {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
