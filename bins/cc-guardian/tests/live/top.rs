//! `top` in a real terminal, which tmux is: its keys, its screens, its end.
//!
//! The screens are kept in `snapshots/live-*`; where a change is meant, `TOP_SNAPSHOTS=rewrite` with one
//! run of these tests keeps the new ones.

mod served;
mod terminal;

use std::fs;
use std::time::{Duration, Instant};

use harness::skip_if_asked;
use harness::wait;
use rustix::process::Signal;
use serde_json::json;

use self::served::{Served, units};
use self::terminal::Terminal;
use crate::guardian::{Guardian, PATIENCE, scaled};
use crate::heard::Logger;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);

/// A dashboard of a hundred units, in a terminal of that size.
fn shown(size: (u16, u16), variables: &[(&str, &str)]) -> (Guardian, Served, Terminal) {
    let home = Guardian::home();
    let served = Served::start(&home, units(100));
    let terminal = Terminal::show(&home, size, variables);
    terminal.until_has("100 units");
    (home, served, terminal)
}

/// Passes when a hundred units of every state, hostile and wide text among them, stand as they should
/// at both sizes, in a narrow terminal, and at each again after the other; and when a terminal that has
/// no room for them says so.
#[test]
fn a_hundred_units_at_every_size() {
    skip_if_asked!();
    let (_home, _served, terminal) = shown(SMALL, &[]);
    let sizes = [
        (SMALL, "live-list-80x24.txt"),
        (LARGE, "live-list-200x50.txt"),
        ((60, 15), "live-list-60x15.txt"),
        ((24, 5), "live-small-24x5.txt"),
        (SMALL, "live-list-80x24.txt"),
    ];
    for (size, name) in sizes {
        terminal.resize(size);
        let mark = if size.0 < 30 { "24x5" } else { "> docs@25" };
        terminal.is_as_kept(name, mark);
    }
}

/// Passes when each state has its glyph and its word on each row, those that need somebody stand
/// first, and colours are those that every terminal has.
#[test]
fn states_are_told_by_glyph_word_and_colour() {
    skip_if_asked!();
    let (_home, _served, terminal) = shown((120, 110), &[]);
    let screen = terminal.until_has("- absent");
    let order = [
        "? blocked",
        "! errored",
        "‖ held",
        "# hung",
        "✗ dead",
        "◔ limited",
        "~ suspect",
        "· unknown",
        "► busy",
        "↑ starting",
        "○ idle",
        "- absent",
    ];
    // Behind the header, which has them too.
    let rows: Vec<&str> = screen.lines().skip(2).collect();
    let mut last = 0;
    for state in order {
        let its: Vec<usize> = (0..rows.len())
            .filter(|at| rows[*at].contains(state))
            .collect();
        assert!(
            its.len() >= 8 && its[0] >= last,
            "{state}: {its:?} in\n{screen}"
        );
        last = its[its.len() - 1];
    }
    let colours = colours(&terminal.coloured());
    assert!(colours.len() >= 4, "{colours:?}");
    assert!(colours.iter().all(|colour| *colour < 16), "{colours:?}");
}

/// Passes when nothing is coloured where somebody does not want that, and all is told nevertheless.
#[test]
fn without_colours_where_they_are_not_wanted() {
    skip_if_asked!();
    let (_home, _served, terminal) = shown(SMALL, &[("NO_COLOR", "1")]);
    terminal.is_as_kept("live-list-80x24.txt", "> docs@25");
    assert_eq!(colours(&terminal.coloured()), [0_u16; 0]);
}

/// The numbers of the colours that a captured screen uses.
fn colours(captured: &str) -> Vec<u16> {
    let mut colours = Vec::new();
    for sequence in captured.split("\x1b[").skip(1) {
        let Some((numbers, _)) = sequence.split_once('m') else {
            continue;
        };
        let numbers: Vec<u16> = numbers.split(';').filter_map(|n| n.parse().ok()).collect();
        match numbers.as_slice() {
            [38 | 48, 5, colour, ..] => colours.push(*colour),
            [38 | 48, 2, ..] => colours.push(u16::MAX),
            numbers => colours.extend(numbers.iter().filter_map(|n| match n {
                30..=37 | 40..=47 => Some(n % 10),
                90..=97 | 100..=107 => Some(n % 10 + 8),
                _ => None,
            })),
        }
    }
    colours.sort_unstable();
    colours.dedup();
    colours
}

