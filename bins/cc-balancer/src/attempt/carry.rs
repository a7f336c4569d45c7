//! Carrying an attempt through: does what its [`Course`] decides.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::limit::reset;
use cc_kit::process::reap;
use cc_kit::redact::{Rules, redacted};
use cc_kit::send::{Prompt, Unfit};
use jiff::{Timestamp, Zoned};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval_at, sleep_until};

use super::check::run_check;
use super::course::{Act, Belief, Captured, Course, Event, Manner, Stands};
use super::hands::{GRACE, Hands, command_line};
use crate::desk::now;
use crate::request::Attempt;
use crate::store::{End, Step, Store, StoreError};
use crate::task::{Fence, Kind, Outcome, State, Task};
use crate::worker::{Hands as Guarding, Worker, mark, steady};

/// How often a worker is looked at of which nothing is told.
const OFTEN: Duration = Duration::from_millis(500);
/// How long nothing is begun on an account of which nobody says how long it is limited.
const LIMITED: Duration = Duration::from_secs(5 * 60);
/// How long after the end of a limit it is over: agents say the minute in which it ends.
const AFTER: Duration = Duration::from_secs(60);
/// The most of what a check printed that is kept.
const SAID: usize = 64 << 10;
/// How long a store that is unwell is given to get well again before it is asked once more.
const UNWELL: Duration = Duration::from_secs(1);

/// What every attempt of this balancer needs.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) store: Arc<dyn Store>,
    /// Where we listen.
    pub(crate) socket: PathBuf,
    pub(crate) leases: PathBuf,
    /// The host's name, which is a pane's title until its program sets one.
    pub(crate) host: Arc<str>,
    pub(crate) lease: Duration,
    pub(crate) rules: Arc<Rules>,
    /// The most of a text that is kept.
    pub(crate) most: usize,
}

/// An attempt that is to be carried through.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) fence: Fence,
    pub(crate) nonce: String,
    pub(crate) worker: Worker,
    pub(crate) guarding: Option<Guarding>,
    /// Did an earlier life begin it?
    pub(crate) is_taken_up: bool,
    pub(crate) told: mpsc::UnboundedReceiver<Event>,
    /// That something is to be looked at there.
    pub(crate) look: Option<Arc<tokio::sync::Notify>>,
}

/// What came of carrying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Its task is in that state now.
    Ended(State),
    /// Nothing was typed, and its task waits again.
    Held(String),
    /// Nothing is to be begun on its account: why, and until when where it has none that says so.
    Limited(String, Option<Timestamp>),
    /// It is somebody else's.
    Lost,
}

/// Carries an attempt through.
pub(crate) async fn carry(tools: Tools, job: Job) -> Carried {
    let manner = Manner {
        commands: job.worker.commands,
        guarded: job.worker.guarded.is_some(),
        is_message: job.task.spec.kind == Kind::Message,
    };
    let (tell, own) = mpsc::unbounded_channel();
    let hands = Hands {
        worker: job.worker.clone(),
        guarding: job.guarding.clone(),
        leases: tools.leases.clone(),
        host: Arc::clone(&tools.host),
    };
    let mut carrying = Carrying {
        course: Course::new(
            manner,
            job.task.spec.check.is_some(),
            job.task.spec.timeout,
            steady(),
        ),
        acts: VecDeque::new(),
        hands,
        tools,
        job,
        tell,
        sending: None,
        checking: JoinSet::new(),
        limited: None,
    };
    let carried = carrying.go(own).await;
    // Who types has the pane.
    if let Some(sending) = carrying.sending.take() {
        let _ = sending.await;
    }
    carried
}

struct Carrying {
    tools: Tools,
    job: Job,
    hands: Hands,
    course: Course,
    acts: VecDeque<Act>,
    tell: mpsc::UnboundedSender<Event>,
    /// Who types the prompt.
    sending: Option<JoinHandle<()>>,
    /// The check, which ends with the attempt.
    checking: JoinSet<()>,
    limited: Option<(String, Option<Timestamp>)>,
}

