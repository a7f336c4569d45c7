//! `doctor`: looks at everything that could hurt, and changes nothing.
//!
//! | Room | In it |
//! |---|---|
//! | `facts` | what was found, as plain data |
//! | `gather` | finding it: the only room that looks at anything |
//! | `judge` | facts into findings |
//!
//! No balancer has to run, and nothing is made. A tmux server is asked by a plain client that lists and
//! leaves: whenever any client leaves, tmux ends the sessions with `destroy-unattached` that nobody is
//! attached to.

mod facts;
mod gather;
mod judge;

use cc_kit::doctor::{Finding, Level, text};
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use serde_json::json;

use crate::ask::runtime;
use crate::cli;

/// Looks, and says what was found.
pub(crate) fn doctor(doctor: &cli::Doctor) -> Result<Exit, Failure> {
    let facts = runtime()?.block_on(gather::gather(doctor))?;
    let findings = judge::judge(&facts);
    match doctor.json {
        true => {
            let all = json!({"v": 1, "findings": findings, "facts": facts});
            print(&format!("{all}\n"))?;
        }
        false => print(&text(&findings))?,
    }
    Ok(exit(&findings))
}

/// The exit code of the problem that must be seen to first.
fn exit(findings: &[Finding]) -> Exit {
    let is_bad = |topic: &str| {
        findings
            .iter()
            .any(|one| one.level == Level::Problem && one.topic == topic)
    };
    match () {
        () if is_bad(judge::STORE) => Exit::Store,
        () if is_bad(judge::CONFIGURATION) => Exit::Usage,
        () if is_bad(judge::BALANCER) => Exit::Unreachable,
        () if findings.iter().any(|one| one.level == Level::Problem) => Exit::Failed,
        () => Exit::Success,
    }
}
