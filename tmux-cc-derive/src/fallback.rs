//! What stands in where the input is wrong.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::expand::private;

/// An implementation that never runs, so that what uses the row is not complained of too.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let private = private();
    let ident = &input.ident;
    let (generics, arguments, clause) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #private::FromFormat for #ident #arguments #clause {
            const FORMAT: &'static ::core::primitive::str = "";
            const COLUMNS: &'static [#private::Column] = &[];
            fn from_fields(
                _: &mut #private::Fields<'_>,
            ) -> ::core::result::Result<Self, #private::RowError> {
                ::core::unimplemented!()
            }
        }
    }
}
