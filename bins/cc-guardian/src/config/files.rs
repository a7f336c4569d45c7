//! The files of a configuration: the one that is named, and `conf.d/*.toml` beside it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::mistake::{Mistakes, Place, Sources};

/// What a file may let others do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nobody else writes it: what stands in it is started.
    Commands,
    /// Nobody else reads or writes it.
    Secrets,
}

/// Why a file is not used: what is wrong, and what would be right.
pub(super) type Refused = (String, String);

/// Reads all files of the configuration at `path`, in the order in which they count. The places are
/// those at which they begin; a file that cannot be used is noted and left out.
pub(super) fn read_all(path: &Path, sources: &mut Sources, mistakes: &mut Mistakes) -> Vec<Place> {
    let mut paths = vec![path.to_owned()];
    match drop_ins(path) {
        Ok(more) => paths.extend(more),
        Err(error) => {
            let folder = path.with_file_name("conf.d");
            let place = sources.add(&folder, PathBuf::new(), String::new());
            let what = format!("cannot be listed: {error}");
            mistakes.add(place, what, "a folder that the user may read");
        }
    }
    paths
        .iter()
        .filter_map(|path| read(path, sources, mistakes))
        .collect()
}

/// The drop-ins beside a file, sorted by name; those that begin with a dot are an editor's.
fn drop_ins(path: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(path.with_file_name("conf.d")) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in listed {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path, sources: &mut Sources, mistakes: &mut Mistakes) -> Option<Place> {
    let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder.parent().map(Path::to_owned).unwrap_or_default();
    let bytes = match trusted(path, Trust::Commands) {
        Ok(bytes) => bytes,
        Err((what, right)) => {
            let place = sources.add(path, folder, String::new());
            mistakes.add(place, what, right);
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(sources.add(path, folder, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let start = sources.add(path, folder, text);
            let place = Place {
                offset: valid,
                ..start
            };
            mistakes.add(place, "this is not UTF-8", "a file in UTF-8");
            None
        }
    }
}

/// Reads a file that others cannot do more with than `trust` says. What is looked at is the file
/// that was opened, so it cannot be exchanged in between.
pub(super) fn trusted(path: &Path, trust: Trust) -> Result<Vec<u8>, Refused> {
    let unreadable = |error: io::Error| {
        (
            format!("cannot be read: {error}"),
            "a file that the user may read".to_owned(),
        )
    };
    // A fifo would wait for a writer when it is opened.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(("this is no file".to_owned(), "a file".to_owned()));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    let user = rustix::process::geteuid().as_raw();
    guard(trust, mode_and_owner(&found), user)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn mode_and_owner(found: &Metadata) -> (u32, u32) {
    (found.mode() & 0o7777, found.uid())
}

/// May a file of this mode and owner be used by `user`?
fn guard(trust: Trust, (mode, owner): (u32, u32), user: u32) -> Result<(), Refused> {
    let refused = |what: String, right: &str| Err((what, right.to_owned()));
    match trust {
        // What root wrote is as good as what the user did.
        Trust::Commands if owner != user && owner != 0 => refused(
            format!("belongs to user {owner}, who could have commands run"),
            "a file of the user's own",
        ),
        Trust::Commands if mode & 0o022 != 0 => refused(
            format!("others can write it (mode {mode:04o}) and have commands run"),
            "nobody else may write it: chmod go-w",
        ),
        Trust::Secrets if owner != user => refused(
            format!("belongs to user {owner}"),
            "a file of the user's own: chown",
        ),
        Trust::Secrets if mode & 0o077 != 0 => refused(
            format!("others can use it (mode {mode:04o})"),
            "nobody else may read or write it: chmod 600",
        ),
        Trust::Commands | Trust::Secrets => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_others_is_not_trusted() {
        let (user, other, root) = (1_000, 1_001, 0);
        for (trust, mode, owner, used) in [
            (Trust::Commands, 0o644, user, true),
            (Trust::Commands, 0o600, user, true),
            (Trust::Commands, 0o644, root, true),
            (Trust::Commands, 0o664, user, false),
            (Trust::Commands, 0o646, user, false),
            (Trust::Commands, 0o644, other, false),
            (Trust::Secrets, 0o600, user, true),
            (Trust::Secrets, 0o400, user, true),
            (Trust::Secrets, 0o640, user, false),
            (Trust::Secrets, 0o604, user, false),
            (Trust::Secrets, 0o620, user, false),
            (Trust::Secrets, 0o600, other, false),
            (Trust::Secrets, 0o600, root, false),
        ] {
            let said = guard(trust, (mode, owner), user);
            assert_eq!(said.is_ok(), used, "{trust:?} {mode:o} {owner}: {said:?}");
        }
    }

    #[test]
    fn drop_ins_are_sorted_and_those_of_editors_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guardian.toml");
        assert_eq!(drop_ins(&path).unwrap(), Vec::<PathBuf>::new());
        let conf = folder.path().join("conf.d");
        fs::create_dir(&conf).unwrap();
        for name in [
            "20-b.toml",
            "10-a.toml",
            ".10-a.toml",
            "10-a.toml~",
            "notes.md",
        ] {
            fs::write(conf.join(name), "").unwrap();
        }
        let expected = [conf.join("10-a.toml"), conf.join("20-b.toml")];
        assert_eq!(drop_ins(&path).unwrap(), expected);
    }
}
