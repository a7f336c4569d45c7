//! The recipes, with a worker that does what a shell would: what they ask, and in which order, is right.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread};

use cc_balancer::store::{End, Step};
use cc_balancer::task::{Kind, Outcome};

use crate::desk::{Served, outcome};
use crate::queue::Queue;

const RECIPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
/// `serve` does nothing here: the test does.
const PROGRAM: &str = "#!/bin/sh\n[ \"$1\" = serve ] && exec sleep 300\nexec \"$CC_REAL\" \"$@\"\n";

/// Runs what it takes, as a shell does, until it is told to stop.
fn work(served: &Served, stop: &AtomicBool) {
    let run = |argv: &[String], queue: &std::path::Path| {
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .current_dir(queue)
            .env("TMUX_PANE", "%3");
        command.output().unwrap()
    };
    while !stop.load(Ordering::Relaxed) {
        let Some(leased) = served.try_take() else {
            continue;
        };
        served.step(&leased, Step::Running);
        let spec = &leased.task.spec;
        let argv = ["sh", "-c", &spec.text].map(str::to_owned);
        let here = env::temp_dir();
        let cwd = spec.cwd.as_ref().unwrap_or(&here);
        let output = run(&argv, cwd);
        let text = String::from_utf8(output.stdout).unwrap();
        let check = spec.check.as_ref().filter(|_| spec.kind == Kind::Task);
        let code = match check {
            Some(check) => run(check, cwd).status.code(),
            None => output.status.code(),
        };
        let outcome = Outcome {
            exit: code,
            ..outcome(&text)
        };
        served.end(
            &leased,
            match code {
                Some(0) => End::Done(outcome),
                _ => End::Failed(format!("exit {code:?}"), outcome),
            },
        );
    }
}

fn runs(recipe: &str) {
    let queue = Queue::new();
    let bin = queue.path("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("cc-balancer");
    fs::write(&program, PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    if let Some(tmux) = env::var_os("TMUX_CC_TEST_TMUX") {
        symlink(fs::canonicalize(tmux).unwrap(), bin.join("tmux")).unwrap();
    }
    let served = Served::scripted(
        &queue,
        Box::new(|_| serde_json::json!({"v": 1, "workers": []})),
    );
    let stop = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| work(&served, &stop));
        let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
        let output = queue
            .command(&[])
            .env("PATH", &path)
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .fold(Command::new("bash"), |mut command, (name, value)| {
                command.env(name, value);
                command
            })
            .arg(format!("{RECIPES}/{recipe}"))
            .env("CC_REAL", env!("CARGO_BIN_EXE_cc-balancer"))
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        stop.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{recipe}: {output:?}");
    });
    let left = Command::new("tmux")
        .args([
            "-S",
            queue.path("state/tmux.sock").to_str().unwrap(),
            "list-sessions",
        ])
        .output()
        .unwrap();
    assert!(
        !left.status.success(),
        "{recipe} leaves its tmux server behind"
    );
}

macro_rules! recipes {
    ($($name:ident $file:literal)*) => {
        $(
            #[test]
            fn $name() {
                harness::skip_if_asked!();
                runs($file);
            }
        )*

        /// Passes when every recipe has a test.
        #[test]
        fn every_recipe_is_run() {
            let mut found: Vec<String> = fs::read_dir(RECIPES)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name != "workshop.sh")
                .collect();
            found.sort();
            assert_eq!(found, [$($file),*]);
        }
    };
}

recipes! {
    ci "ci.sh"
    continuous_worker "continuous-worker.sh"
    coordinator "coordinator.sh"
    least_busy "least-busy.sh"
    mailbox "mailbox.sh"
    scheduled "scheduled.sh"
}
