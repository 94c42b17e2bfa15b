//! What becomes of gradients: stochastic descent with momentum for weights, Adam for thresholds.

use super::Schedule;
use crate::supernet::{Numbers, Role};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::{MomentumConfig, MomentumState};
use burn::optim::{Optimizer, RecordState, SgdConfig, SgdState, StateSink};
use burn::tensor::{Tensor, TensorData};

/// How fast ranges learn, of what weights do: they are few, and all of an activation pulls at them.
const RANGE_RATE: f64 = 0.05;

pub(super) struct Learner {
    /// How each parameter moves, once it has.
    pub(super) states: Vec<Option<SgdState<4>>>,
}

impl Learner {
    pub(super) fn new(numbers: &Numbers) -> Learner {
        Learner { states: vec![None; numbers.parameters.len()] }
    }

    pub(super) fn learn(
        &mut self,
        numbers: &mut Numbers,
        gradients: Vec<Option<Tensor<4>>>,
        rate: f64,
        schedule: &Schedule,
    ) {
        let momentum =
            MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
        let plain = SgdConfig::new().with_momentum(Some(momentum));
        let decayed =
            plain.clone().with_weight_decay(Some(WeightDecayConfig::new(schedule.decay as f32)));
        let (plain, decayed) = (plain.build(), decayed.build());
        let all = numbers.parameters.iter_mut().zip(gradients).zip(&mut self.states);
        for ((parameter, gradient), state) in all {
            let Some(gradient) = gradient else { continue };
            let (optimizer, rate) = match parameter.role {
                Role::Weights => (&decayed, rate),
                Role::Range | Role::Threshold => (&plain, rate * RANGE_RATE),
                Role::Gamma | Role::Beta => (&plain, rate),
            };
            let value = parameter.value.clone();
            (parameter.value, *state) = optimizer.step(rate, value, gradient, state.take());
        }
    }
}

/// A parameter's velocity as numbers, if it has moved.
pub(super) fn velocity(state: &SgdState<4>) -> Option<TensorData> {
    let mut sink = StateSink::default();
    state.state_flatten("", &mut sink);
    sink.tensors.pop().map(|(_, velocity)| velocity)
}

/// The state of a parameter that has this velocity.
pub(super) fn moving(velocity: Tensor<4>) -> SgdState<4> {
    SgdState { momentum: Some(MomentumState::new(velocity)) }
}
