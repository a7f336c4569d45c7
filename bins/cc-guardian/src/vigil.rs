//! What is seen of a running instance that tells whether it still lives, and what is done when it
//! does not.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use cc_kit::profile::{Profile, State};
use cc_kit::verdict::Verdict;

use crate::config::Unit;
use crate::policy::ladder::{Facts, Ladder, Order, Rules, State as Rung, Work};

/// A share of a processor from which on something works.
const WORKS: f64 = 0.01;
/// How long nobody may be able to look at it until what was seen last is believed no more.
const UNSEEN: Duration = Duration::from_secs(30);

/// The watch over one run. Times are those of the caller's clock.
#[derive(Debug, Default)]
pub(crate) struct Vigil {
    ladder: Ladder,
    facts: Facts,
    /// The letters on its screen.
    letters: Option<u64>,
    /// Since when it could not be looked at, and whether that is too long.
    unseen: (Option<Duration>, bool),
    /// When tmux saw it print last, in tmux's words.
    activity: Vec<u8>,
    /// Is its pane another width just now? What its screen shows then says nothing.
    probing: bool,
    /// How many rungs have been told, and whether the last of them was open then.
    told: (usize, bool),
}

impl Vigil {
    /// Its screen was looked at.
    pub(crate) fn screen(&mut self, rows: &[String], now: Duration) {
        self.unseen = (None, false);
        if self.probing {
            self.letters = None;
            return;
        }
        let letters = Some(letters(rows));
        if self.letters.is_some() && self.letters != letters {
            self.facts.screen = Some(now);
        }
        self.letters = letters;
    }

    /// It could not be looked at, since then at least.
    pub(crate) fn missed(&mut self, since: Duration, now: Duration) {
        let since = *self.unseen.0.get_or_insert(since);
        self.unseen.1 = now.saturating_sub(since) >= UNSEEN;
    }

    /// tmux tells when it printed last.
    pub(crate) fn printed(&mut self, activity: &[u8], now: Duration) {
        if self.activity != activity {
            self.activity = activity.to_vec();
            self.facts.output = Some(now);
        }
    }

    /// A hook of it was heard.
    pub(crate) fn hooked(&mut self, now: Duration) {
        self.facts.hook = Some(now);
    }

    /// What its processes used of late, and how long ago the youngest of them was started.
    pub(crate) fn used(&mut self, share: Option<f64>, youngest: Option<Duration>, now: Duration) {
        if share.is_some_and(|share| share >= WORKS) {
            self.facts.cpu = Some(now);
        }
        if let Some(age) = youngest {
            let born = now.saturating_sub(age);
            self.facts.child = Some(self.facts.child.map_or(born, |child| child.max(born)));
        }
    }

    /// Its pane is made narrow, or has its width again.
    pub(crate) fn probing(&mut self, probing: bool) {
        self.probing = probing;
    }

    /// Decides; `None` where there is nothing to do.
    pub(crate) fn step(
        &mut self,
        unit: &Unit,
        profile: &Profile,
        verdict: &Verdict,
        now: Duration,
    ) -> Option<Order> {
        let hang_after = unit.hang_after?;
        let rules = Rules {
            hang_after,
            tool_hang_after: unit.tool_hang_after.unwrap_or(Duration::MAX),
            has_interrupt: !profile.keys().interrupt.is_empty(),
            has_exit: !profile.keys().exit.is_empty(),
            ..Rules::default()
        };
        let sub = verdict.sub.as_deref();
        self.facts.work = match (verdict.state, sub) {
            (State::Busy, Some("tool")) => Work::Tool { timeout: None },
            (State::Busy, _) => Work::Thinking,
            _ => Work::None,
        };
        self.facts.waits = sub == Some("background");
        self.ladder.step(&rules, &self.facts, now)
    }

    /// It has ended.
    pub(crate) fn ended(&mut self, now: Duration) {
        self.facts.gone = true;
        let _ = self.ladder.step(&Rules::default(), &self.facts, now);
    }

