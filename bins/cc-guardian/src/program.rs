//! What a program was started with, so that it can be told from what is declared since.

use std::fmt;

use crate::config::{Environment, Unit};

/// The fields that a program keeps until it is started anew, and what each was, as a hash: among them
/// are secrets, and it stands where others may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program(Vec<(String, String)>);

impl Program {
    /// What a unit would be started with now, on that server.
    pub(crate) fn of(unit: &Unit, server: &str, secret: &[u8; 32]) -> Self {
        // What stands in env files counts too; in one that cannot be read, nothing does.
        let of_files = Unit {
            env: Environment::default(),
            ..unit.clone()
        };
        let environment = of_files.environment().map(|environment| environment.0);
        let environment = environment.ok();
        let files = (&unit.env_files, environment);
        let files = if unit.env_files.is_empty() {
            String::new()
        } else {
            format!("{files:?}")
        };
        let fields = [
            ("server", server.to_owned()),
            ("command", format!("{:?}", unit.command)),
            ("cwd", format!("{:?}", unit.cwd)),
            ("env", format!("{:?}", unit.env.0)),
            ("env_file", files),
            ("nice", format!("{:?}", unit.nice)),
            ("cpus", format!("{:?}", unit.cpus)),
        ];
        let hash = |value: &String| {
            let hash = blake3::keyed_hash(secret, value.as_bytes()).to_hex();
            hash.chars().take(16).collect()
        };
        let fields = fields.iter();
        Self(
            fields
                .map(|(name, value)| ((*name).to_owned(), hash(value)))
                .collect(),
        )
    }

    /// Reads what [`fmt::Display`] has written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields = text.split(',').map(|field| {
            let (name, hash) = field.split_once('=')?;
            Some((name.to_owned(), hash.to_owned()))
        });
        fields.collect::<Option<_>>().map(Self)
    }

    /// The fields that are other in what is declared now. One that this one does not know is not.
    pub(crate) fn differs(&self, now: &Self) -> Vec<String> {
        let other = |(name, hash): &&(String, String)| {
            let is = |(of, was): &(String, String)| of == name && was != hash;
            self.0.iter().any(is)
        };
        let others = now.0.iter().filter(other);
        others.map(|(name, _)| name.clone()).collect()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, hash) in &self.0 {
            write!(f, "{separator}{name}={hash}")?;
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::config::{self, one_unit};

    fn unit() -> Unit {
        let env = BTreeMap::from([("KEY".to_owned(), "s3cret".to_owned())]);
        let command = ["true".to_owned()];
        one_unit("w", None, 1, Path::new("/"), &env, &command, &[]).unwrap()
    }

    #[test]
    fn what_is_other_is_named_and_what_needs_no_start_is_not_looked_at() {
        let was = Program::of(&unit(), "default", &[1; 32]);
        let other = |change: fn(&mut Unit)| {
            let mut unit = unit();
            change(&mut unit);
            was.differs(&Program::of(&unit, "default", &[1; 32]))
        };
        assert_eq!(other(|_| {}), [""; 0]);
        assert_eq!(other(|unit| unit.command.push("x".to_owned())), ["command"]);
        assert_eq!(other(|unit| unit.nice = Some(3)), ["nice"]);
        assert_eq!(other(|unit| unit.replicas = 9), [""; 0]);
        assert_eq!(other(|unit| unit.restart = config::Restart::No), [""; 0]);
        let there = Program::of(&unit(), "app", &[1; 32]);
        assert_eq!(was.differs(&there), ["server"]);
    }

    #[test]
    fn it_is_read_as_it_is_written_and_holds_no_secret() {
        let was = Program::of(&unit(), "default", &[1; 32]);
        let text = was.to_string();
        assert!(!text.contains("s3cret") && !text.contains(' '), "{text}");
        assert_eq!(Program::parse(&text), Some(was.clone()));
        assert_eq!(Program::parse(""), None);
        // Of an earlier version, which knew less.
        let less = Program::parse("server=0").unwrap();
        assert_eq!(less.differs(&was), ["server"]);
    }

    #[test]
    fn what_stands_in_env_files_counts() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("env");
        let write = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&file, mode).unwrap();
            let mut unit = unit();
            unit.env_files.push(file.clone());
            Program::of(&unit, "default", &[1; 32])
        };
        let was = write("KEY2=a\n");
        assert_eq!(was.differs(&write("KEY2=a\n")), [""; 0]);
        assert_eq!(was.differs(&write("KEY2=b\n")), ["env_file"]);
    }
}
