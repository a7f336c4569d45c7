//! The tap: every byte of every pane through its pipe, and nothing left behind.

use std::collections::BTreeMap;

use harness::pane_agent;
use harness::seeded::Seeded;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{Cause, Ending, Event, Loss, Resync, Screen, Tap, TapHelper, TapOutput};
use tmux_cc::wire::PaneId;

use super::support::{LONG, follow, pane_id, pane_of, scaled, soon, within};

mod life;
mod slow;

/// The helper of the tests, at the place where it was built.
pub(crate) fn helper() -> TapHelper {
    TapHelper::new(env!("CARGO_BIN_EXE_tap-helper")).arg("hand-over")
}

/// What came of one pane.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// All bytes, those of each stretch behind those of the one before.
    pub(super) bytes: Vec<u8>,
    pub(super) resyncs: Vec<Resync>,
    pub(super) untapped: usize,
    pub(super) ended: Option<(Ending, Loss)>,
    epoch: u32,
    offset: u64,
    begun: bool,
}

/// A followed server with a tap on it.
pub(super) struct Tapped<'a> {
    pub(super) server: &'a Server,
    pub(super) followed: tmux_cc::client::Server,
    pub(super) output: TapOutput,
    pub(super) panes: BTreeMap<PaneId, Heard>,
}

impl<'a> Tapped<'a> {
    pub(super) async fn of(server: &'a Server) -> Self {
        Self::with(server, Tap::new(helper())).await
    }

    pub(super) async fn with(server: &'a Server, tap: Tap) -> Self {
        let followed = follow(server).start().await.unwrap();
        let output = soon("a tap", followed.tap(tap)).await.unwrap();
        Self {
            server,
            followed,
            output,
            panes: BTreeMap::new(),
        }
    }

    /// Takes what the next batch says, and checks that it says all.
    pub(super) async fn next(&mut self) {
        let batch = self.output.recv().await.expect("the output goes on");
        for event in batch.iter() {
            match event {
                Event::Output(output) => {
                    let heard = self.panes.entry(output.pane).or_default();
                    let at = (output.epoch, output.offset);
                    assert_eq!(at, (heard.epoch, heard.offset), "{}", output.pane);
                    assert!(heard.ended.is_none());
                    heard.begun = true;
                    heard.bytes.extend_from_slice(output.data.as_bytes());
                    heard.offset += output.data.decoded_len() as u64;
                }
                Event::Resync(resync) => {
                    let heard = self.panes.entry(resync.pane).or_default();
                    if heard.begun {
                        assert_eq!(resync.epoch, heard.epoch + 1);
                    } else {
                        assert_eq!((resync.epoch, resync.cause), (0, Cause::FirstSight));
                    }
                    heard.begun = true;
                    (heard.epoch, heard.offset) = (resync.epoch, 0);
                    heard.resyncs.push(resync.clone());
                }
                Event::Untapped(pane) => self.panes.entry(pane).or_default().untapped += 1,
                Event::Ended(ended) => {
                    let heard = self.panes.entry(ended.pane).or_default();
                    assert_eq!((ended.epoch, ended.offset), (heard.epoch, heard.offset));
                    heard.ended = Some((ended.why.clone(), ended.loss));
                }
                _ => panic!("{event:?}"),
            }
        }
    }

    /// Takes batches until `enough` of one pane, in good time.
    #[track_caller]
    pub(super) fn until(
        &mut self,
        pane: PaneId,
        what: &str,
        mut enough: impl FnMut(&Heard) -> bool,
    ) -> impl Future<Output = ()> {
        let what = format!("{what} of {pane}");
        within(LONG / 2, what.leak(), async move {
            while !self.panes.get(&pane).is_some_and(&mut enough) {
                self.next().await;
            }
        })
    }

    pub(super) fn heard(&self, pane: PaneId) -> &Heard {
        &self.panes[&pane]
    }

    /// What tmux says of a pane.
    pub(super) fn tells(&self, pane: PaneId, format: &str) -> String {
        let pane = pane.to_string();
        self.server
            .answer(["display-message", "-p", "-t", &pane, format])
    }

    /// A new window that runs words.
    pub(super) fn window(&self, words: &[&str]) -> PaneId {
        let line = ["new-window", "-dP", "-F", "#{pane_id}", "-t", "=main:"];
        pane_id(&self.server.answer(line.iter().chain(words)))
    }

