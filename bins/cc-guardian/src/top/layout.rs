//! Where things are on the screen.

use ratatui::layout::Rect;

use super::model::{App, Beside, Mode};
use super::prompt;

/// From this width on there is room beside the list; below it, things go under it.
const WIDE: u16 = 140;

/// Under the list, more than this is more than anybody needs.
const UNDER: u16 = 16;

/// Parts of the screen; those that are not there have no lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    /// How many units are in which state.
    pub(super) header: Rect,
    /// Since when the daemon is away.
    pub(super) lost: Rect,
    /// All between those and the prompt.
    pub(super) body: Rect,
    /// The names of the columns.
    pub(super) head: Rect,
    pub(super) list: Rect,
    /// With a line of its own that says what it is.
    pub(super) beside: Rect,
    /// What is typed or asked, or was said last.
    pub(super) prompt: Rect,
    /// The keys.
    pub(super) footer: Rect,
}

/// Divides `area`. A question that waits for a key is the last thing to go when there is no room.
pub(super) fn areas(app: &App, area: Rect) -> Areas {
    let mut rest = area;
    let roomy = u16::from(area.height >= 8);
    let prompt = prompt::height(app, area.width).max(roomy);
    let footer = u16::from(area.height >= 4 && area.height > prompt);
    let footer = below(&mut rest, footer);
    let prompt = below(&mut rest, prompt);
    let roomy = u16::from(rest.height >= 2);
    let header = above(&mut rest, roomy);
    let roomy = u16::from(app.lost.is_some() && rest.height >= 2);
    let lost = above(&mut rest, roomy);
    let body = rest;
    let mut beside = Rect { height: 0, ..rest };
    if !matches!(app.beside, Beside::None) && !matches!(app.mode, Mode::Reading(_)) {
        beside = if rest.width >= WIDE {
            let width = rest.width / 2;
            // With a line between them.
            rest.width -= width + 1;
            let x = rest.x + rest.width + 1;
            Rect { x, width, ..rest }
        } else {
            let height = (rest.height / 2).min(UNDER);
            below(&mut rest, height)
        };
    }
    let roomy = u16::from(rest.height >= 3);
    let head = above(&mut rest, roomy);
    Areas {
        header,
        lost,
        body,
        head,
        list: rest,
        beside,
        prompt,
        footer,
    }
}

/// The lines that a titled part has for what is in it.
pub(super) const fn within(height: u16) -> u16 {
    height.saturating_sub(1)
}

/// The first row to show, so that `row` is among the `page` rows shown of `rows`, near `top`.
pub(super) fn top(top: usize, row: usize, page: usize, rows: usize) -> usize {
    let page = page.max(1);
    let lowest = row.saturating_sub(page - 1);
    // No empty lines below the last row while there is something above the first.
    top.clamp(lowest, row.max(lowest))
        .min(rows.saturating_sub(page))
}

fn above(rest: &mut Rect, lines: u16) -> Rect {
    let height = lines.min(rest.height);
    let taken = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    taken
}

fn below(rest: &mut Rect, lines: u16) -> Rect {
    let height = lines.min(rest.height);
    rest.height -= height;
    let y = rest.y + rest.height;
    Rect { y, height, ..*rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_selected_row_is_always_shown(at in 0_usize..200, row in 0_usize..100, page in 0_usize..60) {
            let first = top(at, row, page, 100);
            prop_assert!(first <= row && row < first + page.max(1));
            prop_assert!(first == 0 || first + page.max(1) <= 100);
        }
    }

    #[test]
    fn the_first_row_moves_no_further_than_it_must() {
        assert_eq!(top(10, 15, 10, 100), 10);
        assert_eq!(top(10, 20, 10, 100), 11);
        assert_eq!(top(10, 9, 10, 100), 9);
    }
}
