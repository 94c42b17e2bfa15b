//! Every mistake ends in a sentence that names the line, the signals and what to do.

use hwgen_hdl::{BuildErrors, Bundle, Int, ModuleBuilder, Signal, Stream, Type, cat, fields, s, u};

/// The texts of the mistakes a circuit makes, lines blanked.
fn mistakes(build: impl FnOnce(&ModuleBuilder)) -> String {
    let m = ModuleBuilder::new("faulty");
    build(&m);
    let BuildErrors { errors, .. } = m.try_finish().expect_err("the circuit is faulty");
    let texts = errors.iter().map(|error| blank_lines(&error.to_string())).collect::<Vec<_>>();
    texts.join("\n")
}

fn blank_lines(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(".rs:") {
        out += &rest[..at + 4];
        rest = rest[at + 4..].trim_start_matches(|c: char| c.is_ascii_digit());
        out.push('_');
    }
    out + rest
}

macro_rules! mistake {
    ($name:ident, $build:expr) => {
        #[test]
        fn $name() {
            let build: fn(&ModuleBuilder) = $build;
            insta::assert_snapshot!(stringify!($name), mistakes(build));
        }
    };
}

mistake!(port_doc_of_no_port, |m| {
    m.output("y", m.input("a", u(1)));
    m.port_doc("b", "A bit.");
});

mistake!(operands_differ, |m| {
    let (a, b) = (m.input("a", s(8)), m.input("b", s(10)));
    m.output("y", a + b);
});

mistake!(signs_differ, |m| {
    let (a, b) = (m.input("a", s(8)), m.input("b", u(8)));
    m.output("y", a.mul(b));
});

mistake!(negates_unsigned, |m| m.output("y", -m.input("a", u(8))));

mistake!(constant_does_not_fit, |m| m.output("y", m.input("a", s(8)) + 200));

mistake!(not_one_bit, |m| {
    let a = m.input("a", u(8));
    let r = m.reg("r", u(8)).clear(a).enable(a).next(a);
    m.output("y", a.mux(r, 0));
});

mistake!(slice_out_of_range, |m| {
    let a = m.input("a", u(8));
    m.output("y", a.slice(8, 0));
    m.output("z", a.slice(2, 3));
    m.output("w", a.bit(8));
    m.output("v", a.truncate(0));
});

mistake!(extend_narrows, |m| m.output("y", m.input("a", u(8)).extend(4)));

mistake!(shift_amount, |m| {
    let (a, b) = (m.input("a", u(8)), m.input("b", s(3)));
    m.output("y", a.shl(b));
    m.output("z", a.shr(m.input("c", u(32))));
});

mistake!(select_count, |m| {
    let (a, b) = (m.input("a", u(1)), m.input("b", u(4)));
    m.output("y", a.select(&[b, b, b]));
});

mistake!(width_out_of_range, |m| {
    m.input("a", u(0));
    m.input("b", u(70_000));
    let wide = m.input("c", u(40_000));
    m.output("y", wide.mul(wide));
    m.output("z", cat(&[wide, wide]));
});

mistake!(undriven, |m| {
    m.output("y", m.wire("later", u(4)));
    m.output("z", m.reg("r", u(4)));
});

mistake!(driven_twice, |m| {
    let a = m.input("a", u(4));
    let wire = m.wire("later", u(4));
    wire.drive(a);
    wire.drive(a);
    let r = m.reg("r", u(4)).next(a).next(a);
    m.output("y", r + wire);
});

mistake!(drive_type, |m| {
    let a = m.input("a", u(4));
    m.wire("later", u(5)).drive(a);
    m.reg("r", s(4)).next(a);
});

mistake!(instances, |m| {
    let inner = ModuleBuilder::new("inner");
    let (a, b) = (inner.input("a", u(4)), inner.input("b", u(4)));
    inner.output("y", a + b);
    let inner = inner.finish();
    let wrong = m.input("x", u(5));
    let i = m.instance("i", &inner).input("a", wrong).input("c", wrong).clock("clk", m.domain());
    m.output("y", i.output("z"));
    m.instance("j", &inner).input("a", 1).input("a", 2).input("b", 3);
});

