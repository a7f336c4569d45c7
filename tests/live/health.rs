//! What happens to a followed server can be counted, and heard as events of `tracing`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use harness::process::Process;
use harness::server::Server;
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{Health, PaneFilter, ServerOutput};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::support::{alone, follow, soon};

/// The fields of one event, `event` among them.
type Fields = BTreeMap<&'static str, String>;

/// Hears the events of this thread, where all tasks of a test run.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<Fields>>>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tmux_cc::health" {
            let mut fields = Reading::default();
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

#[derive(Default)]
struct Reading(Fields);

impl Visit for Reading {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Ear {
    /// The events of that name, each with the fields that the documentation promises.
    fn heard(&self, event: &str, promised: &[&str]) -> Vec<Fields> {
        let heard = self.0.lock().unwrap();
        let heard: Vec<_> = heard
            .iter()
            .filter(|f| f["event"] == event)
            .cloned()
            .collect();
        for fields in &heard {
            for field in promised.iter().chain(&["socket"]) {
                assert!(
                    fields.contains_key(field),
                    "{event} without {field}: {fields:?}"
                );
            }
        }
        heard
    }

    /// What was heard, as counts.
    fn health(&self) -> Counts {
        let count = |event: &str, promised: &[&str]| self.heard(event, promised).len() as u64;
        let sum = |event: &str, field: &str| -> u64 {
            let heard = self.heard(event, &[field]);
            heard.iter().map(|f| f[field].parse::<u64>().unwrap()).sum()
        };
        Counts {
            attached: count("attach", &["session", "client", "output"]),
            detached: count("detach", &["session", "client", "output", "exit"]),
            reconnected: count("reconnect", &["session", "output"]),
            paused: count("pause", &["pane"]),
            gaps: count("gap", &["pane", "epoch", "cause"]),
            lost: sum("gap", "at_least"),
            desyncs: count("desync", &["desync"]),
            lagged: sum("lag", "missed"),
        }
    }
}

/// [`Health`] as it is compared.
#[derive(Debug, PartialEq)]
struct Counts {
    attached: u64,
    detached: u64,
    reconnected: u64,
    paused: u64,
    gaps: u64,
    lost: u64,
    desyncs: u64,
    lagged: u64,
}

impl From<Health> for Counts {
    fn from(health: Health) -> Self {
        Self {
            attached: health.attached,
            detached: health.detached,
            reconnected: health.reconnected,
            paused: health.paused,
            gaps: health.gaps,
            lost: health.lost,
            desyncs: health.desyncs,
            lagged: health.lagged,
        }
    }
}

/// The name and process of the client that takes output, or of the one that does not.
fn client(server: &Server, output: bool) -> (String, Process) {
    let clients = server.answer([
        "list-clients",
        "-F",
        "#{client_flags} #{client_name} #{client_pid}",
    ]);
    let line = clients
        .lines()
        .find(|line| line.contains("no-output") != output);
    let mut fields = line.expect("such a client").split(' ').skip(1);
    let name = fields.next().unwrap().to_owned();
    (name, Process::of(fields.next().unwrap().parse().unwrap()))
}

/// Takes all output, and says how many batches of it there were.
async fn drain(mut output: ServerOutput, taken: Arc<AtomicU64>) {
    while output.recv().await.is_some() {
        taken.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_happens_is_counted_and_said() {
    // What `tracing` keeps of the first who says something holds for all threads.
    skip_if_asked!();
    alone(
        "health::what_happens_is_counted_and_said",
        counted_and_said(),
    );
}

async fn counted_and_said() {
    let ear = Ear::default();
    let _heard = tracing::subscriber::set_default(tracing_subscriber::registry().with(ear.clone()));
    let server = Server::start();
    let followed = follow(&server).start().await.unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let output = tokio::spawn(drain(
        followed.output(PaneFilter::all()),
        Arc::clone(&taken),
    ));
    let health = || Counts::from(followed.health());
    let until = async |what: &str, condition: &dyn Fn(&Counts) -> bool| {
        until_async(PATIENCE, what, async || condition(&health())).await;
    };

    until("both clients", &|h| h.attached == 2).await;
    let outputs: Vec<_> = ear
        .heard("attach", &[])
        .iter()
        .map(|f| f["output"].clone())
        .collect();
    assert_eq!(outputs, ["false", "true"]);

    server.tmux(["send-keys", "-t", "%0", "echo printed", "Enter"]);
    until("output", &|_| taken.load(Ordering::Relaxed) > 0).await;

    // Somebody else pauses the pane of our output client.
    let pause = [
        "refresh-client",
        "-t",
        &client(&server, true).0,
        "-A",
        "%0:pause",
    ];
    server.tmux(pause);
    until("a pause and the gap behind it", &|h| {
        h.paused == 1 && h.gaps == 1
    })
    .await;
    assert_eq!(ear.heard("gap", &[])[0]["cause"], "paused");

    // Text outside any block that looks like the end of one.
    server.tmux([
        "set-hook",
        "-g",
        "window-renamed",
        "display-message -p '%%end 1 1 1'",
    ]);
    server.tmux(["rename-window", "-t", "%0", "renamed"]);
    until("a desync", &|h| h.desyncs > 0).await;
    server.tmux(["set-hook", "-gu", "window-renamed"]);

    client(&server, true).1.kill().unwrap();
    until("a new output client", &|h| h.reconnected == 1).await;
    assert_eq!(health().gaps, 2);
    assert_eq!(ear.heard("gap", &[])[1]["cause"], "disconnected");
    client(&server, false).1.kill().unwrap();
    until("a new command client", &|h| h.reconnected == 2).await;
    assert_eq!(ear.heard("reconnect", &[])[1]["output"], "false");

    assert_eq!(ear.health(), health());
    let last = followed.clone();
    soon("the end", followed.close()).await;
    soon("the end of output", output).await.unwrap();
    let last = Counts::from(last.health());
    assert_eq!((last.attached, last.detached), (4, 4));
    assert_eq!(ear.health(), last);
}

#[test]
fn a_failure_to_attach_is_said() {
    // What `tracing` keeps of the first who says something holds for all threads.
    skip_if_asked!();
    alone("health::a_failure_to_attach_is_said", failure_is_said());
}

async fn failure_is_said() {
    let ear = Ear::default();
    let _heard = tracing::subscriber::set_default(tracing_subscriber::registry().with(ear.clone()));
    let server = Server::start();
    let attach = super::support::attach(&server, "nowhere");
    soon("a refusal", attach.start()).await.unwrap_err();
    let failed = ear.heard("attach-failed", &["output", "error"]);
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0]["error"].contains("can't find session"),
        "{failed:?}"
    );
}
