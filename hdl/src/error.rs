//! What can be wrong with a circuit, said as whole sentences with the author's line.

use crate::place::Place;
use crate::ty::{Int, MAX_WIDTH, Type};
use thiserror::Error;

/// A mistake in a circuit, found while it is built.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)] // each variant's text says what its fields are
pub enum HdlError {
    #[error("{at}: {what}: width {width} is outside 1..={MAX_WIDTH}")]
    WidthOutOfRange { at: Place, what: String, width: u64 },
    #[error("{at}: {op}: operands differ: `{left}` vs `{right}`; extend or cast one of them")]
    OperandsDiffer { at: Place, op: &'static str, left: String, right: String },
    #[error("{at}: {op}: operands differ in sign: `{left}` vs `{right}`; cast one of them")]
    SignsDiffer { at: Place, op: &'static str, left: String, right: String },
    #[error("{at}: {op}: `{operand}` is unsigned; negation needs a signed operand")]
    NegatesUnsigned { at: Place, op: &'static str, operand: String },
    #[error("{at}: constant {value} does not fit {ty} ({}..={})", Type::min(*ty), Type::max(*ty))]
    ConstantDoesNotFit { at: Place, value: Int, ty: Type },
    #[error("{at}: {role} must be u1, got `{got}`")]
    NotOneBit { at: Place, role: String, got: String },
    #[error("{at}: high: `{of}` has no {count} bits")]
    TooManyBits { at: Place, count: u32, of: String },
    #[error("{at}: slice [{high}:{low}] is outside `{of}`")]
    SliceOutOfRange { at: Place, high: u64, low: u64, of: String },
    #[error("{at}: extend: {to} bits cannot hold `{from}`; use `truncate` to drop bits")]
    ExtendNarrows { at: Place, from: String, to: u32 },
    #[error("{at}: {op}: the amount `{amount}` must be unsigned and at most 31 bits wide")]
    ShiftAmount { at: Place, op: &'static str, amount: String },
    #[error("{at}: {op}: two integers have no type; give one of them a type with `lit`")]
    NoType { at: Place, op: &'static str },
    #[error("{at}: {op} needs at least one operand")]
    NoOperands { at: Place, op: &'static str },
    #[error("{at}: select: `{index}` addresses {places} places, but {given} are given")]
    SelectCount { at: Place, index: String, places: u128, given: usize },
    #[error("{at}: {what} `{name}` is never driven; give it a value with `{how}`")]
    Undriven { at: Place, what: &'static str, name: String, how: &'static str },
    #[error("{at}: {what} is driven twice; the first time at {first}")]
    DrivenTwice { at: Place, what: String, first: Place },
    #[error("{at}: {what}: `{setting}` is said twice; the first time at {first}")]
    SaidTwice { at: Place, what: String, setting: &'static str, first: Place },
    #[error("{at}: {what}: `reset_to` has no effect without a reset and without `clear`")]
    ResetToWithoutReset { at: Place, what: String },
    #[error("{at}: clock `{clock}`: its reset is in use since {first}; say it before")]
    ResetTooLate { at: Place, clock: String, first: Place },
    #[error(
        "{at}: `default`: clock `{clock}` cannot be the default domain, which is `{default}` since {first}"
    )]
    DefaultTooLate { at: Place, clock: String, default: String, first: Place },
    #[error("{at}: {target} cannot take `{value}`: the types differ")]
    DriveType { at: Place, target: String, value: String },
    #[error("{at}: instance `{instance}` of `{module}`: input `{port}` is left open")]
    OpenPort { at: Place, instance: String, module: String, port: String },
    #[error("{at}: no port is called `{port}` so far: say what a port carries after it is made")]
    NoPort { at: Place, port: String },
    #[error(
        "{at}: instance `{instance}` of `{module}` has no {direction} `{port}`; it has {available}"
    )]
    NoSuchPort {
        at: Place,
        instance: String,
        module: String,
        direction: &'static str,
        port: String,
        available: String,
    },
    #[error(
        "{at}: instance `{instance}` of `{module}`: clock `{clock}` is left open; connect it with `clock(\"{clock}\", domain)`"
    )]
    OpenClock { at: Place, instance: String, module: String, clock: String },
    #[error("{at}: combinational loop: {path}")]
    CombinationalLoop { at: Place, path: String },
    #[error("{at}: `{name}` is not a usable name: {why}")]
    BadName { at: Place, name: String, why: &'static str },
    #[error("{at}: there is already a port or clock named `{name}`")]
    DuplicatePort { at: Place, name: String },
    #[error("{at}: memory `{name}`: depth {depth} is outside 1..={max}")]
    MemoryDepth { at: Place, name: String, depth: usize, max: usize },
    #[error("{at}: memory `{name}`: {given} initial words for {depth} places")]
    MemoryInit { at: Place, name: String, given: usize, depth: usize },
    #[error("{at}: memory `{name}`: initial word {index} is {value}, which does not fit {ty}")]
    MemoryWord { at: Place, name: String, index: usize, value: Int, ty: Type },
    #[error("{at}: memory `{name}`: the address must be u{want}, got `{got}`")]
    MemoryAddress { at: Place, name: String, want: u32, got: String },
    #[error("{at}: memory `{name}`: a mask of {mask} bits does not divide words of {width} bits")]
    MemoryMask { at: Place, name: String, mask: u32, width: u32 },
    #[error(
        "{at}: memory `{name}` is written by clock `{clock}` here and by clock `{other}` at {first}; \
         at simultaneous edges nobody knows which write is the last: let one clock write"
    )]
    MemoryWriters { at: Place, name: String, clock: String, other: String, first: Place },
    #[error("{at}: bundle has no field `{field}`; it has {available}")]
    NoSuchField { at: Place, field: String, available: String },
    #[error("{at}: unpack: `{got}` must have the fields' {want} bits; use `truncate` or `extend`")]
    UnpackWidth { at: Place, got: String, want: u64 },
    #[error(
        "{at}: stream `{stream}`: valid depends on its own ready ({path}); a source must not wait for its sink"
    )]
    ValidWaitsForReady { at: Place, stream: String, path: String },
    #[error("{at}: `{signal}` belongs to another module under construction")]
    ForeignSignal { at: Place, signal: String },
    #[error("{at}: clock `{clock}` belongs to another module under construction")]
    ForeignDomain { at: Place, clock: String },
    #[error(
        "{at}: {what} is looked at by clock `{default}`, but all state it reads belongs to {others}; \
         make it with the method of that domain"
    )]
    OtherDomain { at: Place, what: String, default: String, others: String },
    #[error(
        "{at}: clock `{clock}` has no reset, but {user} needs one; give it a reset or use `no_reset`"
    )]
    NoReset { at: Place, clock: String, user: String },
    #[error("two different modules are both named `{name}`; give one of them another name")]
    ModuleNameClash { name: String },
}

/// All mistakes found in one module, in the order they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildErrors {
    /// The module's name.
    pub module: String,
    /// At least one.
    pub errors: Vec<HdlError>,
}

impl std::fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "module `{}` cannot be built:", self.module)?;
        self.errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for BuildErrors {}
