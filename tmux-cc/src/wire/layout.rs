//! Window layouts: the cell tree that `#{window_layout}` prints and `select-layout` takes.

use core::fmt;
use core::iter::FusedIterator;

use memchr::memchr;

use self::scan::Scan;
use super::id::PaneId;

mod scan;

/// The bytes in front of the cells: four hex digits and a comma.
const PREFIX_LEN: usize = 5;

/// A window's layout, as tmux writes it.
///
/// Shape: `b25d,80x24,0,0,0` for one pane, else a tree such as
/// `c195,80x24,0,0[80x12,0,0,0,80x11,0,13,1]`, with cells side by side in `{}` and one above
/// the other in `[]`; from tmux 3.7 the floating panes may follow, topmost first, in `<>`.
/// Sizes and offsets are in character cells, borders are not part of any cell.
///
/// From tmux 3.7 (and still on the way to 3.8) a floating pane stands **twice** in a layout:
/// among the children of a container, where it takes no room, and in the `<>`. While a window is
/// zoomed `#{window_layout}` keeps the first and drops the second, so that a floating pane looks
/// like a tiled one: only `#{pane_floating_flag}` tells them apart then.
///
/// A value of this type has been checked once and borrows the bytes it came from; walking it
/// neither fails nor allocates.
///
/// Source: tmux `layout-custom.c`, `layout_dump` and `layout_construct`; signed offsets and
/// `<>` since 3.7.
///
/// ```
/// use tmux_cc::wire::{Content, Layout, PaneId};
///
/// let layout = Layout::parse(b"c195,80x24,0,0[80x12,0,0,0,80x11,0,13,1]")?;
/// assert_eq!(layout.panes().collect::<Vec<_>>(), [PaneId(0), PaneId(1)]);
/// let below = layout.cells().find(|cell| cell.content == Content::Pane(Some(PaneId(1))));
/// assert_eq!(below.map(|cell| (cell.height, cell.y)), Some((11, 13)));
/// # Ok::<(), tmux_cc::wire::LayoutError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout<'a> {
    bytes: &'a [u8],
    checksum: u16,
}

impl<'a> Layout<'a> {
    /// The most bytes a layout may have.
    ///
    /// tmux prints into a buffer of 8192 bytes; the rest is room for layouts written by hand.
    pub const MAX_LEN: usize = 64 * 1024;

    /// The most containers that may stand inside one another.
    ///
    /// A level costs nine bytes (`1x1,0,0{` and `}`), so tmux's buffer ends at 910 of them.
    pub const MAX_DEPTH: usize = 1024;

