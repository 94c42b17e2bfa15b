//! The streams and ports of a design, as channels.

use super::MOST_DATA;
use hwgen_hdl::netlist::{Direction, Module, NodeId};
use hwgen_hdl::{Fields, Int, Type, u};
use thiserror::Error;

/// The most channels, both ways together.
pub const MOST_CHANNELS: usize = 16;

/// A way into the design, or out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The stream's or port's name.
    pub name: String,
    /// It is a stream: beats wait for each other. Else a port.
    pub stream: bool,
    /// It has a field `last`, which is not among the others.
    pub last: bool,
    /// What a beat is made of, the first lowest.
    pub fields: Fields,
}

impl Channel {
    /// Bits of a beat.
    pub fn bits(&self) -> u32 {
        self.fields.iter().map(|(_, ty)| ty.width).sum()
    }

    /// Bytes of a beat.
    pub fn bytes(&self) -> usize {
        self.bits().div_ceil(8) as usize
    }

    /// The bytes of a beat of these values, a field each; of a value that does not fit, its low bits.
    pub fn pack(&self, values: &[Int]) -> Vec<u8> {
        let (mut beat, mut low) = (Int::ZERO, 0usize);
        for ((_, ty), value) in self.fields.iter().zip(values) {
            beat |= u(ty.width).wrap(value.clone()) << low;
            low += ty.width as usize;
        }
        let byte = |at: usize| u(8).wrap(&beat >> (8 * at));
        (0..self.bytes()).map(|at| u8::try_from(byte(at)).unwrap_or_default()).collect()
    }

    /// The values of a beat's fields.
    pub fn unpack(&self, bytes: &[u8]) -> Vec<Int> {
        let mut beat =
            bytes.iter().rev().fold(Int::ZERO, |beat, byte| (beat << 8) | Int::from(*byte));
        let field = |(_, ty): &(String, Type)| {
            let value = ty.wrap(beat.clone());
            beat >>= ty.width as usize;
            value
        };
        self.fields.iter().map(field).collect()
    }
}

/// All channels of a design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    /// From the host to the design.
    pub incoming: Vec<Channel>,
    /// From the design to the host.
    pub outgoing: Vec<Channel>,
}

/// Why a design has no place behind the link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// More clocks than one.
    #[error("module `{module}` has {clocks} clocks; the link drives designs of one clock")]
    Clocks {
        /// The module.
        module: String,
        /// Its clocks.
        clocks: usize,
    },
    /// Too many.
    #[error(
        "module `{module}` has {channels} streams and other ports; the link has room for {MOST_CHANNELS}"
    )]
    TooMany {
        /// The module.
        module: String,
        /// What it has.
        channels: usize,
    },
    /// A beat that no packet holds.
    #[error(
        "a beat of `{channel}` of module `{module}` has {bytes} bytes; a packet holds 1 to {MOST_DATA}"
    )]
    Beat {
        /// The module.
        module: String,
        /// The channel.
        channel: String,
        /// Bytes of a beat.
        bytes: usize,
    },
}

impl Channels {
    /// The channels of a module: its streams, then the ports that belong to none.
    ///
    /// # Errors
    /// There are too many, or a beat is too large for a packet.
    pub fn of(module: &Module) -> Result<Channels, ChannelError> {
        let name = module.name.to_string();
        if module.clocks.len() != 1 {
            return Err(ChannelError::Clocks { module: name, clocks: module.clocks.len() });
        }
        let ty = |node: NodeId| module.nodes[node.index()].ty;
        let streams = |direction: Direction| {
            let of = module.streams.iter().filter(move |stream| stream.direction == direction);
            of.map(|stream| {
                let fields =
                    stream.payload.iter().map(|(name, node)| (name.to_string(), ty(*node)));
                let (last, fields): (Vec<_>, Fields) =
                    fields.partition(|(name, ty)| name == "last" && *ty == LAST);
                let name = stream.name.to_string();
                Channel { name, stream: true, last: !last.is_empty(), fields }
            })
        };
        // names, not nodes: an output may show another port's node
        let mut owned: Vec<String> = module
            .streams
            .iter()
            .flat_map(|stream| {
                let fields = stream.payload.iter().map(|(name, _)| &**name);
                fields.chain(["valid", "ready"]).map(|field| stream.port(field)).collect::<Vec<_>>()
            })
            .collect();
        let resets = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
        let reset = |node: NodeId| resets.clone().any(|reset| reset.signal == node);
        let resets = module.inputs.iter().filter(|port| reset(port.node));
        owned.extend(resets.map(|port| port.name.to_string()));
        let port = |port: &hwgen_hdl::netlist::Port| {
            let name = port.name.to_string();
            let fields = vec![("data".to_string(), port.ty)];
            (!owned.contains(&name)).then_some(Channel { name, stream: false, last: false, fields })
        };
        let incoming: Vec<_> =
            streams(Direction::In).chain(module.inputs.iter().filter_map(port)).collect();
        let outgoing: Vec<_> =
            streams(Direction::Out).chain(module.outputs.iter().filter_map(port)).collect();
        let channels = incoming.len() + outgoing.len();
        if channels > MOST_CHANNELS {
            return Err(ChannelError::TooMany { module: name, channels });
        }
        for channel in incoming.iter().chain(&outgoing) {
            if !(1..=MOST_DATA).contains(&channel.bytes()) {
                let (channel, bytes) = (channel.name.clone(), channel.bytes());
                return Err(ChannelError::Beat { module: name, channel, bytes });
            }
        }
        Ok(Channels { incoming, outgoing })
    }

    /// The number of the incoming channel of that name.
    pub fn incoming(&self, name: &str) -> Option<u8> {
        position(&self.incoming, name)
    }

    /// The number of the outgoing channel of that name.
    pub fn outgoing(&self, name: &str) -> Option<u8> {
        position(&self.outgoing, name)
    }
}

/// The type of `last`.
const LAST: Type = Type { width: 1, signed: false };

fn position(channels: &[Channel], name: &str) -> Option<u8> {
    channels.iter().position(|channel| channel.name == name).map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_designs::cnn::CnnSpec;
    use hwgen_designs::generate::Generate;

    #[test]
    fn channels_of_the_cnn_core() {
        let channels = Channels::of(&CnnSpec::default().build()).unwrap();
        let told = |channels: &[Channel]| {
            let each = channels.iter().map(|c| format!("{} {}", c.name, c.bytes()));
            each.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(&channels.incoming), "in 2, load 4, status_address 1");
        assert_eq!(told(&channels.outgoing), "out 2, status 4, waiting 1");
        assert!(channels.incoming[1].last && !channels.incoming[2].stream);
        assert_eq!((channels.incoming("load"), channels.outgoing("load")), (Some(1), None));
    }

    #[test]
    fn beats_are_packed_and_unpacked() {
        use hwgen_hdl::{fields, s};
        let fields = fields([("a", u(3)), ("b", s(70)), ("c", s(2)), ("d", u(1))]);
        let channel = Channel { name: "q".into(), stream: true, last: false, fields };
        let lowest = s(70).min();
        let values = [Int::from(5), lowest, Int::from(-1), Int::from(1)];
        let bytes = channel.pack(&values);
        assert_eq!(bytes, [5, 0, 0, 0, 0, 0, 0, 0, 0, 0xf]);
        assert_eq!(channel.unpack(&bytes), values);
    }
}
