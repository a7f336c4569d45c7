//! How a pane looks: its history, its screen, and what a terminal must know to go on from there.

use crate::client::attach::number;
use crate::protocol::{Block, Command};
use crate::wire::{PaneId, decode_capture_into};

/// How much of a pane's past is asked for with its screen.
///
/// Example: [`OutputRequest`](super::OutputRequest).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backfill {
    /// Nothing: a stream begins with what is printed from now on.
    #[default]
    None,
    /// The screen.
    Screen,
    /// The screen, and so many lines of history above it.
    History(u32),
}

/// How a pane looked at one moment of its stream.
///
/// Lines are as long as the program wrote them: where one wrapped, it is one line. They carry
/// colours and attributes as control sequences (`capture-pane -e -J`); what is not told by any
/// tmux are the attributes that the next byte will be printed with.
///
/// **Source:** tmux.1, `capture-pane` and FORMATS; `cmd-capture-pane.c`.
///
/// ```no_run
/// # fn example(event: tmux_cc::client::Event<'_>) {
/// use tmux_cc::client::Event;
///
/// if let Event::Resync(resync) = event
///     && let Some(screen) = &resync.screen
/// {
///     let mut bytes = Vec::new();
///     screen.replay_into(&mut bytes);
///     println!("{}x{}: {} bytes", screen.size.0, screen.size.1, bytes.len());
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Screen {
    /// History and screen, oldest line first, each ended by LF; as many rows in all as the history
    /// that was asked for and the pane's height.
    pub text: Vec<u8>,
    /// The screen alone. Where a line wrapped from the history into it, its rest.
    pub visible: Vec<u8>,
    /// The normal screen, while the alternate one is shown.
    pub normal: Option<Vec<u8>>,
    /// The beginning of a control sequence or character that is not complete yet: what the program
    /// prints next ends it.
    pub pending: Vec<u8>,
    /// Its width and height in cells.
    pub size: (u32, u32),
    /// Column and row of the cursor, from 0.
    pub cursor: (u32, u32),
    /// The same on the normal screen, while the alternate one is shown.
    pub normal_cursor: Option<(u32, u32)>,
    /// First and last row of the region that scrolls, from 0.
    pub scroll_region: (u32, u32),
    /// What the terminal has been switched to.
    pub modes: Modes,
}

/// What a program has switched its terminal to.
///
/// Example: [`Screen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are independent switches"
)]
pub struct Modes {
    /// The cursor is shown (`CSI ? 25 h`).
    pub cursor: bool,
    /// Characters are inserted (`CSI 4 h`).
    pub insert: bool,
    /// Cursor keys are application keys (`CSI ? 1 h`).
    pub cursor_keys: bool,
    /// The keypad is in application mode (`ESC =`).
    pub keypad: bool,
    /// Long lines wrap (`CSI ? 7 h`).
    pub wrap: bool,
    /// Rows count from the scroll region (`CSI ? 6 h`).
    pub origin: bool,
    /// The alternate screen is shown (`CSI ? 1049 h`).
    pub alternate: bool,
    /// Which mouse events are reported.
    pub mouse: Option<Mouse>,
    /// They are reported in decimal (`CSI ? 1006 h`).
    pub mouse_sgr: bool,
    /// They are reported in UTF-8 (`CSI ? 1005 h`).
    pub mouse_utf8: bool,
    /// Pasted text is bracketed (`CSI ? 2004 h`). tmux tells from 3.7 on; `None` below.
    pub bracketed_paste: Option<bool>,
}

/// Which mouse events a program wants.
///
/// Example: [`Screen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mouse {
    /// Buttons going down and up (`CSI ? 1000 h`).
    Standard,
    /// And movement while one is down (`CSI ? 1002 h`).
    Button,
    /// And any movement (`CSI ? 1003 h`).
    All,
}

/// What is asked of a pane beside its text.
const STATE: &str = "#{pane_width},#{pane_height},#{cursor_x},#{cursor_y},\
    #{alternate_saved_x},#{alternate_saved_y},#{scroll_region_upper},#{scroll_region_lower},\
    #{cursor_flag},#{insert_flag},#{keypad_cursor_flag},#{keypad_flag},#{wrap_flag},\
    #{origin_flag},#{alternate_on},#{mouse_standard_flag},#{mouse_button_flag},#{mouse_all_flag},\
    #{mouse_sgr_flag},#{mouse_utf8_flag},#{bracket_paste_flag}";

