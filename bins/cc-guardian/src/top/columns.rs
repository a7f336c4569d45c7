//! Which columns a list has room for, and what stands in them.

use jiff::Timestamp;

use super::amounts::{age, bytes, left, share, span};
use super::clean;
use super::listing::{State, Unit};
use super::look;

/// One column, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Name,
    State,
    Sub,
    /// How long it has been in that state.
    For,
    /// How long until its limit ends.
    Reset,
    Restarts,
    Cpu,
    Memory,
    Profile,
    Account,
    Pane,
    Labels,
    /// What it says: its question, the reason it is held, or its last line.
    Last,
}

/// What gives way first stands last. The others are always there.
const OPTIONAL: [Column; 9] = [
    Column::Reset,
    Column::Restarts,
    Column::Cpu,
    Column::Memory,
    Column::Sub,
    Column::Profile,
    Column::Account,
    Column::Pane,
    Column::Labels,
];

/// Less of the last line than this says nothing.
const LEAST: usize = 8;

impl Column {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Name => "UNIT",
            Self::State => "STATE",
            Self::Sub => "KIND",
            Self::For => "FOR",
            Self::Reset => "RESET",
            Self::Restarts => "RST",
            Self::Cpu => "CPU",
            Self::Memory => "MEM",
            Self::Profile => "PROFILE",
            Self::Account => "ACCOUNT",
            Self::Pane => "PANE",
            Self::Labels => "LABELS",
            Self::Last => "LAST LINE",
        }
    }

    /// Do its numbers stand under each other?
    pub(super) const fn is_right(self) -> bool {
        matches!(
            self,
            Self::For | Self::Reset | Self::Restarts | Self::Cpu | Self::Memory
        )
    }

    /// What stands in it, as it came.
    pub(super) fn text(self, unit: &Unit, now: Timestamp) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Self::Name => unit.unit.clone(),
            Self::State => look::state(unit),
            Self::Sub => text(&unit.sub),
            Self::For => unit
                .since
                .map(|since| span(age(since, now)))
                .unwrap_or_default(),
            Self::Reset => unit.reset.map(|reset| left(reset, now)).unwrap_or_default(),
            Self::Restarts => match unit.restarts {
                many @ 1000.. => format!("{}k", (many / 1000).min(999)),
                few => few.to_string(),
            },
            Self::Cpu => unit.cpu.map(share).unwrap_or_default(),
            Self::Memory => unit.memory.map(bytes).unwrap_or_default(),
            Self::Profile => text(&unit.profile),
            Self::Account => text(&unit.account),
            Self::Pane => text(&unit.pane),
            Self::Labels => labels(unit),
            Self::Last => {
                let (marks, says) = (marks(unit).join(", "), says(unit));
                match marks.is_empty() {
                    true => says,
                    false => format!("[{marks}] {says}"),
                }
            }
        }
    }

    /// How many columns it wants for these units; none when it would be empty.
    fn wish<'a>(self, units: impl Iterator<Item = &'a Unit>) -> usize {
        let fixed = match self {
            Self::State => return 10,
            Self::For | Self::Reset => 6,
            Self::Restarts => 4,
            Self::Cpu | Self::Memory => 5,
            _ => 0,
        };
        if fixed > 0 {
            let shown = self != Self::Reset || units.into_iter().any(|unit| unit.reset.is_some());
            return if shown { fixed } else { 0 };
        }
        let most = match self {
            Self::Name => 64,
            Self::Labels => 24,
            Self::Account => 14,
            _ => 12,
        };
        let widest = units
            .map(|unit| clean::width(&clean::fit(&self.text(unit, Timestamp::UNIX_EPOCH), most)))
            .max()
            .unwrap_or_default();
        if widest == 0 {
            0
        } else {
            widest.max(self.title().len())
        }
    }
}

