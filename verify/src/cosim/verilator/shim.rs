//! The C++ around a Verilated model: a request loop, and a race.
//!
//! Requests are bytes: `1, input, words..` sets an input, `2, clocks` ticks, `3` asks for all
//! outputs. Numbers are little-endian 32-bit words; a port of `n` bits has `ceil(n / 32)` of them.

use super::super::ports::{Ports, declare};
use hwgen_hdl::Module;

/// The test bench's module; its ports have names no design can clash with.
pub(super) const TOP: &str = "hwgen_cosim";

/// Verilog that gives a module ports `i0.., o0.., ck`.
pub(super) fn wrapper(ports: &Ports, module: &Module) -> String {
    let mut head = vec![];
    let mut ranges = String::new();
    let inputs = ports.inputs.iter().enumerate().map(|(k, w)| ("input", format!("i{k}"), *w));
    let outputs = ports.outputs.iter().enumerate().map(|(k, w)| ("output", format!("o{k}"), *w));
    let clocks = ("input", "ck".to_string(), ports.clocks.max(1) as u32);
    for (kind, name, width) in inputs.chain(outputs).chain([clocks]) {
        declare(&mut ranges, kind, width, &name, ";");
        head.push(name);
    }
    let (head, instance) = (head.join(", "), ports.instance(module));
    format!(
        "/* verilator lint_off UNUSED */\nmodule {TOP} ({head});\n{ranges}{instance}endmodule\n"
    )
}

/// The C++ program, one translation unit with the generated sources.
pub(super) fn program(ports: &Ports, sources: &[String]) -> String {
    let includes: String = sources.iter().map(|s| format!("#include \"{s}\"\n")).collect();
    let each =
        |count: usize, text: &dyn Fn(usize) -> String| -> String { (0..count).map(text).collect() };
    let numbers = |list: Vec<String>| {
        // C++ has no empty arrays.
        let list = if list.is_empty() { vec!["0".to_string()] } else { list };
        list.join(", ")
    };
    let widths = |widths: &[u32]| numbers(widths.iter().map(u32::to_string).collect());
    let resets = ports.resets.iter().map(|reset| match reset {
        None => "-1".to_string(),
        Some(active) => u8::from(*active).to_string(),
    });
    BODY.replace("@INCLUDES@", &includes)
        .replace("@INPUT_WIDTHS@", &widths(&ports.inputs))
        .replace("@OUTPUT_WIDTHS@", &widths(&ports.outputs))
        .replace("@RESETS@", &numbers(resets.collect()))
        .replace("@INPUTS@", &ports.inputs.len().to_string())
        .replace("@OUTPUTS@", &ports.outputs.len().to_string())
        .replace("@CLOCKS@", &ports.clocks.to_string())
        .replace(
            "@PUT@",
            &each(ports.inputs.len(), &|k| {
                format!("    case {k}: put(top->i{k}, words); break;\n")
            }),
        )
        .replace("@GET@", &each(ports.outputs.len(), &|k| format!("  to = get(top->o{k}, to);\n")))
        .replace(
            "@DRAW@",
            &each(ports.inputs.len(), &|k| match ports.resets[k] {
                Some(_) => String::new(),
                None => format!("  draw({}, words); put(top->i{k}, words);\n", ports.inputs[k]),
            }),
        )
        .replace(
            "@FOLD@",
            &each(ports.outputs.len(), &|k| format!("  sum = fold(sum, top->o{k});\n")),
        )
}

const BODY: &str = r#"#include "verilated.h"
@INCLUDES@
#include <unistd.h>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

typedef uint32_t Word;
static const int input_widths[] = {@INPUT_WIDTHS@};
static const int output_widths[] = {@OUTPUT_WIDTHS@};
static const int resets[] = {@RESETS@};  // level that asserts, -1: not a reset
static const int inputs = @INPUTS@, outputs = @OUTPUTS@, clocks = @CLOCKS@;
static std::unique_ptr<VerilatedContext> context;
static std::unique_ptr<Vhwgen_cosim> top;

static inline void put(CData& to, const Word* from) { to = static_cast<CData>(from[0]); }
static inline void put(SData& to, const Word* from) { to = static_cast<SData>(from[0]); }
static inline void put(IData& to, const Word* from) { to = from[0]; }
static inline void put(QData& to, const Word* from) {
  to = static_cast<QData>(from[1]) << 32 | from[0];
}
template <std::size_t N> static inline void put(VlWide<N>& to, const Word* from) {
  for (std::size_t k = 0; k < N; ++k) to[k] = from[k];
}
static inline Word* get(CData from, Word* to) { *to = from; return to + 1; }
static inline Word* get(SData from, Word* to) { *to = from; return to + 1; }
static inline Word* get(IData from, Word* to) { *to = from; return to + 1; }
static inline Word* get(QData from, Word* to) {
  to[0] = static_cast<Word>(from);
  to[1] = static_cast<Word>(from >> 32);
  return to + 2;
}
template <std::size_t N> static inline Word* get(const VlWide<N>& from, Word* to) {
  for (std::size_t k = 0; k < N; ++k) to[k] = from[k];
  return to + N;
}

static void poke(uint32_t input, const Word* words) {
  switch (input) {
@PUT@    default: std::fprintf(stderr, "no input %u\n", input); std::exit(2);
  }
}
static void peek(Word* to) {
@GET@  (void)to;
}
static int words_of(int width) { return (width + 31) / 32; }
static int words_of(const int* widths, int count) {
  int sum = 0;
  for (int k = 0; k < count; ++k) sum += words_of(widths[k]);
  return sum;
}

