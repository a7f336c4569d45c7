//! What needs no guardian, but to look at a unit: `explain`, `check`, `schema`.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use cc_kit::ask::{members, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::profile::{self, Profile, Profiles, Screen, Sight};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask;
use crate::cli;
use crate::config;
use crate::request::Request;

/// Says what a screen means.
pub(crate) fn explain(explain: &cli::Explain) -> Result<(), Failure> {
    if let Some(unit) = &explain.unit {
        let unit = unit.clone();
        let places = ask::places(&explain.state)?;
        let answer = ask::ask(&places, &Request::Explain { unit }, ask::PATIENCE)?;
        return match explain.json {
            true => print(&format!("{answer}\n")),
            false => print(&explained(&answer)),
        };
    }
    let (Some(name), Some(file)) = (&explain.profile, &explain.file) else {
        return Err(Failure::new(Exit::Usage, "nothing is to be explained")
            .advice("Name a unit, or a profile and a file."));
    };
    let profiles = Profiles::usual()?;
    let profile = named(&profiles, name)?;
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
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
    let answer = profile::explain(profile, &profile.read(&sight));
    match explain.json {
        true => print(&format!("{answer}\n")),
        false => print(&explained(&answer)),
    }
}

/// What a screen means, for people.
fn explained(answer: &Value) -> String {
    let said = |of, name| word(of, name).unwrap_or_default();
    let mut text = said(answer, "state");
    if let Some(sub) = word(answer, "sub") {
        text.push_str(&format!(" ({sub})"));
    }
    let sure = answer.get("confidence").and_then(Value::as_f64);
    text.push_str(&format!(", sure to {:.2}\n", sure.unwrap_or_default()));
    for proof in members(answer, "evidence") {
        let (seen, rule, words) = (
            said(proof, "seen"),
            said(proof, "rule"),
            said(proof, "text"),
        );
        text.push_str(&format!("  {seen} by {rule}: {words}\n"));
    }
    text
}

/// The profile of that name.
pub(crate) fn named<'a>(profiles: &'a Profiles, name: &str) -> Result<&'a Profile, Failure> {
    profiles.get(name).ok_or_else(|| {
        let known: Vec<&str> = profiles.iter().map(Profile::name).collect();
        Failure::new(Exit::Usage, format!("there is no profile {name:?}"))
            .advice(format!("There are {}.", known.join(", ")))
    })
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
    let profiles = Profiles::usual()?;
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
