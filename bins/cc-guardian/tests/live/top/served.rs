//! What a guardian says, said by the test: any number of units in any state.

use std::fs::DirBuilder;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::{fs, thread};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::guardian::Guardian;

/// Listens where the guardian of a home would; until it is dropped.
pub(crate) struct Served {
    shared: Arc<Shared>,
    socket: PathBuf,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    units: Vec<Value>,
    turn: u64,
    gone: bool,
    asked: Vec<Value>,
    streams: Vec<UnixStream>,
}

impl Served {
    pub(crate) fn start(home: &Guardian, units: Vec<Value>) -> Self {
        let dir = home.path("run/cc");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .unwrap();
        let socket = dir.join("guardian.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let served = Self {
            shared: Arc::default(),
            socket,
        };
        served.shared.state.lock().unwrap().units = units;
        let shared = Arc::clone(&served.shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut state = shared.state.lock().unwrap();
                if state.gone {
                    return;
                }
                state.streams.push(stream.try_clone().unwrap());
                drop(state);
                let shared = Arc::clone(&shared);
                // Who breaks off has gone.
                thread::spawn(move || serve(&shared, &stream));
            }
        });
        served
    }

    /// The units change.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let mut state = self.shared.state.lock().unwrap();
        change(&mut state.units);
        state.turn += 1;
        self.shared.changed.notify_all();
    }

    /// What was asked for that has an effect, in order.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.shared.state.lock().unwrap().asked.clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
        let mut state = self.shared.state.lock().unwrap();
        state.gone = true;
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

fn serve(shared: &Shared, mut stream: &UnixStream) -> Option<()> {
    for line in BufReader::new(stream).lines() {
        let request: Value = serde_json::from_str(&line.ok()?).unwrap();
        let mut say = |answer: Value| stream.write_all(format!("{answer}\n").as_bytes()).ok();
        let listing = || json!({"v": 1, "units": shared.state.lock().unwrap().units});
        match request["do"].as_str().unwrap() {
            "ls" => say(listing())?,
            "watch" => loop {
                let turn = shared.state.lock().unwrap().turn;
                say(listing())?;
                let state = shared.state.lock().unwrap();
                let state = shared
                    .changed
                    .wait_while(state, |state| state.turn == turn && !state.gone)
                    .unwrap();
                if state.gone {
                    return None;
                }
            },
            "peek" => {
                let unit = request["unit"].as_str().unwrap();
                let mut rows: Vec<_> = (1..=20).map(|row| format!("{unit}: row {row}")).collect();
                rows.push("\x1b[31mred\x1b[0m 日本語".to_owned());
                say(json!({"v": 1, "rows": rows}))?;
            }
            "answer" => {
                shared.state.lock().unwrap().asked.push(request);
                say(json!({"v": 1, "error": "another dialog is open", "exit": 1}))?;
            }
            _ => {
                shared.state.lock().unwrap().asked.push(request);
                say(json!({"v": 1}))?;
            }
        }
    }
    Some(())
}

const STATES: [(&str, Option<&str>, &str); 12] = [
    ("busy", Some("tool"), "✻ Pondering… (12s · ↓ 1.2k tokens)"),
    (
        "idle",
        None,
        "日本語のテキストを翻訳しました、次の指示をお待ちしています",
    ),
    ("blocked", Some("permission"), "Esc to cancel"),
    (
        "errored",
        Some("auth"),
        "API Error: 401 · Please run /login",
    ),
    ("held", None, "bash: claude: command not found"),
    ("hung", None, "⠐ Working (44m 12s • esc to interrupt)"),
    ("dead", Some("exit 139"), "Segmentation fault (core dumped)"),
    (
        "limited",
        Some("usage"),
        "You've hit your session limit · resets 3pm",
    ),
    ("suspect", None, "• Working (21m 3s • esc to interrupt)"),
    (
        "unknown",
        None,
        "\u{1b}[2J\u{1b}]0;owned\u{7} done\u{202e}txt.exe\u{200b} 👩\u{200d}💻 ❤\u{fe0f} ..",
    ),
    ("starting", None, ""),
    ("absent", None, ""),
];

/// So many units of every state. Their times are shown to the hour, so that they stay for half an hour.
pub(crate) fn units(count: usize) -> Vec<Value> {
    let now = Timestamp::now();
    let hours = |hours: usize| SignedDuration::from_mins(i64::try_from(hours).unwrap() * 60 + 30);
    let unit = |index: usize| {
        let (state, sub, last) = STATES[index % STATES.len()];
        let role = ["worker", "reviewer", "docs", "integration-tester-backend"][index % 4];
        let profile = ["claude", "codex", "gemini", "shell"][index % 4];
        let lives = !matches!(state, "dead" | "held" | "absent");
        let question = json!({
            "text": format!("Bash command\n\n  rm -r target/{index}\n\nDo you want to proceed?"),
            "choices": [
                {"key": "1", "text": "Yes"},
                {"key": "2", "text": "Yes, and don't ask again for rm in this project"},
                {"key": "3", "text": "No, and tell it what to do differently"},
            ],
            "hash": format!("{index:016x}"),
        });
        json!({
            "unit": format!("{role}@{}", index / 4 + 1),
            "state": state,
            "sub": sub,
            "since": (now - hours(24 + index)).to_string(),
            "pane": lives.then(|| format!("%{index}")),
            "pid": lives.then_some(4000 + index),
            "restarts": index % 9 / 6 * index,
            "profile": profile,
            "socket": "/run/user/1000/cc/tmux/group",
            "evidence": [{"rule": "prompt", "seen": "screen", "text": last}],
            "confidence": 0.9,
            "labels": {"role": role},
            "account": "team-a",
            "reset": (state == "limited").then(|| (now + hours(50)).to_string()),
            "last_line": last,
            "cpu": lives.then_some(0.07 * (index % 20) as f64),
            "memory": lives.then_some((index % 13 + 1) * 41_000_000),
            "question": (state == "blocked").then_some(question),
            "held": (state == "held").then_some("5 starts within 10m"),
        })
    };
    (0..count).map(unit).collect()
}
