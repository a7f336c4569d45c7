use std::time::Duration;

use super::super::agent::{Like, Setup, Size};
use super::super::input::Input;
use super::super::record::Record;
use super::super::script::{Crash, Order, Script};
use super::{Effect, End, Event, Machine};

mod agents;
mod shells;

const SIZE: Size = Size {
    columns: 80,
    rows: 24,
};

/// A machine, its clock, and what it has said to do.
struct Play {
    machine: Machine,
    now: Duration,
    effects: Vec<Effect>,
}

impl Play {
    fn with(setup: Setup) -> Self {
        let mut play = Self {
            machine: Machine::new(setup, SIZE),
            now: Duration::ZERO,
            effects: Vec::new(),
        };
        play.on(Event::Start);
        play
    }

    fn new(like: Like) -> Self {
        Self::with(Setup::new(like))
    }

    /// A machine whose script has these steps.
    fn scripted(like: Like, steps: &str) -> Self {
        Self::with(Setup {
            script: Script::from_toml(&format!("steps = [{steps}]")).unwrap(),
            ..Setup::new(like)
        })
    }

    fn on(&mut self, event: Event) -> &mut Self {
        self.effects.extend(self.machine.on(event, self.now));
        self
    }

    fn press(&mut self, input: Input) -> &mut Self {
        self.on(Event::Input(input))
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.press(Input::Text(text.into()))
    }

    fn paste(&mut self, text: &str) -> &mut Self {
        self.press(Input::Paste(text.into()))
    }

    /// Typed slowly enough for everyone, and submitted.
    fn send(&mut self, text: &str) -> &mut Self {
        self.text(text).wait(100).press(Input::Enter)
    }

    fn order(&mut self, line: &str) -> &mut Self {
        self.on(Event::Order(Order::parse(line).unwrap()))
    }

    /// Lets time pass as the program does: from one thing that is due to the next.
    fn wait(&mut self, millis: u64) -> &mut Self {
        let until = self.now + Duration::from_millis(millis);
        while let Some(at) = self.machine.wakes(self.now).filter(|at| *at <= until) {
            assert!(at >= self.now, "it wakes in the past");
            let stuck = at == self.now;
            self.now = at;
            self.on(Event::Tick);
            assert!(
                !stuck || self.machine.wakes(self.now) != Some(at),
                "it spins"
            );
        }
        self.now = until;
        self.on(Event::Tick)
    }

    fn state(&self) -> &'static str {
        self.machine.state()
    }

    fn title(&self) -> String {
        self.machine.title_at(self.now).unwrap_or_default()
    }

    fn screen(&self) -> String {
        let picture = self.machine.draw(None, self.now).unwrap();
        let rows: Vec<&str> = picture.rows.iter().map(|row| row.text.as_str()).collect();
        rows.join("\n")
    }

    #[track_caller]
    fn shows(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in\n{screen}");
        self
    }

    #[track_caller]
    fn hides(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is in\n{screen}");
        self
    }

    fn records(&self) -> Vec<&Record> {
        let records = self.effects.iter().filter_map(|effect| match effect {
            Effect::Log(record) => Some(record),
            _ => None,
        });
        records.collect()
    }

    /// The prompts that were submitted.
    fn prompts(&self) -> Vec<String> {
        let prompts = self
            .records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Prompt { bytes, .. } => Some(String::from_utf8(bytes.clone()).unwrap()),
                _ => None,
            });
        prompts.collect()
    }

    /// The names of the events that the hook was told.
    fn events(&self) -> Vec<&str> {
        let events = self.effects.iter().filter_map(|effect| match effect {
            Effect::Hook(call) => Some(call.event()),
            _ => None,
        });
        events.collect()
    }

    /// What was written past the screen.
    fn written(&self) -> String {
        let written = self.effects.iter().filter_map(|effect| match effect {
            Effect::Write(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        String::from_utf8(written.collect::<Vec<_>>().concat()).unwrap()
    }

    fn end(&self) -> Option<&End> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::End(end) => Some(end),
            _ => None,
        })
    }

    fn exit_status(&self) -> Option<u8> {
        match self.end()? {
            End::Exit { status, .. } => Some(*status),
            End::Crash(_) => None,
        }
    }
}