// Inputs start at 0, whatever registers start at. An asynchronous reset takes effect at an edge, so
// those that are asserted by the inputs' first zeros are released once before.
static void power_up() {
  bool low = false;
  for (int k = 0; k < inputs; ++k) {
    const std::vector<Word> zeros(words_of(input_widths[k]) + 1);
    poke(k, zeros.data());
  }
  Word words[2] = {1, 0};
  for (int k = 0; k < inputs; ++k) {
    if (resets[k] == 0) { poke(k, words); low = true; }
  }
  top->eval();
  if (!low) return;
  words[0] = 0;
  for (int k = 0; k < inputs; ++k) {
    if (resets[k] == 0) poke(k, words);
  }
  top->eval();
}
static inline void edges(Word mask) {
  top->ck = mask;
  top->eval();
  top->ck = 0;
  top->eval();
}

// Requests.
static unsigned char buffer[1 << 16];
static std::size_t at = 0, end = 0;
static void read_bytes(void* to, std::size_t count) {
  unsigned char* into = static_cast<unsigned char*>(to);
  while (count > 0) {
    if (at == end) {
      const ssize_t got = read(0, buffer, sizeof buffer);
      if (got <= 0) std::_Exit(0);
      at = 0;
      end = static_cast<std::size_t>(got);
    }
    const std::size_t some = count < end - at ? count : end - at;
    std::memcpy(into, buffer + at, some);
    into += some;
    at += some;
    count -= some;
  }
}
static Word read_word() { Word word; read_bytes(&word, sizeof word); return word; }
static void serve(int out) {
  std::vector<Word> answer(words_of(output_widths, outputs) + 1), words;
  for (bool settled = true;;) {
    unsigned char request;
    read_bytes(&request, 1);
    if (request == 1) {
      const Word input = read_word();
      if (input >= static_cast<Word>(inputs)) std::exit(2);
      words.resize(words_of(input_widths[input]));
      read_bytes(words.data(), words.size() * sizeof(Word));
      poke(input, words.data());
      settled = false;
      if (resets[input] >= 0) { top->eval(); settled = true; }
    } else if (request == 2) {
      const Word mask = read_word();
      if (!settled) top->eval();
      edges(mask);
      settled = true;
    } else if (request == 3) {
      if (!settled) top->eval();
      settled = true;
      peek(answer.data());
      const char* from = reinterpret_cast<const char*>(answer.data());
      std::size_t left = (answer.size() - 1) * sizeof(Word);
      while (left > 0) {
        const ssize_t sent = write(out, from, left);
        if (sent <= 0) std::_Exit(0);
        from += sent;
        left -= static_cast<std::size_t>(sent);
      }
    } else {
      std::fprintf(stderr, "no request %d\n", request);
      std::exit(2);
    }
  }
}

// The race: xorshift64 into the inputs, FNV-1a over 64-bit words of the outputs.
static uint64_t state;
static inline uint64_t next_random() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
static inline void draw(int width, Word* words) {
  for (int k = 0; width > 0; k += 2, width -= 64) {
    uint64_t bits = next_random();
    if (width < 64) bits &= (UINT64_C(1) << width) - 1;
    words[k] = static_cast<Word>(bits);
    words[k + 1] = static_cast<Word>(bits >> 32);
  }
}
static inline uint64_t mix(uint64_t sum, uint64_t word) {
  return (sum ^ word) * UINT64_C(0x100000001b3);
}
static inline uint64_t fold(uint64_t sum, QData value) { return mix(sum, value); }
template <std::size_t N> static inline uint64_t fold(uint64_t sum, const VlWide<N>& value) {
  for (std::size_t k = 0; k < N; k += 2) {
    sum = mix(sum, (k + 1 < N ? static_cast<uint64_t>(value[k + 1]) << 32 : 0) | value[k]);
  }
  return sum;
}
static inline void draw_inputs() {
  Word words[2050];
@DRAW@  (void)words;
}
static inline uint64_t fold_outputs(uint64_t sum) {
@FOLD@  return sum;
}
static void race(uint64_t cycles, bool held) {
  const Word all = clocks ? static_cast<Word>((UINT64_C(1) << clocks) - 1) : 0;
  for (int step = 1; step >= 0; --step) {
    for (int k = 0; k < inputs; ++k) {
      const Word level[2] = {static_cast<Word>(step ? resets[k] : !resets[k]), 0};
      if (resets[k] >= 0) poke(k, level);
    }
    top->eval();
    if (step) { edges(all); edges(all); }
  }
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  auto began = std::chrono::steady_clock::now();
  for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
    if (cycle == 0 || !held) draw_inputs();
    edges(all);
    if (cycle + 1 == cycles || !held) sum = fold_outputs(sum);
    if (cycle == 0) began = std::chrono::steady_clock::now();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%.9f %016" PRIx64 "\n", took.count(), sum);
}

// serve RESET SEED | race RESET SEED CYCLES held|random
int main(int argc, char** argv) {
  if (argc < 4) return 2;
  context.reset(new VerilatedContext);
  context->randReset(std::atoi(argv[2]));
  context->randSeed(std::atoi(argv[3]));
  const bool races = std::strcmp(argv[1], "race") == 0;
  int out = -1;
  if (!races) {  // nothing that a model prints may get between the answers
    out = dup(1);
    dup2(2, 1);
  }
  top.reset(new Vhwgen_cosim(context.get()));
  power_up();
  if (!races) serve(out);
  if (argc < 6) return 2;
  state = std::strtoull(argv[3], nullptr, 10);
  race(std::strtoull(argv[4], nullptr, 10), std::strcmp(argv[5], "held") == 0);
  std::fflush(stdout);
  std::_Exit(0);
}
"#;
