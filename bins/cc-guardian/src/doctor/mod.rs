//! `doctor`: looks at everything that could hurt, and changes nothing.
//!
//! | Room | In it |
//! |---|---|
//! | `facts` | what was found, as plain data |
//! | `gather` | finding it: the only room that looks at the machine |
//! | `faults` | what is known to be wrong with versions of tmux, and matters here |
//! | `judge` | facts into findings |
//!
//! No guardian has to run, nothing is made, and no server is started. A tmux server is asked by a
//! plain client that lists and leaves. That has one effect which nobody can avoid: whenever any client
//! leaves, that of a `tmux ls` too, tmux ends the sessions with `destroy-unattached` that nobody is
//! attached to (seen on 3.3a).

mod facts;
mod faults;
mod gather;
mod judge;

use std::io::{self, Write as _};

use cc_kit::exit::{Exit, Failure};
use serde_json::json;

use crate::cli;
use crate::top::once;

use cc_kit::doctor::{Level, text};

/// Looks, and says what was found; [`Exit::Failed`] where there is a problem.
pub(crate) fn doctor(doctor: &cli::Doctor) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Failed, error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let state = doctor.state.state.as_deref();
    let facts = runtime.block_on(gather::gather(doctor.config.as_deref(), state));
    let findings = judge::judge(&facts);
    let mut out = io::stdout().lock();
    let written = if doctor.json {
        let all = json!({"v": 1, "findings": findings, "facts": facts});
        once::json(&all.to_string(), &mut out)
    } else {
        out.write_all(text(&findings).as_bytes())
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
        _ => {}
    }
    let is_bad = findings.iter().any(|one| one.level == Level::Problem);
    Ok(if is_bad { Exit::Failed } else { Exit::Success })
}
