//! Registers, clocks, resets, memories, instances and leaves on both engines.

use hwgen_hdl::netlist::{Leaf, LeafModel, ResetKind};
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use hwgen_hdl::{Int, Module, ModuleBuilder, cat, s, u};
use std::sync::Arc;

const ENGINES: [Engine; 2] = [Engine::Interpreter, Engine::Jit];

fn each(module: &Arc<Module>, test: impl Fn(&mut Simulator)) {
    for engine in ENGINES {
        test(&mut Simulator::new(module, engine));
    }
}

#[test]
fn reset_beats_clear_beats_enable() {
    let m = ModuleBuilder::new("ranked");
    let (clear, enable) = (m.input("clear", u(1)), m.input("enable", u(1)));
    let r = m.reg("r", u(8)).reset_to(7).clear(clear).enable(enable);
    r.next(r + 1);
    m.output("q", r);
    each(&m.finish(), |sim| {
        assert_eq!(sim.peek_u64("q"), 0);
        sim.reset();
        assert_eq!(sim.peek_u64("q"), 7);
        sim.step();
        assert_eq!(sim.peek_u64("q"), 7);
        sim.poke("enable", 1);
        sim.steps(3);
        assert_eq!(sim.peek_u64("q"), 10);
        sim.poke("clear", 1);
        sim.step();
        assert_eq!(sim.peek_u64("r"), 7);
        assert_eq!(sim.cycle(), 7);
    });
}

#[test]
fn registers_swap_and_rotate() {
    let m = ModuleBuilder::new("ring");
    let regs = [0, 1, 2, 3].map(|i| m.reg(format!("r{i}"), u(8)).reset_to(i));
    for i in 0..4 {
        regs[i].next(regs[(i + 1) % 4]);
    }
    let (a, b) = (m.reg("a", u(4)).reset_to(5), m.reg("b", u(4)).reset_to(9));
    a.next(b);
    b.next(a);
    m.output("all", cat(&regs.map(|r| *r)));
    m.output("ab", cat(&[*a, *b]));
    each(&m.finish(), |sim| {
        sim.reset();
        sim.step();
        assert_eq!((sim.peek_u64("all"), sim.peek_u64("ab")), (0x01020300, 0x95));
        sim.steps(2);
        assert_eq!((sim.peek_u64("all"), sim.peek_u64("ab")), (0x03000102, 0x95));
    });
}

#[test]
fn two_clocks_tick_apart_and_together() {
    let m = ModuleBuilder::new("two_clocks");
    let (fast, slow) = (m.clock("fast"), m.clock("slow"));
    let a = m.reg("a", u(8)).domain(fast).no_reset();
    let b = m.reg("b", u(8)).domain(slow).no_reset();
    a.next(b + 1);
    b.next(a + 1);
    m.output("a", a);
    m.output("b", b);
    each(&m.finish(), |sim| {
        sim.tick(&["fast"]);
        assert_eq!((sim.peek_u64("a"), sim.peek_u64("b")), (1, 0));
        sim.tick(&["slow"]);
        assert_eq!((sim.peek_u64("a"), sim.peek_u64("b")), (1, 2));
        sim.tick(&["fast", "slow"]);
        assert_eq!((sim.peek_u64("a"), sim.peek_u64("b")), (3, 2));
    });
}

#[test]
fn a_late_default_moves_all_that_names_no_domain() {
    let m = ModuleBuilder::new("late_default");
    let (x, at) = (m.input("x", u(4)), m.input("at", u(1)));
    let words = m.memory("words", 2, u(4)).write(at, x, m.input("write", u(1)));
    m.output("word", words.read_sync(at, m.input("read", u(1))));
    m.promise("x is small", x.lt(8));
    let q = m.stream_in("q", &hwgen_hdl::fields([("data", u(4))]));
    m.stream_out("out", &q);
    let r = m.reg("r", u(4)).no_reset();
    r.next(x);
    m.output("held", r);
    let main = m.clock("main").sync_reset("main_rst").default();
    m.output("in_reset", m.domain().in_reset() & main.in_reset());
    let module = m.finish();
    assert_eq!(module.clocks.iter().map(|clock| &*clock.name).collect::<Vec<_>>(), ["main"]);
    assert!(module.streams.iter().all(|stream| stream.clock.index() == 0));
    each(&module, |sim| {
        sim.poke("x", 5);
        sim.poke("write", 1);
        sim.step();
        sim.poke("read", 1);
        sim.tick(&["main"]);
        assert_eq!((sim.peek_u64("word"), sim.peek_u64("held")), (5, 5));
    });
}

