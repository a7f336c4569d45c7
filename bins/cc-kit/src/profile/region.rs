//! Parts of a screen.

use std::ops::Range;

use regex::Regex;

use super::sight::Screen;

/// How to find a part of the screen.
#[derive(Debug)]
pub(super) struct Region {
    /// The region it is looked for in, by number, of those before it; `None` is the screen.
    pub(super) of: Option<usize>,
    /// Characters that frame its rows.
    pub(super) frame: String,
    /// Is it the whole of its parent where it cannot be found?
    pub(super) or_all: bool,
    pub(super) pick: Pick,
}

/// See the fields of the same names in `written::Region`.
#[derive(Debug)]
pub(super) enum Pick {
    Whole,
    Last(usize),
    First(usize),
    Bottom(usize),
    Below(Regex),
    From(Regex),
    Above(Regex),
    Until(Regex),
    Run(Regex),
    Between(Regex, Regex),
    Before(usize),
    After(usize),
    CursorRow,
    CursorLine(Regex),
}

/// Where a region is: rows of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    inner: Range<usize>,
    /// With the rows that border it.
    outer: Range<usize>,
}

fn alone(range: Range<usize>) -> Place {
    Place {
        inner: range.clone(),
        outer: range,
    }
}

/// A screen, cut into the regions of a profile.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    screen: Option<&'a Screen>,
    rows: Vec<&'a str>,
    regions: &'a [Region],
    places: Vec<Option<Place>>,
}

impl<'a> Cut<'a> {
    pub(super) fn new(screen: Option<&'a Screen>, regions: &'a [Region]) -> Self {
        let all = screen.map_or(&[][..], |screen| &screen.rows);
        let mut rows: Vec<&str> = all.iter().map(|row| row.trim_end()).collect();
        while rows.last().is_some_and(|row| row.is_empty()) {
            rows.pop();
        }
        let mut cut = Self {
            screen,
            rows,
            regions,
            places: Vec::with_capacity(regions.len()),
        };
        for region in regions {
            let place = cut.place_of(region);
            cut.places.push(place);
        }
        cut
    }

