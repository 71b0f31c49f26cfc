//! How considerate the daemon is: what it may cost, and when it gives way.

use std::{path::PathBuf, time::Duration};

use super::{Keeper, handover};
use crate::cost::Profile;

/// How considerate it is of the machine and of other programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manners {
    /// The device behind the source, as [`crate::capture::device::of_source`] tells it.
    pub device: Option<PathBuf>,
    /// Whether the camera is handed to a program that waits for it.
    pub yield_to_others: bool,
    /// The frame rate is lowered where the daemon costs more of one core; 0 for no limit.
    pub max_cpu_percent: u32,
    /// Whether to look all the time or in windows.
    pub profile: Profile,
}

impl Default for Manners {
    fn default() -> Self {
        Self { device: None, yield_to_others: true, max_cpu_percent: 25, profile: Profile::Auto }
    }
}

impl Keeper {
    /// Asks for fewer frames where it costs more than it may.
    pub(super) fn set_pace(&mut self, mono: Duration) {
        if let Some(cpu_percent) = self.setup.meter.measured() {
            let fps = self.figures.fps(mono);
            let limit = f64::from(self.setup.manners.max_cpu_percent);
            let pace = self.governor.advise(limit, cpu_percent, fps);
            self.setup.gate.set_pace(pace);
        }
    }

    /// Takes other manners. The source itself stays as it is.
    pub fn set_manners(&mut self, manners: Manners) {
        if manners.device != self.setup.manners.device {
            self.sharing = handover::Sharing::of(manners.device.clone());
        }
        self.setup.manners = manners;
        self.tick();
    }
}
