//! Every reply is the right one, whatever the server is set up to say in between.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::{Attach, AttachError, ClientError, Event, Events};
use tmux_cc::protocol::{Command, CommandError, Exit, Reply, ReplyError};
use tmux_cc::wire::Version;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex, split};
use tokio::task::JoinSet;

use super::support::{Dice, LONG, ask, attach, attached, scaled, soon, within};

/// What one block of a reply must be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    ok: bool,
    body: String,
}

fn yes(line: impl Into<String>) -> Wanted {
    let body = line.into() + "\n";
    Wanted { ok: true, body }
}

fn no(line: impl Into<String>) -> Wanted {
    let body = line.into() + "\n";
    Wanted { ok: false, body }
}

/// A command that succeeds and prints nothing.
fn silent() -> Wanted {
    Wanted {
        ok: true,
        body: String::new(),
    }
}

/// A line, every block that it owes, and what it makes the server say on its own.
struct Case {
    line: String,
    wanted: Vec<Wanted>,
    background: Option<String>,
}

/// The `n`th command: it carries its number, and so must its reply.
fn case(n: usize, dice: &mut Dice, dir: &Path, version: Version) -> Case {
    let mut background = None;
    let print = |tag: &str| format!("display-message -p {tag}{n}");
    let (line, wanted) = match dice.below(24) {
        0 | 1 => (print("a"), vec![yes(format!("a{n}"))]),
        2 => {
            let count = 2 + dice.below(4);
            let commands: Vec<_> = (0..count).map(|k| print(&format!("k{k}_"))).collect();
            let wanted = (0..count).map(|k| yes(format!("k{k}_{n}"))).collect();
            (commands.join(" ; "), wanted)
        }
        // The rest of a line is dropped when one of it fails.
        3 => (
            format!("{} ; kill-pane -t '%9{n}' ; {}", print("a"), print("b")),
            vec![yes(format!("a{n}")), no(format!("can't find pane: %9{n}"))],
        ),
        4 => (
            format!("kill-session -t =no{n}"),
            vec![no(format!("can't find session: no{n}"))],
        ),
        5 => (
            format!("no-such-{n}"),
            vec![no(format!("parse error: unknown command: no-such-{n}"))],
        ),
        // Nothing of a line runs that does not parse.
        6 => (
            format!("{} ; no-such-{n} x", print("a")),
            vec![no(format!("parse error: unknown command: no-such-{n}"))],
        ),
        7 => (format!("# comment {n} ; display-message -p x"), vec![]),
        8 => (format!("V{n}=w{n}"), vec![]),
        9 => (
            format!("pair a{n}"),
            vec![yes("left"), yes(format!("a{n}"))],
        ),
        10 => {
            let path = dir.join(format!("source-{n}"));
            let text = format!(
                "{}\nkill-session -t =no{n}\n\n# nothing\n{}\n",
                print("a"),
                print("b")
            );
            fs::write(&path, text).unwrap();
            let wanted = vec![
                silent(),
                yes(format!("a{n}")),
                no(format!("can't find session: no{n}")),
                yes(format!("b{n}")),
            ];
            (format!("source-file '{}'", path.display()), wanted)
        }
        11 => {
            let path = dir.join(format!("missing-{n}"));
            // Since 3.6 it is the other way round.
            let (file, why) = (path.display().to_string(), "No such file or directory");
            let said = if version.at_least(Version::new(3, 6)) {
                format!("{why}: {file}")
            } else {
                format!("{file}: {why}")
            };
            (format!("source-file '{}'", path.display()), vec![no(said)])
        }
        12 => {
            let (flag, tag) = [("1", "y"), ("0", "z"), ("", "z")][dice.below(3)];
            let line = format!(
                "if-shell -F '{flag}' '{}' '{}' ; {}",
                print("y"),
                print("z"),
                print("e")
            );
            let wanted = vec![silent(), yes(format!("{tag}{n}")), yes(format!("e{n}"))];
            (line, wanted)
        }
        13 => {
            let (shell, tag) = [("true", "y"), ("false", "z")][dice.below(2)];
            let line = format!("if-shell {shell} '{}' '{}'", print("y"), print("z"));
            (line, vec![silent(), yes(format!("{tag}{n}"))])
        }
        14 => {
            background = Some(format!("g{n}\n"));
            (format!("if-shell -b true '{}'", print("g")), vec![silent()])
        }
        // What runs for `if-shell` may fail; what follows on the line runs all the same.
        15 => (
            format!(
                "if-shell -F 1 'kill-session -t =no{n} ; {}' ; {}",
                print("x"),
                print("e")
            ),
            vec![
                silent(),
                no(format!("can't find session: no{n}")),
                yes(format!("e{n}")),
            ],
        ),
        16 => (
            format!("if-shell -F 1 {{ {} ; {} }}", print("p"), print("q")),
            vec![silent(), yes(format!("p{n}")), yes(format!("q{n}"))],
        ),
        17 => {
            background = Some("hook\n".into());
            (
                format!("list-panes -t main -F l{n}"),
                vec![yes(format!("l{n}"))],
            )
        }
        18 => (
            format!("set-option -g @k{0} v{n} ; show-options -gv @k{0}", n % 50),
            vec![silent(), yes(format!("v{n}"))],
        ),
        19 => (
            format!("rename-window -t main r{n} ; display-message -p -t main '#{{window_name}}'"),
            vec![silent(), yes(format!("r{n}"))],
        ),
        20 => (
            format!("display-message -p \"one\\n%end 1 {n} 1\\n\\nfour{n}\""),
            // strftime takes `%e` for the day of the month, so the sign is doubled below.
            vec![yes(format!("one\n%end 1 {n} 1\n\nfour{n}"))],
        ),
        21 => (
            format!("run-shell -C '{}'", print("c")),
            vec![silent(), yes(format!("c{n}"))],
        ),
        22 => (format!("wait-for -S w{n}"), vec![silent()]),
        _ => (
            format!("run-shell -b true ; {}", print("e")),
            vec![silent(), yes(format!("e{n}"))],
        ),
    };
    Case {
        line: line.replace("%end", "%%end"),
        wanted,
        background,
    }
}

