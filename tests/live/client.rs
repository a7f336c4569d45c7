//! One control client on a real server.

use harness::server::Server;
use tmux_cc::client::Attach;
use tmux_cc::protocol::Command;

#[tokio::test]
async fn smoke() {
    let server = Server::start();
    let (client, _events, driver) = Attach::to("main")
        .socket_path(server.socket())
        .tmux(server.binary())
        .start()
        .await
        .unwrap();
    let driver = tokio::spawn(driver);
    let reply = client
        .command(Command::new("list-panes").flag("-a"))
        .await
        .unwrap()
        .ok()
        .unwrap();
    eprintln!("{reply:?} {:?}", client.attached());
    let reply = client.command(Command::new("kill-server")).await;
    eprintln!("{reply:?}");
    eprintln!("{:?}", driver.await);
}

#[tokio::test]
async fn smoke_server() {
    let server = Server::start();
    let s = tmux_cc::client::Server::on(tmux_cc::client::Socket::Path(server.socket().into()))
        .tmux(server.binary())
        .start()
        .await
        .unwrap();
    let mut changes = s.changes();
    let mut output = s.output().unwrap();
    tokio::spawn(async move {
        while let Some(c) = changes.recv().await {
            eprintln!("{c:?}");
        }
    });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    server.tmux(["send-keys", "-t", "main", "echo hi", "Enter"]);
    server.tmux(["new-window", "-d", "echo new; sleep 1"]);
    server.tmux([
        "new-session",
        "-d",
        "-s",
        "two",
        "sleep .5; echo two; sleep 1",
    ]);
    server.tmux(["link-window", "-d", "-s", "main:0", "-t", "two:5"]);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(4), async {
        while let Some(b) = output.recv().await {
            for e in b.iter() {
                eprintln!("{e:?}");
            }
        }
    })
    .await;
    server.kill_hard();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), async {
        while let Some(b) = output.recv().await {
            for e in b.iter() {
                eprintln!("{e:?}");
            }
        }
    })
    .await;
    s.close().await;
}