#[test]
fn a_prompt_is_logged_before_anything_of_it_shows() {
    let mut play = Play::new(Like::Claude);
    let end = play.send("hello").effects.len();
    assert_eq!(play.state(), "busy");
    let place = |wanted: fn(&Effect) -> bool| play.effects[..end].iter().position(wanted);
    let logged = place(|it| matches!(it, Effect::Log(Record::Prompt { n: 1, .. })));
    let told = place(|it| matches!(it, Effect::Hook(call) if call.event() == "UserPromptSubmit"));
    assert!(logged.is_some() && logged < told);
}

#[test]
fn the_usual_answer_repeats_forty_characters() {
    let mut play = Play::new(Like::Claude);
    let prompt = "é".repeat(50);
    play.send(&prompt).wait(49);
    assert_eq!(play.state(), "busy");
    play.wait(1);
    assert_eq!(play.state(), "idle");
    play.shows(&format!("● ok: {}\n", "é".repeat(40)));
    play.shows("✻ Worked for 0s");
}

#[test]
fn steps_are_for_prompts_in_their_order_and_then_there_are_none() {
    let mut play = Play::scripted(
        Like::Claude,
        r#""busy 3s", ["busy 1s", "print seen", "busy 1s"], "answer done""#,
    );
    play.send("one").wait(2_999);
    assert_eq!(play.state(), "busy");
    play.wait(1).shows("✻ Worked for 3s");
    play.send("two").wait(1_000).shows("● seen");
    assert_eq!(play.state(), "busy");
    play.wait(1_000).hides("ok: two");
    play.send("three").shows("● done");
    play.send("four").wait(50).shows("● ok: four");
}