fn blocks(reply: &Reply) -> Vec<Wanted> {
    let blocks = reply.blocks().iter();
    blocks
        .map(|block| {
            assert!(block.guard().is_ours());
            let body = String::from_utf8(block.body().to_vec()).unwrap();
            Wanted {
                ok: block.is_ok(),
                body,
            }
        })
        .collect()
}

/// A server with hooks that print and an alias of two commands.
fn noisy() -> Server {
    let server = Server::start();
    for hook in ["after-list-panes", "after-show-options"] {
        server.tmux(["set-hook", "-g", hook, "display-message -p hook"]);
    }
    server.tmux([
        "set-hook",
        "-g",
        "window-renamed",
        "display-message -p stray",
    ]);
    let alias = "pair=display-message -p left ; display-message -p";
    server.tmux(["set-option", "-s", "command-alias[100]", alias]);
    server
}

/// Every unsolicited block until the client ends.
async fn unsolicited(mut events: Events) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some(batch) = events.recv().await {
        for event in batch.iter() {
            match event {
                Event::Unsolicited(block) => {
                    assert!(!block.guard().is_ours());
                    bodies.push(String::from_utf8(block.body().to_vec()).unwrap());
                }
                Event::Desync(desync) => panic!("{desync:?}"),
                Event::Lagged(count) => panic!("{count} events are missing"),
                _ => {}
            }
        }
    }
    bodies
}

