//! What is done to a worker: typing, stopping, ending, looking back at the turn.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_kit::lease::{Lease, Place, Taken};
use cc_kit::pane::Sighting;
use cc_kit::process::{Identity, Snapshot, end_tree};
use cc_kit::profile::{Reading, Sight, State};
use cc_kit::send::{
    Answer, Answered, Delivery, Hands as _, Outcome as Sending, Prompt, Reader, Why, answer,
    deliver,
};
use jiff::Timestamp;
use tmux_cc::protocol::commands::{CapturePane, Run as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::course::{self, Stands};
use crate::task::Fence;
use crate::worker::{Below, Hands as Guarding, Told, Worker, longer, steady, text_of_turn, told};

/// Rows of history that are looked back at.
const HISTORY: i32 = 20_000;
/// How long another may write to the pane before we give up.
const WRITING: Duration = Duration::from_secs(5);
/// How long a shell may take to show its prompt again behind the end of a command, which is told before.
const PROMPT: Duration = Duration::from_secs(2);
/// How often it is looked for that.
const LOOK: Duration = Duration::from_millis(20);
/// How often a box is emptied at most: some keys take a line each.
const CLEARS: u32 = 40;
/// How long a process may take to end once it is told to.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How long before the end of a turn a person's key may have ended it.
const KEY: Duration = Duration::from_secs(3);
/// How long what an agent writes down of a turn may come behind what it shows of it.
const WRITTEN: Duration = Duration::from_secs(1);
/// The agent whose transcripts are read.
const CLAUDE: &str = "claude";

/// What came of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) text: String,
    /// Is its beginning no longer there?
    pub(super) is_cut: bool,
    /// Did a person press a key as it ended?
    pub(super) is_touched: bool,
    /// Does what the agent writes down say nothing of it?
    pub(super) is_absent: bool,
}

/// A worker, and what is needed to reach it.
#[derive(Debug, Clone)]
pub(super) struct Hands {
    pub(super) worker: Worker,
    pub(super) guarding: Option<Guarding>,
    pub(super) leases: PathBuf,
    pub(super) host: Arc<str>,
}

impl Hands {
    /// Types the prompt: all of it, once, or not at all.
    pub(super) async fn send(&self, prompt: Prompt, nonce: &str) -> Sending {
        if let (Some((_, unit)), Some(guarding)) = (&self.worker.guarded, &self.guarding) {
            return guarding.send(unit, prompt.text()).await;
        }
        // A delivery of ours may be seeing to its end what is over already.
        let _lease = match self.lease().await {
            Ok(lease) => lease,
            Err(why) => return Sending::Held(why),
        };
        let profile = Arc::clone(&self.worker.profile);
        let reader = Reader {
            pane: self.worker.pane.clone(),
            profile: Arc::clone(&profile),
            host: Arc::clone(&self.host),
            own: self.worker.own.clone(),
            in_band: None,
        };
        let began = Instant::now();
        // Nothing is typed before it is idle, as always.
        let patience = match self.worker.commands {
            true => PROMPT,
            false => Duration::ZERO,
        };
        let state = self.worker.belief.borrow().state;
        let delivery = match state {
            // It was chosen because what stopped its last turn is over.
            State::Limited | State::Errored => {
                if let Err(why) = rid_of_dialog(&reader, began).await {
                    return Sending::Held(why);
                }
                Delivery::past_stop(prompt, profile.sending(), began.elapsed())
            }
            _ => Delivery::new(prompt, profile.sending(), patience, Duration::ZERO),
        };
        let (_nobody, hooks) = mpsc::unbounded_channel();
        let enter = &profile.sending().enter;
        let receipt = deliver(delivery, enter, &reader, hooks, began).await;
        match receipt.outcome {
            // A turn may be over before anybody looks, its answer longer than the screen.
            Sending::Uncertain(Why::NotConfirmed)
                if matches!(self.told(nonce, None).await, Told::Turn(_)) =>
            {
                Sending::Delivered
            }
            outcome => outcome,
        }
    }