    /// Ends it, and checks that nothing is left in the server.
    pub(super) async fn close(self) {
        soon("the end of the tap", self.output.close()).await;
        soon("the end", self.followed.close()).await;
        nothing_is_left(self.server).await;
    }
}

/// No hook, no pipe, no claim.
pub(super) async fn nothing_is_left(server: &Server) {
    assert_eq!(hooks(server), "");
    assert_eq!(server.answer(["show-options", "-sqv", "@tmux_cc_tap"]), "");
    until_async(PATIENCE, "no pipe", async || {
        let pipes = server.answer(["list-panes", "-a", "-F", "#{pane_pipe}"]);
        pipes.lines().all(|pipe| pipe == "0")
    })
    .await;
}

/// The hooks of taps.
pub(super) fn hooks(server: &Server) -> String {
    let all = ["show-hooks", "-g"];
    let windows = ["show-hooks", "-gw"];
    let all = server.answer(all) + "\n" + &server.answer(windows);
    let ours = all.lines().filter(|line| line.contains("[7301]"));
    ours.collect::<Vec<_>>().join("\n")
}

/// The bytes that `pane-agent flood --lines LINES` prints.
pub(super) fn numbers(lines: usize) -> Vec<u8> {
    (0..lines)
        .flat_map(|n| format!("{n}\r\n").into_bytes())
        .collect()
}

/// Passes when panes that any command makes are delivered from their first byte to their last, and
/// none is lost when they end at once.
#[tokio::test]
async fn a_new_pane_is_complete_whatever_makes_it() {
    skip_if_asked!();
    let server = Server::start();
    let mut tapped = Tapped::of(&server).await;
    let agent = [pane_agent!(), "flood", "--lines", "5000", "--then-stay"];
    let wanted = numbers(5000);
    let made: [&[&str]; 3] = [
        &["new-session", "-dP", "-F", "#{pane_id}", "-s", "other"],
        &["new-window", "-dP", "-F", "#{pane_id}", "-t", "=main:"],
        &["split-window", "-dP", "-F", "#{pane_id}", "-t", "=main:"],
    ];
    for make in made {
        let pane = pane_id(&tapped.server.answer(make.iter().chain(&agent)));
        let all = |h: &Heard| h.bytes.len() >= wanted.len();
        tapped.until(pane, "every byte", all).await;
        let name = pane.to_string();
        tapped.server.tmux(["send-keys", "-t", &name, "C-d"]);
        tapped.until(pane, "the end", |h| h.ended.is_some()).await;
        let heard = tapped.heard(pane);
        assert_eq!(heard.resyncs, [], "{make:?}");
        let end = Some((Ending::Pane, Loss::Unknown { at_least: 0 }));
        assert_eq!(heard.ended, end);
        assert!(heard.bytes == wanted, "{make:?}");
    }
    tapped.close().await;
}

/// What `seq 1 2000; echo LAST` prints.
fn seq() -> Vec<u8> {
    let lines = (1..=2000).map(|n| format!("{n}\r\n"));
    let text: String = lines.chain(["LAST\r\n".to_owned()]).collect();
    text.into_bytes()
}

/// Passes when the streams of 200 panes that print 2,000 lines and end at once hold what was
/// printed, in order, from the first byte on, and end.
///
/// Their last bytes may be missing: a server that has read all that is there in this moment, and has
/// been told that the program has ended, does not look whether the system has more of it on the way
/// (`window.c`, `window_pane_destroy_ready`, all versions). That takes a machine that is busy, where it
/// can be all of a pane's bytes; how much was missing is printed. That nothing is missing which the
/// server has read is the next test's.
#[tokio::test]
async fn two_hundred_panes_that_end_at_once_are_there() {
    skip_if_asked!();
    let server = Server::start();
    let mut tapped = Tapped::of(&server).await;
    let wanted = seq();
    let (mut missing, mut short, panes) = (0, 0, scaled(200));
    for _ in 0..panes {
        let pane = tapped.window(&["seq 1 2000; echo LAST"]);
        tapped.until(pane, "the end", |h| h.ended.is_some()).await;
        let heard = tapped.heard(pane);
        assert_eq!(heard.resyncs, []);
        let end = Some((Ending::Pane, Loss::Unknown { at_least: 0 }));
        assert_eq!(heard.ended, end);
        assert!(wanted.starts_with(&heard.bytes));
        // What is missing is what the server had not read when it looked last.
        missing += wanted.len() - heard.bytes.len();
        short += usize::from(heard.bytes.len() < wanted.len());
    }
    assert!(short * 2 < panes, "{short} of {panes} panes are short");
    eprintln!(
        "{}: {panes} panes, {missing} bytes missing of {short}",
        server.version()
    );
    tapped.close().await;
}

