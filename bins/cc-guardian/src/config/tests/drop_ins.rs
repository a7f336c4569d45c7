//! Files beside the file.

use super::Folder;

const MAIN: &str = "version = 1\n[defaults]\nnice = 5\n[unit.a]\ncommand = [\"x\"]\n";

#[test]
fn drop_ins_add_units_and_share_the_defaults() {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, MAIN);
    folder.write(
        "conf.d/10.toml",
        0o644,
        "version = 1\n[unit.b]\ncommand = [\"y\"]\ndepends_on = [\"a\"]\n",
    );
    let config = folder.load().unwrap();
    let units: Vec<_> = config
        .units
        .iter()
        .map(|unit| (unit.name.as_str(), unit.nice))
        .collect();
    assert_eq!(units, [("a", Some(5)), ("b", Some(5))]);
    let files = ["g.toml", "conf.d/10.toml"].map(|name| folder.path().join(name));
    assert_eq!(config.files, files);
}

#[test]
fn what_is_given_twice_names_both_places() {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, MAIN);
    folder.write(
        "conf.d/10.toml",
        0o600,
        "version = 1\n[unit.a]\ncommand = [\"y\"]\n[defaults]\n[account.x]\n",
    );
    folder.write("conf.d/20.toml", 0o600, "version = 1\n\n[account.x]\n");
    assert_eq!(
        folder.mistakes(),
        [
            "conf.d/10.toml:2:7: unit `a` is given here and at g.toml:4; right: one of the two",
            "conf.d/10.toml:4:2: [defaults] is given here and at g.toml:2; right: one of the two",
            "conf.d/20.toml:3:10: account `x` is given here and at conf.d/10.toml:5; \
             right: one of the two",
        ]
    );
}

#[test]
fn relative_paths_begin_at_the_folder_of_their_own_file() {
    let folder = Folder::new();
    folder.write(
        "g.toml",
        0o600,
        "version = 1\n[unit.a]\ncommand = [\"x\"]\ncwd = \"conf.d\"\n",
    );
    folder.write("conf.d/src/x", 0o600, "");
    folder.write(
        "conf.d/10.toml",
        0o600,
        "version = 1\n[unit.b]\ncommand = [\"x\"]\ncwd = \"./src\"\n\
         [unit.c]\ncommand = [\"x\"]\ncwd = \"~/conf.d\"\n",
    );
    let config = folder.load().unwrap();
    let folders: Vec<_> = config.units.iter().map(|unit| unit.cwd.clone()).collect();
    let expected = ["conf.d", "conf.d/src", "conf.d"].map(|name| folder.path().join(name));
    assert_eq!(folders, expected);
}

#[test]
fn every_file_says_its_version_first_of_all() {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, "[unit.a]\ncommand = [\"x\"]\n");
    folder.write("conf.d/10.toml", 0o600, "version = 2\n[robot.a]\n");
    assert_eq!(
        folder.mistakes(),
        [
            "g.toml:1:1: `version` is missing; right: version = 1 at the top",
            "conf.d/10.toml:1:11: version 2 is not known; right: version = 1",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_hides_no_mistakes_of_the_others() {
    let folder = Folder::new();
    folder.write(
        "g.toml",
        0o600,
        "version = 1\n[unit.a]\nnice = \"x\"\ndepends_on = [\"b\"]\n",
    );
    folder.write("conf.d/10.toml", 0o600, "version = 1\n[unit.b\n");
    // Whether there is a unit b is not known, so nothing is said of it.
    assert_eq!(
        folder.mistakes(),
        [
            "g.toml:3:8: `nice` is a string; right: a whole number",
            "conf.d/10.toml:2:8: unclosed table, expected `]`; \
             right: TOML: KEY = VALUE, and texts in quotes",
        ]
    );
}

#[test]
fn a_file_that_others_can_write_is_not_used() {
    let folder = Folder::new();
    folder.write("g.toml", 0o600, MAIN);
    folder.write("conf.d/10.toml", 0o666, "version = 1\n");
    assert_eq!(
        folder.mistakes(),
        [
            "conf.d/10.toml:1:1: others can write it (mode 0666) and have commands run; \
             right: nobody else may write it: chmod go-w"
        ]
    );
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_said() {
    let folder = Folder::new();
    let said = folder.mistakes();
    assert!(
        said[0].starts_with("g.toml:1:1: cannot be read: No such file"),
        "{said:?}"
    );
    let path = folder.write("g.toml", 0o600, "");
    std::fs::write(&path, b"version = 1\n\xff = 2\n").unwrap();
    assert_eq!(
        folder.mistakes(),
        ["g.toml:2:1: this is not UTF-8; right: a file in UTF-8"]
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(
        folder.mistakes(),
        ["g.toml:1:1: this is no file; right: a file"]
    );
}
