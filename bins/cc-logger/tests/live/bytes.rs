//! What a pane prints is what its log holds.

use std::fs;

use harness::seeded::Seeded;
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;

use crate::logger::{Logger, PATIENCE, full, pane_agent};

#[test]
fn random_bytes_of_twelve_panes_are_kept_byte_for_byte() {
    let bytes: u64 = if full() { 5 << 20 } else { 256 << 10 };
    let server = Server::start_with(&Boot::running(["sh"]));
    let go = server.dir().join("go");
    let mut panes = Vec::new();
    for session in 0..3u64 {
        for pane in 0..4u64 {
            let seed = session * 4 + pane;
            let done = server.dir().join(format!("done-{seed}"));
            let name = format!("s{session}");
            let agent = [
                pane_agent().to_str().unwrap(),
                "random",
                &seed.to_string(),
                &bytes.to_string(),
                "--go-file",
                go.to_str().unwrap(),
                "--done-file",
                done.to_str().unwrap(),
                "--then-stay",
            ]
            .map(str::to_owned);
            let mut args: Vec<String> = if pane == 0 {
                [
                    "new-session",
                    "-d",
                    "-P",
                    "-F",
                    "#{pane_id}",
                    "-x",
                    "80",
                    "-y",
                    "24",
                    "-s",
                    &name,
                ]
                .map(str::to_owned)
                .into()
            } else {
                [
                    "new-window",
                    "-d",
                    "-P",
                    "-F",
                    "#{pane_id}",
                    "-t",
                    &format!("={name}:"),
                ]
                .map(str::to_owned)
                .into()
            };
            args.extend(agent);
            panes.push((server.answer(args), seed, done));
        }
    }
    let mut logger = Logger::on(&server);
    for (pane, ..) in &panes {
        logger.row("every pane is logged", |row| row["pane"] == **pane);
    }
    fs::write(&go, "").unwrap();
    for (pane, _, done) in &panes {
        wait::until(PATIENCE * 2, &format!("{pane} has printed"), || {
            done.exists()
        });
        logger.row(&format!("all of {pane} is logged"), |row| {
            row["pane"] == **pane && row["bytes"] == bytes
        });
    }
    logger.stop(Signal::TERM);
    for (pane, seed, _) in &panes {
        let logged = logger.raw(pane);
        assert_eq!(logged.len() as u64, bytes, "{pane}");
        Seeded::bytes(*seed).check(0, &logged).unwrap();
    }
}
