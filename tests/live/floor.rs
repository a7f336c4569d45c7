//! A tmux below the floor is refused, in words that name the floor, and takes no harm.
//!
//! These need a tmux older than 3.2: `tests/matrix/run` names one in `TMUX_CC_TEST_OLD_TMUX`.

use std::error::Error;
use std::time::Duration;

use harness::server::{Boot, Server, tmux_binary};
use tmux_cc::client::{self, Attach, AttachError, ServerChange, ServerError, Socket, Waiting};
use tmux_cc::wire::Version;

use super::support::soon;

fn old() -> Server {
    let tmux = std::env::var_os("TMUX_CC_TEST_OLD_TMUX")
        .expect("TMUX_CC_TEST_OLD_TMUX names no tmux older than 3.2");
    let server = Server::empty_of(tmux);
    server.boot(&Boot::default());
    server
}

fn version(server: &Server) -> Version {
    let version = Version::parse(server.version().as_bytes()).unwrap();
    assert!(!version.at_least(Version::FLOOR), "{version} is not old");
    version
}

/// The error says which version it is, and which it should be.
fn names_the_floor(error: &dyn Error, version: Version) {
    let said = error.to_string();
    assert!(said.contains(&version.to_string()), "{said}");
    assert!(said.contains("3.2"), "{said}");
}

async fn refused(attach: Attach, version: Version) {
    let refused = soon("a refusal", attach.start()).await;
    let error = refused.expect_err("it is too old");
    assert!(matches!(error, AttachError::TooOld { .. }), "{error}");
    names_the_floor(&error, version);
}

#[tokio::test]
#[ignore = "needs a tmux older than 3.2: tests/matrix/run brings one"]
async fn an_old_program_is_refused() {
    let server = old();
    let version = version(&server);
    let attach = || {
        Attach::any()
            .socket_path(server.socket())
            .deadline(Duration::from_secs(2))
    };
    refused(attach().tmux(server.binary()), version).await;
    let socket = Socket::Path(server.socket().into());
    let follow = client::Server::on(socket).tmux(server.binary());
    let error = follow.start().await.expect_err("it is too old");
    assert!(matches!(error, ServerError::NotTmux { .. }), "{error}");
    names_the_floor(&error, version);
    assert!(server.alive());
}

/// Can the tmux under test ask a server below the floor for its version? Later ones get no answer,
/// or end it by asking, whatever the command.
fn can_ask(server: &Server) -> bool {
    let tested = Server::empty().version();
    let tested = Version::parse(tested.as_bytes()).unwrap();
    eprintln!("{tested} asks {}", server.version());
    !tested.at_least(Version::new(3, 4))
}

#[tokio::test]
#[ignore = "needs a tmux older than 3.2: tests/matrix/run brings one"]
async fn an_old_server_is_refused() {
    let server = old();
    let version = version(&server);
    let attach = Attach::any()
        .socket_path(server.socket())
        .tmux(tmux_binary())
        .deadline(Duration::from_secs(2));
    let refused = soon("a refusal", attach.start()).await;
    let error = refused.expect_err("it is too old");
    if can_ask(&server) {
        names_the_floor(&error, version);
    }
}

#[tokio::test]
#[ignore = "needs a tmux older than 3.2: tests/matrix/run brings one"]
async fn an_old_server_is_not_followed() {
    let server = old();
    let version = version(&server);
    let socket = Socket::Path(server.socket().into());
    let follow = client::Server::on(socket)
        .tmux(tmux_binary())
        .deadline(Duration::from_secs(2));
    let follow = follow.start().await.unwrap();
    let mut changes = follow.changes();
    let change = soon("it to say what is wrong", changes.recv()).await;
    let Some(ServerChange::Waiting(why)) = change else {
        panic!("{change:?}");
    };
    if can_ask(&server) {
        assert_eq!(why, Waiting::TooOld(version.to_string().into_bytes()));
        assert!(server.alive());
    }
    follow.close().await;
}
