//! The program that tmux starts for each pane, and how it is named to tmux.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketType, connect, sendmsg, socket,
};

/// How the tmux server starts the helper: a program, and arguments of its own that come first.
///
/// The helper is a program that calls [`hand_over`] with the arguments that follow these; most
/// often it is the program that takes the tap, with a hidden subcommand:
///
/// ```no_run
/// use std::env;
/// use std::process::ExitCode;
///
/// use tmux_cc::client::{TapHelper, hand_over};
///
/// fn main() -> ExitCode {
///     let mut arguments = env::args_os().skip(1);
///     if arguments.next().is_some_and(|first| first == "tap-helper") {
///         return hand_over(arguments);
///     }
///     let helper = TapHelper::this_program().map(|helper| helper.arg("tap-helper"));
///     // ... Server::on(socket).start().await?.tap(Tap::new(helper?)).await?
///     ExitCode::SUCCESS
/// }
/// ```
///
/// It is started once for each pane, by `/bin/sh` and with the environment of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapHelper {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl TapHelper {
    /// That program. A path is taken from the working directory of this process; a name without
    /// a slash is looked for on the server's path.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
        }
    }

    /// The program that runs now.
    ///
    /// # Errors
    /// The system does not tell which it is.
    pub fn this_program() -> io::Result<Self> {
        std::env::current_exe().map(Self::new)
    }

    /// Adds an argument in front of those for [`hand_over`].
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The program and its own arguments.
    pub(super) fn words(&self) -> io::Result<Vec<OsString>> {
        let mut words = Vec::with_capacity(1 + self.arguments.len());
        words.push(if self.program.as_os_str().as_bytes().contains(&b'/') {
            std::path::absolute(&self.program)?.into_os_string()
        } else {
            self.program.clone().into_os_string()
        });
        words.extend(self.arguments.iter().cloned());
        Ok(words)
    }
}

/// How long the helper waits for a daemon that is there and does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hands descriptor 0, which is a pane's pipe, to whoever holds the tap.
///
/// `arguments` are those that follow the ones of [`TapHelper`]. It blocks, needs no runtime, and
/// takes well under a millisecond; it prints nothing and succeeds whatever happens: where nobody
/// holds the tap any more the pane simply has no pipe.
///
/// Example: [`TapHelper`].
pub fn hand_over(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    if let (Some(socket), Some(word)) = (arguments.next(), arguments.next()) {
        // Nobody is there to be told, and the pane is none the worse for it.
        let _ = pass(Path::new(&socket), &word);
    }
    ExitCode::SUCCESS
}

fn pass(path: &Path, word: &OsStr) -> io::Result<()> {
    let stream = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    // A daemon that is stopped does not accept, and the server holds the output for as long as
    // somebody has the other end.
    set_socket_timeout(&stream, Timeout::Send, Some(PATIENCE))?;
    connect(&stream, &SocketAddrUnix::new(path)?)?;
    let line = [word.as_bytes(), b"\n"].concat();
    let pipe = io::stdin();
    let pipes = [std::os::fd::AsFd::as_fd(&pipe)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&pipes));
    sendmsg(
        &stream,
        &[io::IoSlice::new(&line)],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_absolute_and_a_name_is_not() {
        let words = TapHelper::new("./x/helper").arg("a").words().unwrap();
        assert_eq!(words[0], std::env::current_dir().unwrap().join("x/helper"));
        assert_eq!(words[1], "a");
        assert_eq!(TapHelper::new("helper").words().unwrap(), ["helper"]);
    }

    #[test]
    fn nobody_to_hand_over_to_is_no_failure() {
        let success = format!("{:?}", ExitCode::SUCCESS);
        let nowhere = ["/nowhere/at/all", "word"].map(OsString::from);
        assert_eq!(format!("{:?}", hand_over(nowhere)), success);
        assert_eq!(format!("{:?}", hand_over([])), success);
    }
}
