//! Limits on what the daemon uses: CPU, the camera beside other programs, the battery.

use std::{path::PathBuf, time::Duration};

use super::{Keeper, handover};
use crate::{config::Config, cost::Profile};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturePolicy {
    /// The device behind the source, as [`crate::capture::device::from_source`] names it.
    pub device: Option<PathBuf>,
    /// Whether the camera is handed to a program that waits for it.
    pub yield_to_others: bool,
    /// The frame rate is lowered when the daemon uses more of one core than this; 0 means no limit.
    pub max_cpu_percent: u32,
    /// Whether to observe all the time or to sample.
    pub profile: Profile,
    /// Whether the person wears glasses; `None` where they did not say.
    pub glasses: Option<bool>,
}

impl Default for CapturePolicy {
    fn default() -> Self {
        Self { device: None, yield_to_others: true, max_cpu_percent: 25, profile: Profile::Auto, glasses: None }
    }
}

impl Keeper {
    /// Lowers the frame rate when the daemon uses more CPU than allowed.
    pub(super) fn set_pace(&mut self, mono: Duration) {
        if let Some(cpu_percent) = self.deps.meter.measured() {
            let fps = self.counting.figures.fps(mono);
            let limit = f64::from(self.deps.policy.max_cpu_percent);
            let pace = self.governor.advise(limit, cpu_percent, fps);
            self.deps.control.set_pace(pace);
        }
    }

    /// Takes settings that were read again.
    pub fn take_settings(&mut self, config: &Config) {
        self.deps.source = config.source.to_string();
        if self.deps.retention_days != config.retention_days {
            self.deps.retention_days = config.retention_days;
            self.records.pruned = None;
            self.clocks.take_at_its_word();
        }
        self.set_policy(config.capture_policy());
    }

    /// Replaces the policy. The source itself is not reopened.
    pub fn set_policy(&mut self, policy: CapturePolicy) {
        if policy.device != self.deps.policy.device {
            self.camera_users = handover::CameraUsers::of_device(policy.device.clone());
        }
        self.deps.policy = policy;
        self.tick();
    }
}
