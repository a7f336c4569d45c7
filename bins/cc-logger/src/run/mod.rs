//! `run`: the daemon. Follows servers, and answers who asks.

pub(crate) mod answer;
mod follow;
mod groups;
mod metrics;
mod secrets;

use std::path::Path;
use std::sync::Arc;

use cc_kit::control::Listener;
use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::Store;
use cc_kit::printable::printable;
use cc_kit::signals::{Hangup, Shutdown};
use sd_notify::NotifyState;
use tmux_cc::client::{Socket, TapHelper};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cli;
use crate::config::{Config, Flags, From};
use crate::counters::Counters;
use crate::record::live::Speaker;
use crate::record::{Ask, Message, Outfit, Recorder};
use crate::shown::Voice;
use crate::upkeep::{OpenSegments, Upkeep};
use answer::Answerer;
use follow::Follower;
use groups::Groups;
use secrets::Secrets;

/// The name of the control socket in the directory of logs.
pub(crate) const CONTROL: &str = "control";

/// The hidden subcommand by which tmux starts this program for each pane.
pub(crate) const TAP_HELPER: &str = "tap-helper";

/// Runs until SIGINT or SIGTERM.
pub(crate) fn run(run: &cli::Run, voice: Voice) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let flags = run.flags();
    let config = Config::load(&flags)?;
    runtime.block_on(log(flags, config, voice))
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Exit::Failed, error)
}

async fn log(flags: Flags, config: Config, voice: Voice) -> Result<(), Failure> {
    let mut shutdown = Shutdown::install().map_err(failed)?;
    let mut hangup = Hangup::install().map_err(failed)?;
    let store = Store::open(&config.dir)?;
    let dir = config.dir.clone();
    let secrets = Secrets::new(&dir, &config)?;
    voice.say(format_args!("logging to {}", shown(&dir)));
    if !config.redact.is_on() {
        voice.say("secrets are written down as they are, as asked for");
    }
    if config.source == From::Control {
        voice.say(
            "the source is %output: a respawned pane (respawn-pane, respawn-window) can crash a \
             tmux server up to 3.7c while its output is attached; open a new pane instead",
        );
    }

    let counters = Arc::new(Counters::default());
    let speaker = Speaker::new();
    let open = OpenSegments::default();
    let (upkeep, chores) =
        Upkeep::start(&dir, config.keeping, open.clone(), Arc::clone(&counters)).map_err(failed)?;
    let outfit = Outfit {
        store,
        settings: config.settings(secrets.rules()),
        counters: Arc::clone(&counters),
        speaker: speaker.clone(),
        open,
        chores: chores.clone(),
        voice,
    };
    let (mut recorder, sender) = Recorder::start(outfit).map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    let control = Listener::bind(&dir.join(CONTROL)).map_err(|error| {
        Failure::new(Exit::Store, error)
            .advice("The control socket cannot be made in the directory of logs: free its name.")
    })?;
    let answerer = Answerer {
        dir: dir.clone(),
        counters: Arc::clone(&counters),
        speaker,
        chores: chores.clone(),
        // Who asks keeps nothing alive: the recorder ends with the last follower.
        sender: sender.downgrade(),
    };
    let mut servants = JoinSet::new();
    servants.spawn(answerer.answer(control));
    if let Some(address) = config.metrics {
        let port = metrics::bind(address).await?;
        voice.say(format_args!(
            "metrics are at http://{}/metrics",
            port.address()
        ));
        servants.spawn(port.serve(Arc::clone(&counters)));
    }

    let helper = TapHelper::this_program().map_err(failed)?.arg(TAP_HELPER);
    let mut followers = JoinSet::new();
    let mut groups = Groups::new(config.all_groups);
    let mut index = 0;
    let shared = follow::Shared {
        helper,
        source: config.source,
        tmux: config.tmux.clone(),
        sender,
        secrets,
        counters,
        voice,
        stopped,
    };
    let mut shared = Some(shared);
    let mut start = |socket: Socket, shared: &follow::Shared| {
        let follower = Follower::new(index, socket, shared.clone());
        index += 1;
        follower
    };
    if let Some(shared) = &shared {
        for socket in config.servers.iter().cloned().chain(groups.new_ones()) {
            followers.spawn(start(socket, shared).begin().await?.follow());
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let mut watchdog = watchdog();

    // Either we are told to stop, or the journal cannot be written any more.
    let failed = loop {
        tokio::select! {
            ended = &mut recorder.ended => break Some(ended),
            signal = shutdown.requested() => {
                tracing::info!(?signal, "stopping");
                break None;
            }
            () = hangup.requested() => {
                let Some(shared) = &shared else { continue };
                if let Ok(now) = NotifyState::monotonic_usec_now() {
                    let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
                }
                match reload(&flags, &dir, shared).await {
                    Ok(keeping) => {
                        chores.keep(keeping);
                        voice.say("the configuration was read again");
                    }
                    // What runs goes on as it is.
                    Err(failure) => { let _ = failure.report(); }
                }
                let _ = sd_notify::notify(&[NotifyState::Ready]);
            }
            () = tick(&mut watchdog) => {
                let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            }
            () = groups.due() => {
                let Some(shared) = &shared else { continue };
                for socket in groups.new_ones() {
                    // One that cannot be followed is none of tmux's.
                    if let Ok(follower) = start(socket, shared).begin().await {
                        followers.spawn(follower.follow());
                    }
                }
            }
        }
    };
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    let _ = stop.send(true);
    shared.take();
    let finish = async {
        // Followers hand over what has come, and with the last of them the recorder ends.
        let mut servers = Vec::new();
        while let Some(followed) = followers.join_next().await {
            servers.extend(followed.ok());
        }
        let ended = match failed {
            Some(ended) => ended,
            None => (&mut recorder.ended).await,
        };
        for server in servers {
            server.close().await;
        }
        ended
    };
    let ended = tokio::select! {
        ended = finish => ended,
        signal = shutdown.requested() => {
            return Err(Failure::new(signal.exit(), "stopped before everything was finished")
                .advice("The logs are valid; the next run finds where they end."));
        }
    };
    recorder.join();
    servants.shutdown().await;
    drop(chores);
    upkeep.finish();
    match ended {
        Ok(result) => result,
        Err(_) => Err(Failure::new(Exit::Failed, "the journal's thread has died")),
    }
}

/// Reads the file again; what can change while running does.
async fn reload(
    flags: &Flags,
    dir: &Path,
    shared: &follow::Shared,
) -> Result<crate::upkeep::Keeping, Failure> {
    let config = Config::load(flags)?;
    shared.secrets.reload(dir, &config)?;
    let settings = Box::new(config.settings(shared.secrets.rules()));
    let _ = shared
        .sender
        .send(Message::Ask(Ask::Settings(settings)))
        .await;
    Ok(config.keeping)
}

/// When the next sign of life is due, where a supervisor wants any.
fn watchdog() -> Option<tokio::time::Interval> {
    let often = sd_notify::watchdog_enabled()?;
    Some(tokio::time::interval(often / 3))
}

async fn tick(watchdog: &mut Option<tokio::time::Interval>) {
    match watchdog {
        Some(watchdog) => {
            watchdog.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes()).to_string()
}
