//! Text typed into a pane arrives byte for byte, or is refused before anything is typed.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use harness::server::{Boot, Server};
use harness::wait::{until, until_async};
use harness::{facts, pane_agent, skip_if_asked};
use tmux_cc::client::{Client, RunError};
use tmux_cc::protocol::CommandError;
use tmux_cc::protocol::commands::{
    AnswerError, DisplayMessage, ListBuffers, Paste, PasteBuffer, Press, Scope, SelectPane,
    SendKeys, SetBuffer, SetOption,
};
use tmux_cc::protocol::{Quirk, Quirks};
use tmux_cc::wire::{PaneId, Version};

use super::support::{Dice, LONG, attached, follow, pane_of, scaled};

/// A server whose pane writes down what is typed into it.
struct Typed {
    server: Server,
    pane: PaneId,
    file: PathBuf,
    /// How much of the file has been looked at.
    seen: u64,
}

impl Typed {
    fn start(bracketed: bool) -> Self {
        let server = Server::empty();
        let file = server.dir().join("typed");
        let ready = server.dir().join("ready");
        let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
        let mut words = vec![pane_agent!().to_owned(), "receive".into(), text(&file)];
        words.extend(["--ready-file".into(), text(&ready)]);
        if bracketed {
            words.push("--bracketed".into());
        }
        server.boot(&Boot::running(words));
        until(LONG, "the reader to be ready", || ready.exists());
        if bracketed {
            // tmux reads that from the pane in its own time. The oldest that can tell is 3.7; with
            // others the first paste tells.
            let version = Version::parse(server.version().as_bytes()).unwrap();
            if version.at_least(Version::new(3, 7)) {
                until(LONG, "tmux to know of it", || {
                    server.answer(["display-message", "-p", "#{bracket_paste_flag}"]) == "1"
                });
            } else {
                let mut tries = 0;
                until(LONG, "tmux to know of it", || {
                    server.tmux(["set-buffer", "-b", "try", "x"]);
                    server.tmux(["paste-buffer", "-p", "-d", "-b", "try"]);
                    tries += 1;
                    fs::read(&file).unwrap().windows(6).any(|w| w == END)
                });
                // The last of them may still be on its way.
                until(LONG, "all that was tried", || {
                    let came = fs::read(&file).unwrap();
                    came.iter().filter(|&&b| b == b'x').count() == tries && came.ends_with(END)
                });
            }
        }
        let pane = pane_of(&server, "main:");
        let mut typed = Self {
            server,
            pane,
            file,
            seen: 0,
        };
        typed.seen = fs::metadata(&typed.file).unwrap().len();
        typed
    }

    /// What has come since it was looked at.
    fn fresh(&self) -> Vec<u8> {
        let mut file = File::open(&self.file).unwrap();
        file.seek(SeekFrom::Start(self.seen)).unwrap();
        let mut fresh = Vec::new();
        file.read_to_end(&mut fresh).unwrap();
        fresh
    }

    /// Waits for as many bytes as are wanted next, and compares.
    #[track_caller]
    fn expect(&mut self, what: &str, wanted: &[u8]) {
        let length = self.seen + wanted.len() as u64;
        until(LONG, what, || {
            fs::metadata(&self.file).unwrap().len() >= length
        });
        let got = self.fresh();
        let differs = got.iter().zip(wanted).position(|(a, b)| a != b);
        let at = differs.unwrap_or_else(|| wanted.len().min(got.len()));
        let around = |bytes: &[u8]| {
            let from = at.saturating_sub(20).min(bytes.len());
            let to = (at + 40).min(bytes.len());
            bytes[from..to].escape_ascii().to_string()
        };
        assert!(
            got == wanted,
            "{what}: at {at} got {}\nwanted {}",
            around(&got),
            around(wanted)
        );
        self.seen += got.len() as u64;
    }
}

const START: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";

/// What a paste of that text is to its reader.
fn marked(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        Vec::new()
    } else {
        [START, text, END].concat()
    }
}

/// What the lexer, a format, a shell, a terminal or the protocol might take for their own.
const HOSTILE: &[&str] = &[
    ";",
    "x;",
    " ; ",
    "\\;",
    "-leading",
    "--",
    "-t",
    "~",
    "~root",
    "$HOME",
    "${HOME}",
    "#{pid}",
    "#(date)",
    "##",
    "#[fg=red]",
    "%",
    "%%",
    "%if",
    "%H",
    "'",
    "\"",
    "\\",
    "\\n",
    "\\101",
    "{",
    "}",
    "\n",
    "\n\n",
    "\t",
    " ",
    "Enter",
    "C-c",
    "A=b",
    "\n%end 1 1 1\n",
    "%exit",
    "é",
    "€",
    "😀",
    "e\u{301}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "한국어",
    "\u{10ffff}",
    "[201~",
    "\r",
    "\x03",
    "\x1b[31m",
    "\x7f",
    "\u{9b}",
];