/// Passes when the filter acts as it is typed, the peek shows the screen, and nothing is done before
/// it is confirmed, by another key than the one that asked.
#[test]
fn keys_do_what_they_say_once_they_are_confirmed() {
    skip_if_asked!();
    let (_home, served, terminal) = shown(SMALL, &[]);
    terminal.types("/");
    terminal.types("state:blocked role=docs");
    terminal.is_as_kept("live-filter-80x24.txt", "/state:blocked role=docs");
    terminal.keys(&["Enter"]);
    terminal.keys(&["Escape"]);
    terminal.types("j ");
    terminal.is_as_kept("live-peek-80x24.txt", "row 20");
    terminal.resize(LARGE);
    terminal.is_as_kept("live-peek-200x50.txt", "row 20");
    terminal.resize(SMALL);
    terminal.types(" ");
    terminal.types("x");
    terminal.until_has("stop docs@22?");
    terminal.types("x");
    terminal.keys(&["Escape"]);
    terminal.until("the question to go", |screen| {
        !screen.contains("stop docs@22?")
    });
    terminal.types("r");
    terminal.is_as_kept("live-restart-80x24.txt", "restart docs@22?");
    assert_eq!(served.asked(), [json!(null); 0]);
    terminal.types("y");
    let restart = json!({"do": "restart", "unit": "docs@22", "now": false});
    wait::until(PATIENCE, "the restart", || {
        served.asked() == [restart.clone()]
    });
    terminal.until_has("restart docs@22");
}

/// Passes when a dialog is read before it is answered, the answer that was chosen is the one that is
/// sent, a mistake of the guardian's is said, and one that closes meanwhile is not answered.
#[test]
fn a_dialog_is_answered_after_a_confirmation() {
    skip_if_asked!();
    let (_home, served, terminal) = shown(SMALL, &[]);
    terminal.types("a");
    terminal.is_as_kept("live-answer-80x24.txt", "answer to docs@25:");
    terminal.types("2");
    terminal.keys(&["Enter"]);
    terminal.until_has("answer 2 (Yes, and don't ask again");
    terminal.keys(&["Enter"]);
    // The key that asked does not confirm.
    terminal.types("y");
    terminal.until_has("another dialog is open");
    let hash = format!("{:016x}", 98);
    let answer = json!({"do": "answer", "unit": "docs@25", "choice": "2", "hash": hash});
    assert_eq!(served.asked(), std::slice::from_ref(&answer));
    terminal.types("7");
    terminal.until_has("has no choice 7");
    terminal.types("1");
    terminal.until_has("answer 1 (Yes) to docs@25?");
    served.change(|units| {
        let blocked = units.iter_mut().find(|unit| unit["unit"] == "docs@25");
        blocked.unwrap()["question"]["text"] = "Delete everything?".into();
    });
    terminal.until_has("changed: nothing was answered");
    assert_eq!(served.asked(), [answer]);
}

/// Passes when the terminal is given back as it was: by `q`, and by SIGTERM.
#[test]
fn the_terminal_is_given_back() {
    skip_if_asked!();
    for (by_signal, code) in [(false, 0), (true, 143)] {
        let (home, _served, terminal) = shown(SMALL, &[]);
        assert_eq!(terminal.fact("#{alternate_on} #{cursor_flag}"), "1 0");
        match by_signal {
            true => terminal.process().signal(Signal::TERM).unwrap(),
            false => terminal.keys(&["q"]),
        }
        let screen = terminal.until_has(&format!("ended {code}"));
        assert!(!screen.contains("100 units"), "{screen}");
        assert_eq!(terminal.fact("#{alternate_on} #{cursor_flag}"), "0 1");
        let modes = |name: &str| fs::read_to_string(home.path(name)).unwrap();
        wait::until(PATIENCE, "the modes to be told", || {
            home.path("after").exists()
        });
        wait::until(PATIENCE, "the same modes", || {
            modes("before") == modes("after")
        });
    }
}

/// Passes when a terminal that can do nothing, and what is none, is told from one in one sentence.
#[test]
fn what_is_no_terminal_gets_a_sentence() {
    skip_if_asked!();
    let home = Guardian::home();
    let _served = Served::start(&home, units(12));
    let piped = home
        .command(&["top"])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let dumb = home.command(&["top"]).env("TERM", "dumb").output().unwrap();
    for (output, code) in [(piped, 1), (dumb, 2)] {
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("--once") && output.stdout.is_empty(),
            "{said}"
        );
    }
    let once = home.ok(&["top", "--once"]);
    assert!(once.starts_with("cc-guardian 12 units"), "{once}");
    assert_eq!(once.lines().count(), 14, "{once}");
}

/// Passes when a guardian that goes is said to be gone, what was known stays, nothing can be done, and
/// one that comes back is found.
#[test]
fn a_guardian_that_goes_is_found_again() {
    skip_if_asked!();
    let (home, served, terminal) = shown(SMALL, &[]);
    terminal.until_has("> docs@25");
    drop(served);
    let screen = terminal.until_has("no guardian for");
    assert!(screen.contains("> docs@25"), "{screen}");
    terminal.types("x");
    terminal.until_has("the guardian cannot be reached");
    let mut fewer = units(12);
    fewer.truncate(3);
    let _served = Served::start(&home, fewer);
    let screen = terminal.until_has("3 units");
    assert!(!screen.contains("no guardian"), "{screen}");
}