impl Screen {
    /// What to send for it. All of it is answered at one moment: tmux reads nothing from a pane
    /// between the commands of a line.
    pub(super) fn command(pane: PaneId, backfill: Backfill) -> Command {
        let capture = || {
            Command::new("capture-pane")
                .flag("-p")
                .flag("-e")
                .flag("-J")
                .flag("-C")
                .target(pane)
        };
        let text = match backfill {
            Backfill::History(lines @ 1..) => capture().option("-S", format!("-{lines}")),
            _ => capture(),
        };
        let pending = Command::new("capture-pane")
            .flag("-p")
            .flag("-P")
            .flag("-C")
            .target(pane);
        let state = Command::new("display-message")
            .flag("-p")
            .target(pane)
            .arg(STATE);
        text.then(capture())
            .then(capture().flag("-a").flag("-q"))
            .then(pending)
            .then(state)
    }

    /// How many blocks of a reply the answer is.
    pub(super) const BLOCKS: usize = 5;

    /// Reads the answer; `None` where it is not one.
    pub(super) fn read(blocks: &[Block]) -> Option<Self> {
        let [text, visible, normal, pending, state, ..] = blocks else {
            return None;
        };
        let mut fields = state.text().split(|&b| b == b',');
        let mut field = || fields.next();
        let size = (number(field()?)?, number(field()?)?);
        let cursor = (number(field()?)?, number(field()?)?);
        let (saved_x, saved_y) = (field()?, field()?);
        let scroll_region = (number(field()?)?, number(field()?)?);
        let mut flag = || Some(field()? == b"1");
        let modes = Modes {
            cursor: flag()?,
            insert: flag()?,
            cursor_keys: flag()?,
            keypad: flag()?,
            wrap: flag()?,
            origin: flag()?,
            alternate: flag()?,
            mouse: match (flag()?, flag()?, flag()?) {
                (_, _, true) => Some(Mouse::All),
                (_, true, _) => Some(Mouse::Button),
                (true, ..) => Some(Mouse::Standard),
                _ => None,
            },
            mouse_sgr: flag()?,
            mouse_utf8: flag()?,
            bracketed_paste: match field()? {
                b"" => None,
                flag => Some(flag == b"1"),
            },
        };
        let body = |block: &Block| {
            let mut out = Vec::with_capacity(block.body().len());
            decode_capture_into(block.body(), &mut out);
            out
        };
        let mut held = Vec::new();
        decode_capture_into(pending.text(), &mut held);
        Some(Self {
            text: body(text),
            visible: body(visible),
            normal: modes.alternate.then(|| body(normal)),
            pending: held,
            size,
            cursor,
            // What tmux has never saved is the largest number there is.
            normal_cursor: number(saved_x)
                .zip(number(saved_y))
                .filter(|&(x, y)| modes.alternate && x != u32::MAX && y != u32::MAX),
            scroll_region,
            modes,
        })
    }

    /// What it holds in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let normal = self.normal.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.text.len() + self.visible.len() + normal + self.pending.len()
    }

    /// Appends to `out` what brings a fresh terminal of [`size`](Self::size) to look like this, so
    /// that the stream can go on from there: history, screen, modes, cursor, and at the end what
    /// is [pending](Self::pending).
    pub fn replay_into(&self, out: &mut Vec<u8>) {
        match &self.normal {
            None => lines_into(&self.text, out),
            Some(normal) => {
                lines_into(&[self.history(), normal].concat(), out);
                if let Some(cursor) = self.normal_cursor {
                    cursor_into(cursor, out);
                }
                out.extend_from_slice(b"\x1b[0m\x1b[?1049h\x1b[H");
                lines_into(&self.visible, out);
            }
        }
        out.extend_from_slice(b"\x1b[0m");
        let (top, bottom) = self.scroll_region;
        if (top, bottom.saturating_add(1)) != (0, self.size.1) {
            out.extend_from_slice(format!("\x1b[{};{}r", top + 1, bottom + 1).as_bytes());
        }
        let (x, y) = self.cursor;
        let mut modes = self.modes;
        if modes.origin && (top..=bottom).contains(&y) {
            // Rows count from the region as soon as the mode is on.
            out.extend_from_slice(b"\x1b[?6h");
            cursor_into((x, y - top), out);
            modes.origin = false;
        } else {
            cursor_into((x, y), out);
        }
        modes.switch_into(out);
        out.extend_from_slice(&self.pending);
    }

    /// The lines above the screen.
    fn history(&self) -> &[u8] {
        if let Some(history) = self.text.strip_suffix(&self.visible[..]) {
            return history;
        }
        // The screen's first row goes on in the colours of the row above.
        let visible = memchr::memchr_iter(b'\n', &self.visible).count();
        let mut ends = memchr::memrchr_iter(b'\n', &self.text).skip(visible);
        let end = ends.next().map_or(0, |at| at + 1);
        self.text.get(..end).unwrap_or_default()
    }
}

