//! The table of variables as tokens.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::variables::Variable;
use crate::version::Version;

/// A slice of `Variable`, in the names of the module of `tmux-cc` that it stands in.
pub(crate) fn emit(variables: &[Variable]) -> TokenStream {
    let rows = variables.iter().map(|variable| {
        let Variable {
            name, about, empty, ..
        } = variable;
        let kind = format_ident!("{}", format!("{:?}", variable.kind));
        let context = format_ident!("{}", format!("{:?}", variable.context));
        let since = version(variable.since);
        let until = match variable.until {
            Some(until) => {
                let until = version(until);
                quote!(Some(#until))
            }
            None => quote!(None),
        };
        quote! {
            Variable {
                name: #name,
                kind: Kind::#kind,
                since: #since,
                until: #until,
                context: Context::#context,
                empty: #empty,
                about: #about,
            }
        }
    });
    quote!(&[#(#rows),*])
}

fn version(text: &str) -> TokenStream {
    match Version::parse(text) {
        Some(version) => version.tokens(&quote!(crate::wire)),
        None => quote!(::core::compile_error!("not a version: {}", #text)),
    }
}
