//! Speech: [`mfcc`], features of a clip, and [`listen`], clips out of a stream of samples.

pub mod listen;
pub mod mfcc;
