//! `#[derive(FromFormat)]` for `tmux-cc`: structs from tmux format variables.
//!
//! Use it through `tmux_cc::format::FromFormat`, where it is documented: what is emitted here names
//! paths of exactly one version of `tmux-cc`.
//!
//! ```text
//! ast (what was written) -> attr (what it asks) -> valid (is it sensible) -> expand (tokens)
//!                                                     |
//!                                                     +-> fallback (an error, and no other)
//! ```

mod ast;
mod attr;
mod expand;
mod fallback;
mod kinds;
mod table;
mod valid;
mod variables;
mod version;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{DeriveInput, Error};

/// Makes a struct a row of format variables.
///
/// It is documented with the trait of the same name, `tmux_cc::format::FromFormat`.
#[proc_macro_derive(FromFormat, attributes(tmux))]
pub fn derive_from_format(input: TokenStream) -> TokenStream {
    match syn::parse(input) {
        Ok(input) => derive(&input).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// The table of variables, as `tmux-cc` shows it: for that crate alone.
#[doc(hidden)]
#[proc_macro]
pub fn variables(_: TokenStream) -> TokenStream {
    table::emit(variables::VARIABLES).into()
}

/// The implementation, or every error in what was written and an implementation that stands in, so
/// that nothing else is complained of.
fn derive(input: &DeriveInput) -> Tokens {
    match implementation(input) {
        Ok(tokens) => tokens,
        Err(error) => {
            let errors = error.into_compile_error();
            let stand_in = fallback::expand(input);
            quote!(#errors #stand_in)
        }
    }
}

fn implementation(input: &DeriveInput) -> Result<Tokens, Error> {
    let row = ast::Row::read(input)?;
    let valid = valid::check(&row)?;
    Ok(expand::expand(&row, &valid))
}

#[cfg(test)]
mod snapshots;
