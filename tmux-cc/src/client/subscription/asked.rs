//! What asks for watched values, and reads the answers.

use std::sync::Arc;

use super::{Shape, Watch, What};
use crate::client::identity::Identity;
use crate::format::{Fields, RowError};
use crate::protocol::Command;

/// How a value is printed so that [`Fields`] reads it whatever it holds: no newline, no end of a
/// value, and no backslash but those of vis(3), which 3.4 and 3.5 put in.
const ESCAPED: &str = "#{s/=/=3D/;s/\n/=0A/;s/[|]/=7C/;s/[\\]/=5C/:#{l:}";

/// What lists the subjects of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Sessions,
    Windows,
    Panes,
}

/// Subscriptions that are asked for with one listing, so that no subject is looked at twice.
#[derive(Debug)]
pub(in crate::client) struct Asked {
    list: List,
    watches: Vec<Arc<Watch>>,
}

impl Asked {
    /// What there is to ask for.
    pub(in crate::client) fn of(watches: impl IntoIterator<Item = Arc<Watch>>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for watch in watches {
            let list = match watch.subscription.what {
                What::Sessions => List::Sessions,
                What::Windows | What::Window(_) => List::Windows,
                What::Panes | What::Pane(_) => List::Panes,
            };
            match all.iter_mut().find(|asked| asked.list == list) {
                Some(asked) => asked.watches.push(watch),
                None => all.push(Self {
                    list,
                    watches: vec![watch],
                }),
            }
        }
        all
    }

    /// What asks for all the values as they are.
    pub(in crate::client) fn command(&self) -> Command {
        let (command, subject) = match self.list {
            List::Sessions => (Command::new("list-sessions"), "#{session_id}||||"),
            List::Windows => (
                Command::new("list-windows").flag("-a"),
                "#{session_id}|#{window_id}|#{window_index}||",
            ),
            List::Panes => (
                Command::new("list-panes").flag("-a"),
                "#{session_id}|#{window_id}|#{window_index}|#{pane_id}|",
            ),
        };
        let mut row = subject.as_bytes().to_vec();
        for watch in &self.watches {
            let format = &watch.subscription.format;
            match watch.shape {
                Shape::Any => {
                    row.extend_from_slice(ESCAPED.as_bytes());
                    row.extend_from_slice(format);
                    row.extend_from_slice(b"}|");
                }
                Shape::Plain => {
                    row.extend_from_slice(format);
                    row.push(b'|');
                }
                Shape::Fields(_) => row.extend_from_slice(format),
            }
        }
        command.option("-F", row)
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// A row that does not read; what stands before that is taken.
    pub(in crate::client) fn answered(
        &self,
        server: &Arc<Identity>,
        printed: &[u8],
    ) -> Result<(), RowError> {
        let mut fields = Fields::new(printed);
        while !fields.is_empty() {
            let session = fields.take("session_id")?;
            let window = fields.take("window_id")?;
            let index = fields.take("window_index")?;
            let pane = fields.take("pane_id")?;
            for watch in &self.watches {
                let subject = (session, window, index, pane);
                if let Shape::Fields(count) = watch.shape {
                    let raw = several(&mut fields, count)?;
                    watch.report(server, subject, raw);
                } else {
                    let value: Vec<u8> = fields.take("the value")?;
                    watch.report_escaped(server, subject, &value);
                }
            }
            fields.end_row()?;
        }
        Ok(())
    }
}

/// So many values, as they are printed.
fn several<'a>(fields: &mut Fields<'a>, count: usize) -> Result<&'a [u8], RowError> {
    let all = fields.rest();
    for _ in 0..count {
        let _: Vec<u8> = fields.take("the value")?;
    }
    let length = all.len().saturating_sub(fields.rest().len());
    Ok(all.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{server, told};
    use super::*;
    use crate::client::Subscription;
    use crate::wire::{PaneId, WindowId};

    fn asked(subscriptions: Vec<Subscription>) -> (Vec<Arc<Watch>>, Vec<Asked>) {
        let watches = subscriptions.into_iter();
        let watches = Vec::from_iter(watches.map(|it| Arc::new(Watch::new(it))));
        (watches.clone(), Asked::of(watches))
    }

    #[test]
    fn an_answer_tells_what_has_changed() {
        let (watches, asked) = asked(vec![Subscription::panes("#{pane_title}")]);
        let (watch, asked) = (&watches[0], &asked[0]);
        assert_eq!(
            asked.command().line().unwrap(),
            br##"list-panes -a -F "#{session_id}|#{window_id}|#{window_index}|#{pane_id}|#{s/=/=3D/;s/\n/=0A/;s/[|]/=7C/;s/[\\]/=5C/:#{l:}#{pane_title}}|""##
        );
        let printed = b"$0|@1|2|%3|a=3Db=0A=7C=5C \\033|\n$0|@1|2|%4||\n";
        asked.answered(&server(1), printed).unwrap();
        let first = (1, Some(PaneId(3)), "a=b\n|\\ \x1b".to_owned());
        assert_eq!(told(watch), [first, (1, Some(PaneId(4)), String::new())]);
        asked.answered(&server(1), printed).unwrap();
        assert_eq!(told(watch), []);
        let broken = b"$0|@1|2|%3|x|\n$0|@1|\n";
        assert!(asked.answered(&server(1), broken).is_err());
        assert_eq!(told(watch), [(1, Some(PaneId(3)), "x".to_owned())]);
    }

    #[test]
    fn one_window_is_told_of_among_all() {
        let (watches, asked) = asked(vec![
            Subscription::window(WindowId(1), "x"),
            Subscription::sessions("x"),
        ]);
        let printed = b"$0|@0|0||x|\n$0|@1|1||y|\n";
        asked[0].answered(&server(1), printed).unwrap();
        assert_eq!(told(&watches[0]), [(1, None, "y".to_owned())]);
        asked[1].answered(&server(1), b"$0||||x|\n").unwrap();
        assert_eq!(told(&watches[1]), [(1, None, "x".to_owned())]);
    }

    #[test]
    fn what_needs_no_escape_is_asked_for_as_it_is_and_panes_once_for_all() {
        let (watches, asked) = asked(vec![
            Subscription::panes("#{q:pane_title}|#{pane_pid}|"),
            Subscription::panes("#{cursor_x},#{cursor_y}"),
            Subscription::sessions("#{session_windows}"),
            Subscription::panes("#{pane_title}"),
        ]);
        assert_eq!(asked.len(), 2);
        assert_eq!(
            asked[0].command().line().unwrap(),
            br##"list-panes -a -F "#{session_id}|#{window_id}|#{window_index}|#{pane_id}|#{q:pane_title}|#{pane_pid}|#{cursor_x},#{cursor_y}|#{s/=/=3D/;s/\n/=0A/;s/[|]/=7C/;s/[\\]/=5C/:#{l:}#{pane_title}}|""##
        );
        let printed = b"$0|@1|2|%3|a\\|b\\=7C\nc|77|1,2|a=7Cb|\n";
        asked[0].answered(&server(1), printed).unwrap();
        let of = |value: &str| vec![(1, Some(PaneId(3)), value.to_owned())];
        // What reads fields has their escapes still to undo.
        assert_eq!(told(&watches[0]), of("a\\|b\\=7C\nc|77|"));
        assert_eq!(told(&watches[1]), of("1,2"));
        assert_eq!(told(&watches[3]), of("a|b"));
    }
}
