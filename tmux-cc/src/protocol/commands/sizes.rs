//! Sizes and layouts.

use super::{command, number};
use crate::protocol::Command;
use crate::wire::{PaneId, Version, WindowId};

/// The methods of what has a size.
macro_rules! sized {
    ($name:ident, $command:literal, $id:ty) => {
        impl $name {
            /// Its width in columns.
            pub fn width(target: $id, columns: u32) -> Self {
                let command = Command::new($command).target(target);
                Self {
                    command: number(command, "-x", columns),
                }
            }

            /// Its height in rows.
            pub fn height(target: $id, rows: u32) -> Self {
                let command = Command::new($command).target(target);
                Self {
                    command: number(command, "-y", rows),
                }
            }

            /// Both.
            pub fn new(target: $id, columns: u32, rows: u32) -> Self {
                Self {
                    command: number(Self::width(target, columns).command, "-y", rows),
                }
            }
        }
    };
}

command! {
    /// `resize-pane`: as far as the panes around it let it.
    ResizePane -> ()
}
sized!(ResizePane, "resize-pane", PaneId);

impl ResizePane {
    /// Makes it fill its window, or ends that.
    pub fn zoom(pane: PaneId) -> Self {
        Self {
            command: Command::new("resize-pane").flag("-Z").target(pane),
        }
    }
}

command! {
    /// `resize-window`: from then on the window's size is the user's to set (`window-size manual`).
    ResizeWindow -> ()
}
sized!(ResizeWindow, "resize-window", WindowId);

command! {
    /// `refresh-client -C`: the size of the control client that sends it, from 1 to 10000.
    ClientSize -> ()
}

impl ClientSize {
    /// Of all its windows.
    pub fn new(columns: u32, rows: u32) -> Self {
        Self::with(format!("{columns}x{rows}"))
    }

    /// Of one window (from 3.3).
    pub fn of_window(window: WindowId, columns: u32, rows: u32) -> Self {
        Self::with(format!("{window}:{columns}x{rows}")).younger()
    }

    /// Of one window no longer (from 3.3).
    pub fn of_window_unset(window: WindowId) -> Self {
        Self::with(format!("{window}:")).younger()
    }

    fn with(size: String) -> Self {
        Self {
            command: Command::new("refresh-client").option("-C", size),
        }
    }

    fn younger(mut self) -> Self {
        let what = "refresh-client -C of a window";
        self.command = self.command.needs(what, Version::new(3, 3));
        self
    }
}

/// A layout that tmux can compute for any number of panes.
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Side by side.
    EvenHorizontal,
    /// One above the other.
    EvenVertical,
    /// One large above, the others side by side below.
    MainHorizontal,
    /// The same with the large one below (from 3.5).
    MainHorizontalMirrored,
    /// One large on the left, the others one above the other.
    MainVertical,
    /// The same with the large one on the right (from 3.5).
    MainVerticalMirrored,
    /// As even as can be.
    Tiled,
}

command! {
    /// `select-layout`: arranges the panes of a window.
    SelectLayout -> ()
}

impl SelectLayout {
    /// In a layout that tmux computes.
    pub fn preset(window: WindowId, preset: Preset) -> Self {
        let name = match preset {
            Preset::EvenHorizontal => "even-horizontal",
            Preset::EvenVertical => "even-vertical",
            Preset::MainHorizontal => "main-horizontal",
            Preset::MainHorizontalMirrored => "main-horizontal-mirrored",
            Preset::MainVertical => "main-vertical",
            Preset::MainVerticalMirrored => "main-vertical-mirrored",
            Preset::Tiled => "tiled",
        };
        let command = Command::new("select-layout").target(window).arg(name);
        Self {
            command: if name.ends_with("mirrored") {
                command.needs("a mirrored layout", Version::new(3, 5))
            } else {
                command
            },
        }
    }

    /// In one that `#{window_layout}` has told, with as many panes. What is none is refused: it
    /// crashes tmux 3.3.
    pub fn saved(window: WindowId, layout: impl AsRef<[u8]>) -> Self {
        let layout = layout.as_ref();
        let command = Command::new("select-layout").target(window);
        let command = command.flag("--").arg(layout);
        Self {
            command: match layout {
                [a, b, c, d, b',', _, ..] if [a, b, c, d].iter().all(|b| b.is_ascii_hexdigit()) => {
                    command
                }
                [b'{', ..] => command.needs("a layout in JSON", Version::new(3, 8)),
                _ => command.unfit("the layout", NO_LAYOUT),
            },
        }
    }
}

const NO_LAYOUT: &str = "does not begin with four hexadecimal digits and a comma";