/// How a text is made, and whether it is to be sent as it is.
struct Prompt {
    text: Vec<u8>,
    raw: bool,
}

fn prompt(dice: &mut Dice) -> Prompt {
    let raw = dice.below(2) == 0;
    // Most are short, some long, a few very long.
    let length = match dice.below(100) {
        0..2 => dice.below(300_000),
        2..5 => dice.below(20_000),
        5..10 => 0,
        _ => dice.below(200),
    };
    let text = match dice.below(5) {
        0 => dice.bytes(length),
        1 => dice.bytes(length).into_iter().map(|b| b.max(1)).collect(),
        2 => {
            let any = (0..length / 2)
                .filter_map(|_| char::from_u32(u32::try_from(dice.below(0x11_0000)).unwrap()));
            any.collect::<String>().into_bytes()
        }
        3 => {
            // What people write.
            let bytes = dice.bytes(length);
            let write = |b: u8| if b < 12 { b'\n' } else { b' ' + b % 95 };
            bytes.into_iter().map(write).collect()
        }
        _ => {
            let mut text = String::new();
            while text.len() < length {
                text.push_str(HOSTILE[dice.below(HOSTILE.len())]);
            }
            text.into_bytes()
        }
    };
    Prompt { text, raw }
}

/// Whether a prompt is to be refused, judged by other means than the library's own.
fn refusal(prompt: &Prompt, bracketed: bool) -> bool {
    let text = &prompt.text;
    if text.contains(&0) || bracketed && text.windows(6).any(|w| w == END) {
        return true;
    }
    if prompt.raw {
        return false;
    }
    match String::from_utf8(text.clone()) {
        Ok(text) => text
            .chars()
            .any(|c| matches!(c, '\x01'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}')),
        Err(_) => true,
    }
}

async fn type_them(typed: &mut Typed, client: &Client, bracketed: bool, count: usize, seed: u64) {
    let mut dice = Dice::new(seed);
    let (mut refused, mut bytes) = (0, 0);
    for n in 0..count {
        let prompt = prompt(&mut dice);
        let mut paste = Paste::new(typed.pane, &prompt.text);
        if prompt.raw {
            paste = paste.raw();
        }
        if !bracketed {
            paste = paste.unbracketed();
        }
        let sent = client.paste(&paste).await;
        let shown = prompt.text.escape_ascii();
        if refusal(&prompt, bracketed) {
            let unfit = matches!(
                sent,
                Err(RunError::Client(tmux_cc::client::ClientError::Command(
                    CommandError::Unfit {
                        what: "the text",
                        ..
                    }
                )))
            );
            assert!(unfit, "{n}: {sent:?} {shown}");
            refused += 1;
            continue;
        }
        sent.unwrap_or_else(|error| panic!("{n}: {error}: {shown}"));
        let wanted = if bracketed {
            marked(&prompt.text)
        } else {
            prompt.text
        };
        bytes += wanted.len();
        typed.expect(&format!("prompt {n}"), &wanted);
    }
    // Nothing came behind.
    client.paste(&Paste::new(typed.pane, "last")).await.unwrap();
    let last = if bracketed {
        marked(b"last")
    } else {
        b"last".to_vec()
    };
    typed.expect("the last", &last);
    eprintln!("{count} prompts, {refused} refused, {bytes} bytes arrived");
    assert!(refused > 0 && refused < count);
}

#[tokio::test]
async fn prompts_arrive_as_pastes() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    type_them(&mut typed, &client, true, scaled(9000), 41).await;
    let left = client
        .command(ListBuffers::all())
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        !left.lines().any(|line| line.starts_with(b"tmux-cc")),
        "{left:?}"
    );
}

#[tokio::test]
async fn prompts_arrive_without_marks() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    // The program has asked for marks; the paste is told not to.
    let paste = Paste::new(typed.pane, "\x1b[201~\x03").raw().unbracketed();
    client.paste(&paste).await.unwrap();
    typed.expect("what ends no paste", b"\x1b[201~\x03");
    let enter = Paste::new(typed.pane, "a\nb\n").unbracketed().enter();
    client.paste(&enter).await.unwrap();
    typed.expect("Enter", b"a\rb\r");
    let mut plain = Typed::start(false);
    let (client, _events, _driver) = attached(&plain.server).await;
    type_them(&mut plain, &client, false, scaled(1000), 42).await;
}

