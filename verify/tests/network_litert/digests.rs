//! What LiteRT's reference kernels wrote at every node of the random models: the comparison with
//! LiteRT renews the digests' proof, and the golden model is held to them where LiteRT is not.

use super::models;
use hwgen_network::import::import;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A model's name, runs, and the SHA-256 of all bytes that its nodes wrote in them.
pub(crate) const DIGESTS: &[(&str, usize, &str)] = &[
    ("small", 100, "49000e238aedaaefd07d46bcef2f55680c025100d02b910c3f2b259a03188b33"),
    ("operators", 4, "815cfc420577b820b7e5443744fc5d82e9bb7aebdefdf3d464362e194c20fd0b"),
    ("autoencoder", 10, "76162c7404e20e82386912c6e6e864686a4ce85f69de8361df545b878cde8abf"),
    ("mobilenet", 1, "f1a185dc028682a4a40aba0a8a37b0b8f5529e2ea2d78dc6316b78e373c6ec91"),
    ("streaming", 50, "be287dde8aee5a48ad3e18fd7a7610985526a0dd4af5b69f5333258f769ff5ed"),
    ("variants", 50, "5f05c108caec9fa0d4080f67fec80f57f31fe0f2f72c18117a8b399f6d2b3949"),
];

/// The model of this name.
pub(crate) fn model(name: &str) -> Vec<u8> {
    models::all().into_iter().find(|(known, ..)| *known == name).unwrap().1
}

/// Random bytes for a model's inputs.
pub(crate) fn random_inputs(model: &[u8], count: usize, seed: u64) -> Vec<Vec<u8>> {
    let network = import("model", model).unwrap_or_else(|error| panic!("{error}"));
    let length: usize = network.given().map(|tensor| tensor.elements()).sum();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| (0..length).map(|_| rng.random()).collect()).collect()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
