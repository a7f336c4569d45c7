//! Commands with a type each: what they take has names, what they print has a type.
//!
//! Every one is built by its methods, turns into a [`Command`], and where it implements [`Run`] its
//! answer is read too. Arguments are taken literally: where tmux would expand a format in a name or
//! a path, it is escaped, and a method that ends in `_format` gives one on purpose. What goes
//! through a shell is only ever what was given as a shell string.
//!
//! A flag that is younger than the floor says so, and an older server refuses the command before a
//! byte of it is sent. What would crash some version is refused, or tested in the same line.
//!
//! ```
//! use tmux_cc::protocol::Command;
//! use tmux_cc::protocol::commands::{NewWindow, SendKeys};
//! use tmux_cc::wire::{PaneId, SessionId};
//!
//! let window = NewWindow::in_session(SessionId(0)).name("#1 100%").program(["vi", "a b"]);
//! assert_eq!(
//!     Command::from(window).to_string(),
//!     "new-window -P -F '#{session_id} #{window_id} #{pane_id}' -t '$0:' -n '##1 100%' -- vi 'a b'",
//! );
//! let keys = SendKeys::literal(PaneId(3), "-x;");
//! assert_eq!(Command::from(keys).to_string(), "send-keys -l -t '%3' -- '-x;'");
//! ```
//!
//! All the others are built in the same way, so most have no example of their own:
//!
//! ```
//! use tmux_cc::protocol::Command;
//! use tmux_cc::protocol::commands::{
//!     Environment, KillPane, PasteBuffer, Preset, RespawnPane, Scope, SelectLayout,
//!     SetEnvironment, SetOption, ShowEnvironment, SplitWindow,
//! };
//! use tmux_cc::wire::{PaneId, WindowId};
//!
//! let pane = PaneId(3);
//! let lines: [Command; 8] = [
//!     SplitWindow::right(pane).percent(30).detached().into(),
//!     SelectLayout::preset(WindowId(1), Preset::Tiled).into(),
//!     SetOption::new(Scope::Pane(pane), "remain-on-exit", "on").into(),
//!     SetEnvironment::new(Environment::Global, "LANG", "C.UTF-8").into(),
//!     ShowEnvironment::new(Environment::Global, "LANG").into(),
//!     PasteBuffer::new("notes", pane).bracketed().into(),
//!     RespawnPane::new(pane).kill().into(),
//!     KillPane::new(pane).into(),
//! ];
//! assert_eq!(lines[7].to_string(), "kill-pane -t '%3'");
//! ```

mod answer;
mod arrange;
mod buffers;
mod capture;
mod display;
mod environment;
mod guarded;
mod keys;
mod lists;
mod literal;
mod options;
mod panes;
mod paste;
mod pipe;
mod press;
mod program;
mod respawn;
mod sessions;
mod signal;
mod sizes;
#[cfg(test)]
mod tests;
mod windows;

use super::Command;
pub use answer::{AnswerError, Created, Run};
pub use arrange::{
    BreakPane, JoinPane, LinkWindow, MoveWindow, SwapPane, SwapWindow, UnlinkWindow,
};
pub use buffers::{DeleteBuffer, LoadBuffer, PasteBuffer, SetBuffer, ShowBuffer};
pub use capture::CapturePane;
pub use display::DisplayMessage;
pub use environment::{Environment, SetEnvironment, ShowEnvironment, UnsetEnvironment};
pub use keys::SendKeys;
pub use lists::{ListBuffers, ListClients, ListPanes, ListSessions, ListWindows};
pub use literal::literal;
pub use options::{Scope, SetOption, ShowOption, UnsetOption};
pub use panes::{KillPane, SelectPane, SplitWindow};
pub use paste::Paste;
pub use pipe::PipePane;
pub use press::Press;
pub use respawn::{RespawnPane, RespawnWindow};
pub use sessions::{HasSession, KillServer, KillSession, NewSession, RenameSession};
pub use signal::SignalChannel;
pub use sizes::{ClientSize, Preset, ResizePane, ResizeWindow, SelectLayout};
pub use windows::{KillWindow, NewWindow, RenameWindow, SelectWindow};

/// Declares the type of a command that is all in its flags; with `-> ()` it prints nothing.
macro_rules! command {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[must_use]
        pub struct $name {
            command: $crate::protocol::Command,
        }

        impl From<$name> for $crate::protocol::Command {
            fn from(built: $name) -> Self {
                built.command
            }
        }
    };
    ($(#[$doc:meta])* $name:ident -> ()) => {
        $crate::protocol::commands::command! { $(#[$doc])* $name }

        impl $crate::protocol::commands::Run for $name {
            type Answer = ();

            fn command(&self) -> $crate::protocol::Command {
                self.command.clone()
            }

            fn answer(
                &self,
                reply: $crate::protocol::Reply,
            ) -> Result<(), $crate::protocol::commands::AnswerError> {
                $crate::protocol::commands::answer::done(reply)
            }
        }
    };
}
use command;

/// Adds a number behind a flag.
fn number(command: Command, flag: &str, value: u32) -> Command {
    command.option(flag, value.to_string())
}
