//! Imports go one way.
//!
//! ```text
//! wire  <----- protocol <----- client <----- bins/cc-kit <----- bins/cc-*
//!  ^                             |
//!  +------- format <-------------+
//!  +------- tree  <--------------+        (tree -> format too)
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use walkdir::WalkDir;

use crate::paths::{self, Named, Names};
use crate::root;

/// Each room of `tmux-cc`, and those that it may import. The crate root, which only declares and
/// re-exports, is free.
const ROOMS: [(&str, &[&str]); 6] = [
    ("wire", &[]),
    ("protocol", &["wire"]),
    ("format", &["wire"]),
    ("tree", &["wire", "format"]),
    ("client", &["protocol", "wire", "format", "tree"]),
    ("testing", &["wire"]),
];

/// Each crate of the workspace, and those that it may name.
const CRATES: [(&str, &[&str]); 6] = [
    ("tmux_cc", &["tmux_cc_derive"]),
    ("tmux_cc_derive", &[]),
    ("cc_kit", &["tmux_cc"]),
    ("cc_logger", &["cc_kit", "tmux_cc"]),
    ("cc_guardian", &["cc_kit", "tmux_cc"]),
    ("cc_balancer", &["cc_kit", "tmux_cc"]),
];

/// What reaches for the outside. Below `client` there is none of it.
const OUTSIDE: [&str; 10] = [
    "tokio",
    "tokio_util",
    "rustix",
    "getrandom",
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
];

/// Clocks. `core::time`, which has `Duration` and nothing that ticks, is no clock.
const CLOCKS: [&str; 1] = ["std::time"];

/// The same by name, wherever they were taken from.
const CLOCK_NAMES: [&str; 2] = ["Instant", "SystemTime"];

/// A source file: its crate as written in Rust, its module, its path to tell the reader.
#[derive(Clone, Debug)]
struct Place {
    krate: String,
    module: Vec<String>,
    file: String,
}

/// An import against the arrows.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    file: String,
    line: usize,
    why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

fn check(place: &Place, names: &Names) -> Vec<Wrong> {
    let wrong = |line, why| Wrong {
        file: place.file.clone(),
        line,
        why,
    };
    let mut found: Vec<_> = names
        .paths
        .iter()
        .filter_map(|named| {
            let why = crate_arrow(place, named)
                .or_else(|| room_arrow(place, named))
                .or_else(|| outside(place, named))?;
            Some(wrong(
                named.line,
                format!("`{}`: {why}", named.segments.join("::")),
            ))
        })
        .collect();
    found.extend(names.smuggled.iter().map(|line| {
        wrong(
            *line,
            "#[path] and include! hide from the reader which module this is".to_owned(),
        )
    }));
    if place.krate == "tmux_cc"
        && let Some(room) = place.module.first()
        && !ROOMS.iter().any(|(known, _)| known == room)
    {
        found.push(wrong(
            1,
            format!("`{room}` is no room: add it here, and to the README's plan"),
        ));
    }
    found
}

fn crate_arrow(place: &Place, named: &Named) -> Option<String> {
    let first = named.segments.first()?;
    let (_, allowed) = CRATES.iter().find(|(name, _)| *name == place.krate)?;
    if let Some((other, _)) = CRATES.iter().find(|(name, _)| name == first) {
        if !allowed.contains(other) {
            return Some(format!("{} must not know {other}", place.krate));
        }
        // What is public for a macro's sake only is not public.
        if named
            .segments
            .iter()
            .any(|segment| segment.starts_with("__"))
        {
            return Some(format!("only the public paths of {other} are for others"));
        }
    }
    let nobody = ["harness", "benches", "tmux_cc_fuzz"];
    (nobody.contains(&first.as_str()) && named.segments.len() > 1)
        .then(|| format!("what ships must not know {first}"))
}

fn room_arrow(place: &Place, named: &Named) -> Option<String> {
    if place.krate != "tmux_cc" || named.segments.first()? != "crate" {
        return None;
    }
    let here = place.module.first()?;
    let (_, allowed) = ROOMS.iter().find(|(room, _)| room == here)?;
    match named.segments.get(1) {
        Some(there) if there == here || allowed.contains(&there.as_str()) => None,
        Some(there) if ROOMS.iter().any(|(room, _)| room == there) => {
            Some(format!("{here} must not import {there}"))
        }
        // Through the root every room can be had, and the arrow is hidden.
        Some(_) => Some("take it from its room, not from the crate root".to_owned()),
        None => Some("name a room, not the crate root".to_owned()),
    }
}

