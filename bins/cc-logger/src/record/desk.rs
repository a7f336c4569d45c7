//! What every journal of a recorder shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cc_kit::exit::chain;
use cc_kit::journal::Store;
use cc_kit::journal::note::{Place, label};
use cc_kit::printable::printable;
use cc_kit::redact::Redactor;

use super::live::Speaker;
use super::settings::Settings;
use super::syncing::Syncing;
use crate::counters::Counters;
use crate::shown::Voice;
use crate::upkeep::OpenSegments;

/// The longest text of a note, in bytes.
const TEXT_MAX: usize = 1_024;

/// What every journal of a recorder shares.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) counters: Arc<Counters>,
    pub(super) speaker: Speaker,
    pub(super) syncing: Syncing,
    pub(super) open: OpenSegments,
    pub(super) voice: Voice,
    /// Was it said that the disk does not take what is written?
    pub(super) failing: AtomicBool,
}

impl Desk {
    /// Says that something was not written, once until it works again.
    pub(super) fn failed(&self, error: &(dyn std::error::Error + 'static)) {
        self.counters.write_failures.add(1);
        let why = printable(chain(error).as_bytes()).to_string();
        tracing::debug!(why, "not written");
        if !self.failing.swap(true, Ordering::Relaxed) {
            self.voice.say(format_args!(
                "{why}; what panes print is not kept until that works again, and it is tried every \
                 second"
            ));
        }
    }

    /// A short text without secrets: names and titles can hold one as well as any other text.
    pub(super) fn cleaned(&self, text: &str) -> String {
        let end = text.floor_char_boundary(TEXT_MAX.min(text.len()));
        let text = text.get(..end).unwrap_or_default();
        let Some(rules) = self.settings.rules.clone() else {
            return text.to_owned();
        };
        let mut redactor = Redactor::new(rules);
        let mut out = Vec::new();
        redactor.push(text.as_bytes(), &mut out, &mut |_| {});
        redactor.flush(&mut out, &mut |_| {});
        label(&out)
    }

    /// The same for the names of a place.
    pub(super) fn clean(&self, place: &mut Place) {
        place.session = self.cleaned(&place.session);
        place.window_name = self.cleaned(&place.window_name);
    }

    /// Says that it works again.
    pub(super) fn recovered(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            self.voice.say("writing works again");
        }
    }
}
