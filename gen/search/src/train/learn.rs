//! What becomes of gradients: stochastic descent with momentum for weights, Adam for thresholds.

use super::Schedule;
use crate::supernet::{Numbers, Parameter, Role};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::{MomentumConfig, MomentumState};
use burn::optim::{
    Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer, RecordState, Sgd, SgdConfig,
    SgdState, StateSink,
};
use burn::tensor::{Tensor, TensorData};

/// How fast ranges learn, of what weights do: they are few, and all of an activation pulls at them.
const RANGE_RATE: f64 = 0.05;

/// How fast thresholds learn, of what weights do.
const THRESHOLD_RATE: f64 = 1.0;

/// How a parameter moves.
#[derive(Clone)]
enum Motion {
    Momentum(Box<SgdState<4>>),
    Adaptive(Box<AdamState<4>>),
}

/// How all parameters move, once they have.
pub(super) struct Learner {
    motions: Vec<Option<Motion>>,
}

struct Optimizers {
    plain: Sgd,
    decayed: Sgd,
    adaptive: Adam,
}

impl Learner {
    pub(super) fn new(numbers: &Numbers) -> Learner {
        Learner { motions: vec![None; numbers.parameters.len()] }
    }

    pub(super) fn learn(
        &mut self,
        numbers: &mut Numbers,
        gradients: Vec<Option<Tensor<4>>>,
        rate: f64,
        schedule: &Schedule,
    ) {
        let optimizers = Optimizers::new(schedule.decay);
        let all = numbers.parameters.iter_mut().zip(gradients).zip(&mut self.motions);
        for ((parameter, gradient), motion) in all {
            let stays = schedule.frozen && parameter.role == Role::Weights;
            if let Some(gradient) = gradient.filter(|_| !stays) {
                optimizers.learn(parameter, gradient, rate, motion);
            }
        }
    }

    /// A parameter's moments by name.
    pub(super) fn moments(&self, place: usize) -> Vec<(String, TensorData)> {
        let mut sink = StateSink::default();
        match &self.motions[place] {
            None => {}
            Some(Motion::Momentum(state)) => state.state_flatten("", &mut sink),
            Some(Motion::Adaptive(state)) => state.state_flatten("", &mut sink),
        }
        let leaf = |name: String| name.rsplit('.').next().unwrap_or_default().to_owned();
        sink.tensors.into_iter().map(|(name, data)| (leaf(name), data)).collect()
    }

    /// Moments of a parameter after so many steps, as they were told.
    pub(super) fn restore(
        &mut self,
        place: usize,
        step: usize,
        moment: impl Fn(&str) -> Option<Tensor<4>>,
    ) {
        let adaptive = || Some((moment("moment_1")?, moment("moment_2")?));
        self.motions[place] = match (moment("velocity"), adaptive()) {
            (Some(velocity), _) => Some(Motion::Momentum(Box::new(SgdState {
                momentum: Some(MomentumState::new(velocity)),
            }))),
            (_, Some((first, second))) => {
                let momentum = AdaptiveMomentumState::new(step, first, second);
                Some(Motion::Adaptive(Box::new(AdamState { momentum })))
            }
            _ => None,
        };
    }
}

impl Optimizers {
    fn new(decay: f64) -> Optimizers {
        let momentum =
            MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
        let plain = SgdConfig::new().with_momentum(Some(momentum));
        let decay = WeightDecayConfig::new(decay as f32);
        let decayed = plain.clone().with_weight_decay(Some(decay));
        Optimizers {
            plain: plain.build(),
            decayed: decayed.build(),
            adaptive: AdamConfig::new().build(),
        }
    }

    fn learn(
        &self,
        parameter: &mut Parameter,
        gradient: Tensor<4>,
        rate: f64,
        motion: &mut Option<Motion>,
    ) {
        let value = parameter.value.clone();
        let (optimizer, rate) = match parameter.role {
            Role::Threshold => {
                let state = match motion.take() {
                    Some(Motion::Adaptive(state)) => Some(*state),
                    _ => None,
                };
                let rate = rate * THRESHOLD_RATE;
                let (value, state) = self.adaptive.step(rate, value, gradient, state);
                (parameter.value, *motion) = (value, state.map(Box::new).map(Motion::Adaptive));
                return;
            }
            Role::Weights => (&self.decayed, rate),
            Role::Range => (&self.plain, rate * RANGE_RATE),
            Role::Gamma | Role::Beta => (&self.plain, rate),
        };
        let state = match motion.take() {
            Some(Motion::Momentum(state)) => Some(*state),
            _ => None,
        };
        let (value, state) = optimizer.step(rate, value, gradient, state);
        (parameter.value, *motion) = (value, state.map(Box::new).map(Motion::Momentum));
    }
}
