//! Which units wait for which, until when, and rings of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::mistake::{At, Mistakes};
use crate::config::unit::{Ready, Unit};
use crate::config::values::Dependency;

/// What each unit waits for.
pub(crate) type Needs<'a> = BTreeMap<&'a str, &'a [At<Dependency>]>;

/// Settles what counts as ready: a unit whose screen nobody can read is never seen idle, and who
/// waits for that would wait for ever.
pub(crate) fn readiness(units: &mut [Unit], needs: &Needs<'_>, mistakes: &mut Mistakes) {
    let unread: BTreeSet<String> = units
        .iter()
        .filter(|unit| unit.profile.is_none())
        .map(|unit| unit.name.clone())
        .collect();
    for unit in units {
        let written = needs.get(unit.name.as_str()).copied().unwrap_or_default();
        for (settled, written) in unit.depends_on.iter_mut().zip(written) {
            if !unread.contains(&settled.unit) {
                continue;
            }
            if let Some(ready) = &written.value.ready
                && ready.value == Ready::Idle
            {
                let what = format!("{:?} has no profile and is never seen idle", settled.unit);
                mistakes.add(
                    ready.place,
                    what,
                    "ready = \"running\", or a profile for it",
                );
            }
            settled.ready = Ready::Running;
        }
    }
}

/// How far a unit was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    OnPath,
    Done,
}

/// Notes each ring at the dependency that closes it.
pub(crate) fn cycles(needs: &Needs<'_>, mistakes: &mut Mistakes) {
    let mut seen = BTreeMap::new();
    for unit in needs.keys() {
        // A stack of its own: a long chain of units must not be a deep recursion.
        let mut path: Vec<(&str, usize)> = Vec::new();
        enter(unit, &mut path, &mut seen);
        while let Some((unit, next)) = path.last_mut() {
            let need = needs.get(unit).and_then(|needs| needs.get(*next));
            let Some(need) = need.map(|need| &need.value.unit) else {
                seen.insert(*unit, Seen::Done);
                path.pop();
                continue;
            };
            *next += 1;
            match seen.get(need.value.as_str()) {
                Some(Seen::OnPath) => {
                    let ring: Vec<_> = path
                        .iter()
                        .map(|(unit, _)| *unit)
                        .skip_while(|unit| *unit != need.value)
                        .chain([need.value.as_str()])
                        .collect();
                    mistakes.add(
                        need.place,
                        format!("units wait for each other: {}", ring.join(" -> ")),
                        "leave one of these out",
                    );
                }
                Some(Seen::Done) => {}
                None => enter(&need.value, &mut path, &mut seen),
            }
        }
    }
}

fn enter<'a>(unit: &'a str, path: &mut Vec<(&'a str, usize)>, seen: &mut BTreeMap<&'a str, Seen>) {
    if seen.insert(unit, Seen::OnPath).is_none() {
        path.push((unit, 0));
    }
}
