//! What is said of a field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Ident, Lit, Meta, Type};
use syn::{Token, bracketed, punctuated::Punctuated, spanned::Spanned};

/// A field of the struct.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) kind: Kind,
    pub(crate) default: TokenStream,
    pub(crate) help: String,
}

pub(crate) enum Kind {
    /// A number, a flag or a list; the range is an expression.
    Own { range: TokenStream },
    /// One of several modes, each with members of its own.
    Choice,
    /// Another struct, whose named parameters the whole sets.
    Part { fixed: Vec<String> },
}

pub(crate) fn fields(input: &DeriveInput) -> syn::Result<Vec<Field>> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new(input.span(), "parameters are the fields of a struct"));
    };
    data.fields.iter().map(field).collect()
}

fn field(field: &syn::Field) -> syn::Result<Field> {
    let error = |text: &str| syn::Error::new(field.span(), text);
    let name = field.ident.clone().ok_or_else(|| error("a parameter has a name"))?;
    let ty = field.ty.clone();
    let help = help(&field.attrs);
    let mut said = field.attrs.iter().filter(|attribute| {
        attribute.path().is_ident("parameter") || attribute.path().is_ident("part")
    });
    let (Some(attribute), None) = (said.next(), said.next()) else {
        return Err(error("say `#[parameter(..)]` or `#[part]`, once"));
    };
    let said = Said::of(attribute)?;
    if attribute.path().is_ident("part") {
        let default = match said.default {
            Some(default) => quote!(#default),
            None => quote!(<#ty as ::core::default::Default>::default()),
        };
        return Ok(Field { name, ty, kind: Kind::Part { fixed: said.fixed }, default, help });
    }
    if help.is_empty() {
        return Err(error("a parameter's help is its doc comment"));
    }
    let default = said.default.ok_or_else(|| error("say `default = ..`"))?;
    if said.choice {
        return Ok(Field { name, ty, kind: Kind::Choice, default: quote!(#default), help });
    }
    let is = |wanted: &str| matches!(&ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == wanted));
    let range = match (said.range, is("bool")) {
        (None, true) => quote!(::hwgen_spec::Range::Flag),
        (Some((least, most)), false) => {
            let kind = match (said.power_of_two, is("Vec")) {
                (false, false) => quote!(Integer),
                (true, false) => quote!(PowerOfTwo),
                (false, true) => quote!(List),
                (true, true) => return Err(error("a list's entries are plain integers")),
            };
            quote!(::hwgen_spec::Range::#kind(#least, #most))
        }
        (None, false) => return Err(error("say `range = least..=most`")),
        (Some(_), true) => return Err(error("a flag has no range")),
    };
    Ok(Field { name, ty, kind: Kind::Own { range }, default: quote!(#default), help })
}

/// What stands in an attribute.
#[derive(Default)]
struct Said {
    default: Option<Expr>,
    range: Option<(Expr, Expr)>,
    power_of_two: bool,
    choice: bool,
    fixed: Vec<String>,
}

impl Said {
    fn of(attribute: &Attribute) -> syn::Result<Said> {
        let mut said = Said::default();
        if matches!(attribute.meta, Meta::Path(_)) {
            return Ok(said);
        }
        let is_part = attribute.path().is_ident("part");
        attribute.parse_nested_meta(|meta| {
            let is = |name: &str| meta.path.is_ident(name);
            if is_part && is("fixed") {
                let names;
                let value = meta.value()?;
                bracketed!(names in value);
                let names = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?;
                said.fixed = names.iter().map(Ident::to_string).collect();
            } else if is("default") {
                said.default = Some(meta.value()?.parse()?);
            } else if !is_part && is("range") {
                let range: Expr = meta.value()?.parse()?;
                let Expr::Range(range) = &range else {
                    return Err(meta.error("a range is `least..=most`"));
                };
                let (Some(least), Some(most)) = (&range.start, &range.end) else {
                    return Err(meta.error("a range has two ends"));
                };
                said.range = Some(((**least).clone(), (**most).clone()));
            } else if !is_part && is("power_of_two") {
                said.power_of_two = true;
            } else if !is_part && is("choice") {
                said.choice = true;
            } else if is_part {
                return Err(meta.error("expected `fixed = [..]` or `default`"));
            } else {
                return Err(meta.error("expected `default`, `range`, `power_of_two` or `choice`"));
            }
            Ok(())
        })?;
        Ok(said)
    }
}

/// The doc comment's first paragraph as a help line: `Rows of it.` becomes `rows of it`.
fn help(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_string()),
            _ => None,
        },
        _ => None,
    });
    let paragraph: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    let text = text.strip_suffix('.').unwrap_or(&text);
    let mut letters = text.chars();
    match (letters.next(), text.chars().nth(1)) {
        // an acronym stays as it is
        (Some(first), second) if second.is_none_or(|second| !second.is_uppercase()) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_string(),
    }
}