#[tokio::test]
async fn large_text_arrives_whole() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let mut dice = Dice::new(7);
    for length in [4095, 4096, 65_536, 300_000, Paste::LIMIT] {
        let text: Vec<u8> = dice.bytes(length).iter().map(|b| b' ' + b % 95).collect();
        client.paste(&Paste::new(typed.pane, &text)).await.unwrap();
        typed.expect(&format!("{length} bytes"), &marked(&text));
    }
    // Through any client of a followed server.
    let followed = follow(&typed.server).start().await.unwrap();
    until_async(LONG, "the server to be followed", async || {
        followed.paste(&Paste::new(typed.pane, "")).await.is_ok()
    })
    .await;
    let text = Paste::new(typed.pane, "by another way");
    followed.paste(&text).await.unwrap();
    typed.expect("the same through a server", &marked(b"by another way"));
}

#[tokio::test]
async fn every_byte_arrives() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let all: Vec<u8> = (1..=u8::MAX).collect();
    client
        .paste(&Paste::new(typed.pane, &all).raw())
        .await
        .unwrap();
    typed.expect("every byte", &marked(&all));
    let zero_too: Vec<u8> = (0..=u8::MAX).collect();
    client
        .run(SendKeys::bytes(typed.pane, &zero_too))
        .await
        .unwrap();
    typed.expect("every byte, typed", &zero_too);
}

#[tokio::test]
async fn keys_arrive() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let text = "-l é€😀 ~ $HOME #{pid} ; Enter x;";
    client
        .run(SendKeys::literal(typed.pane, text))
        .await
        .unwrap();
    typed.expect("text as keys", text.as_bytes());
    client
        .run(SendKeys::named(
            typed.pane,
            ["Enter", "C-c", "Escape", "Tab"],
        ))
        .await
        .unwrap();
    typed.expect("named keys", b"\r\x03\x1b\t");
    client
        .run(SendKeys::times(typed.pane, 3, "x"))
        .await
        .unwrap();
    typed.expect("a key three times", b"xxx");
}

/// In copy mode tmux does not mark what is pasted, so that a program would take lines for commands.
#[tokio::test]
async fn a_mode_is_no_place_for_a_marked_paste() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let pane = typed.pane;
    typed.server.tmux(["copy-mode", "-t", &pane.to_string()]);
    let error = client.paste(&Paste::new(pane, "a\nb")).await.unwrap_err();
    assert_eq!(error, RunError::Answer(AnswerError::InMode));
    // What needs no mark passes the mode by.
    client
        .paste(&Paste::new(pane, "quit :q").unbracketed())
        .await
        .unwrap();
    typed.expect("text in copy mode", b"quit :q");
    client.run(SetBuffer::new("b", "x")).await.unwrap();
    client
        .run(PasteBuffer::new("b", pane).bracketed())
        .await
        .unwrap();
    typed.expect("what tmux itself does", b"x");
    let cancel = ["send-keys", "-X", "-t", &pane.to_string(), "cancel"];
    typed.server.tmux(cancel);
    client.paste(&Paste::new(pane, "a\nb")).await.unwrap();
    typed.expect("text behind it", &marked(b"a\nb"));
    let left = client.command(ListBuffers::all()).await.unwrap();
    assert_eq!(left.ok().unwrap().lines().count(), 1);
}

/// What goes to a program goes to it, or to nobody: not to a mode, not to one that has ended.
#[tokio::test]
async fn keys_reach_the_program_or_nobody() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let pane = typed.pane;
    let enter = || Press::new(pane, ["Enter"]);
    client.run(enter()).await.unwrap();
    typed.expect("Enter", b"\r");
    client.run(Press::new(pane, ["-", "C-c"])).await.unwrap();
    typed.expect("two keys", b"-\x03");
    let refused = async |press: Press| match client.run(press).await {
        Err(RunError::Answer(error)) => error,
        other => panic!("{other:?}"),
    };
    typed.server.tmux(["copy-mode", "-t", &pane.to_string()]);
    assert_eq!(refused(enter()).await, AnswerError::InMode);
    let cancel = ["send-keys", "-X", "-t", &pane.to_string(), "cancel"];
    typed.server.tmux(cancel);
    client.run(SelectPane::input(pane, false)).await.unwrap();
    assert_eq!(refused(enter()).await, AnswerError::NoInput);
    client.run(SelectPane::input(pane, true)).await.unwrap();
    client.run(Press::new(pane, ["q"])).await.unwrap();
    typed.expect("a key behind them", b"q");
    let AnswerError::Failed(failed) = refused(Press::new(PaneId(999), ["Enter"])).await else {
        panic!("there is no such pane");
    };
    assert_eq!(failed.message(), b"can't find pane: %999");
}