    /// Parses the whole of `bytes` as one layout.
    ///
    /// Numbers are taken in tmux's own spelling, without leading zeros. A leaf without a pane
    /// id, as written by hand for `select-layout`, is a layout too. Sizes are not compared with
    /// one another: that is [`Layout::is_tiled`].
    ///
    /// # Errors
    ///
    /// [`LayoutError`] says what is wrong and at which byte. [`LayoutError::Empty`] is a thing
    /// that happens: tmux leaves the field empty when a layout outgrows its buffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LayoutError> {
        if bytes.is_empty() {
            return Err(LayoutError::Empty);
        }
        if bytes.len() > Self::MAX_LEN {
            return Err(LayoutError::TooLong);
        }
        let (stated, body) = prefix(bytes).ok_or(LayoutError::Prefix)?;
        let computed = checksum(body);
        if stated != computed {
            return Err(LayoutError::Checksum { stated, computed });
        }
        let mut scan = Scan::new(body);
        while scan.next_cell()?.is_some() {}
        Ok(Self {
            bytes,
            checksum: stated,
        })
    }

    /// The layout's bytes, checksum included.
    ///
    /// `select-layout` takes them, unless there are floating panes: 3.7c and 3.8 answer
    /// `invalid layout` to the `<>` and to the negative offsets that they print.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The checksum, which stands in front of the cells and was compared with them.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        self.checksum
    }

    /// Every cell, containers before their children, in the order of the dump.
    #[must_use]
    pub fn cells(&self) -> Cells<'a> {
        Cells {
            scan: Scan::new(self.body()),
        }
    }

    /// Every pane's id: those of the tree in the order of the dump, then those that only float.
    ///
    /// A pane that stands in the tree and in the `<>` (see [`Layout`]) comes once. Leaves
    /// without an id are passed over.
    #[must_use]
    pub fn panes(&self) -> Panes<'a> {
        Panes {
            layout: *self,
            cells: self.cells(),
        }
    }

    /// Whether `pane` is one of the floating panes, those in `<>`.
    #[must_use]
    pub fn is_floating(&self, pane: PaneId) -> bool {
        self.floating()
            .any(|cell| cell.content == Content::Pane(Some(pane)))
    }

    /// Whether every container is filled by its children, borders of one cell between them.
    ///
    /// Children in `{}` have their parent's height, and their widths with the borders add up to
    /// its width; `[]` is the same with the axes exchanged. Floating panes take no room, nor
    /// does a container that holds nothing else. Offsets are not looked at: tmux computes them
    /// anew. What tmux prints is tiled, but for 3.7's layout of a zoomed window with floating
    /// panes (see [`Layout`]); what a stranger wrote may not be, and `select-layout` says `size
    /// mismatch after applying layout` to it.
    ///
    /// Source: tmux `layout-custom.c`, `layout_check`.
    #[must_use]
    pub fn is_tiled(&self) -> bool {
        let mut tiling = Tiling::default();
        for cell in self.tree() {
            let fits = tiling.close_to(cell.depth)
                && match cell.content {
                    Content::Pane(Some(pane)) if self.is_floating(pane) => true,
                    Content::Pane(_) => tiling.take(cell.width, cell.height),
                    Content::LeftRight | Content::TopBottom => tiling.enter(&cell),
                };
            if !fits {
                return false;
            }
        }
        tiling.close_to(0)
    }

    fn tree(&self) -> impl Iterator<Item = Cell> {
        self.cells().take_while(|cell| !cell.floating)
    }

    /// The cells in `<>`, without a walk over the tree to get there.
    fn floating(&self) -> Cells<'a> {
        let body = self.body();
        let at = memchr(b'<', body).unwrap_or(body.len());
        Cells {
            scan: Scan::new(body.get(at..).unwrap_or_default()),
        }
    }

    /// What the checksum is over.
    fn body(&self) -> &'a [u8] {
        self.bytes.get(PREFIX_LEN..).unwrap_or_default()
    }
}

impl fmt::Debug for Layout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layout({})", self.bytes.escape_ascii())
    }
}

impl fmt::Display for Layout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing in a layout needs escaping: it was checked to be digits and punctuation.
        write!(f, "{}", self.bytes.escape_ascii())
    }
}

/// One cell of a [`Layout`].
///
/// Shape: `<width>x<height>,<x>,<y>`, then `,<pane>` or children in brackets.
/// All four numbers are in character cells; offsets count from the window's top left corner.
///
/// Source: tmux `layout-custom.c`, `layout_append`.
///
/// Example: [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// How many containers the cell stands in; the `<>` is not one.
    pub depth: usize,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Columns from the window's left edge; below zero for a floating pane beyond it (3.7).
    pub x: i32,
    /// Rows from the window's top edge; below zero for a floating pane beyond it (3.7).
    pub y: i32,
    /// What the cell holds.
    pub content: Content,
    /// Whether the cell stands in the `<>` behind the tree (3.7).
    pub floating: bool,
}

/// What a [`Cell`] holds.
///
/// Source: tmux `tmux.h`, `enum layout_type`.
///
/// Example: [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A pane, by its id; `None` where a layout written by hand leaves the id out.
    Pane(Option<PaneId>),
    /// `{}`: the cells that follow one level deeper stand side by side, left to right.
    LeftRight,
    /// `[]`: the cells that follow one level deeper stand one above the other, top to bottom.
    TopBottom,
}

/// The iterator of [`Layout::cells`].
///
/// Example: [`Layout`].
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    scan: Scan<'a>,
}

impl Iterator for Cells<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        // The same scan went over the same bytes in `Layout::parse` without an error.
        self.scan.next_cell().ok().flatten()
    }
}

