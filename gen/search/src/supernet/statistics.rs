//! Means and variances of what is normalized, which an inference takes instead of its batch's.

/// A layer's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// A mean a channel.
    pub mean: Vec<f32>,
    /// A variance a channel.
    pub variance: Vec<f32>,
}

/// Those of a subnet's nodes; empty where nothing is normalized.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// In the nodes' order.
    pub nodes: Vec<Moments>,
}
