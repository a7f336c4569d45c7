//! `exec`: becomes a program that has a niceness and processors of its own.
//!
//! For the guardian alone, which starts programs by it: set from outside, neither would hold for what
//! a program starts in its first moments.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use cc_kit::exit::{Exit, Failure};

use crate::cli;
use crate::config::Unit;

/// The words that come before a program, for a unit that wants to be confined; none for others.
///
/// # Errors
/// When nobody knows where this program is.
pub(crate) fn words(unit: &Unit) -> io::Result<Vec<String>> {
    if unit.nice.is_none() && unit.cpus.is_none() {
        return Ok(Vec::new());
    }
    let this = this()?;
    let mut words = vec![this.to_string_lossy().into_owned(), "exec".to_owned()];
    if let Some(nice) = unit.nice {
        words.push(format!("--nice={nice}"));
    }
    if let Some(cpus) = &unit.cpus {
        words.push(format!("--cpus={cpus}"));
    }
    words.push("--".to_owned());
    Ok(words)
}

/// Where this program is, also after another version has taken its place.
fn this() -> io::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let replaced = this
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(replaced.map_or_else(|| this.clone(), PathBuf::from))
}

/// Becomes the program.
pub(crate) fn exec(exec: &cli::Exec) -> Result<(), Failure> {
    let Some((program, arguments)) = exec.command.split_first() else {
        return Err(Failure::new(Exit::Usage, "there is no program"));
    };
    if let Some(nice) = exec.nice {
        rustix::process::setpriority_process(None, nice).map_err(|error| {
            Failure::new(
                Exit::NotAllowed,
                format!("cannot take niceness {nice}: {error}"),
            )
            .advice("Less than the guardian's own is for those who may; write a larger `nice`.")
        })?;
    }
    if let Some(cpus) = &exec.cpus {
        stay_on(cpus)?;
    }
    let arguments: &[OsString] = arguments;
    let error = Command::new(program).args(arguments).exec();
    let program = program.to_string_lossy();
    Err(Failure::new(
        Exit::Failed,
        format!("cannot start {program:?}: {error}"),
    ))
}

#[cfg(target_os = "linux")]
fn stay_on(cpus: &crate::config::Cpus) -> Result<(), Failure> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpus.iter().map(usize::from) {
        if cpu < rustix::thread::CpuSet::MAX_CPU {
            set.set(cpu);
        }
    }
    rustix::thread::sched_setaffinity(None, &set).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("cannot stay on the processors {cpus}: {error}"),
        )
        .advice("Write `cpus` that this machine has: see /sys/devices/system/cpu/online.")
    })
}

#[cfg(not(target_os = "linux"))]
fn stay_on(cpus: &crate::config::Cpus) -> Result<(), Failure> {
    Err(Failure::new(
        Exit::Failed,
        format!("cannot stay on the processors {cpus} here"),
    )
    .advice("Leave out `cpus`: only Linux can do that."))
}
