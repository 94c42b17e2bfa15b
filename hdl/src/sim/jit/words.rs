//! Arithmetic on values of any width as instructions on their words.

use super::helpers;
use super::layout::limbs;
use crate::netlist::{BinaryOp, UnaryOp};
use crate::ty::Type;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, Signature, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::FunctionBuilder;

/// The words of a value, least significant first.
pub(super) type Words = Vec<Value>;

/// Writes instructions; values are `i64` words, conditions are words that are 0 or 1.
pub(super) struct WordBuilder<'f> {
    pub(super) ins: FunctionBuilder<'f>,
    pub(super) target: TargetFrontendConfig,
}

impl WordBuilder<'_> {
    pub(super) fn constant(&mut self, value: i64) -> Value {
        self.ins.ins().iconst(types::I64, value)
    }

    pub(super) fn condition(&mut self, cc: IntCC, a: Value, b: Value) -> Value {
        let bit = self.ins.ins().icmp(cc, a, b);
        self.ins.ins().uextend(types::I64, bit)
    }

    /// The low `width` bits of a word, extended to the whole word.
    pub(super) fn extend_word(&mut self, word: Value, width: u32, signed: bool) -> Value {
        let narrow = match width {
            64.. => return word,
            8 => Some(types::I8),
            16 => Some(types::I16),
            32 => Some(types::I32),
            _ => None,
        };
        match (narrow, signed) {
            (Some(narrow), _) => {
                let low = self.ins.ins().ireduce(narrow, word);
                match signed {
                    true => self.ins.ins().sextend(types::I64, low),
                    false => self.ins.ins().uextend(types::I64, low),
                }
            }
            (None, false) => self.ins.ins().band_imm_s(word, ((1u64 << width) - 1) as i64),
            (None, true) => {
                let up = self.ins.ins().ishl_imm_s(word, i64::from(64 - width));
                self.ins.ins().sshr_imm_s(up, i64::from(64 - width))
            }
        }
    }

    /// Makes the last word right for the type.
    pub(super) fn wrap(&mut self, mut words: Words, ty: Type) -> Words {
        words.truncate(limbs(ty));
        let top_width = ty.width - 64 * (limbs(ty) as u32 - 1);
        if let Some(top) = words.last_mut() {
            *top = self.extend_word(*top, top_width, ty.signed);
        }
        words
    }

    /// The value's pattern: zeros above its width.
    pub(super) fn pattern(&mut self, words: Words, ty: Type) -> Words {
        if !ty.signed {
            return words;
        }
        self.wrap(words, Type { signed: false, ..ty })
    }

    /// A value of type `from` extended by its own sign and read as `to`.
    pub(super) fn cast(&mut self, mut words: Words, from: Type, to: Type) -> Words {
        let fill = match from.signed && limbs(to) > words.len() {
            true => self.ins.ins().sshr_imm_s(words[words.len() - 1], 63),
            false if limbs(to) > words.len() => self.constant(0),
            false => words[0],
        };
        words.resize(limbs(to), fill);
        let holds = from.signed == to.signed || (!from.signed && to.width > from.width);
        if holds { words } else { self.wrap(words, to) }
    }

    pub(super) fn slice(&mut self, words: &Words, low: u32, to: Type) -> Words {
        let (skip, bits) = ((low / 64) as usize, i64::from(low % 64));
        let mut out = vec![];
        for i in 0..limbs(to) {
            let mut word = words[skip + i];
            if bits > 0 {
                word = self.ins.ins().ushr_imm_s(word, bits);
                let rest = to.width as i64 - 64 * i as i64;
                if rest > 64 - bits
                    && let Some(&next) = words.get(skip + i + 1)
                {
                    let high = self.ins.ins().ishl_imm_s(next, 64 - bits);
                    word = self.ins.ins().bor(word, high);
                }
            }
            out.push(word);
        }
        self.wrap(out, to)
    }

    /// Patterns side by side, most significant first.
    pub(super) fn concat(&mut self, parts: Vec<(Words, Type)>, to: Type) -> Words {
        let mut out: Vec<Option<Value>> = vec![None; limbs(to)];
        let mut low = 0u32;
        for (words, ty) in parts.into_iter().rev() {
            // What sticks out of the result needs no masking.
            let words = if low + ty.width == to.width && (low + ty.width).is_multiple_of(64) {
                words
            } else {
                self.pattern(words, ty)
            };
            let bits = i64::from(low % 64);
            for (i, word) in words.into_iter().enumerate() {
                let at = (low / 64) as usize + i;
                let here = if bits > 0 { self.ins.ins().ishl_imm_s(word, bits) } else { word };
                self.merge(&mut out[at], here);
                let ends = low as i64 % 64 + (i64::from(ty.width) - 64 * i as i64).min(64);
                if ends > 64 {
                    let above = self.ins.ins().ushr_imm_s(word, 64 - bits);
                    self.merge(&mut out[at + 1], above);
                }
            }
            low += ty.width;
        }
        out.into_iter().map(|word| word.unwrap_or_else(|| self.constant(0))).collect()
    }

    fn merge(&mut self, into: &mut Option<Value>, word: Value) {
        *into = Some(match *into {
            None => word,
            Some(there) => self.ins.ins().bor(there, word),
        });
    }

    pub(super) fn select(&mut self, condition: Value, yes: &Words, no: &Words) -> Words {
        (yes.iter().zip(no)).map(|(&yes, &no)| self.ins.ins().select(condition, yes, no)).collect()
    }

    fn any(&mut self, words: &[Value]) -> Value {
        let mut all = words[0];
        for &word in &words[1..] {
            all = self.ins.ins().bor(all, word);
        }
        all
    }

    pub(super) fn unary(&mut self, op: UnaryOp, a: Words, from: Type) -> Words {
        let zero = self.constant(0);
        match op {
            UnaryOp::Not => {
                let words = a.into_iter().map(|word| self.ins.ins().bnot(word)).collect();
                if from.signed { words } else { self.wrap(words, from) }
            }
            UnaryOp::Neg => {
                let zeros = vec![zero; a.len()];
                let words = self.add(&zeros, &a, true);
                self.wrap(words, from)
            }
            UnaryOp::ReduceAnd => {
                let inverse = self.unary(UnaryOp::Not, a, from);
                let any = self.any(&inverse);
                vec![self.condition(IntCC::Equal, any, zero)]
            }
            UnaryOp::ReduceOr => {
                let any = self.any(&a);
                vec![self.condition(IntCC::NotEqual, any, zero)]
            }
            UnaryOp::ReduceXor => {
                let words = self.pattern(a, from);
                let mut all = words[0];
                for &word in &words[1..] {
                    all = self.ins.ins().bxor(all, word);
                }
                let ones = self.ins.ins().popcnt(all);
                vec![self.ins.ins().band_imm_s(ones, 1)]
            }
        }
    }

    /// The sum, or the difference if it is asked `less`, before wrapping.
    pub(super) fn add(&mut self, a: &Words, b: &Words, less: bool) -> Words {
        let mut carry: Option<Value> = None;
        let last = a.len() - 1;
        let mut out = vec![];
        for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
            let part = self.add_word(a, b, less);
            let full = carry.map_or(part, |carry| self.add_word(part, carry, less));
            if i < last {
                // the sum is less than a summand, or what is taken off is more than is there
                let mut carries = |sum, a, b| {
                    let (a, b) = if less { (a, b) } else { (sum, a) };
                    self.condition(IntCC::UnsignedLessThan, a, b)
                };
                let first = carries(part, a, b);
                let second = carry.map(|carry| carries(full, part, carry));
                let both = |second| self.ins.ins().bor(first, second);
                carry = Some(second.map_or(first, both));
            }
            out.push(full);
        }
        out
    }

    fn add_word(&mut self, a: Value, b: Value, less: bool) -> Value {
        if less { self.ins.ins().isub(a, b) } else { self.ins.ins().iadd(a, b) }
    }

    pub(super) fn bitwise(&mut self, op: BinaryOp, a: &Words, b: &Words) -> Words {
        (a.iter().zip(b))
            .map(|(&a, &b)| match op {
                BinaryOp::And => self.ins.ins().band(a, b),
                BinaryOp::Or => self.ins.ins().bor(a, b),
                _ => self.ins.ins().bxor(a, b),
            })
            .collect()
    }

    pub(super) fn compare(&mut self, op: BinaryOp, a: &Words, b: &Words, ty: Type) -> Value {
        match op {
            BinaryOp::Gt => return self.compare(BinaryOp::Lt, b, a, ty),
            BinaryOp::Le => {
                let greater = self.compare(BinaryOp::Lt, b, a, ty);
                return self.ins.ins().bxor_imm_s(greater, 1);
            }
            BinaryOp::Ge => {
                let less = self.compare(BinaryOp::Lt, a, b, ty);
                return self.ins.ins().bxor_imm_s(less, 1);
            }
            BinaryOp::Lt => {}
            _ => {
                let cc = if op == BinaryOp::Eq { IntCC::Equal } else { IntCC::NotEqual };
                if let ([a], [b]) = (&a[..], &b[..]) {
                    return self.condition(cc, *a, *b);
                }
                let differ = self.bitwise(BinaryOp::Xor, a, b);
                let (any, zero) = (self.any(&differ), self.constant(0));
                return self.condition(cc, any, zero);
            }
        }
        let mut less: Option<Value> = None;
        for (i, (&a_word, &b_word)) in a.iter().zip(b).enumerate() {
            let top = i + 1 == a.len() && ty.signed;
            let cc = if top { IntCC::SignedLessThan } else { IntCC::UnsignedLessThan };
            let here = self.condition(cc, a_word, b_word);
            less = Some(match less {
                None => here,
                Some(below) => {
                    let same = self.ins.ins().icmp(IntCC::Equal, a_word, b_word);
                    self.ins.ins().select(same, below, here)
                }
            });
        }
        less.unwrap_or_else(|| self.constant(0))
    }

    /// The exact product, whose type is `to`.
    pub(super) fn mul(&mut self, a: &Words, b: &Words, to: Type) -> Words {
        if let ([a], [b]) = (&a[..], &b[..]) {
            let low = self.ins.ins().imul(*a, *b);
            if limbs(to) == 1 {
                return vec![low];
            }
            let high = match to.signed {
                true => self.ins.ins().smulhi(*a, *b),
                false => self.ins.ins().umulhi(*a, *b),
            };
            return vec![low, high];
        }
        let length = limbs(to);
        let (to_at, a_at, b_at) = (self.space(length), self.spill(a), self.spill(b));
        let arguments = [
            to_at,
            self.constant(length as i64),
            a_at,
            self.constant(a.len() as i64),
            b_at,
            self.constant(b.len() as i64),
            self.constant(i64::from(to.signed)),
        ];
        self.call(helpers::multiply as *const () as usize, &arguments);
        let words = self.reload(to_at, length);
        self.wrap(words, to)
    }

    /// A wide value shifted by an amount that is not known; wrapping a left shift is the caller's.
    pub(super) fn shift_wide(&mut self, op: BinaryOp, a: &Words, amount: Value, ty: Type) -> Words {
        let (to_at, a_at) = (self.space(a.len()), self.spill(a));
        let length = self.constant(a.len() as i64);
        if op == BinaryOp::Shl {
            let address = helpers::shift_left as *const () as usize;
            self.call(address, &[to_at, a_at, length, amount]);
        } else {
            let signed = self.constant(i64::from(ty.signed));
            let address = helpers::shift_right as *const () as usize;
            self.call(address, &[to_at, a_at, length, amount, signed]);
        }
        self.reload(to_at, a.len())
    }

    /// A one-word value shifted; `most` is the largest amount. Wrapping a left shift is the
    /// caller's.
    pub(super) fn shift_word(
        &mut self,
        op: BinaryOp,
        a: Value,
        amount: Value,
        most: i128,
        signed: bool,
    ) -> Value {
        if op == BinaryOp::Shr && signed {
            let amount = if most > 63 {
                let limit = self.constant(63);
                self.ins.ins().umin(amount, limit)
            } else {
                amount
            };
            return self.ins.ins().sshr(a, amount);
        }
        let shifted = match op {
            BinaryOp::Shl => self.ins.ins().ishl(a, amount),
            _ => self.ins.ins().ushr(a, amount),
        };
        if most <= 63 {
            return shifted;
        }
        let (limit, zero) = (self.constant(64), self.constant(0));
        let fits = self.ins.ins().icmp(IntCC::UnsignedLessThan, amount, limit);
        self.ins.ins().select(fits, shifted, zero)
    }

    /// A value of `length` words from `words` shifted by a known amount.
    pub(super) fn shift_known(&mut self, op: BinaryOp, a: &Words, amount: u32, ty: Type) -> Words {
        let amount = amount.min(ty.width);
        let skip = (amount / 64) as usize;
        let bits = i64::from(amount % 64);
        let zero = self.constant(0);
        let fill = match ty.signed && op == BinaryOp::Shr {
            true => self.ins.ins().sshr_imm_s(a[a.len() - 1], 63),
            false => zero,
        };
        let mut out = vec![];
        for i in 0..a.len() {
            let at = |from: Option<usize>| from.and_then(|i| a.get(i)).copied();
            let word = match op {
                BinaryOp::Shl => {
                    let high = at(i.checked_sub(skip)).unwrap_or(zero);
                    let low = at(i.checked_sub(skip + 1)).unwrap_or(zero);
                    self.funnel(high, low, bits, true)
                }
                _ => {
                    let low = at(Some(i + skip)).unwrap_or(fill);
                    let high = at(Some(i + skip + 1)).unwrap_or(fill);
                    self.funnel(low, high, bits, false)
                }
            };
            out.push(word);
        }
        out
    }

    /// `main` shifted left or right by `bits`, the gap filled from `next`.
    fn funnel(&mut self, main: Value, next: Value, bits: i64, left: bool) -> Value {
        if bits == 0 {
            return main;
        }
        let (kept, filled) = match left {
            true => {
                (self.ins.ins().ishl_imm_s(main, bits), self.ins.ins().ushr_imm_s(next, 64 - bits))
            }
            false => {
                (self.ins.ins().ushr_imm_s(main, bits), self.ins.ins().ishl_imm_s(next, 64 - bits))
            }
        };
        self.ins.ins().bor(kept, filled)
    }

    /// The address of fresh stack space for `length` words.
    fn space(&mut self, length: usize) -> Value {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * length as u32, 3);
        let slot = self.ins.create_sized_stack_slot(data);
        self.ins.ins().stack_addr(types::I64, slot, 0)
    }

    fn spill(&mut self, words: &Words) -> Value {
        let at = self.space(words.len());
        for (i, &word) in words.iter().enumerate() {
            self.ins.ins().store(super::lower::flags(), word, at, 8 * i as i32);
        }
        at
    }

    fn reload(&mut self, at: Value, length: usize) -> Words {
        (0..length)
            .map(|i| self.ins.ins().load(types::I64, super::lower::flags(), at, 8 * i as i32))
            .collect()
    }

    /// Calls a helper whose arguments are all words and that returns nothing.
    pub(super) fn call(&mut self, address: usize, arguments: &[Value]) {
        let mut signature = Signature::new(self.target.default_call_conv);
        signature.params = vec![AbiParam::new(types::I64); arguments.len()];
        let signature = self.ins.import_signature(signature);
        let address = self.constant(address as i64);
        self.ins.ins().call_indirect(signature, address, arguments);
    }
}
