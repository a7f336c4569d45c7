//! What a configuration needs on the disk, looked for.

use std::collections::BTreeMap;

use super::env_file;
use super::mistake::{Mistakes, Sources};
use super::settle::Claims;

/// Notes what is not there or cannot be used.
pub(super) fn check(claims: &Claims, sources: &mut Sources, mistakes: &mut Mistakes) {
    for folder in &claims.folders {
        if !folder.value.is_dir() {
            let what = format!("no folder {:?}", folder.value);
            mistakes.add(folder.place, what, "a folder that is there");
        }
    }
    // Several units may name the same file; what is wrong inside is said once.
    let mut read = BTreeMap::new();
    for file in &claims.env_files {
        let found = read.entry(&file.value).or_insert_with(|| {
            env_file::read(&file.value, sources, mistakes)
                .err()
                .map(|(what, right)| (format!("{:?}: {what}", file.value), right))
        });
        if let Some((what, right)) = found {
            mistakes.add(file.place, what.as_str(), right.as_str());
        }
    }
}
