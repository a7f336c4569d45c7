//! A unit without a file: what `up --name w --replicas 3 -- CMD..` asks for.

use std::collections::BTreeMap;
use std::path::Path;

use cc_kit::places;

use super::mistake::{At, Mistake, Mistakes, Place, Sources};
use super::reading::{Entry, Field};
use super::settle::{self, Claims, Known};
use super::unit::Unit;
use super::values::{Command, PathText};
use super::{claims, written};

/// A unit of what a command line says; all else is as in a file that says no more.
/// A relative `cwd` begins at the current folder. `profiles` are those that there are.
///
/// # Errors
/// The first mistake; its file is called `command line`.
pub fn one_unit(
    name: &str,
    profile: Option<&str>,
    replicas: u16,
    cwd: &Path,
    env: &BTreeMap<String, String>,
    command: &[String],
    profiles: &[&str],
) -> Result<Unit, Mistake> {
    let mut sources = Sources::default();
    let here = std::env::current_dir().unwrap_or_default();
    let place = sources.add("command line".as_ref(), here, String::new());
    let argv = command.iter().cloned().map(|value| At { value, place });
    let env = env.iter().map(|(name, value)| {
        let value = Some(at(value.clone(), place));
        (name.clone(), Entry { key: place, value })
    });
    let written = written::Unit {
        command: given(Command::Argv(argv.collect()), place),
        replicas: given(replicas.into(), place),
        profile: profile.map_or(Field::Missing, |profile| given(profile.to_owned(), place)),
        cwd: given(PathText(cwd.to_owned()), place),
        env: given(env.collect(), place),
        ..written::Unit::default()
    };
    let home = places::expanded(Path::new("~"));
    let known = Known {
        sources: &sources,
        home: home.is_absolute().then_some(home.as_path()),
        profiles: profiles.iter().copied().collect(),
        accounts: [].into(),
        alerts: [].into(),
        units: [].into(),
    };
    let mut needed = Claims::default();
    let mut mistakes = Mistakes::default();
    let settled = settle::unit(
        name,
        place,
        (&written, None),
        &known,
        &mut needed,
        &mut mistakes,
    );
    claims::check(&needed, &mut sources, &mut mistakes);
    match mistakes.said(&sources).into_iter().next() {
        None => Ok(settled),
        Some(mistake) => Err(mistake),
    }
}

const fn at<T>(value: T, place: Place) -> At<T> {
    At { value, place }
}

const fn given<T>(value: T, place: Place) -> Field<T> {
    Field::Given(at(value, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(name: &str, replicas: u16, cwd: &str, command: &[&str]) -> Result<Unit, String> {
        let command: Vec<_> = command.iter().map(ToString::to_string).collect();
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        let profiles = ["claude", "shell"];
        let unit = one_unit(
            name,
            None,
            replicas,
            cwd.as_ref(),
            &env,
            &command,
            &profiles,
        );
        unit.map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn a_command_line_makes_a_unit_with_the_usual_defaults() {
        let unit = up("w", 3, "/", &["/usr/bin/claude", "-c"]).unwrap();
        assert_eq!(unit.instances().collect::<Vec<_>>(), ["w@1", "w@2", "w@3"]);
        assert_eq!(unit.command, ["/usr/bin/claude", "-c"]);
        assert_eq!(unit.profile.as_deref(), Some("claude"));
        assert_eq!(unit.cwd, Path::new("/"));
        assert_eq!(unit.env.0.get("A").map(String::as_str), Some("1"));
        assert_eq!(unit.backoff, crate::config::Backoff::default());
    }

    #[test]
    fn a_single_instance_has_a_number_too() {
        let unit = up("w", 1, "/", &["true"]).unwrap();
        assert_eq!(unit.instances().collect::<Vec<_>>(), ["w@1"]);
        assert_eq!(unit.profile, None);
    }

    #[test]
    fn what_a_command_line_gets_wrong_is_said() {
        for (name, replicas, cwd, command, said) in [
            (
                "a b",
                1,
                "/",
                &["true"][..],
                "command line:1:1: \"a b\" is no name",
            ),
            ("w", 0, "/", &["true"], "command line:1:1: `replicas` is 0"),
            (
                "w",
                1,
                "/nowhere",
                &["true"],
                "command line:1:1: no folder \"/nowhere\"",
            ),
            ("w", 1, "/", &[], "command line:1:1: `command` is empty"),
        ] {
            let error = up(name, replicas, cwd, command).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
