//! What needs no guardian: `explain`, `profile`, `check`, `schema`.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use cc_kit::profile::{self, Profiles, Screen, Sight, fixture};

use crate::cli;
use crate::config;

fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// Says what a screen means.
pub(crate) fn explain(explain: &cli::Explain) -> Result<(), Failure> {
    let profiles = Profiles::builtin();
    let Some(profile) = profiles.get(&explain.profile) else {
        let known: Vec<&str> = profiles.iter().map(|profile| profile.name()).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("there is no profile {:?}", explain.profile),
        )
        .advice(format!("There are {}.", known.join(", "))));
    };
    let text = if explain.file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read(&explain.file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = text.map_err(|error| {
        Failure::new(Exit::Usage, error).advice("Check the path of the screen's file.")
    })?;
    let mut screen = Screen::from_text(&text);
    if let Some(cursor) = &explain.cursor {
        let place = cursor.split_once(',');
        let place = place.and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
        screen.cursor = Some(place.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{cursor:?} is no place of a cursor"))
                .advice("Write column and row, from 0: --cursor 2,20.")
        })?);
    }
    let sight = Sight {
        screen: Some(&screen),
        title: &explain.title,
        host: "",
        command: &explain.command,
        in_band: None,
    };
    let told = profile::explain(profile, &sight);
    if explain.json {
        return print(&format!("{told}\n"));
    }
    let reading = profile.read(&sight);
    let mut text = format!("{}", reading.state);
    if let Some(sub) = &reading.sub {
        text.push_str(&format!(" ({sub})"));
    }
    text.push_str(&format!(", sure to {:.2}\n", reading.confidence));
    for proof in &reading.evidence {
        text.push_str(&format!(
            "  {} by {}: {}\n",
            proof.seen, proof.rule, proof.text
        ));
    }
    print(&text)
}

/// Lists profiles, or holds screens against them.
pub(crate) fn profile(profile: &cli::Profile) -> Result<Exit, Failure> {
    let profiles = Profiles::builtin();
    match profile {
        cli::Profile::Ls => {
            for profile in profiles.iter() {
                print(&format!("{} {}\n", profile.name(), profile.version()))?;
            }
            Ok(Exit::Success)
        }
        cli::Profile::Check(check) => {
            let mut fixtures = Vec::new();
            for file in &check.files {
                let text = fs::read_to_string(file).map_err(|error| {
                    Failure::new(Exit::Usage, format!("{}: {error}", file.display()))
                })?;
                let fixture = fixture::Fixture::parse(file, &text).map_err(|error| {
                    Failure::new(Exit::Usage, error)
                        .advice("See an example among the screens of the profiles.")
                })?;
                fixtures.push(fixture);
            }
            let report = fixture::check(&profiles, &fixtures);
            print(&format!("{} of {} right\n", report.right, fixtures.len()))?;
            for wrong in &report.wrong {
                print(&format!("{wrong:?}\n"))?;
            }
            Ok(if report.wrong.is_empty() {
                Exit::Success
            } else {
                Exit::Failed
            })
        }
    }
}

/// Looks for mistakes in a configuration.
pub(crate) fn check(check: &cli::Check) -> Result<(), Failure> {
    let file = match &check.file {
        Some(file) => file.clone(),
        None => config::usual_file()
            .ok_or_else(|| Failure::new(Exit::Usage, "there is no home directory"))?,
    };
    let units = check_file(&file)?;
    print(&format!("{}: {units} units, no mistake\n", file.display()))
}

/// The same of a file; gives how many units are in it.
pub(crate) fn check_file(file: &Path) -> Result<usize, Failure> {
    let profiles = Profiles::builtin();
    let names: Vec<&str> = profiles.iter().map(|profile| profile.name()).collect();
    match config::load(file, &names) {
        Ok(config) => Ok(config.units.len()),
        Err(mistakes) => {
            let mut out = io::stderr().lock();
            for mistake in &mistakes {
                let _ = writeln!(out, "{mistake}");
            }
            let count = mistakes.len();
            Err(Failure::new(
                Exit::Usage,
                format!("{count} mistakes, and nothing was started"),
            )
            .advice("Correct these lines."))
        }
    }
}

/// Prints the schema.
pub(crate) fn schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&config::schema())
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    print(&format!("{text}\n"))
}
