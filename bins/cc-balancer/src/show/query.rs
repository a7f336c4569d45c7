//! Which tasks are meant.

use cc_kit::exit::{Exit, Failure};

use crate::add::labels;
use crate::store::Query;
use crate::task::{Kind, State};

/// How many are shown where nobody says it.
const MOST: u32 = 100;

/// Reads `queued,running group=G to=U kind=message last=N`, and labels.
pub(super) fn read(words: &[String], with: &[String]) -> Result<Query, Failure> {
    let mut query = Query {
        needs: labels(with)?,
        most: MOST,
        ..Query::default()
    };
    for word in words {
        match word.split_once('=') {
            Some(("group", group)) => query.group = Some(group.to_owned()),
            Some(("to", to)) => query.to = Some(to.to_owned()),
            Some(("kind", "task")) => query.kind = Some(Kind::Task),
            Some(("kind", "message")) => query.kind = Some(Kind::Message),
            Some(("last", number)) => {
                query.most = number.parse().map_err(|_| {
                    wrong(
                        format!("{number:?} is no number"),
                        "Write last=N, 0 for all of them.",
                    )
                })?;
            }
            Some(("state", states)) => query.states.extend(read_states(states)?),
            None => query.states.extend(read_states(word)?),
            Some((key, _)) => {
                return Err(wrong(
                    format!("{key:?} is nothing to ask for"),
                    "There are a state, group=G, to=UNIT, kind=task|message and last=N.",
                ));
            }
        }
    }
    Ok(query)
}

fn read_states(words: &str) -> Result<Vec<State>, Failure> {
    let read = |word: &str| {
        State::named(word).ok_or_else(|| {
            let names: Vec<&str> = State::ALL.into_iter().map(State::name).collect();
            wrong(
                format!("there is no state {word:?}"),
                &format!("There are {}.", names.join(", ")),
            )
        })
    };
    words.split(',').map(read).collect()
}

fn wrong(error: String, advice: &str) -> Failure {
    Failure::new(Exit::Usage, error).advice(advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_query_is_states_and_pairs() {
        let query = read(
            &words(&[
                "queued,held",
                "state=running",
                "group=g",
                "to=w@1",
                "kind=message",
                "last=0",
            ]),
            &words(&["role=ci"]),
        )
        .unwrap();
        assert_eq!(query.states, [State::Queued, State::Held, State::Running]);
        assert_eq!(
            (query.group.as_deref(), query.to.as_deref()),
            (Some("g"), Some("w@1"))
        );
        assert_eq!((query.kind, query.most), (Some(Kind::Message), 0));
        assert_eq!(query.needs["role"], "ci");
        assert_eq!(read(&[], &[]).unwrap().most, MOST);
        for wrong in ["dreaming", "queued,", "size=3", "last=x", "kind=x", ""] {
            let failure = read(&words(&[wrong]), &[]).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage, "{wrong}");
            assert!(failure.is_advised(), "{wrong}");
        }
    }
}
