// Nothing that is in scope is taken for what is meant.
#![no_implicit_prelude]
#![deny(warnings, clippy::all)]

struct Result;
struct Option;
struct Ok;
struct Vec;
#[allow(non_camel_case_types)]
struct str;

mod core {}
mod std {}

mod tmux_cc {}

#[derive(::tmux_cc::format::FromFormat)]
struct Row {
    pane_title: ::std::vec::Vec<u8>,
    pane_mode: ::std::option::Option<::std::string::String>,
}

fn main() {
    let (_, _, _, _, _) = (Result, Option, Ok, Vec, str);
    let rows = ::tmux_cc::format::rows::<Row>(b"a|b|\n");
    let row = ::std::result::Result::unwrap(rows).remove(0);
    ::std::assert!(row.pane_title == b"a" && ::std::option::Option::is_some(&row.pane_mode));
}
