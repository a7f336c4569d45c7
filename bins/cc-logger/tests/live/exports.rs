//! Exports, looked at by the programs that they are for.
//!
//! What is not installed is skipped, and said: `asciinema` (of either generation, on the path or named
//! by `CC_TEST_ASCIINEMA`) and a headless Chromium (`CC_TEST_CHROMIUM`).

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::server::{Boot, Server};
use rustix::process::Signal;
use serde_json::Value;

use crate::logger::Logger;

/// The first of some programs that is there.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let names = names.iter().map(PathBuf::from);
    let found = named.into_iter().chain(names).find(|name| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if found.is_none() {
        eprintln!("SKIPPED: there is none of {variable}: an export is not looked at by it");
    }
    found
}

/// A logger that has logged colours, a resize, a mark, the alternate screen and an end.
fn recorded(server: &Server) -> Logger {
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let mut logger = Logger::on(server);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let go = server.dir().join("go");
    let words = format!(
        "printf '\\033[1;31mred text\\033[0m \\033[48;2;0;200;0mgreen ground\\033[0m plain <b>\\n'; \
         while ! test -e {}; do sleep 0.02; done; \
         printf '\\033[?1049h\\033[Hfull screen\\033[?1049lafter\\n'; exit 3",
        go.display()
    );
    server.tmux(["new-window", "-d", "-t", "=main:", &words]);
    logger.row("it is logged", |row| {
        row["pane"] == "%1" && row["bytes"].as_u64().unwrap() > 50
    });
    assert!(logger.ask(["mark", "%1", "here it comes"]).status.success());
    server.tmux(["resize-window", "-t", "=main:1", "-x", "100", "-y", "30"]);
    logger.row("it has its new size", |row| {
        row["pane"] == "%1" && row["cols"] == 100
    });
    fs::write(go, "").unwrap();
    logger.row("it has ended", |row| {
        row["pane"] == "%1" && row["exit"]["status"] == 3
    });
    logger.stop(Signal::TERM);
    logger
}

fn exported(logger: &Logger, form: &str) -> String {
    let output = logger.ask(["export", form, "%1"]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn recordings_are_what_their_specification_says_and_are_played() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let logger = recorded(&server);
    for (form, version) in [("--cast2", 2), ("--cast3", 3)] {
        let cast = exported(&logger, form);
        let mut lines = cast
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let header = lines.next().unwrap();
        assert_eq!(header["version"], version);
        let size = match version {
            2 => (&header["width"], &header["height"]),
            _ => (&header["term"]["cols"], &header["term"]["rows"]),
        };
        assert_eq!(size, (&80.into(), &24.into()));
        assert!(header["timestamp"].is_i64());
        let events: Vec<_> = lines.collect();
        let mut last = 0.0;
        let mut output = String::new();
        for event in &events {
            let (time, code) = (event[0].as_f64().unwrap(), event[1].as_str().unwrap());
            assert!(["o", "r", "m", "x"].contains(&code), "{event}");
            assert!(
                event[2].is_string() && event.as_array().unwrap().len() == 3,
                "{event}"
            );
            // Absolute, or since the event before.
            assert!(time >= if version == 2 { last } else { 0.0 }, "{event}");
            last = time;
            if code == "o" {
                output.push_str(event[2].as_str().unwrap());
            }
        }
        assert_eq!(output.as_bytes(), logger.raw("%1"));
        let has = |code: &str, data: &str| events.iter().any(|e| e[1] == code && e[2] == data);
        assert!(
            has("r", "100x30") && has("m", "here it comes"),
            "{events:?}"
        );
        assert_eq!(has("x", "3"), version == 3);

        let Some(asciinema) = program("CC_TEST_ASCIINEMA", &["asciinema"]) else {
            continue;
        };
        let told = Command::new(&asciinema)
            .arg("--version")
            .output()
            .unwrap()
            .stdout;
        let told = String::from_utf8(told).unwrap();
        // The second generation does not know the third version.
        if version == 3 && told.contains("asciinema 2") {
            eprintln!("SKIPPED: {} cannot read version 3", told.trim());
            continue;
        }
        let file = server.dir().join(format!("{version}.cast"));
        fs::write(&file, &cast).unwrap();
        if told.contains("asciinema 2") {
            // It wants a terminal of its own.
            let played = Command::new("script")
                .arg("-qec")
                .arg(format!("{} cat {}", asciinema.display(), file.display()))
                .arg("/dev/null")
                .env("LC_ALL", "C.UTF-8")
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&played.stdout);
            assert!(played.status.success(), "{told}: {played:?}");
            assert!(
                text.contains("red text") && text.contains("after"),
                "{told}: {text}"
            );
        } else {
            // From the third generation on `cat` joins recordings, and this is how one is read.
            let to = server.dir().join(format!("{version}.txt"));
            let converted = Command::new(&asciinema)
                .arg("convert")
                .arg(&file)
                .arg(&to)
                .output()
                .unwrap();
            assert!(converted.status.success(), "{converted:?}");
            let text = fs::read_to_string(to).unwrap();
            assert!(text.contains("red text green ground plain <b>"), "{text}");
        }
    }
    // What is there is not overwritten.
    let file = server.dir().join("there");
    fs::write(&file, "mine").unwrap();
    let refused = logger.ask(["export", "%1", "-o", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let text = exported(&logger, "--txt");
    let wanted = ["red text green ground plain <b>", "full screen", "after"];
    for line in wanted {
        assert!(text.lines().any(|is| is == line), "{line}: {text}");
    }
}

#[test]
fn a_page_shows_the_coloured_text_in_a_browser() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let logger = recorded(&server);
    let html = exported(&logger, "--html");
    assert!(
        html.contains("plain &lt;b&gt;") && !html.contains("<script"),
        "{html}"
    );
    for words in [
        "red text",
        "full screen",
        "mark: here it comes",
        "with status 3",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    let names = ["chromium-headless-shell", "chromium", "google-chrome"];
    let Some(chromium) = program("CC_TEST_CHROMIUM", &names) else {
        return;
    };
    let (page, shot) = (
        server.dir().join("page.html"),
        server.dir().join("shot.png"),
    );
    fs::write(&page, html).unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=900,600",
        ])
        .arg(format!("--screenshot={}", shot.display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", server.dir())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let image = png::Decoder::new(std::io::BufReader::new(fs::File::open(&shot).unwrap()));
    let mut image = image.read_info().unwrap();
    let mut pixels = vec![0; image.output_buffer_size().unwrap()];
    let info = image.next_frame(&mut pixels).unwrap();
    let step = info.color_type.samples();
    let count = |red: u8, green: u8, blue: u8| {
        pixels
            .chunks(step)
            .filter(|pixel| {
                let near = |at: usize, wanted: u8| pixel[at].abs_diff(wanted) < 24;
                near(0, red) && near(1, green) && near(2, blue)
            })
            .count()
    };
    // The ground of the page, the red of the text, and the ground that the program chose.
    assert!(count(0x1d, 0x1f, 0x21) > 100_000);
    assert!(count(0xcc, 0x66, 0x66) > 20);
    assert!(count(0, 200, 0) > 300);
}
