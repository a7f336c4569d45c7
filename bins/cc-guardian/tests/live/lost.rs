//! tmux servers that are killed.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use harness::process::Process;
use harness::stand_in::Remote;
use harness::{skip_if_asked, wait};

use crate::guardian::{Guardian, PATIENCE, scaled, stand_in};

/// Says that something is over when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Passes when units come back that lost their server, also those that lose the next one while they
/// come back, and never two of one: those that ignore the hangup are ended first, and what they have
/// started too. How long it takes is printed.
#[cfg(target_os = "linux")]
#[test]
fn what_loses_its_server_comes_back_once() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let count = scaled(20).max(3);
    let names: Vec<String> = (1..=count).map(|n| format!("u{n}@1")).collect();
    let control = |guardian: &Guardian, name: &str| guardian.path(&format!("c-{name}"));
    let mut text = "version = 1\n".to_owned();
    for (n, name) in (1..).zip(&names) {
        text += &format!(
            "[unit.u{n}]\ncommand = [{:?}, \"--like\", \"claude\", \"--ignore-hup\", \
             \"--ignore-term\", \"--control\", {:?}]\nprofile = \"claude\"\n",
            stand_in(),
            control(&guardian, name),
        );
    }
    let config = guardian.path("units.toml");
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    for name in &names {
        guardian.until_state(name, "idle");
    }
    let mut orphans = Vec::new();
    for name in &names {
        orphans.push(guardian.process_of(name));
        let mut agent = Remote::connect(&control(&guardian, name)).unwrap();
        agent.order("fork 10m").unwrap();
        let children = agent.state().unwrap().children;
        assert_eq!(children.len(), 1);
        orphans.push(Process::of(children[0]));
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Also when something fails.
        let ending = Over(&over);
        let twice = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                for name in &names {
                    let processes = guardian.processes_of(name);
                    assert!(processes.len() < 2, "{name} is there as {processes:?}");
                    looks += 1;
                }
            }
            looks
        });
        let server = guardian.server_of(&guardian.unit(&names[0]));
        let killed = Instant::now();
        server.kill().unwrap();
        let back = |name: &str, lost: usize| {
            guardian.until(name, "to be back", |unit| {
                let ends = guardian.events(name);
                let ends = ends.iter().filter(|event| event["kind"] == "end").count();
                unit["state"] == "idle" && ends == lost
            })
        };
        for name in &names {
            back(name, 1);
        }
        println!("{count} units are back after {:?}", killed.elapsed());
        assert!(orphans.iter().all(|process| !process.alive()));
        // Once more, and again when the first of them is there.
        guardian
            .server_of(&guardian.unit(&names[0]))
            .kill()
            .unwrap();
        let next = wait::until_some(PATIENCE, "the next server", || {
            let units = guardian.units();
            let one = units.iter().find(|unit| unit["pid"].is_number())?;
            let ends = guardian.events(one["unit"].as_str()?);
            let lost = ends.iter().filter(|event| event["kind"] == "end").count();
            let socket = one["socket"].as_str()?;
            let pid = guardian.tmux(socket.as_ref(), &["display-message", "-p", "#{pid}"]);
            let pid = pid.parse().ok().filter(|_| lost == 2)?;
            Some(Process::of(pid))
        });
        next.kill().unwrap();
        for name in &names {
            guardian.until_state(name, "idle");
        }
        drop(ending);
        println!("looked {} times for two of one", twice.join().unwrap());
    });
    for name in &names {
        assert_eq!(guardian.processes_of(name).len(), 1);
        let events = guardian.events(name).into_iter();
        let ends = events.filter(|event| event["kind"] == "end");
        assert!({ ends }.all(|event| event["detail"] == "server-lost"));
    }
}
