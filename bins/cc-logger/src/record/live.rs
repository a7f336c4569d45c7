//! What those who listen to the daemon hear, as it happens.

use std::sync::Arc;

use bytes::Bytes;
use cc_kit::journal::note;
use tokio::sync::broadcast;

use crate::facts::News;

/// How much may wait for a listener that is slow; then it is told that it missed something.
const WAITING: usize = 1024;

/// Something that happened to a pane.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) pane: Arc<PaneName>,
    pub(crate) what: What,
}

/// Which pane.
#[derive(Debug)]
pub(crate) struct PaneName {
    pub(crate) server: note::Server,
    pub(crate) pane: u32,
    pub(crate) unit: Option<String>,
    pub(crate) place: note::Place,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// It printed: as it is kept, without secrets.
    Output(Bytes),
    /// It said something beside its text.
    News(News),
    /// Something is missing.
    Gap(note::Gap),
    /// Nothing more comes.
    Closed,
}

/// Tells all listeners.
#[derive(Clone, Debug)]
pub(crate) struct Speaker(broadcast::Sender<Live>);

impl Speaker {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Live> {
        self.0.subscribe()
    }

    /// Does anybody listen?
    pub(super) fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(super) fn say(&self, pane: &Arc<PaneName>, what: What) {
        // Nobody who listens is nobody to tell.
        let pane = Arc::clone(pane);
        let _ = self.0.send(Live { pane, what });
    }
}
