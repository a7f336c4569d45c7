//! Streams that go on from a screen, against a toy server in which everything is on its way for as
//! long as chance will have it.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::client::flow::{Asked, Stitch};
use crate::client::screen::{Backfill, Screen};

/// The panes of the toy.
const PANES: [PaneId; 2] = [PaneId(1), PaneId(2)];

/// What is on its way to a client.
#[derive(Clone, Debug)]
enum Sent {
    /// So many of the pane's words, beginning with that.
    Output(PaneId, u64, u64),
    Pause(PaneId),
    Continue(PaneId),
    Answer(Order),
}

/// An output client.
struct ToyClient {
    source: SourceId,
    paused: BTreeMap<PaneId, bool>,
    /// Orders on their way to the server.
    orders: Vec<Order>,
    sent: Vec<Sent>,
}

/// A server with two panes and two clients that deliver both.
struct Toy {
    inbox: Arc<Inbox>,
    printed: BTreeMap<PaneId, u64>,
    clients: Vec<ToyClient>,
    /// Commands on their way on the other client.
    lines: Vec<Stitch>,
    /// And their answers.
    answers: Vec<(Stitch, Asked)>,
    /// Are notifications sent behind the answer of the command that caused them? So from 3.8 on.
    late: bool,
    /// Has a client ended, has a pane been given to another, could a screen not be had?
    breaks: bool,
    seen: BTreeMap<PaneId, Seen>,
}

/// What the consumer knows of a pane.
#[derive(Debug)]
struct Seen {
    /// Which word comes next.
    at: u64,
    /// Or one behind it, since there was no screen to tell.
    at_least: bool,
    epoch: u32,
    offset: u64,
}

