//! What can be in a value, by its format.

use crate::format::{Kind, Variable};

/// How much of a value must be escaped. Each escape is a regular expression that the server compiles
/// for each subject each second, which is as much work as all the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Numbers, and text that escapes nothing.
    Plain,
    /// So many values as [`Fields`](crate::format::Fields) reads them.
    Fields(usize),
    /// Anything.
    Any,
}

impl Shape {
    /// What values of that format are like.
    pub(super) fn of(format: &[u8]) -> Self {
        Self::read(format).unwrap_or(Self::Any)
    }

    fn read(format: &[u8]) -> Option<Self> {
        let mut rest = str::from_utf8(format).ok()?;
        let (mut quoted, mut ends) = (false, 0);
        while let Some(first) = rest.chars().next() {
            if let Some(variable) = rest.strip_prefix("#{") {
                let (name, behind) = variable.split_once('}')?;
                if let Some(name) = name.strip_prefix("q:") {
                    Variable::named(name)?;
                    quoted = true;
                } else if !is_plain(Variable::named(name)?.kind) {
                    return None;
                }
                rest = behind;
                continue;
            }
            match first {
                '|' => ends += 1,
                ' ' | ',' | ':' | ';' | '.' | '-' | '_' => {}
                _ if first.is_ascii_alphanumeric() => {}
                _ => return None,
            }
            rest = rest.get(1..)?;
        }
        match ends {
            0 if !quoted => Some(Self::Plain),
            _ if ends > 0 && format.ends_with(b"|") => Some(Self::Fields(ends)),
            _ => None,
        }
    }
}

const fn is_plain(kind: Kind) -> bool {
    match kind {
        Kind::Flag | Kind::Number | Kind::Signed | Kind::Time | Kind::WindowId | Kind::PaneId => {
            true
        }
        // 3.4 puts a backslash before a `$`.
        Kind::SessionId | Kind::Layout | Kind::Text => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[test]
    fn only_what_cannot_hold_a_newline_or_an_end_is_plain() {
        let of = |format: &str| Shape::of(format.as_bytes());
        assert_eq!(
            of("#{window_activity} #{cursor_x},#{cursor_y}"),
            Shape::Plain
        );
        assert_eq!(of("#{pane_dead}"), Shape::Plain);
        assert_eq!(of("words"), Shape::Plain);
        assert_eq!(of("#{q:pane_title}|#{pane_pid}|"), Shape::Fields(2));
        assert_eq!(of("#{pane_pid}|"), Shape::Fields(1));
        assert_eq!(Shape::of(Tree::WATCHED.as_bytes()), Shape::Fields(6));
        for other in [
            "#{pane_title}",
            "#{session_id}",
            "#{@own}",
            "#{q:@own}|",
            "#{q:pane_title}",
            "#{q:pane_title}|#{pane_pid}",
            "#{pane_pid}|#{pane_title}|",
            "#{?pane_dead,1,0}",
            "#{E:pane_pid}",
            "#(date)",
            "#D",
            "%H",
            "a=b",
            "a\nb",
            "é",
            "#{pane_pid",
        ] {
            assert_eq!(of(other), Shape::Any, "{other}");
        }
    }
}
