//! The loop: events in, actions out, a frame when something on it is otherwise.

use std::collections::VecDeque;
use std::future::{Future, pending, ready};
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::time::{Duration, Instant};

use cc_kit::signals::{Hangup, Shutdown, Stop};
use crossterm::event::{Event as Input, EventStream, KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt as _;

use super::action::{Action, Event};
use super::due::fresh_for;
use super::look::Look;
use super::model::App;
use super::screen::{self, Screen};
use super::view;

/// However fast events come, a frame is not kept back longer than this.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often to see whether the terminal is still there. Where it goes without a signal, what reads
/// the keys would spin for ever.
const LOOK_ROUND: Duration = Duration::from_secs(5);

/// How long the end waits for what was confirmed and is being done.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// Something being done. What comes of it is shown: [`Event::Said`], [`Event::Failed`],
/// [`Event::Peeked`], [`Event::Page`], or [`Event::Tick`] for nothing.
///
/// It must end in its own time, also when the daemon does not answer: what has an effect waits for
/// what was confirmed before it.
pub(crate) type Doing = Pin<Box<dyn Future<Output = Event> + Send>>;

/// Who does what the dashboard asks for.
pub(crate) trait Hands {
    /// Begins with `action`, never [`Action::Quit`].
    fn act(&mut self, action: Action) -> Doing;

    /// Does it need the terminal for itself? Then the dashboard is off the screen until it is done.
    fn needs_terminal(&self, action: &Action) -> bool {
        matches!(action, Action::Attach { .. } | Action::Logs(_))
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The signal that ended it; none when somebody quit, or the terminal went away.
    pub(crate) signal: Option<Stop>,
    /// What was confirmed and may not have been done.
    pub(crate) undone: Vec<Action>,
    /// What it took.
    pub(crate) frames: Frames,
}

/// Frames that were drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frames {
    pub(crate) drawn: u64,
    /// The longest time from an event to the end of the frame that shows it.
    pub(crate) slowest: Duration,
}

/// Why the loop goes on or not.
enum Next {
    Go,
    End(Option<Stop>),
}

/// Shows what comes through `events` until somebody quits or a signal says so. The terminal is given
/// back in any case.
///
/// # Errors
/// When standard input and output are no terminal, or it cannot be read or written.
///
/// # Panics
/// When an action does, with the terminal given back.
pub(crate) async fn run<H: Hands>(
    mut events: mpsc::Receiver<Event>,
    hands: &mut H,
    look: Look,
) -> io::Result<Ended> {
    let mut shutdown = Shutdown::install()?;
    let mut hangup = Hangup::install()?;
    let mut top = Top::new(hands, look)?;
    let mut open = true;
    let signal = loop {
        if top.dirty.is_some_and(|since| since.elapsed() > PATIENCE) {
            top.draw()?;
        }
        let fresh = fresh_for(&top.app, Timestamp::now());
        let next = tokio::select! {
            // Whatever is there is taken in before a frame is drawn.
            biased;
            stop = shutdown.requested() => Next::End(Some(stop)),
            () = hangup.requested() => Next::End(Some(Stop::Terminate)),
            input = next(&mut top.keys) => match input {
                Some(input) => top.input(input?, &mut shutdown, &mut hangup, &mut events).await?,
                None => Next::End(None),
            },
            Some(done) = top.doing.join_next() => {
                let done = done.unwrap_or_else(|error| match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => Done::nothing(),
                });
                top.done(done)
            }
            event = events.recv(), if open => top.happened(event.unwrap_or_else(|| {
                open = false;
                Event::Lost("nothing more comes from it".to_owned())
            })),
            () = ready(()), if top.dirty.is_some() => {
                top.draw()?;
                Next::Go
            }
            () = sleep(fresh.map_or(LOOK_ROUND, |fresh| fresh.min(LOOK_ROUND))) => {
                if !screen::is_there() {
                    Next::End(None)
                } else if fresh.is_some_and(|fresh| fresh <= LOOK_ROUND) {
                    top.happened(Event::Tick)
                } else {
                    Next::Go
                }
            }
        };
        if let Next::End(signal) = next {
            break signal;
        }
    };
    let Top {
        screen,
        keys,
        doing,
        waiting,
        under_way,
        frames,
        ..
    } = top;
    drop(keys);
    drop(screen);
    let undone = finish(doing, under_way, waiting).await;
    Ok(Ended {
        signal,
        undone,
        frames,
    })
}

/// Waits for what is being done, and says what was not.
async fn finish(
    mut doing: JoinSet<Done>,
    under_way: Option<Action>,
    waiting: VecDeque<Action>,
) -> Vec<Action> {
    let last = async {
        while let Some(done) = doing.join_next().await {
            if done.is_ok_and(|done| done.effect) {
                return;
            }
        }
    };
    let done = under_way.is_none() || timeout(LAST_WAIT, last).await.is_ok();
    under_way
        .filter(|_| !done)
        .into_iter()
        .chain(waiting)
        .collect()
}

/// Something that was done.
struct Done {
    /// Was it one of those that are done one after the other?
    effect: bool,
    event: Event,
}

impl Done {
    const fn nothing() -> Self {
        Self {
            effect: false,
            event: Event::Tick,
        }
    }
}

struct Top<'a, H> {
    app: App,
    hands: &'a mut H,
    look: Look,
    screen: Screen,
    /// None while somebody else has the terminal.
    keys: Option<EventStream>,
    doing: JoinSet<Done>,
    /// What has an effect is done in order; this is being done.
    under_way: Option<Action>,
    /// And these come after it.
    waiting: VecDeque<Action>,
    /// Since when the screen is not as it should be.
    dirty: Option<Instant>,
    frames: Frames,
}