#[tokio::test]
async fn every_reply_is_that_of_its_command() {
    skip_if_asked!();
    let server = noisy();
    let (client, events, driver) = attached(&server).await;
    let version = client.attached().server.version;
    let unsolicited = tokio::spawn(unsolicited(events));
    let mut dice = Dice::new(3);
    let mut tasks = JoinSet::new();
    let (mut wanted_aside, mut shows) = (BTreeSet::new(), 0);
    let count = scaled(10_000);
    for n in 0..count {
        let Case {
            line,
            wanted,
            background,
        } = case(n, &mut dice, server.dir(), version);
        shows += usize::from(line.contains("show-options") || line.contains("list-panes"));
        wanted_aside.extend(background.filter(|body| body != "hook\n"));
        let client = client.clone();
        tasks.spawn(async move {
            let reply = client.command(Command::raw(&line)).await.unwrap();
            assert_eq!(blocks(&reply), wanted, "{line}");
            // Text that looks like a guard is told, and nothing else is.
            assert_eq!(reply.spoof().is_some(), line.contains("%%end"), "{line}");
        });
    }
    within(LONG, "all replies", async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    })
    .await;
    // What ran in the background has come when a later command was answered, give or take.
    harness::wait::until_async(LONG, "the background to be done", async || {
        let jobs = ask(&client, "show-messages -J").await;
        jobs.lines().count() == 0
    })
    .await;
    let environment = ask(&client, "show-environment -g").await;
    let set = environment
        .lines()
        .filter(|line| line.starts_with(b"V"))
        .count();
    client.detach().await;
    let exit = soon("the driver", driver).await.unwrap();
    assert_eq!(exit, Exit::Detached);
    let said = soon("the events", unsolicited).await.unwrap();
    let aside: BTreeSet<_> = said
        .iter()
        .filter(|body| *body != "hook\n")
        .cloned()
        .collect();
    assert_eq!(aside, wanted_aside);
    let hooks = said.iter().filter(|body| *body == "hook\n").count();
    assert_eq!(hooks, shows, "a hook speaks once for each");
    assert!(set > 0 && hooks > 0 && !aside.is_empty());
    eprintln!(
        "{count} commands, {hooks} hooks, {} in the background, {set} assignments",
        aside.len()
    );
}

#[tokio::test]
async fn what_would_detach_or_split_is_refused_before_it_is_sent() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    for line in ["", " ", "\t ", "a\nb", "display-message -p 'a\0b'"] {
        let refused = soon("a refusal", client.command(Command::raw(line))).await;
        assert!(
            matches!(refused, Err(ClientError::Command(CommandError::Line(_)))),
            "{line:?}: {refused:?}"
        );
    }
    let menu = soon(
        "a refusal",
        client.command(Command::raw("confirm-before x")),
    )
    .await;
    assert!(matches!(
        menu,
        Err(ClientError::Command(CommandError::Interactive { .. }))
    ));
    assert_eq!(
        ask(&client, "display-message -p still").await.text(),
        b"still"
    );
}

#[tokio::test]
async fn an_alias_over_the_fence_is_said_when_attaching() {
    skip_if_asked!();
    // One that prints something else, one that prints nothing, and one that is no command.
    for alias in [
        "display-message=list-keys",
        "display-message=wait-for -S",
        "display-message=no-such",
    ] {
        let server = Server::start();
        let (bystander, _events, _driver) = attached(&server).await;
        server.tmux(["set-option", "-s", "command-alias[100]", alias]);
        let deadline = Duration::from_secs(2);
        let attach = attach(&server, "main").deadline(deadline).start();
        let error = soon("the refusal", attach).await.err();
        assert!(
            matches!(
                error,
                Some(AttachError::NoFence { .. } | AttachError::Unreadable)
            ),
            "{alias}: {error:?}"
        );
        let said = error.unwrap().to_string();
        assert!(said.contains("command-alias"), "{said}");
        server.tmux(["set-option", "-su", "command-alias[100]"]);
        assert_eq!(
            ask(&bystander, "display-message -p here").await.text(),
            b"here"
        );
        assert!(server.alive());
    }
}

#[tokio::test]
async fn a_command_that_ends_the_client_has_succeeded() {
    skip_if_asked!();
    for line in ["kill-server", "detach-client", "kill-session -t main"] {
        let server = Server::start();
        let (client, mut events, driver) = attached(&server).await;
        let go = server.dir().join("go");
        let wait = format!("until [ -e \"{}\" ]; do sleep .02; done", go.display());
        // All are on their way before the first is answered. tmux may still run the second; the
        // third keeps the fourth from running, unless the server ends and its jobs with it.
        let command = |line: &str| client.command(Command::raw(line));
        let (last, next, _, never) = soon("all answers", async {
            tokio::join!(
                command(line),
                command("display-message -p next"),
                command(&format!("run-shell '{wait}'")),
                command("display-message -p never"),
            )
        })
        .await;
        let reply = last.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(reply.ok().is_ok(), "{line}");
        let disconnected = ClientError::Reply(ReplyError::Disconnected(Exit::Detached));
        // The server does not end before its jobs.
        fs::write(&go, []).unwrap();
        for (answer, text) in [(next, &b"next"[..]), (never, b"never")] {
            match answer {
                Ok(reply) => {
                    assert_eq!(reply.text(), text, "{line}");
                    assert!(text == b"next" || line == "kill-server", "{line}");
                }
                Err(error) => assert_eq!(error, disconnected, "{line}"),
            }
        }
        assert_eq!(soon("the driver", driver).await.unwrap(), Exit::Detached);
        assert_eq!(client.exit(), Some(&Exit::Detached));
        let mut exits = 0;
        while let Some(batch) = soon("the last event", events.recv()).await {
            let exited = |event: &Event<'_>| matches!(event, Event::Exited(Exit::Detached));
            exits += batch.iter().filter(exited).count();
        }
        assert_eq!(exits, 1, "{line}");
        let late = soon("a refusal", client.command(Command::new("list-keys"))).await;
        assert_eq!(late, Err(ClientError::Ended(Exit::Detached)), "{line}");
        if line == "detach-client" {
            assert!(server.alive());
        }
    }
}