    /// Presses the keys that stop a turn, unless somebody else writes there all the time.
    pub(super) async fn interrupt(&self) -> Result<(), String> {
        let _lease = self.lease().await.map_err(|why| why.to_string())?;
        let keys = self.worker.profile.keys();
        for key in &keys.interrupt {
            self.worker
                .pane
                .press(key)
                .await
                .map_err(|e| e.to_string())?;
            sleep(keys.gap()).await;
        }
        Ok(())
    }

    /// Empties the box where our own prompt stands in it, by its mark: it was never sent off, or the agent
    /// has put it back when its turn was stopped. What a person has written stays.
    pub(super) async fn clear(&self, mark: &str) -> Result<(), String> {
        let keys = self.worker.profile.keys();
        let (mut lease, mut is_begun) = (None, false);
        for _ in 0..CLEARS {
            let found = self.worker.pane.look().await.map_err(|e| e.to_string())?;
            let Some(draft) = self.draft(&found) else {
                return Ok(());
            };
            // The line with the mark may be gone already.
            let is_ours = draft.contains(mark) || is_begun;
            if !is_ours || keys.clear.is_empty() {
                return Ok(());
            }
            if lease.is_none() {
                lease = Some(self.lease().await.map_err(|why| why.to_string())?);
                // Whoever wrote there meanwhile may have changed it.
                continue;
            }
            is_begun = true;
            for key in &keys.clear {
                let pressed = self.worker.pane.press_unless_typed(key, found.keyed).await;
                if !pressed.map_err(|e| e.to_string())? {
                    return Err("a person is typing".to_owned());
                }
                sleep(keys.gap()).await;
            }
        }
        Err("the box does not get empty".to_owned())
    }

    /// What stands in the box.
    fn draft(&self, found: &Sighting) -> Option<String> {
        self.read(found).draft
    }

    fn read(&self, found: &Sighting) -> Reading {
        let own = self.worker.own.as_deref();
        let sight = Sight {
            screen: Some(&found.screen),
            title: &found.title,
            host: &self.host,
            command: self.worker.profile.command_told(&found.command, own),
            in_band: None,
        };
        self.worker.profile.read(&sight)
    }