/// Passes when of 200 panes that print 2,000 lines and end at once nothing is missing that the
/// server itself has read.
#[tokio::test]
async fn what_the_server_has_read_is_delivered() {
    skip_if_asked!();
    let server = Server::start();
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    server.tmux(["set-option", "-g", "remain-on-exit-format", ""]);
    server.tmux(["set-option", "-g", "history-limit", "5000"]);
    let mut tapped = Tapped::of(&server).await;
    let wanted = seq();
    for _ in 0..scaled(200) {
        let pane = tapped.window(&["seq 1 2000; echo LAST"]);
        until_async(PATIENCE, "the end of the program", async || {
            tapped.tells(pane, "#{pane_dead}") == "1"
        })
        .await;
        let name = pane.to_string();
        let read = server.answer(["capture-pane", "-p", "-S", "-", "-t", &name]);
        // Up to 3.3a, and where there is no format, a line of tmux's own follows.
        let read: Vec<_> = read
            .lines()
            .take_while(|line| !line.is_empty() && !line.starts_with("Pane is dead"))
            .collect();
        let read = read.join("\r\n");
        let came = |h: &Heard| h.bytes.len() >= read.len();
        if !read.is_empty() {
            tapped.until(pane, "what was read", came).await;
        }
        let came = tapped.panes.get(&pane).map_or(&[][..], |h| &h.bytes);
        assert!(wanted.starts_with(came));
        assert!(came.starts_with(read.as_bytes()));
        server.tmux(["kill-pane", "-t", &name]);
        tapped.until(pane, "the end", |h| h.ended.is_some()).await;
    }
    tapped.close().await;
}

/// What the screen shows and what follows are one row of numbers.
fn assert_joined(screen: &Screen, stream: &[u8]) {
    let text = String::from_utf8(screen.visible.clone()).unwrap();
    let rows: Vec<_> = text.lines().map(str::trim_end).collect();
    let (column, row) = screen.cursor;
    let (column, row) = (column as usize, row as usize);
    let begun = rows[row];
    let mut joined = begun.as_bytes().to_vec();
    if column == 0 && !begun.is_empty() {
        // Between CR and LF.
        joined.push(b'\r');
    } else {
        assert_eq!(column, begun.len(), "{screen:?}");
    }
    joined.extend_from_slice(stream);
    let joined = String::from_utf8(joined).unwrap();
    let whole = joined.rfind('\n').expect("many lines");
    let above = row.checked_sub(1).map(|above| rows[above]);
    let first = above.map_or(0, |above| above.parse::<u64>().expect("a number") + 1);
    for (number, line) in (first..).zip(joined[..whole].split('\n')) {
        let number = number.to_string();
        assert_eq!(line.strip_suffix('\r'), Some(&*number), "{rows:?}");
    }
}

/// Passes when a pane that floods numbered lines while it is taken goes on exactly where what was
/// captured ends.
#[tokio::test]
async fn a_pane_that_floods_goes_on_where_its_screen_ends() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
    let pane = pane_of(&server, "=main:");
    for _ in 0..scaled(100) {
        let mut tapped = Tapped::of(&server).await;
        tapped
            .until(pane, "many lines", |h| h.bytes.len() > 100_000)
            .await;
        let heard = tapped.heard(pane);
        let [resync] = &heard.resyncs[..] else {
            panic!("{:?}", heard.resyncs);
        };
        let screen = resync.screen.as_ref().expect("it is asked for by default");
        assert_joined(screen, &heard.bytes);
        tapped.close().await;
    }
}

/// Passes when bytes of every value come as they were printed.
#[tokio::test]
async fn every_byte_value_comes_as_it_is() {
    skip_if_asked!();
    let server = Server::start();
    let mut tapped = Tapped::of(&server).await;
    let pane = tapped.window(&[pane_agent!(), "random", "11", "3000000", "--then-stay"]);
    let all = |h: &Heard| h.bytes.len() >= 3_000_000;
    tapped.until(pane, "every byte", all).await;
    let heard = tapped.heard(pane);
    assert_eq!(heard.bytes.len(), 3_000_000);
    Seeded::bytes(11).check(0, &heard.bytes).unwrap();
    tapped.close().await;
}
