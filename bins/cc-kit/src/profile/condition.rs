//! What a rule asks for.

use std::sync::Arc;

use regex::{Captures, Regex};

use super::reading::Seen;
use super::region::Cut;
use super::sight::Sight;

/// A condition over one sight.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    None(Vec<Self>),
    Sign(Arc<Self>),
    Row(usize, Regex),
    Text(usize, Regex),
    Present(usize),
    Title(Regex),
    TitleUnset(bool),
    Command(Regex),
    InBand(Regex),
    CursorVisible(bool),
    CursorIn(usize),
    CursorOut(usize),
    CursorAtEdge(bool),
    Alternate(bool),
    Blank(bool),
}

/// What a condition was met by.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) seen: Seen,
    pub(super) text: String,
    /// What its group `limit` caught.
    pub(super) limit: Option<String>,
}

impl Condition {
    /// Is it met? What by is added to `hits`, and only then.
    ///
    /// What is not known meets nothing; so `none` of it is met, and a rule needs something else too.
    pub(super) fn met(&self, sight: &Sight<'_>, cut: &Cut<'_>, hits: &mut Vec<Hit>) -> bool {
        let before = hits.len();
        let met = self.look(sight, cut, hits);
        if !met {
            hits.truncate(before);
        }
        met
    }

    fn look(&self, sight: &Sight<'_>, cut: &Cut<'_>, hits: &mut Vec<Hit>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.met(sight, cut, hits)),
            Self::Any(any) => {
                // All are looked at: each that is met may be of another source.
                let mut met = false;
                for one in any {
                    met |= one.met(sight, cut, hits);
                }
                met
            }
            Self::None(none) => !none.iter().any(|one| one.met(sight, cut, &mut Vec::new())),
            Self::Sign(sign) => sign.met(sight, cut, hits),
            Self::Row(region, regex) => cut.rows(*region).is_some_and(|rows| {
                let found = rows
                    .iter()
                    .rev()
                    .find_map(|row| Some((row, regex.captures(row)?)));
                found.is_some_and(|(row, found)| {
                    hits.push(Hit::new(Seen::Screen, row, &found));
                    true
                })
            }),
            Self::Text(region, regex) => cut.text(*region).is_some_and(|text| {
                regex.captures(&text).is_some_and(|found| {
                    let all = found.get(0).map_or("", |found| found.as_str());
                    hits.push(Hit::new(Seen::Screen, all, &found));
                    true
                })
            }),
            Self::Present(region) => cut.rows(*region).is_some_and(|rows| {
                let row = rows.iter().find(|row| !row.is_empty());
                hits.push(Hit::plain(Seen::Screen, row.unwrap_or(&"")));
                true
            }),
            Self::Title(regex) => against(regex, sight.own_title(), Seen::Title, hits),
            Self::TitleUnset(unset) => sight.own_title().is_empty() == *unset,
            Self::Command(regex) => against(regex, sight.command, Seen::Command, hits),
            Self::InBand(regex) => sight.in_band.as_ref().is_some_and(|said| {
                let said = said.to_string();
                !said.is_empty() && against(regex, &said, Seen::InBand, hits)
            }),
            Self::CursorVisible(visible) => {
                let known = cut.screen().and_then(|screen| screen.cursor_visible);
                let met = known == Some(*visible);
                if met {
                    let text = if *visible { "shown" } else { "hidden" };
                    hits.push(Hit::plain(Seen::Cursor, text));
                }
                met
            }
            Self::CursorIn(region) => cut.cursor(*region).is_some_and(|(row, column)| {
                let rows = cut.rows(*region).unwrap_or_default();
                let row = rows.get(row).unwrap_or(&"");
                hits.push(Hit::plain(Seen::Cursor, &format!("{column} in {row}")));
                true
            }),
            Self::CursorOut(region) => {
                let known = cut.screen().and_then(|screen| screen.cursor);
                known.is_some_and(|(x, y)| {
                    let met = cut.rows(*region).is_some() && cut.cursor(*region).is_none();
                    if met {
                        hits.push(Hit::plain(Seen::Cursor, &format!("at {x},{y}")));
                    }
                    met
                })
            }
            Self::CursorAtEdge(edge) => cut.screen().is_some_and(|screen| {
                let met = screen
                    .cursor
                    .is_some_and(|(x, _)| (x >= screen.width) == *edge);
                if met && *edge {
                    hits.push(Hit::plain(Seen::Cursor, "at the edge"));
                }
                met
            }),
            Self::Alternate(alternate) => cut
                .screen()
                .is_some_and(|screen| screen.alternate == *alternate),
            Self::Blank(blank) => {
                let met = cut.is_blank() == Some(*blank);
                if met && *blank {
                    hits.push(Hit::plain(Seen::Screen, "blank"));
                }
                met
            }
        }
    }

    /// Does it ask for something that is seen, and not only for what is not?
    pub(super) fn is_positive(&self) -> bool {
        match self {
            Self::All(all) => all.iter().any(Self::is_positive),
            Self::Any(any) => !any.is_empty() && any.iter().all(Self::is_positive),
            Self::Sign(sign) => sign.is_positive(),
            Self::Blank(seen) | Self::CursorAtEdge(seen) => *seen,
            Self::None(_) | Self::TitleUnset(_) | Self::Alternate(_) => false,
            _ => true,
        }
    }

    /// Does it ask for something that must not be seen?
    pub(super) fn guards(&self) -> bool {
        match self {
            Self::All(all) => all.iter().any(Self::guards),
            Self::None(none) => !none.is_empty(),
            Self::Sign(sign) => sign.guards(),
            _ => false,
        }
    }
}

fn against(regex: &Regex, text: &str, seen: Seen, hits: &mut Vec<Hit>) -> bool {
    regex.captures(text).is_some_and(|found| {
        hits.push(Hit::new(seen, text, &found));
        true
    })
}

impl Hit {
    fn new(seen: Seen, text: &str, found: &Captures<'_>) -> Self {
        Self {
            seen,
            text: text.to_owned(),
            limit: found.name("limit").map(|limit| limit.as_str().to_owned()),
        }
    }

    fn plain(seen: Seen, text: &str) -> Self {
        Self {
            seen,
            text: text.to_owned(),
            limit: None,
        }
    }
}