impl Modes {
    /// Appends what switches a fresh terminal to them.
    fn switch_into(self, out: &mut Vec<u8>) {
        let switches: [(bool, &[u8]); 11] = [
            (!self.cursor, b"\x1b[?25l"),
            (self.insert, b"\x1b[4h"),
            (self.cursor_keys, b"\x1b[?1h"),
            (self.keypad, b"\x1b="),
            (!self.wrap, b"\x1b[?7l"),
            (self.mouse == Some(Mouse::Standard), b"\x1b[?1000h"),
            (self.mouse == Some(Mouse::Button), b"\x1b[?1002h"),
            (self.mouse == Some(Mouse::All), b"\x1b[?1003h"),
            (self.mouse_sgr, b"\x1b[?1006h"),
            (self.mouse_utf8, b"\x1b[?1005h"),
            (self.bracketed_paste == Some(true), b"\x1b[?2004h"),
        ];
        for (on, sequence) in switches {
            if on {
                out.extend_from_slice(sequence);
            }
        }
    }
}

/// Appends lines with a CR LF between them, and none behind the last.
fn lines_into(lines: &[u8], out: &mut Vec<u8>) {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    for (at, line) in lines.split(|&b| b == b'\n').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    }
}

fn cursor_into((x, y): (u32, u32), out: &mut Vec<u8>) {
    let (column, row) = (u64::from(x) + 1, u64::from(y) + 1);
    out.extend_from_slice(format!("\x1b[{row};{column}H").as_bytes());
}

#[cfg(test)]
impl Screen {
    /// One for tests.
    pub(super) fn sample() -> Self {
        Self {
            text: b"old\n\x1b[31mred\nlast\n\n".to_vec(),
            visible: b"\x1b[31mred\nlast\n\n".to_vec(),
            normal: None,
            pending: b"\x1b[3".to_vec(),
            size: (20, 3),
            cursor: (4, 1),
            normal_cursor: None,
            scroll_region: (0, 2),
            modes: Modes {
                cursor: true,
                wrap: true,
                ..Modes::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen {
        Screen::sample()
    }

    fn replayed(screen: &Screen) -> String {
        let mut out = Vec::new();
        screen.replay_into(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_screen_is_replayed_from_its_history_to_what_is_pending() {
        assert_eq!(
            replayed(&screen()),
            "old\r\n\x1b[31mred\r\nlast\r\n\x1b[0m\x1b[2;5H\x1b[3"
        );
    }

    #[test]
    fn the_normal_screen_comes_before_the_alternate() {
        let mut screen = screen();
        screen.normal = Some(b"shell\n\n\n".to_vec());
        screen.normal_cursor = Some((2, 0));
        screen.modes.alternate = true;
        screen.scroll_region = (1, 2);
        assert_eq!(
            replayed(&screen),
            "old\r\nshell\r\n\r\n\x1b[1;3H\x1b[0m\x1b[?1049h\x1b[H\x1b[31mred\r\nlast\r\n\
             \x1b[0m\x1b[2;3r\x1b[2;5H\x1b[3"
        );
    }

    #[test]
    fn a_coloured_row_above_does_not_hide_where_the_screen_begins() {
        let mut screen = screen();
        screen.text = b"\x1b[31mold\nred\nlast\n\n".to_vec();
        assert_eq!(screen.history(), b"\x1b[31mold\n");
    }
}