fn outside(place: &Place, named: &Named) -> Option<String> {
    let here = place.module.first().filter(|_| place.krate == "tmux_cc")?;
    if here == "client" || here == "testing" {
        return None;
    }
    let reaches = |forbidden: &&str| reaches(named, forbidden);
    if let Some(forbidden) = OUTSIDE.iter().find(|forbidden| reaches(forbidden)) {
        return Some(format!("no IO below client, so no {forbidden} in {here}"));
    }
    if here != "wire" && here != "protocol" {
        return None;
    }
    let clock = CLOCKS
        .iter()
        .find(|forbidden| reaches(forbidden))
        .copied()
        .or_else(|| {
            let named_so = |name: &&&str| named.segments.iter().any(|segment| segment == **name);
            CLOCK_NAMES.iter().find(named_so).copied()
        })?;
    Some(format!(
        "no clock below client, so no {clock} in {here} (Duration is in core::time)"
    ))
}

/// Whether a path leads to `forbidden`, or is an import through which it could be had.
fn reaches(named: &Named, forbidden: &str) -> bool {
    let forbidden: Vec<_> = forbidden.split("::").collect();
    let mut named_so: Vec<_> = named.segments.iter().map(String::as_str).collect();
    if named_so.last() == Some(&"*") {
        named_so.pop();
    }
    named_so.starts_with(&forbidden) || named.imported && forbidden.starts_with(&named_so)
}

/// The module that a file of `src` is: `wire/line.rs` is `wire::line`, `wire/mod.rs` is `wire`.
fn module_of(file: &Path) -> Vec<String> {
    let parts = file.with_extension("");
    let mut module: Vec<String> = parts
        .iter()
        .map(|part| part.to_str().expect("a source file's name").to_owned())
        .collect();
    let is_root = module == ["lib"] || module == ["main"];
    if is_root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Everything wrong in the sources of one crate, and how many files were read.
fn check_crate(krate: &str, src: &Path) -> (Vec<Wrong>, usize) {
    let mut files = Vec::new();
    for entry in WalkDir::new(src).sort_by_file_name() {
        let path = entry.expect("the sources can be listed").into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(src).expect("it was found there");
            let file = path
                .strip_prefix(root())
                .unwrap_or(&path)
                .display()
                .to_string();
            let place = Place {
                krate: krate.to_owned(),
                module: module_of(inside),
                file,
            };
            let source = std::fs::read_to_string(&path).expect("a source file is text");
            let names = paths::names(&source, &place.module, krate)
                .unwrap_or_else(|error| panic!("{} does not parse: {error}", place.file));
            files.push((place, names));
        }
    }
    let tests: BTreeSet<_> = files
        .iter()
        .flat_map(|(_, names)| names.test_modules.iter().cloned())
        .collect();
    let for_tests = |place: &Place| tests.iter().any(|module| place.module.starts_with(module));
    let shipped = files.iter().filter(|(place, _)| !for_tests(place));
    (
        shipped
            .flat_map(|(place, names)| check(place, names))
            .collect(),
        files.len(),
    )
}

fn assert_none(wrong: &[Wrong]) {
    let lines: Vec<_> = wrong.iter().map(Wrong::to_string).collect();
    assert!(
        lines.is_empty(),
        "imports against the arrows:\n{}",
        lines.join("\n")
    );
}

#[test]
fn the_rooms_of_the_library_import_one_way() {
    let (wrong, files) = check_crate("tmux_cc", &root().join("tmux-cc/src"));
    assert!(files > 1, "only {files} files were read");
    assert_none(&wrong);
    let (wrong, files) = check_crate("tmux_cc_derive", &root().join("tmux-cc-derive/src"));
    assert!(files > 0);
    assert_none(&wrong);
}

#[test]
fn the_programs_know_the_kit_and_the_library_and_never_each_other() {
    let mut programs = 0;
    for entry in std::fs::read_dir(root().join("bins")).expect("bins/ is there") {
        let path = entry.expect("bins/ can be listed").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a package's name");
        let krate = name.replace('-', "_");
        assert!(
            CRATES.iter().any(|(known, _)| *known == krate),
            "{krate} has no arrows yet"
        );
        let (wrong, files) = check_crate(&krate, &path.join("src"));
        assert!(files > 0, "{name} has no sources");
        assert_none(&wrong);
        programs += 1;
    }
    assert!(programs > 1);
}

/// What the checker says of a source at a place such as `tmux_cc::wire::line`.
fn said(place: &str, source: &str) -> Vec<String> {
    let mut parts = place.split("::").map(str::to_owned);
    let krate = parts.next().expect("a crate");
    let place = Place {
        krate,
        module: parts.collect(),
        file: "fixture.rs".to_owned(),
    };
    let names = paths::names(source, &place.module, &place.krate).expect("a fixture parses");
    check(&place, &names).iter().map(Wrong::to_string).collect()
}

