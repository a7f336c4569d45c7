//! The recipes, as anybody would run them: with the balancer, tmux and shells that work.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::queue::Queue;

const RECIPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");

fn runs(recipe: &str) {
    let queue = Queue::new();
    let bin = queue.path("bin");
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_cc-balancer"), bin.join("cc-balancer")).unwrap();
    if let Some(tmux) = env::var_os("TMUX_CC_TEST_TMUX") {
        symlink(fs::canonicalize(tmux).unwrap(), bin.join("tmux")).unwrap();
    }
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let environment: Vec<_> = queue
        .command(&[])
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let output = Command::new("bash")
        .arg(format!("{RECIPES}/{recipe}"))
        .env_clear()
        .envs(environment)
        .env("PATH", &path)
        .current_dir(queue.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = fs::read_to_string(queue.path("state/serve.log")).unwrap_or_default();
    assert!(output.status.success(), "{recipe}: {output:?}\n{log}");
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