#[test]
fn asynchronous_resets_act_at_once_and_pulses_count() {
    let m = ModuleBuilder::new("asynchronous");
    let domain = m.clock("clk").reset("rst_n", ResetKind::Async, true);
    let r = m.reg("r", u(8)).reset_to(3).domain(domain);
    r.next(r + 1);
    let copy = m.reg("copy", u(8)).domain(m.clock("other")).no_reset();
    copy.next(r);
    m.output("q", r);
    m.output("copied", copy);
    each(&m.finish(), |sim| {
        assert_eq!(sim.peek_u64("q"), 3, "the input is 0 at power-up, which is reset");
        sim.poke("rst_n", 1);
        sim.tick(&["clk"]);
        assert_eq!(sim.peek_u64("q"), 4);
        sim.poke("rst_n", 0);
        sim.tick(&["other"]);
        sim.poke("rst_n", 1);
        assert_eq!((sim.peek_u64("q"), sim.peek_u64("copied")), (3, 3));
        sim.tick(&["clk"]);
        sim.poke("rst_n", 0);
        sim.poke("rst_n", 1);
        assert_eq!(sim.peek_u64("q"), 3, "a pulse between two pokes");
    });
}

#[test]
fn memories_read_first_and_mask_lanes() {
    let m = ModuleBuilder::new("memories");
    let (addr, data) = (m.input("addr", u(3)), m.input("data", u(32)));
    let (we, mask) = (m.input("we", u(1)), m.input("mask", u(4)));
    let ram = m.memory("ram", 6, u(32)).init([1, 2, 3]);
    ram.write_masked(addr, data, we, mask);
    ram.write(addr, m.lit(u(32), 0x55), m.input("we2", u(1)));
    m.output("now", ram.read(addr));
    m.output("word", ram.read_sync(addr, m.input("re", u(1))));
    let wide = m.memory("wide", 4, s(200));
    let low = addr.slice(1, 0);
    wide.write_masked(low, m.input("wdata", s(200)), we, mask.slice(1, 0));
    m.output("wide", wide.read(low));
    each(&m.finish(), |sim| {
        sim.poke("addr", 2);
        assert_eq!((sim.peek_u64("now"), sim.peek_u64("word")), (3, 0));
        sim.poke("data", 0xaabb_ccddu32);
        sim.poke("mask", 0b0101);
        sim.poke("wdata", -1);
        sim.poke("we", 1);
        sim.poke("re", 1);
        sim.step();
        assert_eq!((sim.peek_u64("now"), sim.peek_u64("word")), (0x00bb_00dd, 3));
        assert_eq!(sim.peek("wide"), (Int::from(1) << 100u32) - 1);
        sim.poke("we2", 1);
        sim.poke("re", 0);
        sim.step();
        assert_eq!((sim.peek_u64("now"), sim.peek_u64("word")), (0x55, 3), "the later port wins");
        sim.poke("mask", 0b0010);
        sim.step();
        assert_eq!(sim.peek("wide"), Int::from(-1));
        sim.poke("addr", 7);
        sim.poke("re", 1);
        sim.step();
        assert_eq!((sim.peek_u64("now"), sim.peek_u64("word")), (0, 0));
        sim.poke("addr", 1);
        assert_eq!(sim.peek_u64("now"), 2);
    });
}

