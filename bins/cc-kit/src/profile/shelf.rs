//! The profiles there are.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::compile::{Profile, ProfileError};
use crate::places;

const BUILT_IN: [(&str, &str); 6] = [
    ("claude", include_str!("../../profiles/claude.toml")),
    ("codex", include_str!("../../profiles/codex.toml")),
    ("gemini", include_str!("../../profiles/gemini.toml")),
    ("opencode", include_str!("../../profiles/opencode.toml")),
    ("aider", include_str!("../../profiles/aider.toml")),
    ("shell", include_str!("../../profiles/shell.toml")),
];

/// Profiles by name.
#[derive(Debug, Default)]
pub struct Profiles {
    by_name: BTreeMap<String, Profile>,
    /// The files of those that did not come with the program.
    files: BTreeMap<String, PathBuf>,
}

impl Profiles {
    /// Those that come with the program: claude, codex, gemini, opencode, aider, shell.
    #[must_use]
    pub fn builtin() -> Self {
        let mut profiles = Self::default();
        for (name, text) in BUILT_IN {
            // A test holds that each of them compiles.
            if let Ok(profile) = Profile::parse(Path::new(name), text) {
                profiles.add(profile);
            }
        }
        profiles
    }

    /// Those, and the user's own in [`places::profiles`], which take the place of their namesakes.
    ///
    /// # Errors
    /// As [`Profiles::with_overrides`].
    pub fn usual() -> Result<Self, ProfileError> {
        match places::profiles() {
            Some(dir) => Self::builtin().with_overrides(&dir),
            None => Ok(Self::builtin()),
        }
    }

    /// The text of a built-in profile, to begin one's own from.
    #[must_use]
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        let found = BUILT_IN.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text)
    }

    /// These, and those of the `*.toml` in a directory, which take the place of their namesakes. A
    /// directory that is not there holds none.
    ///
    /// # Errors
    /// When the directory or one of its files cannot be read, or one is no profile: a profile that
    /// silently is not used would be worse than none.
    pub fn with_overrides(mut self, dir: &Path) -> Result<Self, ProfileError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ProfileError::Read { path, source }
        };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self),
            Err(error) => return Err(failed(dir)(error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(dir))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                paths.push(path);
            }
        }
        // The order of a directory is nobody's choice.
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            let profile = Profile::parse(&path, &text)?;
            let name = profile.name().to_owned();
            self.add(profile);
            self.files.insert(name, path);
        }
        Ok(self)
    }

    /// The profile of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.by_name.get(name)
    }

    /// The file that the profile of this name was read from; `None` for one that came with the
    /// program.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.by_name.values()
    }

    /// All, by name, to be kept.
    #[must_use]
    pub fn into_all(self) -> Vec<Profile> {
        self.by_name.into_values().collect()
    }

    /// Puts one in, in the place of its namesake.
    pub fn add(&mut self, profile: Profile) {
        self.files.remove(profile.name());
        self.by_name.insert(profile.name().to_owned(), profile);
    }
}

#[cfg(test)]
pub(super) fn built_in() -> [(&'static str, &'static str); 6] {
    BUILT_IN
}
