//! What a server does not know is not asked of it.

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::{Client, QueryError};
use tmux_cc::format::{FromFormat, Unavailable};
use tmux_cc::protocol::Command;
use tmux_cc::wire::{PaneId, Version};

use super::row;
use crate::support::{attached, soon};

#[derive(FromFormat)]
#[tmux(since = "3.3")]
struct From33 {
    #[tmux(name = "pane_dead_time")]
    _field: Option<u64>,
}

#[derive(FromFormat)]
#[tmux(since = "3.7")]
struct From37 {
    #[tmux(name = "pane_pipe_pid")]
    _field: Option<u64>,
}

#[derive(FromFormat)]
#[tmux(since = "3.8")]
struct From38 {
    #[tmux(name = "pane_last_output_time")]
    _field: Option<u64>,
}

/// Nothing is newer than the newest: the row says it itself.
#[derive(FromFormat)]
#[tmux(since = "99.1")]
struct From99 {
    #[tmux(name = "pane_id")]
    _field: PaneId,
}

#[derive(FromFormat)]
struct Optional {
    pane_id: PaneId,
    #[tmux(since = "3.3", name = "pane_dead_time")]
    _died: Option<u64>,
    #[tmux(since = "3.8", name = "pane_last_output_time")]
    _printed: Option<u64>,
}

async fn asked<T: FromFormat>(client: &Client) -> Result<(), QueryError> {
    let list = Command::new("list-panes").flag("-a");
    let rows: Result<Vec<T>, _> = soon("rows", client.rows(list)).await;
    rows.map(|rows| assert_eq!(rows.len(), 1))
}

/// Where a variable is empty since the server does not know it, nobody must take it for empty.
#[tokio::test]
async fn what_is_newer_than_the_server_is_refused_by_name() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let version = client.attached().server.version;
    let results = [
        (
            "pane_dead_time",
            Version::new(3, 3),
            asked::<From33>(&client).await,
        ),
        (
            "pane_pipe_pid",
            Version::new(3, 7),
            asked::<From37>(&client).await,
        ),
        (
            "pane_last_output_time",
            Version::new(3, 8),
            asked::<From38>(&client).await,
        ),
        (
            "the row",
            Version::new(99, 1),
            asked::<From99>(&client).await,
        ),
    ];
    let mut refused = 0;
    for (what, wanted, result) in results {
        assert_eq!(
            result.is_ok(),
            version.at_least(wanted),
            "{what} on {version}: {result:?}"
        );
        let Err(error) = result else { continue };
        refused += 1;
        let QueryError::Unavailable(
            Unavailable::TooNew { since, server, .. } | Unavailable::TooOld { since, server },
        ) = error
        else {
            panic!("{error}");
        };
        assert_eq!((since, server), (wanted, version));
        let said = error.to_string();
        for part in [what, &wanted.to_string(), &version.to_string()] {
            assert!(said.contains(part), "{said:?} does not tell {part}");
        }
    }
    assert!(refused > 0);
    // A field that may be missing is no reason.
    assert!(asked::<Optional>(&client).await.is_ok());
    let row: Optional = row(&client, PaneId(0)).await;
    assert_eq!(row.pane_id, PaneId(0));
    // What fails in tmux is said in its words.
    let list = Command::new("list-panes").option("-t", "%99");
    let failed = soon("rows", client.rows::<Optional>(list)).await;
    assert!(matches!(failed, Err(QueryError::Failed(_))));
}
