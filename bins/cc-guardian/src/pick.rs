//! Which units are meant: by name, pane, label and state.

use cc_kit::exit::{Exit, Failure};

use crate::top::{State, Unit};

/// What somebody asked for; where nothing was, all are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pick {
    /// `w` for all of that unit, `w@1`, `%3`.
    names: Vec<String>,
    labels: Vec<(String, Option<String>)>,
    states: Vec<State>,
}

impl Pick {
    /// Reads names, labels (`role=worker`, or `role` with any value) and states.
    pub(crate) fn read(
        names: &[String],
        labels: &[String],
        states: &[String],
    ) -> Result<Self, Failure> {
        let labels = labels.iter().map(|label| match label.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (label.clone(), None),
        });
        let states = states.iter().map(|word| {
            let state = State::ALL.into_iter().find(|state| state.word() == word);
            state.ok_or_else(|| {
                let words: Vec<&str> = State::ALL.into_iter().map(State::word).collect();
                Failure::new(Exit::Usage, format!("there is no state {word:?}"))
                    .advice(format!("There are {}.", words.join(", ")))
            })
        });
        Ok(Self {
            names: names.to_vec(),
            labels: labels.collect(),
            states: states.collect::<Result<_, _>>()?,
        })
    }

    /// Is this one meant?
    pub(crate) fn means(&self, unit: &Unit) -> bool {
        let by_name = self.names.iter().any(|name| is_called(unit, name));
        let by_label = self.labels.iter().all(|(key, value)| {
            let found = unit.labels.get(key);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        });
        (self.names.is_empty() || by_name)
            && by_label
            && (self.states.is_empty() || self.states.contains(&unit.state()))
    }

    /// Is everybody there who was asked for by name?
    pub(crate) fn all_known(&self, units: &[Unit]) -> Result<(), Failure> {
        let missing = |name: &&String| !units.iter().any(|unit| is_called(unit, name));
        match self.names.iter().find(missing) {
            Some(name) => Err(
                Failure::new(Exit::Unknown, format!("there is no unit {name:?}"))
                    .advice("See `cc-guardian ls` for those that there are."),
            ),
            None => Ok(()),
        }
    }
}

fn is_called(unit: &Unit, name: &str) -> bool {
    is_of(&unit.unit, name) || unit.pane.as_deref() == Some(name)
}

/// Is the instance `w@1` that of this name, or one of the unit `w`?
pub(crate) fn is_of(instance: &str, name: &str) -> bool {
    let unit = instance.rsplit_once('@').map(|(unit, _)| unit);
    instance == name || unit == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        Unit {
            unit: "w@1".into(),
            state_word: "blocked".into(),
            pane: Some("%3".into()),
            labels: [("role".into(), "worker".into())].into(),
            ..Unit::default()
        }
    }

    fn means(names: &[&str], labels: &[&str], states: &[&str]) -> bool {
        let owned = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        let pick = Pick::read(&owned(names), &owned(labels), &owned(states)).unwrap();
        pick.means(&unit())
    }

    #[test]
    fn units_are_meant_by_name_pane_label_and_state() {
        for names in [&[][..], &["w"], &["w@1"], &["%3"], &["x", "w"]] {
            assert!(means(names, &[], &[]), "{names:?}");
        }
        for names in ["w@", "w@2", "%4", ""] {
            assert!(!means(&[names], &[], &[]), "{names:?}");
        }
        assert!(means(&[], &["role=worker"], &["blocked", "idle"]));
        assert!(means(&[], &["role"], &[]));
        assert!(!means(&[], &["role=w"], &[]));
        assert!(!means(&[], &["zone"], &[]));
        assert!(!means(&[], &[], &["idle"]));
        assert!(!means(&["w"], &["role"], &["idle"]));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let wrong = Pick::read(&[], &[], &["dreaming".into()]).unwrap_err();
        assert_eq!(wrong.exit(), Exit::Usage);
        let pick = Pick::read(&["w".into(), "v".into()], &[], &[]).unwrap();
        assert_eq!(pick.all_known(&[unit()]).unwrap_err().exit(), Exit::Unknown);
        let pick = Pick::read(&["%3".into()], &[], &[]).unwrap();
        assert!(pick.all_known(&[unit()]).is_ok());
    }
}