#[test]
fn instances_have_paths_and_their_own_resets() {
    let m = ModuleBuilder::new("counting");
    let count = m.reg("count", u(8)).reset_to(5);
    let twice = (count + count).named("twice");
    count.next(count + m.input("by", u(8)));
    m.output("value", count);
    m.output("double", twice);
    let cell = m.finish();
    let m = ModuleBuilder::new("pair");
    let a = m.instance("a", &cell).input("by", 1);
    let b = m.instance("b", &cell).input("by", a.output("value"));
    b.input("rst", a.output("value").eq(9) | m.domain().in_reset());
    m.output("sum", b.output("value"));
    each(&m.finish(), |sim| {
        sim.reset();
        sim.steps(2);
        assert_eq!(sim.peek_u64("a.count"), 7);
        assert_eq!(sim.peek_u64("a.by"), 1);
        assert_eq!(sim.peek_u64("b.value"), 5 + 5 + 6);
        assert_eq!((sim.peek_u64("b.twice"), sim.peek_u64("b.double")), (32, 32));
        sim.steps(3);
        assert_eq!((sim.peek_u64("a.count"), sim.peek_u64("sum")), (10, 5));
    });
}

/// A register of foreign make, with a combinational output beside it.
struct Toy {
    high: bool,
    held: Int,
}

impl LeafModel for Toy {
    fn update(&mut self, clocks: &[bool], inputs: &[Int], outputs: &mut [Int]) {
        if clocks[0] && !self.high {
            self.held = inputs[0].clone();
        }
        self.high = clocks[0];
        outputs[0] = self.held.clone();
        outputs[1] = &inputs[0] + 1;
    }
}

#[test]
fn leaves_follow_their_model() {
    let m = ModuleBuilder::new("toy");
    m.clock("clk").default();
    m.input("d", u(100));
    let leaf = Leaf {
        verilog: String::new(),
        combinational: vec![vec![], vec![0]],
        model: Box::new(|| Box::new(Toy { high: false, held: Int::ZERO })),
    };
    let toy = m.finish_leaf(&[("q", u(100)), ("inc", u(101))], leaf).unwrap();
    let m = ModuleBuilder::new("uses_toy");
    m.clock("clk").default();
    let toy = m.instance("toy", &toy);
    // A path through the leaf's register and back into it.
    toy.input("d", toy.output("q") + m.input("step", u(100)));
    let r = m.reg("r", u(101)).no_reset();
    r.next(toy.output("inc"));
    m.output("q", toy.output("q"));
    m.output("inc", toy.output("inc"));
    m.output("r_now", r);
    each(&m.finish(), |sim| {
        sim.poke("step", 3);
        assert_eq!((sim.peek_u64("q"), sim.peek_u64("inc")), (0, 4));
        sim.steps(2);
        assert_eq!((sim.peek_u64("toy.q"), sim.peek_u64("inc"), sim.peek_u64("r")), (6, 10, 7));
    });
}

#[test]
fn power_up_is_the_same_on_both_engines() {
    let m = ModuleBuilder::new("power_up");
    let r = m.reg("r", s(130));
    r.next(r);
    let ram = m.memory("ram", 4, u(9)).init([1]);
    ram.write(m.lit(u(2), 0), m.lit(u(9), 0), m.lit(u(1), 0));
    m.output("first", ram.read(m.lit(u(2), 0)));
    m.output("second", ram.read(m.lit(u(2), 1)));
    m.output("word", ram.read_sync(m.lit(u(2), 2), m.lit(u(1), 0)));
    let short = m.memory("short", 3, u(64));
    m.output("beyond", short.read_sync(m.lit(u(2), 3), m.input("enable", u(1))));
    m.output("r_now", r);
    let module = m.finish();
    let seen = ENGINES.map(|engine| {
        let initial = Initial::Random(7);
        let options = SimOptions { engine, initial, ..SimOptions::default() };
        let mut sim = Simulator::with_options(&module, options);
        assert_eq!(sim.peek_u64("first"), 1);
        let seen = ["r", "second", "word", "beyond"].map(|name| sim.peek(name));
        sim.poke("enable", 1);
        sim.step();
        assert_eq!(sim.peek_u64("beyond"), 0);
        seen
    });
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].iter().all(|value| *value != Int::ZERO));
}