impl FusedIterator for Cells<'_> {}

/// The iterator of [`Layout::panes`].
///
/// Example: [`Layout`].
#[derive(Clone, Debug)]
pub struct Panes<'a> {
    layout: Layout<'a>,
    cells: Cells<'a>,
}

impl Iterator for Panes<'_> {
    type Item = PaneId;

    fn next(&mut self) -> Option<PaneId> {
        let layout = self.layout;
        self.cells.find_map(|cell| match cell.content {
            Content::Pane(Some(pane)) => {
                let again =
                    cell.floating && layout.tree().any(|other| other.content == cell.content);
                (!again).then_some(pane)
            }
            Content::Pane(None) | Content::LeftRight | Content::TopBottom => None,
        })
    }
}

impl FusedIterator for Panes<'_> {}

/// Why bytes are not a [`Layout`]; `at` counts from the first digit of the checksum.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// There are no bytes: what tmux prints for a layout too long for its buffer.
    #[error("layout is empty")]
    Empty,
    /// There are more than [`Layout::MAX_LEN`] bytes.
    #[error("layout is longer than {} bytes", Layout::MAX_LEN)]
    TooLong,
    /// The first five bytes are not four lower-case hex digits and a comma.
    #[error("layout does not begin with four lower-case hex digits and a comma")]
    Prefix,
    /// The checksum belongs to other bytes than those behind it.
    #[error("layout has the checksum {stated:04x} but its bytes give {computed:04x}")]
    Checksum {
        /// The checksum that was read.
        stated: u16,
        /// The checksum of what follows it.
        computed: u16,
    },
    /// A byte stands where the grammar has no place for it, or the end where a cell has to be.
    #[error("layout breaks off or goes wrong at byte {at}")]
    Syntax {
        /// Where.
        at: usize,
    },
    /// A number has leading zeros, or is more than tmux could mean: a size or an id is a `u32`,
    /// an offset an `i32`.
    #[error("layout has a number out of range at byte {at}")]
    Number {
        /// Where the number begins.
        at: usize,
    },
    /// A bracket closes one of another kind, or none.
    #[error("layout closes a bracket that is not open at byte {at}")]
    Bracket {
        /// Where the closing bracket stands.
        at: usize,
    },
    /// The end comes before the last bracket is closed.
    #[error("layout ends with a bracket open")]
    Unclosed,
    /// More than [`Layout::MAX_DEPTH`] containers stand inside one another.
    #[error("layout has more than {} levels at byte {at}", Layout::MAX_DEPTH)]
    TooDeep {
        /// Where the bracket stands that is one too many.
        at: usize,
    },
    /// The layout is over and bytes follow.
    #[error("layout is followed by something else at byte {at}")]
    Trailing {
        /// Where they begin.
        at: usize,
    },
}

/// tmux's checksum of a layout, over every byte behind the comma.
///
/// Shape: `body` is `80x24,0,0,0`, the result b25d. A sum of 16 bits, rotated right by one
/// before each byte is added.
///
/// Source: tmux `layout-custom.c`, `layout_checksum`.
#[must_use]
pub(super) fn checksum(body: &[u8]) -> u16 {
    body.iter().fold(0u16, |sum, &byte| {
        sum.rotate_right(1).wrapping_add(u16::from(byte))
    })
}

/// Splits `b25d,80x24,0,0,0` into the checksum's value and what it is over.
fn prefix(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<4>()?;
    let stated = digits.iter().try_fold(0u16, |n, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(n << 4 | u16::from(value))
    })?;
    Some((stated, rest.strip_prefix(b",")?))
}

/// The containers that are open while a layout's sizes are added up, innermost last.
struct Tiling {
    open: [Extent; Layout::MAX_DEPTH],
    depth: usize,
}

impl Default for Tiling {
    fn default() -> Self {
        Self {
            open: [Extent::default(); Layout::MAX_DEPTH],
            depth: 0,
        }
    }
}

impl Tiling {
    fn innermost(&mut self) -> Option<&mut Extent> {
        self.open.get_mut(self.depth.checked_sub(1)?)
    }

