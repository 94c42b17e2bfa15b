//! Verilog-2005 text.
mod keywords;
pub(crate) use keywords::is_keyword;
