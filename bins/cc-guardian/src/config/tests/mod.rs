//! Whole files, read as the program reads them.

mod differences;
mod drop_ins;
mod mistakes;
mod settled;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Config, Mistake, load_in};

/// A folder with files in it, which is the home too.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file with a mode, and folders above it.
    fn write(&self, name: &str, mode: u32, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Reads `g.toml`.
    fn load(&self) -> Result<Config, Vec<Mistake>> {
        let path = self.path().join("g.toml");
        load_in(&path, &["claude", "codex", "shell"], Some(self.path()))
    }

    /// What is wrong with it, without the name of the folder.
    fn mistakes(&self) -> Vec<String> {
        let folder = format!("{}/", self.path().display());
        let mistakes = self.load().err().unwrap_or_default();
        mistakes
            .iter()
            .map(|mistake| mistake.to_string().replace(&folder, ""))
            .collect()
    }
}

/// What `text` under `version = 1` makes.
fn config(text: &str) -> Config {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, &format!("version = 1\n{text}"));
    folder
        .load()
        .unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}
