//! `profile`: the profiles there are, and how they do on screens of which the truth is known.

use std::fs;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::harmless;
use cc_kit::profile::fixture::{self, Fixture, Wrong};
use cc_kit::profile::{Profile, Profiles};
use cc_kit::stdout::print;

use crate::cli;
use crate::record;

/// Lists profiles, shows one, holds screens against them, or records such a screen.
pub(crate) fn profile(profile: &cli::Profile) -> Result<Exit, Failure> {
    match profile {
        cli::Profile::Ls => list(&Profiles::usual()?),
        cli::Profile::Show { name } => show(name),
        cli::Profile::Check(check) => self::check(&Profiles::usual()?, check),
        cli::Profile::Record(record) => record::record(&Profiles::usual()?, record),
    }
}

fn list(profiles: &Profiles) -> Result<Exit, Failure> {
    let mut text = String::new();
    for profile in profiles.iter() {
        let file = profiles.file(profile.name());
        let whence = file.map_or_else(
            || "comes with the program".to_owned(),
            |file| harmless(&file.to_string_lossy()).to_string(),
        );
        text.push_str(&format!(
            "{:<12} version {}  {whence}\n",
            profile.name(),
            profile.version()
        ));
    }
    print(&text)?;
    Ok(Exit::Success)
}

fn show(name: &str) -> Result<Exit, Failure> {
    let Some(text) = Profiles::builtin_text(name) else {
        let builtin = Profiles::builtin();
        let known: Vec<&str> = builtin.iter().map(Profile::name).collect();
        let error = format!("no profile {name:?} comes with the program");
        return Err(
            Failure::new(Exit::Usage, error).advice(format!("There are {}.", known.join(", ")))
        );
    };
    print(text)?;
    Ok(Exit::Success)
}

fn check(profiles: &Profiles, check: &cli::ProfileCheck) -> Result<Exit, Failure> {
    let mut fixtures = Vec::new();
    for file in &check.files {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", file.display())))?;
        let fixture = Fixture::parse(file, &text).map_err(|error| {
            Failure::new(Exit::Usage, error)
                .advice("Fill in the truth; `cc-guardian profile record` makes such a file.")
        })?;
        fixtures.push(fixture);
    }
    let report = fixture::check(profiles, &fixtures);
    let wrong: String = report.wrong.iter().map(said).collect();
    print(&format!(
        "{wrong}{} of {} right, {} read as unknown\n",
        report.right,
        fixtures.len(),
        report.unknown
    ))?;
    Ok(if report.wrong.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    })
}

/// What was misread, and by what.
fn said(wrong: &Wrong) -> String {
    let sub = |sub: &Option<String>| sub.as_ref().map(|sub| format!(" ({sub})"));
    let mut text = format!(
        "{}: is {}{}, read as {}{}\n",
        harmless(&wrong.path.to_string_lossy()),
        wrong.state,
        sub(&wrong.sub).unwrap_or_default(),
        wrong.reading.state,
        sub(&wrong.reading.sub).unwrap_or_default(),
    );
    for proof in &wrong.reading.evidence {
        let (seen, rule) = (&proof.seen, &proof.rule);
        text.push_str(&format!("  {seen} by {rule}: {}\n", harmless(&proof.text)));
    }
    text
}
