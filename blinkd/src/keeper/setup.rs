//! Notes what measures from now on, so that figures of different cameras, detectors, or with and without glasses are not
//! compared.

use blink_profile::setups::{self, SetupLine, source_name};
use blink_vision::native::camera;

use super::Keeper;

impl Keeper {
    /// Adds a line where something changed. Without one the figures are only less exactly told apart, so a failure stops
    /// nothing.
    pub(super) fn note_setup(&self) {
        let name = self.deps.policy.device.as_deref().and_then(camera::name_of);
        let line = SetupLine {
            from: self.deps.clock.now(),
            camera: name.unwrap_or_else(|| source_name(&self.deps.source)),
            detector: blink_vision::DETECTOR.to_owned(),
            glasses: self.deps.policy.glasses,
        };
        if let Err(error) = setups::note(&self.deps.paths, &line) {
            tracing::warn!(kind = %error.kind(), "what measures from now on could not be noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use blink_profile::setups::source_name;

    use crate::{capture::CaptureEvent, keeper::CapturePolicy, testing::TempProfile};

    #[test]
    fn a_change_is_noted_once() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        keeper.news(CaptureEvent::Opened);
        keeper.news(CaptureEvent::Opened);
        drop(keeper);
        let place = place.with(CapturePolicy { glasses: Some(true), ..CapturePolicy::default() });
        place.consenting().news(CaptureEvent::Opened);
        let lines = blink_profile::setups::read(&place.paths()).unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.camera.clone(), line.glasses)).collect();
        assert_eq!(told, [(source_name("synthetic"), None), (source_name("synthetic"), Some(true))]);
    }
}
