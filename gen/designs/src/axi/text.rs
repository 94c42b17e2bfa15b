//! The register map for readers: a table in Markdown, a header in C.

use super::map::{Access, Field, Register, RegisterMap};
use std::fmt::Write;

impl Access {
    /// `ro`, `rw` or `w1`.
    pub const fn name(self) -> &'static str {
        match self {
            Access::ReadOnly => "ro",
            Access::ReadWrite => "rw",
            Access::Pulse => "w1",
        }
    }
}

/// Bits as in `15..0`.
fn range(low: u32, bits: u32) -> String {
    if bits == 1 { low.to_string() } else { format!("{}..{low}", low + bits - 1) }
}

impl RegisterMap {
    /// A row a register, then one for each of its fields: offset, name, access, bits, reset value,
    /// meaning.
    pub fn rows(&self) -> Vec<[String; 6]> {
        let mut rows = vec![];
        for register in &self.registers {
            let Register { name, offset, access, bits, reset, fields, meaning, .. } = register;
            let (offset, reset) = (format!("0x{offset:03x}"), format!("0x{reset:x}"));
            let access = access.name().to_owned();
            rows.push([offset, name.clone(), access, range(0, *bits), reset, meaning.clone()]);
            for Field { name: field, low, bits, access, meaning } in fields {
                let (name, access) = (format!("{name}.{field}"), access.name().to_owned());
                let place = range(*low, *bits);
                rows.push([String::new(), name, access, place, String::new(), meaning.clone()]);
            }
        }
        rows
    }

    /// A table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "| offset | register | access | bits | reset | meaning |\n\
                        |---|---|---|---|---|---|\n"
            .to_owned();
        for [offset, name, access, bits, reset, meaning] in self.rows() {
            let name = format!("`{name}`");
            text += &format!("| {offset} | {name} | {access} | {bits} | {reset} | {meaning} |\n");
        }
        text
    }

    /// A header in C: an offset for each register, a mask and a shift for each field.
    pub fn c_header(&self) -> String {
        let design = self.design.to_ascii_uppercase();
        let mut text = format!(
            "/* Registers of {}, made by hwgen: offsets in bytes, 32 bits each. */\n\
             #ifndef {design}_REGISTERS_H\n#define {design}_REGISTERS_H\n\n\
             #define {design}_FINGERPRINT_VALUE 0x{:08x}u\n",
            self.design, self.fingerprint,
        );
        // writing to a string cannot fail
        for register in &self.registers {
            let name = format!("{design}_{}", register.name.to_ascii_uppercase());
            let what = format!("{}, bits {}", register.access.name(), range(0, register.bits));
            let _ = writeln!(text, "\n/* {}: {what} */", register.meaning);
            let _ = writeln!(text, "#define {name} 0x{:03x}u", register.offset);
            for field in &register.fields {
                let bits = format!("{name}_{}", field.name.to_ascii_uppercase());
                let mask = (u32::MAX >> (32 - field.bits)) << field.low;
                let _ = writeln!(text, "#define {bits} 0x{mask:08x}u /* {} */", field.meaning);
            }
        }
        text + "\n#endif\n"
    }
}
