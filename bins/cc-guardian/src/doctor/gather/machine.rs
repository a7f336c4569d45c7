//! Linger, clock, limits, environment.

use std::env;
use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;
use rustix::process::Resource;

use crate::doctor::facts::Told;

use cc_kit::doctor::{Asked, ask};

/// Is the manager of this machine systemd? `sd_booted(3)` looks there too.
fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Does what the user runs outlive the logout?
pub(super) async fn linger() -> Told<bool> {
    if !has_systemd() {
        return Told::NotKnown("there is no systemd here".to_owned());
    }
    let user = rustix::process::geteuid().as_raw();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(&users, user);
    let kept = |name: &str| Path::new("/var/lib/systemd/linger").join(name).exists();
    if name.is_some_and(kept) {
        return Told::Known(true);
    }
    let user = user.to_string();
    let arguments = ["show-user", &user, "--property=Linger", "--value"];
    match yes_or_no(ask(Path::new("loginctl"), arguments).await) {
        // Of a user who is not logged in it tells nothing; the file would be there.
        Told::NotKnown(_) if name.is_some() => Told::Known(false),
        told => told,
    }
}

/// The name of a user, in the lines of `/etc/passwd`.
fn name_of(users: &str, number: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse::<u32>().ok()?;
        let is_name = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
        (found == number && is_name).then_some(name)
    })
}

/// Is the clock kept right by others?
pub(super) async fn synchronized() -> Told<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Told::Known(true);
    }
    if !has_systemd() {
        return Told::NotKnown("there is no systemd here to ask".to_owned());
    }
    let arguments = ["show", "--property=NTPSynchronized", "--value"];
    yes_or_no(ask(Path::new("timedatectl"), arguments).await)
}

fn yes_or_no(asked: Asked) -> Told<bool> {
    match asked {
        Asked::Said { out, .. } if out.trim() == "yes" => Told::Known(true),
        Asked::Said { out, .. } if out.trim() == "no" => Told::Known(false),
        Asked::Said { error, .. } => Told::NotKnown(error),
        Asked::Late => Told::NotKnown("no answer in time".to_owned()),
        Asked::Failed(error) => Told::NotKnown(error),
    }
}

/// The name of the time zone.
pub(super) fn zone() -> Told<String> {
    match TimeZone::try_system() {
        Ok(zone) if zone.is_unknown() => Told::NotKnown("none is set".to_owned()),
        Ok(zone) => Told::Known(zone.iana_name().unwrap_or("without a name").to_owned()),
        Err(error) => Told::NotKnown(error.to_string()),
    }
}

/// How many files a process may have open; `None`: any number.
pub(super) fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

/// The names that begin with `CLAUDE_`: ours, and those given.
pub(super) fn variables(of_units: Vec<String>) -> Vec<String> {
    let own = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = own.chain(of_units).collect();
    names.retain(|name| name.starts_with("CLAUDE_"));
    names.sort();
    names.dedup();
    names
}

/// What says the character set.
pub(super) fn locale() -> Option<String> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.map(|locale| locale.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbad\n../x:x:7:7::/:\nann:x:1000:100::/:\n";
        assert_eq!(name_of(users, 0), Some("root"));
        assert_eq!(name_of(users, 1000), Some("ann"));
        assert_eq!(name_of(users, 7), None);
        assert_eq!(name_of(users, 8), None);
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_not_known() {
        let said = |out: &str| Asked::Said {
            is_well: true,
            out: out.to_owned(),
            error: "why".to_owned(),
        };
        assert_eq!(yes_or_no(said("yes\n")), Told::Known(true));
        assert_eq!(yes_or_no(said("no\n")), Told::Known(false));
        assert_eq!(yes_or_no(said("")), Told::NotKnown("why".to_owned()));
        assert!(matches!(yes_or_no(Asked::Late), Told::NotKnown(_)));
    }

    #[test]
    fn only_names_are_kept_and_each_once() {
        let units = ["CLAUDE_B", "PATH", "CLAUDE_A", "CLAUDE_B"].map(str::to_owned);
        let names = variables(units.into());
        let ours: Vec<_> = names.iter().filter(|name| name.len() == 8).collect();
        assert_eq!(ours, ["CLAUDE_A", "CLAUDE_B"]);
        assert!(names.iter().all(|name| name.starts_with("CLAUDE_")));
    }
}
