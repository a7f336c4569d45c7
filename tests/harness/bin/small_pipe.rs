//! `small-pipe BYTES PROGRAM ARGUMENT...`: becomes a program whose standard output is a pipe with
//! room for so many bytes.
//!
//! A tmux server writes into the output of its control clients itself, so this is the pipe that
//! it meets.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let room = args.next().and_then(|room| room.to_str()?.parse().ok());
    let (Some(room), Some(program)) = (room, args.next()) else {
        eprintln!("usage: small-pipe BYTES PROGRAM ARGUMENT...");
        return ExitCode::from(2);
    };
    let error = match shrink(room) {
        Ok(()) => Command::new(program).args(args).exec(),
        Err(error) => error,
    };
    eprintln!("small-pipe: {error}");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn shrink(room: usize) -> io::Result<()> {
    rustix::pipe::fcntl_setpipe_size(io::stdout(), room)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn shrink(_: usize) -> io::Result<()> {
    Err(io::Error::other("pipes have one size here"))
}
