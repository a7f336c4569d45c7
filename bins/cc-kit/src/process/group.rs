//! Programs that end with all that they have started.

use rustix::process::{Pid, Signal, kill_process_group};

/// The process group of a program that was started as the first of one, killed when this is dropped before
/// the program has ended.
#[derive(Debug)]
pub struct Group(Option<Pid>);

impl Group {
    /// That of the program of this number; of nobody where it has none.
    #[must_use]
    pub fn of(first: Option<u32>) -> Self {
        let first = first.and_then(|id| i32::try_from(id).ok());
        Self(first.and_then(Pid::from_raw))
    }

    /// The number may be another's from now on.
    pub fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
