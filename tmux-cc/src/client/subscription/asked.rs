//! The same by asking, where tmux's own subscriptions can crash the server.

use std::sync::Arc;

use super::{Watch, What};
use crate::client::identity::Identity;
use crate::format::{Fields, RowError};
use crate::protocol::Command;

/// How a value is printed so that [`Fields`] reads it whatever it holds: no newline, no end of a
/// value, and no backslash but those of vis(3), which 3.4 and 3.5 put in.
const ESCAPED: &str = "#{s/=/=3D/;s/\n/=0A/;s/[|]/=7C/;s/[\\]/=5C/:#{l:}";

impl Watch {
    /// What asks for all the values as they are.
    pub(in crate::client) fn ask(&self) -> Command {
        let (command, subject) = match self.subscription.what {
            What::Sessions => (Command::new("list-sessions"), "#{session_id}||||"),
            What::Windows | What::Window(_) => (
                Command::new("list-windows").flag("-a"),
                "#{session_id}|#{window_id}|#{window_index}||",
            ),
            What::Panes | What::Pane(_) => (
                Command::new("list-panes").flag("-a"),
                "#{session_id}|#{window_id}|#{window_index}|#{pane_id}|",
            ),
        };
        let mut row = format!("{subject}{ESCAPED}").into_bytes();
        row.extend_from_slice(&self.subscription.format);
        row.extend_from_slice(b"}|");
        command.option("-F", row)
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// A row that does not read; those before it are taken.
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
            let value: Vec<u8> = fields.take("the value")?;
            fields.end_row()?;
            self.report(server, (session, window, index, pane), &value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{server, told};
    use super::*;
    use crate::client::Subscription;
    use crate::wire::{PaneId, WindowId};

    #[test]
    fn an_answer_tells_what_has_changed() {
        let watch = Watch::new(0, Subscription::panes("pane_title"));
        assert_eq!(
            watch.ask().line().unwrap(),
            br##"list-panes -a -F "#{session_id}|#{window_id}|#{window_index}|#{pane_id}|#{s/=/=3D/;s/\n/=0A/;s/[|]/=7C/;s/[\\]/=5C/:#{l:}pane_title}|""##
        );
        let printed = b"$0|@1|2|%3|a=3Db=0A=7C=5C \\033|\n$0|@1|2|%4||\n";
        watch.answered(&server(1), printed).unwrap();
        let first = (1, Some(PaneId(3)), "a=b\n|\\ \x1b".to_owned());
        assert_eq!(told(&watch), [first, (1, Some(PaneId(4)), String::new())]);
        watch.answered(&server(1), printed).unwrap();
        assert_eq!(told(&watch), []);
        let broken = b"$0|@1|2|%3|x|\n$0|@1|\n";
        assert!(watch.answered(&server(1), broken).is_err());
        assert_eq!(told(&watch), [(1, Some(PaneId(3)), "x".to_owned())]);
    }

    #[test]
    fn one_window_is_told_of_among_all() {
        let watch = Watch::new(0, Subscription::window(WindowId(1), "x"));
        let printed = b"$0|@0|0||x|\n$0|@1|1||y|\n";
        watch.answered(&server(1), printed).unwrap();
        assert_eq!(told(&watch), [(1, None, "y".to_owned())]);
        let watch = Watch::new(0, Subscription::sessions("x"));
        watch.answered(&server(1), b"$0||||x|\n").unwrap();
        assert_eq!(told(&watch), [(1, None, "x".to_owned())]);
    }
}