impl Carrying {
    async fn go(&mut self, mut own: mpsc::UnboundedReceiver<Event>) -> Carried {
        if self.job.is_taken_up {
            if let Some(over) = self.take_up().await {
                return over;
            }
        } else {
            self.acts.extend(self.course.begin());
            if let Some(force) = self.job.task.cancel {
                self.on(Event::Cancel(force));
            }
        }
        let third = self.tools.lease / 3;
        let mut beat = interval_at(Instant::now() + third, third);
        let mut belief = self.job.worker.belief.clone();
        belief.mark_changed();
        let mut blind = false;
        let mut looked = Instant::now();
        loop {
            while let Some(act) = self.acts.pop_front() {
                if let Some(over) = self.act(act).await {
                    return over;
                }
            }
            let due = self.course.due().map(|due| {
                let due = Instant::now() + due.saturating_sub(steady());
                due.max(looked + OFTEN)
            });
            // A guardian tells of its own accord, and soon.
            let every = self.job.look.as_ref();
            let every = every.and_then(|_| self.course.looks_every(steady()));
            let due = due
                .into_iter()
                .chain(every.map(|every| looked + every))
                .min();
            let event = tokio::select! {
                biased;
                Some(event) = own.recv() => event,
                Some(event) = self.job.told.recv() => event,
                _ = beat.tick() => {
                    let beaten = self
                        .tools
                        .store
                        .beat(&self.job.fence, self.tools.lease, now())
                        .await;
                    match beaten {
                        Err(StoreError::Lost(_)) => Event::Lost,
                        Err(error) => {
                            tracing::warn!(%error, "a lease cannot be held up");
                            continue;
                        }
                        Ok(()) => Event::Tick,
                    }
                }
                changed = belief.changed(), if !blind => match changed {
                    Ok(()) => {
                        let now = belief.borrow_and_update().clone();
                        Event::Believed(Belief {
                            state: now.state,
                            sub: now.sub,
                            draft: now.draft,
                            began: now.steady,
                            seen: now.seen,
                        })
                    }
                    Err(_) => {
                        // Nobody looks there any more.
                        blind = true;
                        Event::Gone("its pane is gone".to_owned())
                    }
                },
                () = until(due) => {
                    looked = Instant::now();
                    if let Some(look) = &self.job.look {
                        look.notify_one();
                    } else if let Some(asked) = self.hands.asked().await {
                        self.on(Event::Believed(asked));
                    }
                    Event::Tick
                }
            };
            self.on(event);
        }
    }

    fn on(&mut self, event: Event) {
        if matches!(event, Event::Began | Event::Exited(_)) {
            // The command says that its line was typed and sent off, and may be over before that is seen.
            if let Some(sending) = self.sending.take() {
                sending.abort();
            }
        }
        let acts = self.course.on(event, steady());
        self.acts.extend(acts);
    }

    /// Goes on with what an earlier life began.
    async fn take_up(&mut self) -> Option<Carried> {
        let state = self.job.task.state;
        if state == State::Leased {
            // That something is about to be typed is written down before.
            let why = "the balancer ended before anything was typed".to_owned();
            return self.act(Act::End(End::Returned(why, None))).await;
        }
        match state {
            State::Verifying => {
                let acts = self.course.take_up_ended();
                self.acts.extend(acts);
            }
            state => self.course.take_up(state != State::Delivering, steady()),
        }
        if let Some(force) = self.job.task.cancel {
            self.on(Event::Cancel(force));
        }
        None
    }

