//! The key of an installation: equal secrets are known as equal by it, and by nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::Key;
use crate::exit::{Exit, Failure};

/// Its file, mode 0600.
const NAME: &str = "redaction.key";

impl Key {
    /// The key that is kept in a directory, in `redaction.key`; is made where there is none.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn kept_in(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(NAME);
        let unusable = |error: io::Error| {
            Failure::new(Exit::Store, error).advice(format!(
                "{} cannot be used: delete it, and equal secrets get other names from then on.",
                path.display()
            ))
        };
        match fs::read(&path) {
            Ok(bytes) => match <[u8; 32]>::try_from(bytes) {
                Ok(key) => Ok(Self::new(key)),
                Err(_) => Err(unusable(io::ErrorKind::InvalidData.into())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(unusable),
            Err(error) => Err(unusable(error)),
        }
    }

    /// A key that is not kept.
    ///
    /// # Errors
    /// When the system has no chance to give.
    pub fn passing() -> Result<Self, Failure> {
        random()
            .map(Self::new)
            .map_err(|error| Failure::new(Exit::Failed, error))
    }
}

fn make(path: &Path) -> io::Result<Key> {
    let key = random()?;
    let draft = path.with_extension("key.new");
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    Ok(Key::new(key))
}

fn random() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}