mistake!(open_clock, |m| {
    let inner = ModuleBuilder::new("inner");
    inner.clock("fast").sync_reset("fast_rst").default();
    inner.output("y", inner.reg("r", u(1)).next(1));
    inner.clock("slow");
    m.instance("i", &inner.finish());
});

mistake!(combinational_loop, |m| {
    let a = m.input("a", u(4));
    let around = m.wire("around", u(4));
    let sum = (around + a).named("sum");
    around.drive(!sum);
    m.output("y", sum);
});

mistake!(loop_through_an_instance, |m| {
    let inner = ModuleBuilder::new("inner");
    inner.output("y", !inner.input("a", u(1)));
    let i = m.instance("i", &inner.finish());
    let y = i.output("y");
    i.input("a", y);
    m.output("y", y);
});

mistake!(bad_names, |m| {
    m.input("two words", u(1));
    m.input("2nd", u(1));
    m.input("reg", u(1));
    m.input("", u(1));
    m.input("a", u(1));
    m.input("a", u(1)).named("no;thing");
});

mistake!(memories, |m| {
    let (a, b) = (m.input("a", u(4)), m.input("b", u(8)));
    m.memory("empty", 0, u(8));
    m.memory("full", 2, u(8)).init([1, 2, 3]);
    let memory = m.memory("store", 16, u(8)).init([256]);
    memory.write(b, b, a.bit(0));
    memory.write(a, a, a.bit(0));
    memory.write_masked(a, b, a.bit(0), a.slice(2, 0));
    m.output("y", memory.read_sync(a, b));
});

mistake!(fields_of_bundles, |m| {
    let bundle = Bundle::new([("data", m.input("a", u(4)))]);
    m.output("y", bundle.get("date"));
});

mistake!(words_that_are_no_bundle, |m| {
    let shape = fields([("data", s(6)), ("last", u(1))]);
    let (wide, right, narrow) = (m.input("a", u(8)), m.input("b", u(7)), m.input("c", u(6)));
    for (name, word) in [("wide", wide), ("right", right), ("narrow", narrow)] {
        m.output(name, Bundle::unpack(&shape, word).get("data"));
    }
    Bundle::unpack(&fields([("none", u(0))]), right);
});

mistake!(valid_waits_for_ready, |m| {
    let input = m.stream_in("in", &fields([("data", u(8))]));
    let gated = input.valid & *input.ready;
    let mut waiting: Stream<'_> = input.clone();
    waiting.valid = gated;
    m.stream_out("out", &waiting);
});

mistake!(foreign_signal, |m| {
    let other = ModuleBuilder::new("other");
    let theirs: Signal<'_> = other.input("theirs", u(4));
    let ours = m.input("ours", u(4));
    // Lifetimes let signals of two builders meet where both live: the builder notices.
    fn meet<'a>(a: Signal<'a>, b: Signal<'a>) -> Type {
        (a + b).ty()
    }
    meet(ours, theirs);
});

mistake!(no_reset, |m| {
    let bare = m.clock("bare");
    m.output("y", m.reg("r", u(1)).domain(bare).next(0));
    m.reg("free", u(1)).domain(bare).no_reset().next(Int::from(1));
});

mistake!(said_twice, |m| {
    let (run, beat) = (m.input("run", u(1)), m.input("beat", u(1)));
    let r = m.reg("r", u(4)).enable(run).clear(run).reset_to(3);
    r.next(r + 1).enable(beat).clear(beat).reset_to(4);
    let (a, b) = (m.clock("a").sync_reset("a_rst"), m.clock("b").sync_reset("b_rst"));
    let other = m.reg("other", u(4)).domain(a).domain(b);
    other.next(r);
    b.async_reset("b_arst");
    m.memory("words", 2, u(4)).init([1, 2]).init([3, 4]);
    let inner = ModuleBuilder::new("inner");
    inner.output("y", inner.reg("r", u(1)).next(1));
    m.instance("i", &inner.finish()).clock("clk", a).clock("clk", b);
});