    /// Does it; says what came of the attempt when it is over.
    async fn act(&mut self, act: Act) -> Option<Carried> {
        let fence = self.job.fence.clone();
        match act {
            Act::Step(step) => {
                let stepped = self
                    .held(|store| {
                        let (fence, step) = (fence.clone(), step.clone());
                        Box::pin(async move { store.step(&fence, step, now()).await })
                    })
                    .await;
                if stepped.is_err() {
                    // Nothing may be typed that is not written down before.
                    self.acts.clear();
                    if step == Step::Delivering {
                        return Some(Carried::Lost);
                    }
                    self.on(Event::Lost);
                }
            }
            Act::Send => self.send(),
            Act::Interrupt => {
                let hands = self.hands.clone();
                tokio::spawn(async move {
                    if let Err(error) = hands.interrupt().await {
                        tracing::warn!(error, "a turn cannot be stopped");
                    }
                });
            }
            Act::Find => {
                let stands = match self.typed() {
                    Ok(prompt) => self.hands.find(prompt.text(), &self.mark()).await,
                    Err(_) => Stands::Unsure,
                };
                self.on(Event::Found(stands));
            }
            Act::Look => {
                let runs = self.hands.runs().await;
                // What it said before it ended comes first.
                while let Ok(event) = self.job.told.try_recv() {
                    self.on(event);
                }
                self.on(Event::Runs(runs));
            }
            Act::Clear => {
                if let Err(error) = self.hands.clear(&self.mark()).await {
                    tracing::warn!(error, "a prompt that was stopped stays in its box");
                }
            }
            Act::Kill => {
                let hands = self.hands.clone();
                tokio::spawn(async move {
                    if let Err(error) = hands.kill().await {
                        tracing::warn!(error, "a program cannot be ended");
                    }
                });
            }
            Act::Reap => {
                let attempt = Attempt {
                    task: fence.task.to_string(),
                    attempt: fence.number,
                    nonce: self.job.nonce.clone(),
                };
                match reap(&attempt.mark(), &[], GRACE).await {
                    Ok(reaped) => tracing::info!(?reaped, "what a command has left is ended"),
                    Err(error) => tracing::warn!(%error, "what a command has left is not ended"),
                }
            }
            Act::Capture => {
                let session = self.job.worker.belief.borrow().session.clone();
                let begun = self.job.task.attempt.as_ref().map(|it| it.leased);
                let since = begun.unwrap_or_default();
                let nonce = &self.job.nonce;
                let turn = self.hands.turn(nonce, since, session.as_deref()).await;
                let mut outcome = self.kept(&turn.text);
                outcome.is_cut |= turn.is_cut;
                self.on(Event::Captured(Box::new(Captured {
                    outcome,
                    is_touched: turn.is_touched,
                    is_absent: turn.is_absent,
                })));
            }
            Act::Check => self.check(),
            Act::Limit(why) => self.limit(why).await,
            Act::Note(said) => {
                let _ = self.tools.store.note(&fence.task, said, now()).await;
            }
            Act::End(end) => {
                let held = match &end {
                    End::Returned(why, _) => Some(why.clone()),
                    _ => None,
                };
                let ended = self
                    .held(|store| {
                        let (fence, end) = (fence.clone(), end.clone());
                        Box::pin(async move { store.end(&fence, end, now()).await })
                    })
                    .await;
                return Some(match (ended, self.limited.take(), held) {
                    (Err(_), ..) => Carried::Lost,
                    (Ok(_), Some((why, until)), _) => Carried::Limited(why, until),
                    // The worker refused nothing.
                    (Ok(_), None, Some(_)) if self.job.is_taken_up => Carried::Lost,
                    (Ok(_), None, Some(why)) => Carried::Held(why),
                    (Ok(state), None, None) => Carried::Ended(state),
                });
            }
            Act::Leave => return Some(Carried::Lost),
        }
        None
    }