    /// Opens a container; false when there is no room.
    fn enter(&mut self, cell: &Cell) -> bool {
        let Some(slot) = self.open.get_mut(self.depth) else {
            return false;
        };
        *slot = Extent::of(cell);
        self.depth += 1;
        true
    }

    /// Adds a child to the innermost container; false when it does not reach across.
    fn take(&mut self, width: u32, height: u32) -> bool {
        self.innermost()
            .is_none_or(|parent| parent.take(width, height))
    }

    /// Closes containers until `depth` are left; false when one of them is not filled.
    fn close_to(&mut self, depth: usize) -> bool {
        while self.depth > depth {
            let Some(closed) = self.innermost().copied() else {
                return false;
            };
            self.depth -= 1;
            // One that nothing took room in holds floating panes only, and takes none itself.
            let holds_tiles = closed.taken > 0;
            if holds_tiles && !(closed.is_full() && self.take(closed.width, closed.height)) {
                return false;
            }
        }
        true
    }
}

/// A container whose children are being added up.
#[derive(Clone, Copy, Default)]
struct Extent {
    width: u32,
    height: u32,
    left_right: bool,
    /// What the children have taken along the container's axis, a border after each.
    taken: u64,
}

impl Extent {
    fn of(cell: &Cell) -> Self {
        Self {
            width: cell.width,
            height: cell.height,
            left_right: cell.content == Content::LeftRight,
            taken: 0,
        }
    }

    /// Adds a child; false when it does not reach across.
    fn take(&mut self, width: u32, height: u32) -> bool {
        let (along, across, own) = if self.left_right {
            (width, height, self.height)
        } else {
            (height, width, self.width)
        };
        self.taken += u64::from(along) + 1;
        across == own
    }

