//! What was told, as it is stored: a guardian that starts anew tells nothing twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// By which alert.
    pub alert: String,
    /// Of which unit.
    pub unit: String,
    /// What: the word for it.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Does it last still?
    pub lasts: bool,
    /// What was told of it, such as the question: with another one it is another thing.
    pub detail: Option<String>,
}