/// What the unit has to say: its question, the reason it is held, what it waits for, or its last line.
pub(crate) fn says(unit: &Unit) -> String {
    let question = unit.question.as_ref().map(|question| {
        let lines = question.text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    match unit.state() {
        State::Blocked => question.filter(|text| !text.is_empty()),
        State::Held => unit.held.clone(),
        _ => None,
    }
    .or_else(|| unit.waits.clone())
    .or_else(|| unit.last_line.clone())
    .unwrap_or_default()
}

/// What is special about how it runs, in single words.
fn marks(unit: &Unit) -> Vec<&'static str> {
    let marks = [
        (unit.adopted, "adopted"),
        (!unit.changed.is_empty(), "changed"),
        (unit.pending.is_some(), "restarts at idle"),
    ];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so);
    marks.map(|(_, mark)| mark).collect()
}

/// `role=worker zone=a`.
pub(super) fn labels(unit: &Unit) -> String {
    let labels = unit
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    labels.collect::<Vec<_>>().join(" ")
}

/// The columns for a list that is `width` wide, each with its own width, in order. One blank stands
/// between two of them.
pub(super) fn plan(units: &[Unit], width: usize) -> Vec<(Column, usize)> {
    let name = Column::Name.wish(units.iter()).min((width / 5).max(12));
    let mut plan: Vec<_> = [
        (Column::Name, name.max(Column::Name.title().len())),
        (Column::State, Column::State.wish(units.iter())),
        (Column::For, Column::For.wish(units.iter())),
    ]
    .into();
    let mut used: usize = plan.iter().map(|(_, width)| width + 1).sum();
    let last = (width / 4).max(24);
    for column in OPTIONAL {
        let wish = column.wish(units.iter());
        if wish > 0 && used + wish + 1 + last <= width {
            used += wish + 1;
            plan.push((column, wish));
        }
    }
    if width >= used + LEAST {
        plan.push((Column::Last, width - used));
    }
    plan.sort_unstable();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::demo;

    fn titles(units: &[Unit], width: usize) -> Vec<&'static str> {
        plan(units, width)
            .iter()
            .map(|(column, _)| column.title())
            .collect()
    }

    #[test]
    fn what_matters_least_gives_way_first() {
        let units = demo::listing(100, 0, demo::START).units;
        assert_eq!(titles(&units, 30), ["UNIT", "STATE", "FOR"]);
        assert_eq!(titles(&units, 50), ["UNIT", "STATE", "FOR", "LAST LINE"]);
        let all = titles(&units, 200);
        assert_eq!(all.len(), OPTIONAL.len() + 4, "{all:?}");
        for width in 40..200 {
            let (narrow, wide) = (titles(&units, width), titles(&units, width + 1));
            let given_up = narrow.iter().filter(|title| !wide.contains(title)).count();
            assert!(given_up <= 1, "{width}: {narrow:?} {wide:?}");
        }
    }

    #[test]
    fn a_column_that_would_be_empty_is_left_out() {
        let mut units = demo::listing(100, 0, demo::START).units;
        for unit in &mut units {
            unit.reset = None;
            unit.account = None;
        }
        let titles = titles(&units, 200);
        assert!(
            !titles.contains(&"RESET") && !titles.contains(&"ACCOUNT"),
            "{titles:?}"
        );
    }

    #[test]
    fn a_plan_is_as_wide_as_the_list() {
        let units = demo::listing(100, 0, demo::START).units;
        for width in 50..300 {
            let plan = plan(&units, width);
            let used: usize = plan.iter().map(|(_, width)| width + 1).sum();
            assert_eq!(used - 1, width, "{plan:?}");
        }
    }

    #[test]
    fn a_blocked_unit_says_its_question_and_a_held_one_why() {
        let mut unit = Unit {
            state_word: "blocked".into(),
            last_line: Some("footer".into()),
            held: Some("start limit".into()),
            question: Some(crate::top::listing::Question {
                text: "Bash command\n\n  rm -r x\nProceed?".into(),
                ..Default::default()
            }),
            ..Unit::default()
        };
        assert_eq!(says(&unit), "Bash command rm -r x Proceed?");
        unit.state_word = "held".into();
        assert_eq!(says(&unit), "start limit");
        unit.state_word = "idle".into();
        assert_eq!(says(&unit), "footer");
    }
}
