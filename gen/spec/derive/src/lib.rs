//! `#[derive(Parameters)]`: a struct's fields become parameters.
//!
//! ```ignore
//! /// A FIFO, sized.
//! #[derive(Debug, Clone, PartialEq, Eq, Parameters)]
//! pub struct FifoSpec {
//!     /// Words it holds.
//!     #[parameter(default = 16, range = 1..=1024, power_of_two)]
//!     pub depth: u32,
//!     /// Parameters of a part, beside ours; `width` is set by the whole.
//!     #[part(fixed = [width])]
//!     pub memory: MemorySpec,
//! }
//! ```
//!
//! - `default` is an expression; `range` is of integers, for a list of its entries; a `bool` has
//!   none. The help is the doc comment's first paragraph.
//! - `#[parameter(choice, default = ..)]`: an enum that implements `Choice`, its words and members
//!   in a table of its own.
//! - `#[part]`: the parameters of another such struct stand beside ours, but for those that are
//!   `fixed`; `default` where the part's own will not do.

mod fields;

use fields::{Field, Kind, fields};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input, parse_quote};

/// See the crate.
#[proc_macro_derive(Parameters, attributes(parameter, part))]
pub fn parameters(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(input)?;
    let name = &input.ident;
    let mut generics = input.generics.clone();
    for parameter in input.generics.type_params() {
        let of = &parameter.ident;
        generics.make_where_clause().predicates.push(parse_quote!(#of: ::hwgen_spec::Parameters));
    }
    let (arguments, types, bounds) = generics.split_for_impl();
    let rows = fields.iter().map(row);
    let writes = fields.iter().map(write);
    let reads = fields.iter().map(read);
    let checks = fields.iter().filter_map(check);
    let values = fields.iter().map(|Field { name, default, .. }| quote!(#name: #default));
    // of the deserializer, then of the type
    let mut read_generics = generics.clone();
    read_generics.params.insert(0, parse_quote!('de));
    let (read_arguments, ..) = read_generics.split_for_impl();
    Ok(quote! {
        impl #arguments ::core::default::Default for #name #types #bounds {
            fn default() -> Self {
                #name { #(#values),* }
            }
        }

        impl #arguments ::hwgen_spec::Parameters for #name #types #bounds {
            fn table() -> ::std::vec::Vec<::hwgen_spec::Parameter> {
                let mut table = ::std::vec![];
                #(#rows)*
                table
            }

            fn write<Out: ::hwgen_spec::serde::ser::SerializeMap>(
                &self,
                members: &mut Out,
                fixed: &[&str],
            ) -> ::core::result::Result<(), Out::Error> {
                #(#writes)*
                Ok(())
            }

            fn read(&mut self, members: &mut ::hwgen_spec::Members) -> ::hwgen_spec::Read {
                #(#reads)*
                Ok(())
            }

            fn check_ranges(&self, fixed: &[&str]) -> ::core::result::Result<(), ::hwgen_spec::SpecError> {
                #(#checks)*
                Ok(())
            }
        }

        impl #arguments ::hwgen_spec::serde::Serialize for #name #types #bounds {
            fn serialize<Out: ::hwgen_spec::serde::Serializer>(
                &self,
                out: Out,
            ) -> ::core::result::Result<Out::Ok, Out::Error> {
                ::hwgen_spec::serialize(self, out)
            }
        }

        impl #read_arguments ::hwgen_spec::serde::Deserialize<'de> for #name #types #bounds {
            fn deserialize<In: ::hwgen_spec::serde::Deserializer<'de>>(
                from: In,
            ) -> ::core::result::Result<Self, In::Error> {
                ::hwgen_spec::deserialize(from)
            }
        }
    })
}

/// Adds a field's rows to the table.
fn row(Field { name, ty, kind, help, .. }: &Field) -> TokenStream {
    let text = name.to_string();
    match kind {
        Kind::Own { range } => quote! {
            table.push(::hwgen_spec::Parameter { name: #text, range: #range, meaning: #help });
        },
        Kind::Choice => quote! {
            table.extend_from_slice(<#ty as ::hwgen_spec::Choice>::TABLE);
        },
        Kind::Part { fixed } => quote! {
            ::hwgen_spec::add_part::<#ty>(&mut table, &[#(#fixed),*]);
        },
    }
}

/// Writes a field as JSON, unless the whole has fixed it.
fn write(Field { name, ty, kind, .. }: &Field) -> TokenStream {
    let text = name.to_string();
    match kind {
        Kind::Own { .. } | Kind::Choice => quote! {
            if !fixed.contains(&#text) {
                members.serialize_entry(#text, &self.#name)?;
            }
        },
        Kind::Part { fixed: theirs } => quote! {
            let theirs = [fixed, &[#(#theirs),*]].concat();
            <#ty as ::hwgen_spec::Parameters>::write(&self.#name, members, &theirs)?;
        },
    }
}

/// Takes a field out of the members of JSON that are left.
fn read(Field { name, kind, .. }: &Field) -> TokenStream {
    let text = name.to_string();
    match kind {
        Kind::Own { .. } | Kind::Choice => {
            quote!(::hwgen_spec::read_value(members, #text, &mut self.#name)?;)
        }
        Kind::Part { fixed } => {
            quote!(::hwgen_spec::read_part(members, &mut self.#name, &[#(#fixed),*])?;)
        }
    }
}

/// Checks a field's range, unless the whole has fixed it.
fn check(Field { name, ty, kind, help, .. }: &Field) -> Option<TokenStream> {
    let text = name.to_string();
    match kind {
        Kind::Own { range } => Some(quote! {
            if !fixed.contains(&#text) {
                let row = ::hwgen_spec::Parameter { name: #text, range: #range, meaning: #help };
                ::hwgen_spec::Checked::check(&self.#name, &row)?;
            }
        }),
        Kind::Choice => None,
        Kind::Part { fixed: theirs } => Some(quote! {
            let theirs = [fixed, &[#(#theirs),*]].concat();
            <#ty as ::hwgen_spec::Parameters>::check_ranges(&self.#name, &theirs)?;
        }),
    }
}