    /// Waits for the prompt of a shell. A command says that it has ended before tmux has read all that it
    /// printed, and the prompt comes behind that.
    async fn prompts(&self) {
        let until = Instant::now() + PROMPT;
        while Instant::now() < until {
            if let Ok(found) = self.worker.pane.look().await
                && self.read(&found).state == State::Idle
                && self.worker.profile.above_box(&found.screen).is_some()
            {
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Where a prompt stands that has that mark in it, and nobody else's.
    pub(super) async fn find(&self, prompt: &str, mark: &str) -> Stands {
        // It goes from the box to above it, not the other way: it is captured before the box is looked at.
        let (Some(text), Ok(found)) = (self.capture().await, self.worker.pane.look().await) else {
            return Stands::Unsure;
        };
        let draft = self.draft(&found);
        let folds = &self.worker.profile.sending().folds;
        let is_folded = folds.iter().any(|fold| text.contains(fold.as_str()));
        match draft {
            Some(draft) if draft.contains(mark) => match dense(prompt).contains(&dense(&draft)) {
                true => Stands::InBox,
                // A person has written beside it.
                false => Stands::Unsure,
            },
            _ if text_of_turn(text.lines(), mark, None).1 => Stands::Sent,
            // It may have been folded to a few words, or scrolled away where there is no history.
            None if !is_folded && !found.screen.alternate => Stands::Nowhere,
            _ => Stands::Unsure,
        }
    }

    /// The right to write to the pane, as soon as nobody else has it.
    async fn lease(&self) -> Result<Lease, Why> {
        let place = self.place();
        let place = place.ok_or_else(|| Why::Gone("its server is gone".to_owned()))?;
        let began = Instant::now();
        loop {
            match Lease::take(&self.leases, place, "cc-balancer") {
                Ok(Taken::Ours(lease)) => return Ok(lease),
                Ok(Taken::Theirs(who)) if began.elapsed() > WRITING => {
                    return Err(Why::Leased(who));
                }
                Ok(Taken::Theirs(_)) => sleep(WRITING / 50).await,
                Err(error) => return Err(Why::Refused(error.to_string())),
            }
        }
    }

    /// Ends the program: what a guardian has it starts anew; of a shell what it runs; else all of it.
    pub(super) async fn kill(&self) -> Result<(), String> {
        if let (Some((_, unit)), Some(guarding)) = (&self.worker.guarded, &self.guarding) {
            return guarding.restart(unit).await.map_err(|e| e.to_string());
        }
        let pid = self.worker.pid.and_then(|pid| i32::try_from(pid).ok());
        let first = pid.and_then(|pid| Identity::of(pid).ok().flatten());
        let first = first.ok_or("its process is gone")?;
        let ended: io::Result<()> = async {
            if !self.worker.commands {
                return end_tree(first, GRACE).await;
            }
            let children: Vec<Identity> = {
                let snapshot = Snapshot::take()?;
                let all = snapshot.tree(first);
                let below = all.iter().filter(|it| it.parent == first.pid);
                below.map(|it| it.identity).collect()
            };
            for child in children {
                end_tree(child, GRACE).await?;
            }
            Ok(())
        }
        .await;
        ended.map_err(|error| error.to_string())
    }

    /// Is there a command of ours below it, stopped perhaps? Where that cannot be seen there may be.
    pub(super) async fn runs(&self) -> bool {
        let pid = self.worker.pid.and_then(|pid| i32::try_from(pid).ok());
        let look = move || -> io::Result<bool> {
            let Some(pid) = pid else {
                return Ok(true);
            };
            let Some(shell) = Identity::of(pid)? else {
                return Ok(false);
            };
            let snapshot = Snapshot::take()?;
            let own = snapshot.get(Identity::own()?).map(|own| &own.comm);
            let below = snapshot.tree(shell);
            Ok(own.is_none() || below.iter().any(|it| Some(&it.comm) == own))
        };
        let looked = tokio::task::spawn_blocking(look).await;
        !matches!(looked, Ok(Ok(false)))
    }

    /// What it is doing now, where only a guardian says so.
    pub(super) async fn asked(&self) -> Option<course::Belief> {
        let (_, unit) = self.worker.guarded.as_ref()?;
        let pane = &self.worker.key.pane;
        let belief = self.guarding.as_ref()?.look(unit, pane).await?;
        Some(course::Belief {
            state: belief.state,
            sub: belief.sub,
            draft: belief.draft,
            began: belief.steady,
            seen: steady(),
        })
    }

    /// What came of a turn that began then.
    pub(super) async fn turn(&self, nonce: &str, since: Timestamp, session: Option<&str>) -> Turn {
        if self.worker.commands {
            self.prompts().await;
        }
        // What is captured before the look has a prompt only if the look has it too.
        let rows = self.capture().await.unwrap_or_default();
        let found = self.worker.pane.look().await.ok();
        let touched = found.as_ref().and_then(|found| found.touched);
        let is_touched = touched.is_some_and(|ago| ago <= KEY);
        let told = self.told(nonce, session).await;
        if let Told::Turn(turn) = &told
            && turn.is_over
        {
            return Turn {
                text: turn.text.clone(),
                is_cut: false,
                is_touched,
                is_absent: false,
            };
        }
        let below = found.and_then(|found| {
            let above = self.worker.profile.above_box(&found.screen)?;
            Below::of(&found.screen.rows, above)
        });
        let is_absent = matches!(told, Told::Nothing);
        let (mut text, mut is_whole) = text_of_turn(rows.lines(), nonce, below.as_ref());
        if !is_whole {
            (text, is_whole) = match told {
                // What stands there is of other turns.
                Told::Nothing => (String::new(), true),
                Told::Turn(turn) => (turn.text, true),
                Told::Unreadable => match longer(&self.worker.key, since, &rows).await {
                    Some(rows) => text_of_turn(rows.lines(), nonce, below.as_ref()),
                    None => (text, false),
                },
            };
        }
        Turn {
            text,
            is_cut: !is_whole,
            is_touched,
            is_absent,
        }
    }

    /// What the agent wrote down of the turn, which may be a moment behind its screen.
    async fn told(&self, nonce: &str, session: Option<&str>) -> Told {
        let is_known = session.is_some() || self.worker.profile.name() == CLAUDE;
        let Some(pid) = self.worker.pid.filter(|_| is_known) else {
            return Told::Unreadable;
        };
        let until = Instant::now() + WRITTEN;
        loop {
            let (session, nonce) = (session.map(str::to_owned), nonce.to_owned());
            let read = tokio::task::spawn_blocking(move || told(pid, session.as_deref(), &nonce));
            let told = read.await.unwrap_or(Told::Unreadable);
            let is_whole = match &told {
                Told::Unreadable => true,
                Told::Nothing => false,
                Told::Turn(turn) => turn.is_over,
            };
            if is_whole || Instant::now() >= until {
                return told;
            }
            sleep(WRITTEN / 10).await;
        }
    }

    async fn capture(&self) -> Option<String> {
        let capture = CapturePane::new(self.worker.pane.id())
            .start(-HISTORY)
            .join();
        let reply = self.worker.pane.server().command(capture.command()).await;
        let reply = reply.ok()?.ok().ok()?;
        Some(String::from_utf8_lossy(reply.text()).into_owned())
    }

    fn place(&self) -> Option<Place> {
        let server = self.worker.pane.server().identity()?;
        let life = format!("{}.{}", server.pid, server.start_time);
        // Panes of another life of the server have the same numbers.
        (life == self.worker.key.server).then(|| Place {
            server: server.pid,
            start_time: server.start_time,
            pane: self.worker.pane.id().0,
        })
    }
}

/// Answers what a program asks that has been stopped, as its profile says that it goes on; where it
/// asks nothing, nothing is done.
async fn rid_of_dialog(reader: &Reader, began: Instant) -> Result<(), Why> {
    let look = reader.look().await?;
    let choice = look.reading.go_on.and_then(|go_on| go_on.choice);
    let (Some(choice), Some(asked)) = (choice, look.reading.dialog) else {
        return Ok(());
    };
    let enter = &reader.profile.sending().enter;
    match answer(Answer::new(asked.hash, &choice, enter), reader, began).await {
        Answered::Answered => Ok(()),
        Answered::Held(why) | Answered::Uncertain(why) => Err(why),
    }
}

/// What is typed into a shell: the command says itself when it begins and how it ends.
pub(super) fn command_line(socket: &Path, fence: &Fence, nonce: &str) -> String {
    let program = std::env::current_exe();
    let program = program
        .as_deref()
        .map_or_else(|_| "cc-balancer".into(), |path| path.to_string_lossy());
    let (task, number) = (&fence.task, fence.number);
    format!(
        "{} exec --socket {} --attempt {task}.{number} --nonce {nonce}",
        quoted(&program),
        quoted(&socket.to_string_lossy()),
    )
}

/// Text without what boxes change when they wrap it.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A word as every shell reads it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_by_a_shell_as_it_is() {
        assert_eq!(quoted("/usr/bin/x"), "/usr/bin/x");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's;$(x)"), r"'it'\''s;$(x)'");
        assert_eq!(quoted(""), "''");
    }
}