#[test]
fn what_is_typed_in_a_turn_is_submitted_after_it() {
    for like in [Like::Claude, Like::Codex] {
        let mut play = Play::scripted(like, r#""busy 3s""#);
        play.send("one").send("two").send("three");
        assert_eq!(play.prompts(), ["one"]);
        assert_eq!(play.machine.report(play.now).queued, 2);
        play.shows("two");
        play.wait(2_800);
        assert_eq!(play.prompts(), ["one", "two"]);
        play.wait(100);
        assert_eq!(play.prompts(), ["one", "two", "three"]);
        assert_eq!(play.state(), "idle");
    }
}

#[test]
fn what_is_lost_at_the_end_is_logged() {
    let mut play = Play::scripted(Like::Claude, r#""busy""#);
    play.send("one").send("two").text("half");
    play.order("crash exit 7");
    assert_eq!(play.end(), Some(&End::Crash(Crash::Exit(7))));
    let meanwhile = |bytes: &[u8]| Record::Meanwhile(bytes.to_vec());
    let behind: Vec<Record> = play.records().into_iter().skip(1).cloned().collect();
    assert_eq!(
        behind,
        [
            meanwhile(b"two"),
            meanwhile(b"\r"),
            meanwhile(b"half"),
            Record::Queued(b"two".to_vec()),
            Record::Draft(b"half".to_vec()),
        ]
    );
    let effects = play.effects.len();
    play.send("more").order("state?");
    assert_eq!(play.effects.len(), effects, "nothing comes behind the end");
}

#[test]
fn while_it_hangs_nothing_gets_through() {
    let mut play = Play::scripted(Like::Claude, r#"["hang", "busy 1s"]"#);
    play.send("one");
    assert!(play.machine.hung() && !play.machine.reads());
    let before = play.screen();
    play.paste("two")
        .press(Input::Enter)
        .on(Event::Resize(Size {
            columns: 40,
            rows: 10,
        }));
    assert_eq!(play.screen(), before);
    assert_eq!(play.machine.wakes(play.now), None);
    play.wait(60_000).order("resume");
    assert_eq!(play.state(), "busy");
    play.wait(1_000);
    assert_eq!(play.state(), "idle");
    assert_eq!(play.prompts(), ["one"]);
}

#[test]
fn a_signal_ends_it_in_order_or_does_nothing() {
    let mut play = Play::new(Like::Claude);
    play.on(Event::Signal(15));
    assert_eq!(play.exit_status(), Some(143));
    let mut play = Play::new(Like::Claude);
    play.order("hang").on(Event::Signal(15));
    assert_eq!(play.end(), Some(&End::Crash(Crash::Signal(15))));
    let mut play = Play::with(Setup {
        ignored: vec![15],
        ..Setup::new(Like::Claude)
    });
    play.on(Event::Signal(15)).order("hang");
    play.on(Event::Signal(15));
    assert_eq!(play.end(), None);
    play.on(Event::Signal(1));
    assert_eq!(play.end(), Some(&End::Crash(Crash::Signal(1))));
}

#[test]
fn every_state_can_be_had_at_once() {
    for like in [Like::Claude, Like::Codex, Like::Shell] {
        let mut play = Play::new(like);
        for (line, state) in [
            ("busy", "busy"),
            ("dialog permission", "blocked"),
            ("busy", "busy"),
            ("limit", "limited"),
            ("idle", "idle"),
            ("error", "errored"),
            ("tool", "busy"),
            ("retry", "busy"),
            ("quiet", "busy"),
            ("stream 3 lines every 1s", "busy"),
            ("dialog question", "blocked"),
            ("idle", "idle"),
        ] {
            play.order(line);
            assert_eq!(play.state(), state, "{like:?} {line}");
            play.wait(999);
            assert_eq!(play.state(), state, "{like:?} {line}, later");
        }
        assert_eq!(play.prompts(), [""; 0], "nobody has asked for anything");
    }
}

#[test]
fn an_hour_of_prompts_leaves_no_more_than_a_minute_of_them() {
    let mut play = Play::new(Like::Claude);
    for number in 0..10_000 {
        play.send(&format!("prompt {number}")).wait(50);
        play.effects.clear();
    }
    assert_eq!(play.machine.report(play.now).prompts, 10_000);
    play.shows("ok: prompt 9999");
    let whole = play.machine.draw(Some(0), play.now).unwrap();
    assert!(whole.rows.len() < 2_100, "{} rows", whole.rows.len());
    assert!(whole.first > 50_000);
}

#[test]
fn a_picture_fits_any_screen() {
    for like in [Like::Claude, Like::Codex] {
        for (columns, rows) in [(80, 24), (120, 40), (20, 5), (1, 1)] {
            let mut play = Play::new(like);
            play.on(Event::Resize(Size { columns, rows }));
            for line in [
                "idle",
                "busy",
                "dialog permission",
                "limit",
                "retry",
                "stream 90 lines",
            ] {
                play.order(line).wait(1_000);
                let picture = play.machine.draw(None, play.now).unwrap();
                for row in &picture.rows {
                    let width = super::super::rows::width(&row.text);
                    assert!(width <= usize::from(columns), "{like:?} {line}: {row:?}");
                }
                let end = picture.first + picture.rows.len() as u64;
                assert!(picture.cursor.is_none_or(|(row, _)| row < end));
                if like == Like::Codex {
                    assert_eq!(picture.rows.len(), usize::from(rows));
                }
            }
        }
    }
}

#[test]
fn the_hook_is_told_what_happens_in_its_order() {
    let mut play = Play::scripted(Like::Claude, r#""dialog permission", "limit", "error""#);
    play.send("one").wait(5_999).press(Input::Enter).wait(50);
    play.send("two").send("three");
    assert_eq!(
        play.events(),
        [
            "SessionStart",
            "UserPromptSubmit",
            "PermissionRequest",
            "Stop",
            "UserPromptSubmit",
            "StopFailure",
            "UserPromptSubmit",
            "StopFailure",
        ]
    );
    play.wait(59_999);
    assert_eq!(play.events().len(), 8);
    play.wait(1);
    assert_eq!(play.events().last(), Some(&"Notification"));
    play.order("dialog permission").wait(6_000);
    assert_eq!(
        play.events()[9..],
        ["PermissionRequest", "Notification"],
        "a question that stands for six seconds"
    );
}

#[test]
fn outside_effects_are_passed_on() {
    let mut play = Play::new(Like::Claude);
    play.order("grow 50MB")
        .order("fork 1s")
        .order("raw \"\\e[5n\"");
    play.order("bell");
    assert!(play.effects.contains(&Effect::Grow(50_000_000)));
    assert!(play.effects.contains(&Effect::Fork(Duration::from_secs(1))));
    assert_eq!(play.written(), "\x1b[5n\x07");
    play.order("title mine");
    assert_eq!(play.title(), "mine");
    play.order("title");
    assert_eq!(play.title(), "✳ Claude Code");
}
