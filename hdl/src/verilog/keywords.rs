//! Words that are nobody's to name things by: keywords, and what one of the promised tools keeps.
//!
//! Found by giving every word of these languages to Icarus 11, Verilator 5.006 and 5.048 and Yosys
//! 0.23 as the name of a port, a net, a module and an instance.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Why nothing may be called `word`; `None` if it is free.
pub fn reserved(word: &str) -> Option<&'static str> {
    static WORDS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        let words = |list: &'static str, why| list.split_whitespace().map(move |word| (word, why));
        words(VERILOG, "it is a keyword of Verilog")
            .chain(words(SYSTEM_VERILOG, "it is a keyword of SystemVerilog"))
            .chain(words(AMS, "it is a keyword of Verilog-AMS, which Icarus Verilog keeps"))
            .chain(words(VERILATOR, "Verilator keeps it for itself"))
            .collect()
    });
    WORDS.get(word).copied()
}

/// Whether Verilator warns of a port of this name, since it is a word of C++ or SystemC; it renames
/// the port in what it makes and all is well.
pub(super) fn is_cpp_word(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| CPP.split_whitespace().collect());
    WORDS.contains(word)
}

/// IEEE 1364-2005, annex B.
const VERILOG: &str = "
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
    join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
";

/// What IEEE 1800-2017, annex B, has beyond these.
const SYSTEM_VERILOG: &str = "
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit
    break byte chandle checker class clocking const constraint context continue cover covergroup
    coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage
    endprogram endproperty endsequence enum eventually expect export extends extern final
    first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import
    inside int interconnect interface intersect join_any join_none let local logic longint matches
    modport nettype new nexttime null package packed priority program property protected pure rand
    randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime
    s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
    sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union
    unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
";

/// What Icarus 11 keeps of Verilog-AMS in every generation of Verilog.
const AMS: &str = "bool wreal";

/// The package `std` and what is in it, and the module that Verilator puts around all.
const VERILATOR: &str = "mailbox process randomize semaphore std TOP";

/// Verilator's list, without what is reserved above.
const CPP: &str = "
    NULL abort alignas alignof and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bit_vector
    bitand bitor catch cdecl char char16_t char32_t compl complex concept const_cast const_iterator
    const_reference constexpr decltype delete deque double dynamic_cast explicit false far float
    friend goto huge inline interrupt iterator list long map mutable namespace near noexcept not_eq
    nullptr operator or_eq override pascal private public queue reference register reinterpret_cast
    requires set short sizeof stack static_assert static_cast switch synchronized template
    thread_local throw transaction_safe transaction_safe_dynamic true try type_info typeid typename
    uint16_t uint32_t uint8_t using vector volatile wchar_t xor_eq
    sc_clock sc_in sc_inout sc_out sc_signal sensitive sensitive_neg sensitive_pos
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_reason() {
        let lists = [VERILOG, SYSTEM_VERILOG, AMS, VERILATOR, CPP];
        let words: Vec<_> = lists.iter().flat_map(|list| list.split_whitespace()).collect();
        let distinct: HashSet<_> = words.iter().collect();
        assert_eq!(distinct.len(), words.len());
        assert_eq!(
            reserved("bool"),
            Some("it is a keyword of Verilog-AMS, which Icarus Verilog keeps")
        );
        assert_eq!((reserved("x"), is_cpp_word("queue")), (None, true));
    }
}