    fn is_full(&self) -> bool {
        let own = if self.left_right {
            self.width
        } else {
            self.height
        };
        self.taken == u64::from(own) + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `body` with its checksum in front.
    fn sealed(body: &str) -> Vec<u8> {
        format!("{:04x},{body}", checksum(body.as_bytes())).into_bytes()
    }

    fn leaf(depth: usize, size: (u32, u32), at: (i32, i32), pane: u32) -> Cell {
        Cell {
            depth,
            width: size.0,
            height: size.1,
            x: at.0,
            y: at.1,
            content: Content::Pane(Some(PaneId(pane))),
            floating: false,
        }
    }

    /// Printed by tmux 3.3a, and the ids in each.
    const DUMPS: &[(&str, &[u32])] = &[
        ("b25d,80x24,0,0,0", &[0]),
        ("b262,80x24,0,0,5", &[5]),
        ("cc02,160x48,0,0,5", &[5]),
        ("c195,80x24,0,0[80x12,0,0,0,80x11,0,13,1]", &[0, 1]),
        ("de60,77x22,0,0[77x11,0,0,0,77x10,0,12,1]", &[0, 1]),
        ("468d,100x30,0,0[100x15,0,0,1,100x14,0,16,2]", &[1, 2]),
        ("8b5f,160x48,0,0{80x48,0,0,0,79x48,81,0,1}", &[0, 1]),
        (
            "7503,80x24,0,0[80x12,0,0,3,80x5,0,13,4,80x5,0,19,5]",
            &[3, 4, 5],
        ),
        (
            "2807,80x24,0,0[80x11,0,0{39x11,0,0,3,40x11,40,0,4},80x12,0,12,5]",
            &[3, 4, 5],
        ),
        (
            "7f31,160x48,0,0{80x48,0,0,0,79x48,81,0[79x24,81,0,1,79x23,81,25,2]}",
            &[0, 1, 2],
        ),
        (
            "2cbb,160x48,0,0[160x23,0,0,1,160x24,0,24{80x24,0,24,0,79x24,81,24,3}]",
            &[1, 0, 3],
        ),
        (
            "5154,160x48,0,0{80x48,0,0,0,79x48,81,0[79x24,81,0,1,79x23,81,25{39x23,81,25,2,\
             39x23,121,25,3}]}",
            &[0, 1, 2, 3],
        ),
        (
            "f26b,160x48,0,0[160x23,0,0{79x23,0,0,0,80x23,80,0,1},160x24,0,24{79x24,0,24,2,\
             80x24,80,24,3}]",
            &[0, 1, 2, 3],
        ),
    ];

    /// Printed by tmux 3.7c and its successor, with floating panes.
    const FLOATING: &[(&str, &[u32])] = &[
        (
            "7bff,80x24,0,0[80x24,0,0,0,40x6,4,2,1]<40x6,4,2,1>",
            &[0, 1],
        ),
        (
            "eee6,80x24,0,0[80x24,0,0{40x24,0,0,0,39x24,41,0,2},40x6,4,2,1,20x5,-5,-2,3]\
             <20x5,-5,-2,3,40x6,4,2,1>",
            &[0, 2, 1, 3],
        ),
        // The same on the way to 3.8.
        (
            "34bc,80x24,0,0[80x24,0,0{40x24,0,0,0,18x3,-4,-1,3,39x24,41,0,2},40x6,4,2,1]\
             <18x3,-4,-1,3,40x6,4,2,1>",
            &[0, 3, 2, 1],
        ),
        // Every pane floats.
        (
            "4d70,80x24,0,0[40x6,4,2,1,20x5,-5,-2,3]<20x5,-5,-2,3,40x6,4,2,1>",
            &[1, 3],
        ),
    ];

    #[test]
    fn what_tmux_prints_is_a_tiled_layout() {
        for (text, panes) in DUMPS.iter().chain(FLOATING) {
            let layout = Layout::parse(text.as_bytes()).unwrap();
            assert_eq!(format!("{:04x}", layout.checksum()), text[..4], "{text}");
            assert_eq!(layout.as_bytes(), text.as_bytes());
            assert_eq!(layout.to_string(), *text);
            assert_eq!(format!("{layout:?}"), format!("Layout({text})"));
            let ids: Vec<u32> = layout.panes().map(|pane| pane.0).collect();
            assert_eq!(ids, *panes, "{text}");
            assert!(layout.is_tiled(), "{text}");
        }
    }

    #[test]
    fn cells_come_in_the_order_of_the_dump() {
        let text = "2807,80x24,0,0[80x11,0,0{39x11,0,0,3,40x11,40,0,4},80x12,0,12,5]";
        let layout = Layout::parse(text.as_bytes()).unwrap();
        let cells: Vec<Cell> = layout.cells().collect();
        let expected = [
            Cell {
                content: Content::TopBottom,
                ..leaf(0, (80, 24), (0, 0), 0)
            },
            Cell {
                content: Content::LeftRight,
                ..leaf(1, (80, 11), (0, 0), 0)
            },
            leaf(2, (39, 11), (0, 0), 3),
            leaf(2, (40, 11), (40, 0), 4),
            leaf(1, (80, 12), (0, 12), 5),
        ];
        assert_eq!(cells, expected);
        let mut cells = layout.cells();
        assert_eq!(cells.by_ref().count(), 5);
        assert_eq!(cells.next(), None);
    }

    #[test]
    fn floating_panes_have_their_own_section() {
        let layout = Layout::parse(FLOATING[1].0.as_bytes()).unwrap();
        let floating: Vec<Cell> = layout.cells().filter(|cell| cell.floating).collect();
        let expected =
            [leaf(0, (20, 5), (-5, -2), 3), leaf(0, (40, 6), (4, 2), 1)].map(|cell| Cell {
                floating: true,
                ..cell
            });
        assert_eq!(floating, expected);
        assert!(layout.is_floating(PaneId(3)));
        assert!(!layout.is_floating(PaneId(0)));
        assert!(!layout.is_floating(PaneId(9)));

        let only = sealed("<20x5,-5,-2,3,40x6,4,2,1>");
        let only = Layout::parse(&only).unwrap();
        assert_eq!(only.cells().count(), 2);
        assert!(only.cells().all(|cell| cell.floating && cell.depth == 0));
        assert!(only.panes().eq([PaneId(3), PaneId(1)]));
        assert!(only.is_tiled());

        let beside = sealed("80x24,0,0,0<40x6,4,2,1>");
        let beside = Layout::parse(&beside).unwrap();
        assert!(beside.panes().eq([PaneId(0), PaneId(1)]));
    }

    #[test]
    fn a_zoomed_window_of_3_7_hides_that_a_pane_floats() {
        let text = "ceb3,80x24,0,0[80x24,0,0{40x24,0,0,0,39x24,41,0,2},40x6,4,2,1,20x5,-5,-2,3]";
        let layout = Layout::parse(text.as_bytes()).unwrap();
        assert_eq!(layout.panes().count(), 4);
        assert!(!layout.is_floating(PaneId(3)));
        assert!(!layout.is_tiled());
    }

    #[test]
    fn a_leaf_written_by_hand_needs_no_id() {
        for (body, leaves) in [
            ("80x24,0,0", 1),
            ("81x24,0,0{40x24,0,0,40x24,41,0}", 2),
            ("81x24,0,0{40x24,0,0,7,40x24,41,0}", 2),
            ("81x24,0,0{40x24,0,0,40x24,41,0,7}", 2),
            ("80x24,0,0<40x6,4,2>", 2),
        ] {
            let text = sealed(body);
            let layout = Layout::parse(&text).unwrap();
            let found = layout
                .cells()
                .filter(|cell| matches!(cell.content, Content::Pane(_)))
                .count();
            assert_eq!(found, leaves, "{body}");
            assert!(layout.is_tiled(), "{body}");
        }
    }

    #[test]
    fn sizes_that_do_not_add_up_parse_and_are_not_tiled() {
        for body in [
            "80x24,0,0{40x24,0,0,0,40x24,41,0,1}",
            "80x24,0,0{40x24,0,0,0,39x23,41,0,1}",
            "80x24,0,0[80x12,0,0,0,80x12,0,13,1]",
            "80x24,0,0[79x12,0,0,0,80x11,0,13,1]",
            "80x24,0,0{80x24,0,0[80x12,0,0,0,80x12,0,13,1]}",
            "4294967295x1,0,0{4294967295x1,0,0,0,4294967295x1,0,0,1}",
        ] {
            let text = sealed(body);
            assert!(!Layout::parse(&text).unwrap().is_tiled(), "{body}");
        }
        // As tmux does, nothing is said about an empty size.
        assert!(Layout::parse(&sealed("0x0,0,0,0")).unwrap().is_tiled());
    }

    #[test]
    fn every_malformed_layout_has_its_error() {
        use LayoutError::{Bracket, Empty, Number, Prefix, Syntax, TooLong, Trailing, Unclosed};

        for (text, error) in [
            ("", Empty),
            ("b25d", Prefix),
            ("b25d80x24,0,0,0", Prefix),
            ("B25D,80x24,0,0,0", Prefix),
            ("25d,80x24,0,0,0", Prefix),
            ("0b25d,80x24,0,0,0", Prefix),
            (" b25d,80x24,0,0,0", Prefix),
            ("0xb2,80x24,0,0,0", Prefix),
            (
                "b25e,80x24,0,0,0",
                LayoutError::Checksum {
                    stated: 0xb25e,
                    computed: 0xb25d,
                },
            ),
        ] {
            assert_eq!(Layout::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        for (body, error) in [
            ("", Syntax { at: 5 }),
            ("x24,0,0,0", Syntax { at: 5 }),
            ("80", Syntax { at: 7 }),
            ("80,24,0,0,0", Syntax { at: 7 }),
            ("80x", Syntax { at: 8 }),
            ("80x24,0", Syntax { at: 12 }),
            ("80x24,0,,0", Syntax { at: 13 }),
            ("80x-24,0,0,0", Syntax { at: 8 }),
            ("80x24,+1,0,0", Syntax { at: 11 }),
            ("80x24,--1,0,0", Syntax { at: 12 }),
            ("80x24,0,0{}", Syntax { at: 15 }),
            ("80x24,0,0[]", Syntax { at: 15 }),
            ("<>", Syntax { at: 6 }),
            ("80x24,0,0,0<>", Syntax { at: 17 }),
            ("80x24,0,0{80x24,0,0,0,}", Syntax { at: 27 }),
            ("80x24,0,0{80x24,0,0,0;}", Syntax { at: 26 }),
            ("80x24,0,0{80x24,0,0,0{", Syntax { at: 26 }),
            ("80x24,0,0{80x24,0,0,0<", Syntax { at: 26 }),
            ("080x24,0,0,0", Number { at: 5 }),
            ("4294967296x24,0,0,0", Number { at: 5 }),
            ("80x99999999999999999999,0,0,0", Number { at: 8 }),
            ("80x24,2147483648,0,0", Number { at: 11 }),
            ("80x24,0,-2147483649,0", Number { at: 13 }),
            ("80x24,-0,0,0", Number { at: 11 }),
            ("80x24,0,0{80x24,0,0,4294967296}", Number { at: 25 }),
            ("80x24,0,0,0}", Bracket { at: 16 }),
            ("80x24,0,0,0>", Bracket { at: 16 }),
            ("80x24,0,0{80x24,0,0,0]", Bracket { at: 26 }),
            ("80x24,0,0[80x24,0,0,0}", Bracket { at: 26 }),
            ("80x24,0,0[80x24,0,0,0>", Bracket { at: 26 }),
            ("80x24,0,0{80x24,0,0,0}}", Bracket { at: 27 }),
            ("<80x24,0,0{80x24,0,0,0>}", Bracket { at: 27 }),
            ("80x24,0,0{80x24,0,0,0", Unclosed),
            ("80x24,0,0,0<80x24,0,0,0", Unclosed),
            ("80x24,0,0,0 ", Trailing { at: 16 }),
            ("80x24,0,0,0\n", Trailing { at: 16 }),
            ("80x24,0,0,0{80x24,0,0,0}", Trailing { at: 16 }),
            ("80x24,0,0,4294967296", Trailing { at: 14 }),
            ("80x24,0,0,0,80x24,0,0,0", Trailing { at: 16 }),
            ("80x24,0,0,80x24,0,0,0", Trailing { at: 14 }),
            ("<80x24,0,0,0>,80x24,0,0,0", Trailing { at: 18 }),
            ("<80x24,0,0,0><80x24,0,0,0>", Trailing { at: 18 }),
        ] {
            let text = sealed(body);
            assert_eq!(Layout::parse(&text), Err(error), "{body:?}");
        }
        assert_eq!(
            Layout::parse(&vec![b'0'; Layout::MAX_LEN + 1]),
            Err(TooLong)
        );
    }

    #[test]
    fn depth_is_limited_and_costs_no_stack_frames() {
        let nested = |depth: usize| {
            let open = "1x1,0,0{1x1,0,0[".repeat(depth / 2);
            let close = "]}".repeat(depth / 2);
            sealed(&format!("{open}1x1,0,0,7{close}"))
        };
        let deepest = nested(Layout::MAX_DEPTH);
        let layout = Layout::parse(&deepest).unwrap();
        assert_eq!(
            layout.cells().last().unwrap(),
            leaf(Layout::MAX_DEPTH, (1, 1), (0, 0), 7)
        );
        assert!(layout.is_tiled());

        let at = PREFIX_LEN + Layout::MAX_DEPTH * 8 + 7;
        assert_eq!(
            Layout::parse(&nested(Layout::MAX_DEPTH + 2)),
            Err(LayoutError::TooDeep { at })
        );
    }

    #[derive(Clone, Debug)]
    enum Tree {
        Leaf(Option<u32>),
        Node(bool, Vec<Self>),
    }

    fn geometry() -> impl Strategy<Value = (u32, u32, i32, i32)> {
        (any::<u32>(), any::<u32>(), any::<i32>(), any::<i32>())
    }

    /// Trees with a geometry for every node, drawn in the order of the dump.
    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = any::<Option<u32>>().prop_map(Tree::Leaf);
        leaf.prop_recursive(6, 64, 5, |inner| {
            (any::<bool>(), prop::collection::vec(inner, 1..5))
                .prop_map(|(curly, children)| Tree::Node(curly, children))
        })
    }

    fn print(
        tree: &Tree,
        depth: usize,
        floating: bool,
        places: &mut impl Iterator<Item = (u32, u32, i32, i32)>,
        body: &mut String,
        cells: &mut Vec<Cell>,
    ) {
        let (width, height, x, y) = places.next().unwrap();
        *body += &format!("{width}x{height},{x},{y}");
        let at = cells.len();
        cells.push(Cell {
            depth,
            width,
            height,
            x,
            y,
            content: Content::Pane(None),
            floating,
        });
        match tree {
            Tree::Leaf(None) => {}
            Tree::Leaf(Some(pane)) => {
                *body += &format!(",{pane}");
                cells[at].content = Content::Pane(Some(PaneId(*pane)));
            }
            Tree::Node(curly, children) => {
                let (content, open, close) = if *curly {
                    (Content::LeftRight, '{', '}')
                } else {
                    (Content::TopBottom, '[', ']')
                };
                cells[at].content = content;
                for (n, child) in children.iter().enumerate() {
                    body.push(if n == 0 { open } else { ',' });
                    print(child, depth + 1, floating, places, body, cells);
                }
                body.push(close);
            }
        }
    }

    /// Splits `width` x `height` as often as `cuts` asks for, into a tree that is tiled.
    fn tiled(width: u32, height: u32, cuts: &[(bool, u32)], body: &mut String) {
        *body += &format!("{width}x{height},0,0");
        let Some((&(curly, share), cuts)) = cuts.split_first() else {
            *body += ",1";
            return;
        };
        let along = if curly { width } else { height };
        if along < 3 {
            *body += ",1";
            return;
        }
        let first = 1 + share % (along - 2);
        let second = along - 1 - first;
        let (open, close) = if curly { ('{', '}') } else { ('[', ']') };
        let half = cuts.len() / 2;
        for (sep, part, cuts) in [(open, first, &cuts[..half]), (',', second, &cuts[half..])] {
            body.push(sep);
            if curly {
                tiled(part, height, cuts, body);
            } else {
                tiled(width, part, cuts, body);
            }
        }
        body.push(close);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_layout_or_an_error(bytes: Vec<u8>) {
            let _ = Layout::parse(&bytes);
        }

        #[test]
        fn bytes_of_the_alphabet_are_a_layout_or_an_error(body in "[0-9x,{}<>\\[\\]-]{0,80}") {
            let text = sealed(&body);
            if let Ok(layout) = Layout::parse(&text) {
                prop_assert!(layout.cells().count() > 0);
                let _ = (layout.is_tiled(), layout.panes().count());
            }
        }

        #[test]
        fn a_damaged_layout_is_an_error(
            (text, at, byte) in prop::sample::select(DUMPS)
                .prop_flat_map(|(text, _)| (Just(text), 0..text.len(), any::<u8>())),
        ) {
            let mut bytes = text.as_bytes().to_vec();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            prop_assert!(Layout::parse(&bytes).is_err());
        }

        #[test]
        fn a_printed_tree_reads_back(
            root in prop::option::of(tree()),
            floats in prop::collection::vec(tree(), 0..4),
            places in prop::collection::vec(geometry(), 500),
        ) {
            prop_assume!(root.is_some() || !floats.is_empty());
            let (mut body, mut cells) = (String::new(), Vec::new());
            let mut places = places.into_iter().cycle();
            if let Some(root) = &root {
                print(root, 0, false, &mut places, &mut body, &mut cells);
            }
            for (n, float) in floats.iter().enumerate() {
                body.push(if n == 0 { '<' } else { ',' });
                print(float, 0, true, &mut places, &mut body, &mut cells);
            }
            if !floats.is_empty() {
                body.push('>');
            }
            let text = sealed(&body);
            let layout = Layout::parse(&text).unwrap();
            prop_assert_eq!(layout.cells().collect::<Vec<_>>(), cells);
        }

        #[test]
        fn cutting_a_window_in_two_again_and_again_leaves_it_tiled(
            width in 1u32..300,
            height in 1u32..100,
            cuts in prop::collection::vec(any::<(bool, u32)>(), 0..40),
        ) {
            let mut body = String::new();
            tiled(width, height, &cuts, &mut body);
            let text = sealed(&body);
            prop_assert!(Layout::parse(&text).unwrap().is_tiled());
        }
    }
}