#[test]
fn every_kind_of_wrong_arrow_is_found() {
    let wire = "tmux_cc::wire::line";
    let cases = [
        // Rooms, in every way that Rust has to name one.
        (
            wire,
            "use crate::protocol::Event;",
            "wire must not import protocol",
        ),
        (
            wire,
            "use crate::{wire::Id, client::Attach};",
            "wire must not import client",
        ),
        (
            wire,
            "use super::super::format;",
            "wire must not import format",
        ),
        (
            wire,
            "use super::super::tree as t;",
            "wire must not import tree",
        ),
        (
            wire,
            "pub use crate::format::*;",
            "wire must not import format",
        ),
        (
            wire,
            "use tmux_cc::protocol::Event;",
            "wire must not import protocol",
        ),
        (
            wire,
            "fn f(_: crate::protocol::Event) {}",
            "wire must not import protocol",
        ),
        (
            wire,
            "fn f() { super::super::client::go() }",
            "wire must not import client",
        ),
        (
            wire,
            "fn f() { use crate::client; }",
            "wire must not import client",
        ),
        (
            wire,
            "mod deep { use super::super::super::tree; }",
            "wire must not import tree",
        ),
        (
            wire,
            "impl From<crate::tree::Tree> for X {}",
            "wire must not import tree",
        ),
        (
            wire,
            "fn f() { g!(crate::client::Attach); }",
            "wire must not import client",
        ),
        (
            wire,
            "macro_rules! m { () => { $crate::tree::Tree } }",
            "wire must not import tree",
        ),
        (
            wire,
            "fn f() { g! { use crate::{client, tree}; } }",
            "wire must not import client",
        ),
        (
            wire,
            "#[cfg(feature = \"x\")] use crate::client;",
            "wire must not import client",
        ),
        (
            wire,
            "#[cfg(not(test))] use crate::client;",
            "wire must not import client",
        ),
        (
            "tmux_cc::protocol",
            "use crate::client::Attach;",
            "protocol must not import client",
        ),
        (
            "tmux_cc::protocol",
            "use crate::format::Row;",
            "protocol must not import format",
        ),
        (
            "tmux_cc::protocol",
            "use super::tree::Tree;",
            "protocol must not import tree",
        ),
        (
            "tmux_cc::format::value",
            "use crate::tree;",
            "format must not import tree",
        ),
        (
            "tmux_cc::format::value",
            "use crate::protocol;",
            "format must not import protocol",
        ),
        (
            "tmux_cc::tree",
            "use crate::protocol::Event;",
            "tree must not import protocol",
        ),
        (
            "tmux_cc::tree",
            "use crate::client::Client;",
            "tree must not import client",
        ),
        // Ways round the rooms.
        (wire, "use crate::Event;", "not from the crate root"),
        (wire, "use crate::*;", "not from the crate root"),
        (wire, "use crate as everything;", "name a room"),
        (
            wire,
            "use super::super::{self as everything};",
            "name a room",
        ),
        ("tmux_cc::util", "", "`util` is no room"),
        (
            wire,
            "#[path = \"../client/x.rs\"] mod x;",
            "hide from the reader",
        ),
        (
            wire,
            "include!(\"../client/x.rs\");",
            "hide from the reader",
        ),
        // Crates.
        (
            "tmux_cc::client",
            "use cc_kit::journal;",
            "tmux_cc must not know cc_kit",
        ),
        ("tmux_cc", "use harness::Server;", "must not know harness"),
        (
            "tmux_cc_derive",
            "use tmux_cc::format;",
            "tmux_cc_derive must not know tmux_cc",
        ),
        (
            "cc_kit::screen",
            "use cc_logger::tap;",
            "cc_kit must not know cc_logger",
        ),
        (
            "cc_logger",
            "use cc_guardian::unit;",
            "cc_logger must not know cc_guardian",
        ),
        (
            "cc_guardian",
            "fn f() { cc_balancer::go() }",
            "cc_guardian must not know cc_balancer",
        ),
        (
            "cc_kit",
            "use tmux_cc::__private::Secret;",
            "only the public paths of tmux_cc",
        ),
        // The outside.
        (wire, "use tokio::io;", "no tokio in wire"),
        (wire, "use std::{fmt, fs};", "no std::fs in wire"),
        (
            wire,
            "fn f() { std::process::exit(1) }",
            "no std::process in wire",
        ),
        (wire, "use std::*;", "in wire"),
        (wire, "use std as s;", "in wire"),
        (
            wire,
            "use std::time::{Duration, Instant};",
            "no std::time in wire",
        ),
        (
            wire,
            "fn f() { m!(std::time::Instant::now()) }",
            "no std::time in wire",
        ),
        (wire, "struct X { at: Instant }", "no Instant in wire"),
        (
            "tmux_cc::protocol",
            "#[tokio::main] async fn f() {}",
            "no tokio in protocol",
        ),
        (
            "tmux_cc::protocol",
            "use std::time::SystemTime;",
            "no std::time in protocol",
        ),
        (
            "tmux_cc::protocol",
            "use std::net::TcpStream;",
            "no std::net in protocol",
        ),
        (
            "tmux_cc::tree",
            "use tokio::sync::mpsc;",
            "no tokio in tree",
        ),
        (
            "tmux_cc::format",
            "use std::fs::File;",
            "no std::fs in format",
        ),
    ];
    for (place, source, wanted) in cases {
        let said = said(place, source);
        let found = said.iter().any(|line| line.contains(wanted));
        assert!(
            found,
            "{place}: {source}\nwanted: {wanted}\nsaid: {said:#?}"
        );
    }
}

