//! The daemon.

use cc_kit::exit::{Exit, Failure};

use crate::cli;

/// Hands out tasks until it is told to stop.
pub(crate) fn serve(serve: &cli::Serve) -> Result<(), Failure> {
    let _ = (&serve.config, &serve.state);
    Err(Failure::new(Exit::Failed, "not built yet"))
}

/// Looks for mistakes in a configuration.
pub(crate) fn check(check: &cli::Check) -> Result<(), Failure> {
    let _ = &check.file;
    Err(Failure::new(Exit::Failed, "not built yet"))
}