mistake!(said_too_late, |m| {
    let (a, b) = (m.clock("a"), m.clock("b"));
    a.sync_reset("a_rst").in_reset();
    m.domain().in_reset();
    m.domain().async_reset("arst");
    b.default();
    let late = m.clock("late").sync_reset("late_rst");
    m.reg("r", u(1)).domain(late).next(late.in_reset()).reset_to(1).no_reset();
    late.async_reset("late_arst");
});

mistake!(foreign_domains, |m| {
    let other = ModuleBuilder::new("other");
    other.clock("spare");
    let fast = other.clock("fast").sync_reset("fast_rst");
    fn meet<'a>(m: &'a ModuleBuilder, fast: hwgen_hdl::Domain<'a>) {
        let (bit, word) = (m.input("at", u(1)), m.input("word", u(4)));
        m.reg("r", u(4)).domain(fast).next(word);
        let words = m.memory("words", 2, u(4)).write_in(fast, bit, word, bit);
        words.write_masked_in(fast, bit, word, bit, bit);
        m.output("y", words.read_sync_in(fast, bit, bit));
        words.write(fast.in_reset(), word, bit);
        let inner = ModuleBuilder::new("inner");
        inner.output("y", inner.reg("r", u(1)).no_reset().next(1));
        m.instance("i", &inner.finish()).clock("clk", fast);
    }
    meet(m, fast);
});

mistake!(two_clocks_write_one_memory, |m| {
    let (a, b) = (m.clock("clk_a"), m.clock("clk_b"));
    let (at, data) = (m.input("at", u(1)), m.input("data", u(8)));
    let words = m.memory("words", 2, u(8));
    words.write_in(b, at, data, at);
    words.write_in(a, at, data, at);
    m.output("y", words.read(at));
});

mistake!(looked_at_by_another_clock, |m| {
    let io = m.clock("io").sync_reset("io_rst");
    let full = m.reg("full", u(1)).domain(io);
    full.next(!full);
    m.promise("never full", !full);
    let data = Bundle::new([("data", m.input("data", u(4)))]);
    m.stream_out("out", &Stream::source(m, "out", full, data));
    // Of both clocks, or said with its clock: as the author wants.
    let own = m.reg("own", u(1)).next(full);
    m.promise("not both", !(full & *own));
    m.domain().promise("seen from here", !full);
    io.promise("never full", !full);
});

mistake!(too_many_bits, |m| {
    let a = m.input("a", u(8));
    m.output("y", a.high(10));
    m.output("z", a.repeat(0));
    m.output("w", a.high(0));
});

mistake!(integers_without_type, |m| {
    let c = m.input("c", u(1));
    m.output("y", c.mux(1, 0));
    m.output("z", 2 + c);
    m.output("w", hwgen_hdl::mux(c, 2, c));
});

#[test]
fn two_texts_under_one_name() {
    let inner = |invert: bool| {
        let m = ModuleBuilder::new("inner");
        let a = m.input("a", u(1));
        m.output("y", if invert { !a } else { a });
        m.finish()
    };
    let m = ModuleBuilder::new("outer");
    let a = m.input("a", u(1));
    for (name, module) in [("i", inner(false)), ("j", inner(true))] {
        m.output(format!("{name}_y"), m.instance(name, &module).input("a", a).output("y"));
    }
    insta::assert_snapshot!(m.finish().verilog().unwrap_err().to_string());
}

#[test]
#[should_panic(expected = "module `faulty` cannot be built:\n  tests/errors.rs:")]
fn finish_ends_with_the_text() {
    let m = ModuleBuilder::new("faulty");
    m.output("y", m.input("a", s(8)) + m.input("b", s(10)));
    m.finish();
}