    /// Nothing is begun on the account of this worker: written down before its task can be given again.
    async fn limit(&mut self, why: String) {
        let said = self.job.worker.belief.borrow().limit.clone();
        let reset = said.and_then(|said| reset::read(&said, &Zoned::now()).ok());
        let reset = reset.and_then(|reset| reset.at.checked_add(AFTER).ok());
        let usual = || Timestamp::now().checked_add(LIMITED).ok();
        let until = reset.or_else(usual);
        let Some(account) = &self.job.worker.account else {
            self.limited = Some((why, until));
            return;
        };
        if let Err(error) = self.tools.store.limit(account, until, &why).await {
            tracing::error!(%error, account, "that an account is limited is not written down");
        }
        self.limited = Some((why, None));
    }

    /// Asks the store until it answers: what is not written down did not happen.
    async fn held<T>(
        &self,
        ask: impl Fn(
            Arc<dyn Store>,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>,
    ) -> Result<T, ()> {
        loop {
            match ask(Arc::clone(&self.tools.store)).await {
                Ok(answer) => return Ok(answer),
                Err(StoreError::Lost(_) | StoreError::Unknown(_)) => return Err(()),
                Err(error) => {
                    tracing::error!(%error, "the store does not take what came of a task");
                    tokio::time::sleep(UNWELL).await;
                }
            }
        }
    }

    /// What is typed.
    fn typed(&self) -> Result<Prompt, Unfit> {
        let spec = &self.job.task.spec;
        let text = match (self.job.worker.commands, spec.kind) {
            (true, Kind::Task) => {
                command_line(&self.tools.socket, &self.job.fence, &self.job.nonce)
            }
            (true, Kind::Message) => spec.text.clone(),
            (false, Kind::Task) => {
                let mark = mark(&self.job.fence, &self.job.nonce);
                format!("{}\n\n{mark}", spec.text.trim_end())
            }
            (false, Kind::Message) => {
                let (mark, from) = (self.mark(), &spec.submitter);
                format!("{}\n\n[{mark} from {from}]", spec.text.trim_end())
            }
        };
        let prompt = Prompt::new(text.as_bytes())?;
        prompt.fits(self.job.worker.profile.sending())?;
        Ok(prompt)
    }

    /// What of it no other prompt has.
    fn mark(&self) -> String {
        match self.job.task.spec.kind {
            Kind::Task => self.job.nonce.clone(),
            Kind::Message => format!("message {}", self.job.task.id),
        }
    }

    fn send(&mut self) {
        match self.typed() {
            Ok(prompt) => {
                let (hands, tell) = (self.hands.clone(), self.tell.clone());
                let nonce = self.job.nonce.clone();
                // Not broken off in the middle: what was begun is seen to its end.
                self.sending = Some(tokio::spawn(async move {
                    let sent = hands.send(prompt, &nonce).await;
                    let _ = tell.send(Event::Sent(sent));
                }));
            }
            Err(error) => self.on(Event::Unfit(error.to_string())),
        }
    }

    fn check(&mut self) {
        let Some(argv) = self.job.task.spec.check.clone() else {
            let _ = self.tell.send(Event::Checked(None, "no check".to_owned()));
            return;
        };
        let cwd = self.job.task.spec.cwd.clone();
        let id = self.job.task.id.to_string();
        let (tell, rules) = (self.tell.clone(), Arc::clone(&self.tools.rules));
        self.checking.spawn(async move {
            // More than is kept: what is taken out may begin before that.
            let (code, said) = run_check(&argv, cwd, &id, 2 * SAID).await;
            let said = redacted(&rules, &said);
            let said = cut(&said, SAID).0.to_owned();
            let _ = tell.send(Event::Checked(code, said));
        });
    }

    fn kept(&self, text: &str) -> Outcome {
        let text = redacted(&self.tools.rules, text);
        let (text, is_cut) = cut(&text, self.tools.most);
        Outcome {
            text: text.to_owned(),
            is_cut,
            ..Outcome::default()
        }
    }
}

/// The end of a text, of at most so many bytes: how it came out stands there. And whether it was cut.
fn cut(text: &str, most: usize) -> (&str, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let mut from = text.len() - most;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    (text.get(from..).unwrap_or_default(), true)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
