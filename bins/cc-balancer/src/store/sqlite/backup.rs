//! A copy, made while the store goes on.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::super::StoreError;

/// Writes a copy of one moment, checks it, and gives it its name only then.
pub(super) fn write(
    from: &Path,
    to: &Path,
) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
    let (from, to) = (from.to_owned(), to.to_owned());
    async move {
        let (done, answer) = oneshot::channel();
        // A thread of its own: the store's goes on, and nothing of tokio's waits.
        std::thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || done.send(copy(&from, &to)))
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        let gone = || StoreError::Broken("the backup ended early".to_owned());
        answer.await.map_err(|_| gone())?
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let identity = |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    if identity(to).is_some_and(|to| Some(to) == identity(from)) {
        let why = format!("{} is the store itself", to.display());
        return Err(StoreError::Broken(why));
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let done = fill(from, &part).and_then(|()| name(&part, to).map_err(|error| told(to, &error)));
    if done.is_err() {
        // It is of no use; what is wrong is told.
        let _ = fs::remove_file(&part);
    }
    done
}

fn fill(from: &Path, part: &Path) -> Result<(), StoreError> {
    // One that an earlier try left is of no use.
    match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(told(part, &error));
        }
        _ => (),
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
        .map_err(|error| told(part, &error))?;
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(part)?;
    // One moment, whatever is added meanwhile.
    source.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema;")?;
    Backup::new(&source, &mut copy)?.step(-1)?;
    // One file alone.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let found: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Broken(format!("the copy is damaged: {found}"))),
    }
}

fn name(part: &Path, to: &Path) -> std::io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, to)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn told(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Broken(format!("{}: {error}", path.display())),
    }
}