impl<'a, H: Hands> Top<'a, H> {
    fn new(hands: &'a mut H, look: Look) -> io::Result<Self> {
        let screen = Screen::take()?;
        let (columns, lines) = screen.size()?;
        Ok(Self {
            app: App::new(columns, lines),
            hands,
            look,
            screen,
            keys: Some(EventStream::new()),
            doing: JoinSet::new(),
            under_way: None,
            waiting: VecDeque::new(),
            dirty: Some(Instant::now()),
            frames: Frames::default(),
        })
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = Timestamp::now();
        self.screen
            .draw(|frame| view::draw(&self.app, now, self.look, frame))?;
        self.frames.drawn += 1;
        if let Some(since) = self.dirty.take() {
            self.frames.slowest = self.frames.slowest.max(since.elapsed());
        }
        Ok(())
    }

    /// Something that needs no terminal to deal with.
    fn happened(&mut self, event: Event) -> Next {
        match self.update(event) {
            Some(Action::Quit) => return Next::End(None),
            Some(action) => self.start(action),
            None => {}
        }
        Next::Go
    }

    fn update(&mut self, event: Event) -> Option<Action> {
        self.dirty.get_or_insert_with(Instant::now);
        self.app.update(event, Timestamp::now())
    }

    fn start(&mut self, action: Action) {
        let effect = action.has_effect();
        if effect && self.under_way.is_some() {
            self.waiting.push_back(action);
            return;
        }
        if effect {
            self.under_way = Some(action.clone());
        }
        let doing = self.hands.act(action);
        self.doing.spawn(async move {
            let event = doing.await;
            Done { effect, event }
        });
    }

    fn done(&mut self, done: Done) -> Next {
        if done.effect {
            self.under_way = None;
            if let Some(action) = self.waiting.pop_front() {
                self.start(action);
            }
        }
        self.happened(done.event)
    }

    async fn input(
        &mut self,
        input: Input,
        shutdown: &mut Shutdown,
        hangup: &mut Hangup,
        events: &mut mpsc::Receiver<Event>,
    ) -> io::Result<Next> {
        let event = match input {
            Input::Key(key) if is_control(key, 'z') => {
                self.suspend()?;
                return Ok(Next::Go);
            }
            Input::Key(key) => {
                if is_control(key, 'l') {
                    self.screen.forget()?;
                }
                Event::Key(key)
            }
            Input::Paste(text) => Event::Paste(text),
            Input::Resize(columns, rows) => Event::Resize { columns, rows },
            Input::FocusGained | Input::FocusLost | Input::Mouse(_) => return Ok(Next::Go),
        };
        match self.update(event) {
            Some(Action::Quit) => Ok(Next::End(None)),
            Some(action) if self.hands.needs_terminal(&action) => {
                self.hand_over(action, shutdown, hangup, events).await
            }
            Some(action) => {
                self.start(action);
                Ok(Next::Go)
            }
            None => Ok(Next::Go),
        }
    }

    /// Gives the terminal away until `action` is done.
    async fn hand_over(
        &mut self,
        action: Action,
        shutdown: &mut Shutdown,
        hangup: &mut Hangup,
        events: &mut mpsc::Receiver<Event>,
    ) -> io::Result<Next> {
        self.screen.leave();
        // Two that read keys would each get some of them.
        self.keys = None;
        let mut doing = self.hands.act(action);
        let event = loop {
            tokio::select! {
                event = &mut doing => break event,
                stop = shutdown.requested() => {
                    // The key for it was meant for whoever has the terminal.
                    if stop == Stop::Terminate {
                        return Ok(Next::End(Some(stop)));
                    }
                }
                () = hangup.requested() => return Ok(Next::End(Some(Stop::Terminate))),
                // Nobody who sends has to wait. What is asked for by it is not worth doing now.
                Some(event) = events.recv() => drop(self.update(event)),
            }
        };
        self.screen.come_back()?;
        self.keys = Some(EventStream::new());
        let (columns, rows) = self.screen.size()?;
        self.update(Event::Resize { columns, rows });
        Ok(self.happened(event))
    }

    /// Stops the process as the shell would, until it is told to go on.
    fn suspend(&mut self) -> io::Result<()> {
        self.screen.leave();
        kill_process(getpid(), Signal::TSTP)?;
        self.screen.come_back()?;
        let (columns, rows) = self.screen.size()?;
        self.update(Event::Resize { columns, rows });
        Ok(())
    }
}

async fn next(keys: &mut Option<EventStream>) -> Option<io::Result<Input>> {
    match keys {
        Some(keys) => keys.next().await,
        None => pending().await,
    }
}

fn is_control(key: KeyEvent, char: char) -> bool {
    key.code == KeyCode::Char(char) && key.modifiers.contains(KeyModifiers::CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left when it ends while a restart is `doing`, and a stop waits for it.
    fn undone(doing: Doing) -> Vec<Action> {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async { Done::nothing() });
            set.spawn(async {
                let event = doing.await;
                Done {
                    effect: true,
                    event,
                }
            });
            let waiting = [Action::Stop("w".into())].into();
            finish(set, Some(Action::Restart("w".into())), waiting).await
        })
    }

    #[test]
    fn the_end_waits_for_what_is_being_done() {
        let slow = Box::pin(async {
            sleep(LAST_WAIT / 2).await;
            Event::Tick
        });
        assert_eq!(undone(slow), [Action::Stop("w".into())]);
    }

    #[test]
    fn what_was_not_done_is_said() {
        let never = Box::pin(pending());
        let (restart, stop) = (Action::Restart("w".into()), Action::Stop("w".into()));
        assert_eq!(undone(never), [restart, stop]);
    }
}
