//! How journals are written.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::journal::retention::{Rotation, Turn};
use cc_kit::redact::Rules;
use jiff::tz::TimeZone;

/// When what was written is brought to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// With everything that is handed to the system: every tenth of a second.
    Always,
    /// So often. What a power cut loses.
    Every(Duration),
    /// When the system does.
    Never,
}

/// How journals are written.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) rotation: Rotation,
    pub(crate) sync: Sync,
    /// Whose midnights count.
    pub(crate) zone: TimeZone,
    /// What is taken out before it is written; `None`: nothing.
    pub(crate) rules: Option<Arc<Rules>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rotation: Rotation {
                size: 64 << 20,
                turn: Turn::After(Duration::from_secs(24 * 3_600)),
            },
            sync: Sync::Every(Duration::from_secs(5)),
            zone: TimeZone::system(),
            rules: None,
        }
    }
}