#[tokio::test]
async fn a_command_that_is_given_up_leaves_the_next_reply_right() {
    skip_if_asked!();
    let server = noisy();
    let (client, _events, _driver) = attached(&server).await;
    let mut dice = Dice::new(5);
    let (mut given_up, mut answered) = (0, 0);
    for n in 0..scaled(10_000) {
        let line = format!("pair a{n}");
        let command = client.command(Command::raw(&line));
        let patience = dice.below(6);
        tokio::select! {
            biased;
            reply = command => {
                assert_eq!(blocks(&reply.unwrap()), [yes("left"), yes(format!("a{n}"))]);
                answered += 1;
            }
            () = async {
                if patience == 5 {
                    tokio::time::sleep(Duration::from_micros(dice.below(2000) as u64)).await;
                }
                for _ in 0..patience {
                    tokio::task::yield_now().await;
                }
            } => given_up += 1,
        }
        if dice.below(10) == 0 {
            let reply = ask(&client, &format!("pair b{n}")).await;
            assert_eq!(blocks(&reply), [yes("left"), yes(format!("b{n}"))]);
        }
    }
    eprintln!("{given_up} given up, {answered} answered");
    assert!(given_up > 0);
}

#[tokio::test]
async fn a_small_limit_of_unanswered_commands_still_lets_them_through() {
    skip_if_asked!();
    let server = Server::start();
    let limits = tmux_cc::protocol::Limits::default().pending(4);
    let attach = attach(&server, "main").limits(limits);
    let (client, _events, driver) = attach.start().await.unwrap();
    tokio::spawn(driver);
    let mut tasks = JoinSet::new();
    for n in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            let reply = ask(&client, &format!("display-message -p a{n}")).await;
            assert_eq!(reply.text(), format!("a{n}").as_bytes());
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_success_that_ends_the_client_needs_no_fence() {
    // A peer that goes when it has answered the last command, without a look at what follows.
    for (end, succeeds) in [("%exit", true), ("%exit server exited unexpectedly", false)] {
        let (ours, theirs) = duplex(4096);
        let peer = tokio::spawn(async move {
            let (reader, mut writer) = split(theirs);
            let mut lines = BufReader::new(reader).lines();
            let greeting = "%begin 1 1 0\n%end 1 1 0\n";
            writer.write_all(greeting.as_bytes()).await.unwrap();
            let mut number = 1;
            while let Some(line) = lines.next_line().await.unwrap() {
                number += 1;
                let last = line == "kill-server";
                let body = match line.strip_prefix("display-message -p ") {
                    Some(text) if text.starts_with('f') => format!("{text}\n"),
                    Some(_) => "3.3a\t1\t1\t$0\tclient-1\tmain\n".to_owned(),
                    None => String::new(),
                };
                let block = format!("%begin 1 {number} 1\n{body}%end 1 {number} 1\n");
                writer.write_all(block.as_bytes()).await.unwrap();
                if last {
                    let end = format!("{end}\n");
                    writer.write_all(end.as_bytes()).await.unwrap();
                    return;
                }
            }
        });
        let attach = soon("a greeting", Attach::any().over(ours)).await;
        let (client, _events, driver) = attach.unwrap();
        tokio::spawn(driver);
        let reply = soon("an answer", client.command(Command::new("kill-server"))).await;
        assert_eq!(reply.is_ok(), succeeds, "{end}: {reply:?}");
        peer.await.unwrap();
    }
}