    /// When to decide again at the latest.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.ladder.due()
    }

    /// Is the end of it one for having hung?
    pub(crate) fn is_hung(&self) -> bool {
        self.ladder.is_hung()
    }

    /// How it stands, where that is worse than what it shows.
    pub(crate) fn state(&self) -> Option<State> {
        match self.ladder.state() {
            // Nobody knows what it shows.
            Rung::Quiet if self.unseen.1 => Some(State::Unknown),
            Rung::Quiet => None,
            Rung::Suspect => Some(State::Suspect),
            Rung::Hung => Some(State::Hung),
        }
    }

    /// What has happened on the ladder since this was asked last, in words.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let record = self.ladder.record();
        let (known, open) = self.told;
        let first = self.ladder.noted().saturating_sub(record.len());
        let from = known.saturating_sub(usize::from(open));
        let mut words = Vec::new();
        for (number, rung) in (first..).zip(record) {
            if number < from {
                continue;
            }
            let (what, outcome) = (word(&rung.what), word(&rung.outcome));
            if number >= known {
                words.push(what.clone());
            }
            if outcome != "open" && outcome != "done" {
                words.push(format!("{what}: {outcome}"));
            }
        }
        let open = record
            .last()
            .is_some_and(|rung| word(&rung.outcome) == "open");
        self.told = (self.ladder.noted(), open);
        words
    }
}

/// As it is written in JSON, without its marks.
fn word(of: &impl serde::Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map
            .iter()
            .map(|(name, value)| format!("{name} ({})", value.as_str().unwrap_or_default()))
            .collect(),
        _ => String::new(),
    }
}