/// Passes when units of a real guardian are seen to work and to end, and the dashboard takes one to
/// its pane and back.
#[test]
fn units_of_a_real_guardian_are_followed() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let terminal = Terminal::show(&guardian, SMALL, &[]);
    terminal.until_has("There are no units.");
    guardian.up("w", 2, &[]);
    terminal.until_has("2 units");
    terminal.until("both to be idle", |screen| {
        screen.matches("○ idle").count() >= 2
    });
    let process = guardian.process_of("w@2");
    process.kill().unwrap();
    terminal.until_has("✗ dead");
    terminal.until("it to be back", |screen| {
        screen.matches("○ idle").count() >= 2
            && screen
                .lines()
                .any(|line| line.contains("w@2") && line.contains(" 1 "))
    });
    terminal.keys(&["End"]);
    terminal.until_has("> w@2");
    terminal.types("e");
    terminal.until_has("signal 9");
    terminal.keys(&["Escape"]);
    terminal.keys(&["Home"]);
    terminal.keys(&["Enter"]);
    terminal.until("its pane", |screen| {
        screen.contains('❯') && !screen.contains("2 units")
    });
    // The prefix of the inner tmux goes through the outer one as a key.
    terminal.keys(&["C-b", "d"]);
    terminal.until_has("back from w@1");
}

/// Passes when the log of a unit is shown where a logger keeps one, the dashboard is back behind it, what
/// is left of a log is a page to read once nobody writes it, and a unit without a log is said to have none.
#[test]
fn the_log_of_a_unit_is_shown() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let program = "while read -r said; do echo \"it said $said\"; done";
    guardian.ok(&["up", "--name", "s", "--", "sh", "-c", program]);
    let unit = guardian.until("s@1", "its pane", |unit| !unit["pane"].is_null());
    let terminal = Terminal::show(&guardian, SMALL, &[]);
    terminal.until_has("> s@1");
    terminal.types("l");
    let none = terminal.until("a word on logs", |screen| {
        screen.contains("cc-logger") && screen.contains("1 unit")
    });
    assert!(!none.contains("it said"), "{none}");
    let logger = Logger::start(&guardian);
    let socket = unit["socket"].as_str().unwrap().to_owned();
    wait::until(PATIENCE, "a log", || {
        terminal.types("l");
        let shown = terminal.until("the log, or none", |screen| {
            // Where the logger has only begun there is not even a directory.
            let none = ["there is no log of s@1", "cannot list"];
            screen.contains("ctrl-c goes back") || none.iter().any(|none| screen.contains(none))
        });
        shown.contains("ctrl-c goes back")
    });
    // What was said before the logger was there is not in it.
    let said = "it said something";
    wait::until(PATIENCE, said, || {
        let keys = ["send-keys", "-t", "s@1", "something", "Enter"];
        guardian.tmux(socket.as_ref(), &keys);
        terminal.screen().contains(said)
    });
    terminal.keys(&["C-c"]);
    terminal.until_has("back from the log of s@1");
    drop(logger);
    terminal.types("l");
    let page = terminal.until_has("log of s@1, which is no longer written");
    assert!(page.contains(said), "{page}");
}

/// Measures how long after an event the screen shows it: a figure, and no test of it. What asking tmux
/// for the screen takes is in it.
#[test]
fn how_soon_an_event_is_on_the_screen() {
    skip_if_asked!();
    let count = scaled(100);
    let (_home, served, terminal) = shown(LARGE, &[]);
    terminal.until_has("> docs@25");
    let told: Vec<Duration> = (0..count)
        .map(|turn| {
            let word = format!("event-{turn}.");
            let began = Instant::now();
            served.change(|units| units[98]["question"]["text"] = word.clone().into());
            while !terminal.screen().contains(&word) {}
            began.elapsed()
        })
        .collect();
    say("a listing that is told", told);
    let mut guardian = Guardian::home();
    let file = guardian.path("guardian.toml");
    let text = format!(
        "version = 1\n[unit.w]\ncommand = [\"sleep\", \"100000\"]\nreplicas = {count}\nrestart = \"no\"\n"
    );
    fs::write(&file, text).unwrap();
    guardian.run(&["-c", file.to_str().unwrap()]);
    guardian.ok(&["up"]);
    wait::until(PATIENCE * 4, "all to run", || {
        guardian.units().iter().all(|unit| !unit["pid"].is_null())
    });
    let terminal = Terminal::show(&guardian, LARGE, &[]);
    terminal.until_has(&format!("· {count} unknown"));
    let killed: Vec<Duration> = (1..=count)
        .map(|turn| {
            let process = guardian.process_of(&format!("w@{turn}"));
            let word = format!("✗ {turn} dead");
            let began = Instant::now();
            process.kill().unwrap();
            while !terminal.screen().contains(&word) {}
            began.elapsed()
        })
        .collect();
    say("a program that is killed", killed);
}

fn say(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
    eprintln!(
        "from {what} to the screen, {} times: median {:?}, p99 {:?}",
        times.len(),
        at(50),
        at(99)
    );
}