#[test]
fn what_goes_along_the_arrows_is_let_through() {
    let cases = [
        (
            "tmux_cc",
            "pub mod wire; pub use wire::Id; pub use crate::client::Attach;",
        ),
        (
            "tmux_cc::wire::line",
            "use super::id::PaneId; use crate::wire::Guard; use memchr::memchr;",
        ),
        (
            "tmux_cc::wire",
            "mod id; pub use id::PaneId; pub(crate) fn f() {} pub(super) fn g() {}",
        ),
        (
            "tmux_cc::wire",
            "use std::{borrow::Cow, fmt, num::ParseIntError, str};",
        ),
        (
            "tmux_cc::wire",
            "use core::time::Duration; use std::collections::*;",
        ),
        (
            "tmux_cc::wire",
            "#[cfg(test)] mod tests { use crate::client::Attach; use tokio::io; }",
        ),
        (
            "tmux_cc::wire",
            "#[cfg(all(test, unix))] use std::time::Instant;",
        ),
        (
            "tmux_cc::wire",
            "#[test] fn t() { std::fs::read(crate::client::path()); }",
        ),
        (
            "tmux_cc::protocol::event",
            "use crate::wire::{Id, Notification}; use super::Reply;",
        ),
        (
            "tmux_cc::format",
            "use crate::wire; use std::time::SystemTime;",
        ),
        ("tmux_cc::tree", "use crate::{format::Row, wire::Id};"),
        (
            "tmux_cc::client::driver",
            "use crate::{protocol, wire, format, tree}; use tokio::io; use std::time::Instant;",
        ),
        (
            "cc_kit",
            "use tmux_cc::wire::PaneId; use std::fs; use tokio::signal;",
        ),
        (
            "cc_logger",
            "use cc_kit::journal; use tmux_cc::Attach; mod client; use client::x;",
        ),
    ];
    for (place, source) in cases {
        assert_eq!(said(place, source), [""; 0], "{place}: {source}");
    }
}

#[test]
fn a_wrong_arrow_is_reported_with_its_line() {
    let said = said("tmux_cc::wire", "//! Doc.\n\nuse crate::client::Attach;\n");
    let wanted = "fixture.rs:3: `crate::client::Attach`: wire must not import client";
    assert_eq!(said, [wanted]);
}

#[test]
fn files_are_the_modules_that_they_are() {
    let module = |file: &str| module_of(Path::new(file)).join("::");
    assert_eq!(module("lib.rs"), "");
    assert_eq!(module("main.rs"), "");
    assert_eq!(module("wire/mod.rs"), "wire");
    assert_eq!(module("wire.rs"), "wire");
    assert_eq!(module("wire/line.rs"), "wire::line");
    assert_eq!(module("client/main.rs"), "client::main");
}

#[test]
fn a_whole_crate_is_read_and_test_files_are_free() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |file: &str, source: &str| {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("our own directory");
        std::fs::write(path, source).expect("our own directory");
    };
    write("lib.rs", "pub mod wire;");
    write("wire/mod.rs", "mod id; #[cfg(test)] mod tests;");
    write("wire/tests/mod.rs", "mod more; use crate::client::Attach;");
    write("wire/tests/more.rs", "use crate::client::Attach;");
    let (wrong, files) = check_crate("tmux_cc", dir.path());
    assert_eq!((wrong, files), (vec![], 4));
    write("wire/id.rs", "use crate::client::Attach;");
    let (wrong, _) = check_crate("tmux_cc", dir.path());
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].file.ends_with("wire/id.rs"), "{}", wrong[0]);
}
