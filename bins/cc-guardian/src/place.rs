//! Where a guardian keeps what it keeps: see [`cc_kit::home`].

use std::path::Path;

use cc_kit::exit::Failure;
pub(crate) use cc_kit::home::Home as Places;

/// Finds the places of a guardian, and makes the directories that are missing.
pub(crate) fn find(state: Option<&Path>) -> Result<Places, Failure> {
    Places::find("guardian", state)
}
