//! What compiles, and what is said where it does not.
//!
//! What is said is kept beside each case, as the stable compiler words it; `TRYBUILD=overwrite`
//! writes it anew.

// One test: each case is built by a cargo of its own, and these wait for each other anyway.
#[test]
fn what_is_sensible_compiles_and_all_else_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