/// Words tell which they are.
fn words(from: u64, count: u64) -> String {
    (from..from + count).map(|at| format!("{at};")).collect()
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// A screen that tells how much the pane has printed.
fn screen(printed: u64) -> Screen {
    let mut screen = Screen::sample();
    screen.text = printed.to_string().into_bytes();
    screen
}

impl Toy {
    fn new(late: bool, policy: Policy, backfill: Backfill) -> Self {
        let request = OutputRequest::default().backfill(backfill).policy(policy);
        let inbox = Inbox::merged(Budget::bytes(0), request, Arc::default());
        let mut toy = Self {
            inbox,
            printed: PANES.map(|pane| (pane, 0)).into(),
            clients: Vec::new(),
            lines: Vec::new(),
            answers: Vec::new(),
            late,
            breaks: false,
            seen: BTreeMap::new(),
        };
        toy.clients = vec![toy.client(), toy.client()];
        toy
    }

    fn client(&self) -> ToyClient {
        let (source, _) = self.inbox.register(Some(SessionId(0)));
        self.inbox.set_name(source, b"client-1");
        ToyClient {
            source,
            paused: PANES.map(|pane| (pane, false)).into(),
            orders: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn print(&mut self, pane: PaneId, length: u64) {
        let printed = self.printed.get_mut(&pane).unwrap();
        for client in &mut self.clients {
            if !client.paused[&pane] {
                client.sent.push(Sent::Output(pane, *printed, length));
            }
        }
        *printed += length;
    }

    /// The server pauses a pane because its bytes are too old.
    fn age(&mut self, client: usize, pane: PaneId) {
        let client = &mut self.clients[client];
        if !client.paused.insert(pane, true).unwrap() {
            client.sent.push(Sent::Pause(pane));
        }
    }

    /// The server does the next order of a client.
    fn order(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.orders.extend(self.inbox.take_orders(client.source));
        if client.orders.is_empty() {
            return;
        }
        let order = client.orders.remove(0);
        let (pane, paused) = match order {
            Order::Pause(pane) => (pane, true),
            Order::Continue(pane) => (pane, false),
            _ => {
                client.sent.push(Sent::Answer(order));
                return;
            }
        };
        let changed = client.paused.insert(pane, paused).unwrap() != paused;
        let said = if paused {
            Sent::Pause(pane)
        } else {
            Sent::Continue(pane)
        };
        let answer = Sent::Answer(order);
        match (changed, self.late) {
            (false, _) => client.sent.push(answer),
            (true, false) => client.sent.extend([said, answer]),
            (true, true) => client.sent.extend([answer, said]),
        }
    }

    /// The server runs the next line that asks for a screen; it may fail, or its answer get lost.
    fn line(&mut self, fails: bool, lost: bool) {
        self.breaks |= fails || lost;
        if let Ok(stitch) = self.inbox.take_stitch(far()) {
            self.lines.push(stitch);
        }
        if self.lines.is_empty() {
            return;
        }
        let stitch = self.lines.remove(0);
        let mut answer = Asked::Refused;
        if !fails {
            let captured = screen(self.printed[&stitch.pane]);
            answer = Asked::Done((stitch.backfill != Backfill::None).then_some(captured));
            let mut clients = self.clients.iter_mut();
            if let Some(client) = clients.find(|client| client.source == stitch.source)
                && client.paused.insert(stitch.pane, false).unwrap()
            {
                client.sent.push(Sent::Continue(stitch.pane));
            }
        }
        if lost {
            answer = Asked::Unreachable;
        }
        self.answers.push((stitch, answer));
    }

    fn answer(&mut self) {
        if !self.answers.is_empty() {
            let (stitch, asked) = self.answers.remove(0);
            self.inbox.stitched(&stitch, asked);
        }
    }

    /// A client reads the next thing that was sent to it.
    fn read(&mut self, at: usize) {
        if !self.clients[at].sent.is_empty() {
            self.read_nth(at, 0);
        }
    }

    /// A client reads the next output of a pane before what was sent between: so tmux writes while
    /// it holds output of other panes (`control.c`, `control_write_pending`).
    fn overtake(&mut self, at: usize, pane: PaneId) {
        let of_pane = |sent: &Sent| matches!(sent, Sent::Output(of, ..) if *of == pane);
        if let Some(nth) = self.clients[at].sent.iter().position(of_pane) {
            self.read_nth(at, nth);
        }
    }

    fn read_nth(&mut self, at: usize, nth: usize) {
        let client = &mut self.clients[at];
        match client.sent.remove(nth) {
            Sent::Output(pane, from, length) => {
                let line = format!("%output {pane} {}\n", words(from, length));
                read(&self.inbox, client.source, &line);
            }
            Sent::Pause(pane) => read(&self.inbox, client.source, &format!("%pause {pane}\n")),
            Sent::Continue(pane) => {
                read(&self.inbox, client.source, &format!("%continue {pane}\n"));
            }
            Sent::Answer(order) => self.inbox.settled(client.source, &order),
        }
    }

    /// A client ends, and another takes its place.
    fn die(&mut self, at: usize) {
        self.breaks = true;
        self.inbox.remove(self.clients[at].source);
        self.clients[at] = self.client();
    }

    fn assign(&mut self, pane: PaneId, candidates: &[usize]) {
        let sources: Vec<_> = candidates
            .iter()
            .map(|&at| self.clients[at].source)
            .collect();
        self.inbox.assign(pane, &sources, true);
        self.breaks = true;
    }

    /// The consumer takes everything, and finds each byte where it must be.
    fn take(&mut self) {
        while let Some(batch) = poll(&self.inbox) {
            for event in batch.iter() {
                match event {
                    Event::Output(output) => {
                        let seen = self.seen.get_mut(&output.pane).expect("a resync first");
                        assert_eq!((output.epoch, output.offset), (seen.epoch, seen.offset));
                        let bytes = output.data.decode();
                        for word in bytes.split_inclusive(|&b| b == b';') {
                            let at = number(&word[..word.len() - 1]);
                            if mem::take(&mut seen.at_least) {
                                assert!(at >= seen.at, "{} again: {at}", output.pane);
                                seen.at = at;
                            }
                            assert_eq!(at, seen.at, "{}", output.pane);
                            seen.at += 1;
                        }
                        seen.offset += bytes.len() as u64;
                        assert!(seen.at <= self.printed[&output.pane]);
                    }
                    Event::Resync(resync) => {
                        let was = self.seen.get(&resync.pane);
                        assert!(was.is_none_or(|was| resync.epoch == was.epoch + 1));
                        let known = was.map_or(0, |was| was.at);
                        let at = resync.screen.as_deref().map(|screen| number(&screen.text));
                        // What cannot be had again and again, or from a client that ended, is left out.
                        assert!(at.is_some() || self.breaks, "a stretch without a screen");
                        assert!(at.is_none_or(|at| at >= known), "{} went back", resync.pane);
                        let seen = Seen {
                            at: at.unwrap_or(known),
                            at_least: at.is_none(),
                            epoch: resync.epoch,
                            offset: 0,
                        };
                        self.seen.insert(resync.pane, seen);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

fn number(word: &[u8]) -> u64 {
    str::from_utf8(word).unwrap().parse().unwrap()
}

/// One thing that happens, to the pane or client of that place.
#[derive(Clone, Debug)]
enum Happens {
    Print(usize, u64),
    Age(usize, usize),
    Order(usize),
    Line { fails: bool, lost: bool },
    Answer,
    Read(usize),
    Overtake(usize, usize),
    Die(usize),
    Assign(usize, Vec<usize>),
    Take,
}

fn happens() -> impl Strategy<Value = Happens> {
    let (pane, client) = (0..2usize, 0..2usize);
    let length = prop_oneof![8 => 1..5u64, 1 => Just(9_000)];
    prop_oneof![
        8 => (pane.clone(), length).prop_map(|(pane, length)| Happens::Print(pane, length)),
        1 => (client.clone(), pane.clone()).prop_map(|(client, pane)| Happens::Age(client, pane)),
        6 => client.clone().prop_map(Happens::Order),
        6 => (proptest::bool::weighted(0.1), proptest::bool::weighted(0.1))
            .prop_map(|(fails, lost)| Happens::Line { fails, lost }),
        6 => Just(Happens::Answer),
        16 => client.clone().prop_map(Happens::Read),
        2 => (client.clone(), pane.clone()).prop_map(|(client, pane)| Happens::Overtake(client, pane)),
        1 => client.prop_map(Happens::Die),
        1 => (pane, proptest::sample::subsequence(vec![0, 1], 0..=2))
            .prop_map(|(pane, candidates)| Happens::Assign(pane, candidates)),
        4 => Just(Happens::Take),
    ]
}

/// With breaks or without: without them every stretch has its screen.
fn story(breaks: bool) -> impl Strategy<Value = Vec<Happens>> {
    let stays = move |happens: &Happens| {
        breaks
            || !matches!(
                happens,
                Happens::Die(_)
                    | Happens::Assign(..)
                    | Happens::Line { lost: true, .. }
                    | Happens::Line { fails: true, .. }
            )
    };
    let happens = happens().prop_map(move |it| if stays(&it) { it } else { Happens::Take });
    proptest::collection::vec(happens, 0..200)
}

/// One pane that goes from client to client and back, while one of them is slow to read.
fn hand_overs() -> impl Strategy<Value = Vec<Happens>> {
    let client = 0..2usize;
    let happens = prop_oneof![
        4 => Just(Happens::Print(0, 1)),
        4 => client.clone().prop_map(Happens::Order),
        1 => Just(Happens::Read(0)),
        8 => Just(Happens::Read(1)),
        3 => client.prop_map(|client| Happens::Assign(0, vec![client])),
        2 => Just(Happens::Take),
    ];
    proptest::collection::vec(happens, 0..200)
}

impl Toy {
    fn run(&mut self, happens: Happens) {
        match happens {
            Happens::Print(pane, length) => self.print(PANES[pane], length),
            Happens::Age(client, pane) => self.age(client, PANES[pane]),
            Happens::Order(client) => self.order(client),
            Happens::Line { fails, lost } => self.line(fails, lost),
            Happens::Answer => self.answer(),
            Happens::Read(client) => self.read(client),
            Happens::Overtake(client, pane) => self.overtake(client, PANES[pane]),
            Happens::Die(client) => self.die(client),
            Happens::Assign(pane, candidates) => self.assign(PANES[pane], &candidates),
            Happens::Take => self.take(),
        }
    }

    /// Everything that is on its way arrives.
    fn settle(&mut self) {
        for _ in 0..1000 {
            for client in 0..2 {
                self.order(client);
                self.read(client);
            }
            self.line(false, false);
            self.answer();
            self.take();
        }
        assert!(self.lines.is_empty() && self.answers.is_empty());
    }

    /// In the end every pane's stream goes on, and nothing is held.
    fn goes_on(&mut self) -> Result<(), TestCaseError> {
        for pane in PANES {
            self.assign(pane, &[0, 1]);
        }
        self.settle();
        for pane in PANES {
            self.print(pane, 3);
        }
        self.settle();
        for pane in PANES {
            let seen = &self.seen[&pane];
            prop_assert_eq!(seen.at, self.printed[&pane], "{}", pane);
        }
        let state = self.inbox.lock();
        prop_assert_eq!((state.bytes, state.holders), (0, 0));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A stream goes on from its screen without a word missing or twice, and in the end every
    /// pane's stream goes on.
    #[test]
    fn bytes_go_on_where_the_screen_was_taken(
        late in any::<bool>(),
        drops in any::<bool>(),
        story in any::<bool>().prop_flat_map(story),
    ) {
        let policy = if drops { Policy::Drop } else { Policy::Pause };
        let mut toy = Toy::new(late, policy, Backfill::Screen);
        // What is dropped by policy is said without a screen.
        toy.breaks = drops;
        for happens in story {
            toy.run(happens);
        }
        toy.goes_on()?;
    }

    /// Without screens a stream never goes back either, whoever delivers it, and in the end every
    /// pane's stream goes on.
    #[test]
    fn bytes_never_come_again(
        late in any::<bool>(),
        story in prop_oneof![story(true), hand_overs()],
    ) {
        let mut toy = Toy::new(late, Policy::Pause, Backfill::None);
        toy.breaks = true;
        for happens in story {
            toy.run(happens);
        }
        toy.goes_on()?;
    }

    /// Of a pane of which only the latest screen is asked for, the last screen shows everything.
    #[test]
    fn the_latest_screen_is_the_last(late in any::<bool>(), story in story(true)) {
        let every = Duration::from_millis(10);
        let mut toy = Toy::new(late, Policy::Latest { every }, Backfill::None);
        toy.breaks = true;
        for happens in story {
            toy.run(happens);
        }
        for pane in PANES {
            toy.assign(pane, &[0, 1]);
            toy.print(pane, 1);
        }
        toy.settle();
        for pane in PANES {
            prop_assert_eq!(toy.seen[&pane].at, toy.printed[&pane], "{}", pane);
        }
        let state = toy.inbox.lock();
        prop_assert_eq!((state.bytes, state.holders), (0, 0));
    }
}
