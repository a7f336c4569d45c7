//! The engine on small profiles of its own; the built-in profiles on screens of which the truth is
//! known.

mod engine;
mod hostile;
mod mistakes;
mod screens;

use std::path::Path;

use super::{InBand, Profile, Reading, Screen, Sight};

/// What every profile has to have.
const HEAD: &str = r#"
version = 3
agent = "toy"
checked_with = ["1.0"]
commands = ["toy"]
sending = { paste = "bracketed", settle = "100ms", enter = "Enter" }
keys = { interrupt = ["Escape"], exit = ["C-c"], gap = "1s" }
hang = { after = "20m", tool_after = "60m", start_within = "60s" }
"#;

fn toy(rest: &str) -> Profile {
    Profile::parse(Path::new("toy.toml"), &format!("{HEAD}{rest}"))
        .unwrap_or_else(|e| panic!("{e}"))
}

/// One look at a program, in front or not.
fn look(profile: &Profile, screen: &str, title: &str, in_band: Option<InBand>) -> Reading {
    let screen = Screen::from_text(screen);
    profile.read(&Sight {
        screen: Some(&screen),
        title,
        host: "box",
        command: "toy",
        in_band,
    })
}

fn in_band(body: &str) -> Option<InBand> {
    let mut said = InBand::default();
    assert!(said.take(body), "{body}");
    Some(said)
}