    /// The screen itself, if there is one.
    pub(super) const fn screen(&self) -> Option<&'a Screen> {
        self.screen
    }

    /// Is there no text at all? `None` without a screen.
    pub(super) fn is_blank(&self) -> Option<bool> {
        self.screen.map(|_| self.rows.is_empty())
    }

    /// The rows of a region, without blanks at their ends; `None` where it is not on the screen.
    pub(super) fn rows(&self, region: usize) -> Option<&[&'a str]> {
        self.rows.get(self.place(region)?.inner.clone())
    }

    /// A row of a region without its frame.
    pub(super) fn unframed<'r>(&self, region: usize, row: &'r str) -> &'r str {
        match self.regions.get(region) {
            Some(region) if !region.frame.is_empty() => row
                .trim_matches(|char: char| char == ' ' || region.frame.contains(char))
                .trim_end(),
            _ => row,
        }
    }

    /// The rows of a region that are not blank, without frame, joined by single blanks.
    pub(super) fn text(&self, region: usize) -> Option<String> {
        let mut text = String::new();
        for row in self.rows(region)? {
            let row = self.unframed(region, row).trim();
            if !row.is_empty() {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(row);
            }
        }
        Some(text)
    }

    /// Which row of a region the cursor is in, and its column.
    pub(super) fn cursor(&self, region: usize) -> Option<(usize, u16)> {
        let (x, y) = self.screen?.cursor?;
        let inner = &self.place(region)?.inner;
        let y = usize::from(y);
        inner.contains(&y).then(|| (y - inner.start, x))
    }

    /// How many rows stand above a region and what borders it.
    pub(super) fn above(&self, region: usize) -> Option<usize> {
        Some(self.place(region)?.outer.start)
    }

    fn place(&self, region: usize) -> Option<&Place> {
        self.places.get(region)?.as_ref()
    }

    fn place_of(&self, region: &Region) -> Option<Place> {
        self.screen?;
        let within = match region.of {
            Some(parent) => self.place(parent)?.inner.clone(),
            None => 0..self.rows.len(),
        };
        let all = region.or_all.then(|| alone(within.clone()));
        self.find(&region.pick, within).or(all)
    }

    fn find(&self, pick: &Pick, within: Range<usize>) -> Option<Place> {
        let end = within.end;
        Some(match pick {
            Pick::Whole => alone(within),
            Pick::Last(count) => {
                let from = self.filled(within).rev().take(*count).last();
                let from = from.unwrap_or(end);
                alone(from..end)
            }
            Pick::First(count) => {
                let last = self.filled(within.clone()).take(*count).last();
                alone(within.start..last.map_or(within.start, |at| at + 1))
            }
            Pick::Bottom(count) => alone(end.saturating_sub(*count).max(within.start)..end),
            Pick::Below(regex) => {
                let at = self.last(&within, regex)?;
                Place {
                    inner: at + 1..end,
                    outer: at..end,
                }
            }
            Pick::From(regex) => alone(self.last(&within, regex)?..end),
            Pick::Above(regex) => {
                let at = self.last(&within, regex)?;
                Place {
                    inner: within.start..at,
                    outer: within.start..at + 1,
                }
            }
            Pick::Until(regex) => {
                let at = within.clone().find(|&at| self.matches(at, regex));
                alone(within.start..at.unwrap_or(end))
            }
            Pick::Run(regex) => {
                let last = self.last(&within, regex)?;
                let run = (within.start..last).rev();
                let above = run.take_while(|&at| self.matches(at, regex)).last();
                alone(above.unwrap_or(last)..last + 1)
            }
            Pick::Between(top, bottom) => {
                let below = self.last(&within, bottom)?;
                let above = self.last(&(within.start..below), top)?;
                Place {
                    inner: above + 1..below,
                    outer: above..below + 1,
                }
            }
            Pick::Before(other) => {
                let to = self.place(*other)?.outer.start;
                alone(within.start..to.clamp(within.start, end))
            }
            Pick::After(other) => {
                let from = self.place(*other)?.outer.end;
                alone(from.clamp(within.start, end)..end)
            }
            Pick::CursorRow => {
                let (_, y) = self.screen?.cursor?;
                let y = usize::from(y);
                if !within.contains(&y) {
                    return None;
                }
                alone(y..y + 1)
            }
            Pick::CursorLine(regex) => {
                let (_, y) = self.screen?.cursor?;
                let y = usize::from(y);
                if !within.contains(&y) {
                    return None;
                }
                let above = (within.start..y).rev();
                let run = above.take_while(|&at| self.is_full(at));
                let first = run.filter(|&at| self.matches(at, regex)).last();
                alone(first.unwrap_or(y)..y + 1)
            }
        })
    }

    fn filled(&self, within: Range<usize>) -> impl DoubleEndedIterator<Item = usize> + '_ {
        within.filter(|&at| self.rows.get(at).is_some_and(|row| !row.trim().is_empty()))
    }

    fn last(&self, within: &Range<usize>, regex: &Regex) -> Option<usize> {
        within.clone().rev().find(|&at| self.matches(at, regex))
    }

    /// May it go on in the next row? A blank at the end of a row is not seen.
    fn is_full(&self, at: usize) -> bool {
        let width = self.screen.map_or(0, |screen| usize::from(screen.width));
        let cells = |row: &&str| {
            row.chars()
                .map(|it| if it.is_ascii() { 1 } else { 2 })
                .sum()
        };
        let cells: usize = self.rows.get(at).map_or(0, cells);
        width > 1 && cells >= width - 1
    }

    fn matches(&self, at: usize, regex: &Regex) -> bool {
        self.rows.get(at).is_some_and(|row| regex.is_match(row))
    }
}
