//! The key of an installation: equal secrets are known as equal by it, and by nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use cc_kit::redact::Key;

/// In the directory of logs, mode 0600.
const NAME: &str = "redaction.key";

/// Reads the key of a directory of logs, or makes one.
pub(crate) fn of(dir: &Path) -> Result<Key, Failure> {
    let path = dir.join(NAME);
    let unusable = |error: io::Error| {
        Failure::new(Exit::Store, error).advice(format!(
            "{NAME} in the directory of logs cannot be used: delete it, and equal secrets get other \
             names from then on."
        ))
    };
    match fs::read(&path) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes) {
            Ok(key) => Ok(Key::new(key)),
            Err(_) => Err(unusable(io::ErrorKind::InvalidData.into())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(unusable),
        Err(error) => Err(unusable(error)),
    }
}

/// A key that is not kept, for trying rules.
pub(crate) fn passing() -> Result<Key, Failure> {
    random()
        .map(Key::new)
        .map_err(|error| Failure::new(Exit::Failed, error))
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