/// The letters of a screen alone: spinners, timers and counters change without anything happening,
/// and another width puts the same letters into other rows.
fn letters(rows: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for letter in rows.iter().flat_map(|row| row.chars()) {
        if letter.is_alphabetic() {
            letter.hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use cc_kit::journal::Stamp;
    use cc_kit::profile::Profiles;

    use super::*;
    use crate::config::one_unit;
    use crate::policy::ladder::Action;

    const SECOND: Duration = Duration::from_secs(1);

    struct Watched {
        vigil: Vigil,
        unit: Unit,
        profiles: Profiles,
        verdict: Verdict,
        now: Duration,
    }

    impl Watched {
        fn new(state: State, sub: Option<&str>) -> Self {
            let command = ["claude".to_owned()];
            let none = BTreeMap::new();
            let unit = one_unit(
                "w",
                Some("claude"),
                1,
                Path::new("/"),
                &none,
                &command,
                &["claude"],
            );
            let mut unit = unit.unwrap();
            unit.hang_after = Some(20 * 60 * SECOND);
            unit.tool_hang_after = Some(60 * 60 * SECOND);
            let mut verdict = Verdict::starting(Stamp {
                monotonic_ns: 0,
                wall_ns: 0,
            });
            verdict.state = state;
            verdict.sub = sub.map(str::to_owned);
            Self {
                vigil: Vigil::default(),
                unit,
                profiles: Profiles::builtin(),
                verdict,
                now: Duration::ZERO,
            }
        }

        /// Lets seconds pass; what is ordered meanwhile, with its second.
        fn pass(
            &mut self,
            seconds: u64,
            mut each: impl FnMut(&mut Vigil, Duration),
        ) -> Vec<(Action, u64)> {
            let mut orders = Vec::new();
            for _ in 0..seconds {
                self.now += SECOND;
                each(&mut self.vigil, self.now);
                let profile = self.profiles.get("claude").unwrap();
                let order = self
                    .vigil
                    .step(&self.unit, profile, &self.verdict, self.now);
                orders.extend(order.map(|order| (order.action, self.now.as_secs())));
            }
            orders
        }
    }

    fn rows(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn an_hour_of_silent_work_is_no_hang_while_its_processes_work() {
        let mut it = Watched::new(State::Busy, Some("thinking"));
        let orders = it.pass(3600, |vigil, now| {
            vigil.screen(&rows("\u{273b} Thinking"), now);
            vigil.used(Some(0.02), None, now);
        });
        assert_eq!(orders, []);
    }

    #[test]
    fn an_hour_of_a_tool_without_output_is_no_hang() {
        let mut it = Watched::new(State::Busy, Some("tool"));
        assert_eq!(it.pass(3599, |_, _| {}), []);
        let mut idle = Watched::new(State::Idle, None);
        assert_eq!(idle.pass(7200, |_, _| {}), []);
    }

    #[test]
    fn who_truly_hangs_climbs_the_whole_ladder_and_each_rung_is_told() {
        let mut it = Watched::new(State::Busy, Some("thinking"));
        let mut frame = 0;
        // A spinner, a timer and a counter go on; nothing else does.
        let orders = it.pass(1400, |vigil, now| {
            frame += 1;
            let spinner = ['\u{2722}', '\u{273b}', '\u{2736}'][frame % 3];
            vigil.screen(
                &rows(&format!("{spinner} Thinking ({frame} \u{2193} {frame}0)")),
                now,
            );
        });
        let actions: Vec<_> = orders.iter().map(|(action, _)| *action).collect();
        assert_eq!(
            actions,
            [
                Action::Probe,
                Action::Interrupt,
                Action::Exit,
                Action::Terminate,
                Action::Kill,
                Action::NewPane,
            ]
        );
        assert_eq!(orders[0].1, 1201);
        let news = it.vigil.news();
        for said in [
            "probe",
            "probe: silent",
            "interrupt",
            "exit",
            "terminate",
            "kill",
            "kill: silent",
            "new-pane",
        ] {
            assert!(news.iter().any(|news| news == said), "{said}: {news:?}");
        }
        assert_eq!(it.vigil.news(), [""; 0]);
    }

    #[test]
    fn who_ends_on_the_ladder_has_hung() {
        let mut it = Watched::new(State::Busy, Some("thinking"));
        assert_eq!(it.pass(1215, |_, _| {}).len(), 2);
        assert_eq!(it.vigil.state(), Some(State::Hung));
        it.vigil.ended(it.now);
        assert!(it.vigil.is_hung());
        let mut it = Watched::new(State::Busy, Some("thinking"));
        it.pass(1100, |_, _| {});
        it.vigil.ended(it.now);
        assert!(!it.vigil.is_hung());
    }

    #[test]
    fn who_answers_the_probe_is_left_alone() {
        let mut it = Watched::new(State::Busy, Some("thinking"));
        assert_eq!(it.pass(1201, |_, _| {}), [(Action::Probe, 1201)]);
        assert_eq!(it.vigil.state(), Some(State::Suspect));
        assert_eq!(it.vigil.news(), ["probe"]);
        it.vigil.printed(b"1700000000", it.now + SECOND);
        assert_eq!(it.pass(5, |_, _| {}), [(Action::Alert, 1202)]);
        assert_eq!(it.vigil.state(), None);
        assert_eq!(it.vigil.news(), ["probe: alive (output)", "alert"]);
    }

    #[test]
    fn what_the_probe_does_to_the_picture_is_no_sign_of_life() {
        let mut it = Watched::new(State::Busy, Some("thinking"));
        it.pass(1201, |vigil, now| vigil.screen(&rows("one two"), now));
        it.vigil.probing(true);
        let narrow = |vigil: &mut Vigil, now| vigil.screen(&rows("one"), now);
        assert_eq!(it.pass(2, narrow), []);
        it.vigil.probing(false);
        let wide = |vigil: &mut Vigil, now| vigil.screen(&rows("one two"), now);
        assert_eq!(it.pass(20, wide), [(Action::Interrupt, 1211)]);
    }

    #[test]
    fn who_cannot_be_looked_at_for_long_is_in_a_state_that_nobody_knows() {
        let mut vigil = Vigil::default();
        let at = Duration::from_secs;
        vigil.missed(at(100), at(110));
        vigil.missed(at(110), at(129));
        assert_eq!(vigil.state(), None);
        vigil.missed(at(120), at(130));
        assert_eq!(vigil.state(), Some(State::Unknown));
        vigil.screen(&rows("back"), at(140));
        assert_eq!(vigil.state(), None);
        vigil.missed(at(140), at(150));
        assert_eq!(vigil.state(), None);
    }
}