/// Panes that are synchronized get each other's keys, and not what is pasted.
#[tokio::test]
async fn neighbours_get_nothing() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let neighbour = typed.server.dir().join("neighbour");
    let split = [
        "split-window",
        "-d",
        "-t",
        "main:",
        pane_agent!(),
        "receive",
    ];
    let words = split.iter().copied().chain([neighbour.to_str().unwrap()]);
    typed.server.tmux(words);
    until(LONG, "the neighbour", || neighbour.exists());
    typed
        .server
        .tmux(["set-option", "-w", "-t", "main:", "synchronize-panes", "on"]);
    client.paste(&Paste::new(typed.pane, "one")).await.unwrap();
    typed.expect("a paste", &marked(b"one"));
    // A key, so that there is something to wait for.
    client
        .run(SendKeys::literal(typed.pane, "k"))
        .await
        .unwrap();
    typed.expect("a key", b"k");
    until(LONG, "the neighbour's key", || {
        !fs::read(&neighbour).unwrap().is_empty()
    });
    assert_eq!(fs::read(&neighbour).unwrap(), b"k");
}

#[tokio::test]
async fn who_takes_no_input_is_not_typed_at() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let refused = async |paste: &Paste| match client.paste(paste).await {
        Err(RunError::Answer(error)) => error,
        other => panic!("{other:?}"),
    };
    let pane = typed.pane;
    client.run(SelectPane::input(pane, false)).await.unwrap();
    for text in ["lost?", ""] {
        let error = refused(&Paste::new(pane, text)).await;
        assert_eq!(error, AnswerError::NoInput);
    }
    client.run(SelectPane::input(pane, true)).await.unwrap();
    client.paste(&Paste::new(pane, "found")).await.unwrap();
    typed.expect("what came when it could", &marked(b"found"));

    for text in ["x", ""] {
        let error = refused(&Paste::new(PaneId(999), text)).await;
        let AnswerError::Failed(failed) = error else {
            panic!("{error:?}");
        };
        assert_eq!(failed.message(), b"can't find pane: %999");
    }

    // A pane whose program has ended, and that is kept: 3.3a would crash.
    let keep = SetOption::new(Scope::Pane(pane), "remain-on-exit", "on");
    client.run(keep).await.unwrap();
    let pid = client
        .run(DisplayMessage::of(pane, "#{pane_pid}"))
        .await
        .unwrap();
    let pid: u32 = String::from_utf8(pid).unwrap().parse().unwrap();
    harness::Process::of(pid).kill().unwrap();
    until(LONG, "the pane to be dead", || {
        typed.server.answer([
            "display-message",
            "-p",
            "-t",
            &pane.to_string(),
            "#{pane_dead}",
        ]) == "1"
    });
    for text in ["x", ""] {
        assert_eq!(refused(&Paste::new(pane, text)).await, AnswerError::NoInput);
    }
    client.run(SetBuffer::new("mine", "text")).await.unwrap();
    let error = client
        .run(PasteBuffer::new("mine", pane))
        .await
        .unwrap_err();
    assert_eq!(error, RunError::Answer(AnswerError::NoInput));
    let left = client
        .command(ListBuffers::all())
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(left.lines().count(), 1, "{left:?}");
    assert!(typed.server.alive());
    let crashes = Quirks::of(client.attached().server.version).has(Quirk::PasteDeadPaneCrash);
    eprintln!("an unguarded paste crashes this server: {crashes}");
}

/// What tmux itself makes of a paste, by flags: what [`Paste`] has to get right.
#[tokio::test]
async fn what_a_plain_paste_buffer_writes() {
    skip_if_asked!();
    let mut typed = Typed::start(true);
    let (client, _events, _driver) = attached(&typed.server).await;
    let pane = typed.pane;
    client.run(SetBuffer::new("b", b"a\nb\x1b")).await.unwrap();
    client
        .run(PasteBuffer::new("b", pane).line_feeds())
        .await
        .unwrap();
    until(LONG, "the paste", || typed.fresh().len() >= 4);
    let got = typed.fresh();
    let escaped = !got.contains(&0x1b);
    facts::record(
        "`paste-buffer` without `-S`: an escape character",
        if escaped {
            "is written as text"
        } else {
            "is written as it is"
        },
    );
    let since = Version::new(3, 7);
    assert_eq!(escaped, client.attached().server.version.at_least(since));
    let rest: &[u8] = if escaped { b"a\nb^[" } else { b"a\nb\x1b" };
    typed.expect("the same", rest);
    client
        .run(
            PasteBuffer::new("b", pane)
                .separator("|")
                .bracketed()
                .delete(),
        )
        .await
        .unwrap();
    let text = rest
        .iter()
        .map(|&b| if b == b'\n' { b'|' } else { b })
        .collect::<Vec<_>>();
    typed.expect("with another separator", &marked(&text));
}
