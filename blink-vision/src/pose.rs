//! The direction of the head, from five landmarks.
//!
//! The model is weak perspective on a generic head, whose outer eye corners are 450 units apart, and the tip of whose
//! nose is 218 in front of them and 192 below (the proportions of MediaPipe's canonical face model: landmarks 33, 263
//! and 1). Faces differ, so a pitch is only meaningful against the same face's usual one.

use crate::geometry::{Landmarks, Point};

const CORNERS_APART: f32 = 450.0;
const NOSE_FORWARD: f32 = 218.0;
const NOSE_BELOW: f32 = 192.0;

/// Head angles in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Positive when the head turns towards the right edge of the image.
    pub yaw: f32,
    /// Positive when the head is raised.
    pub pitch: f32,
    /// Positive when the head leans clockwise in the image.
    pub roll: f32,
}

impl Pose {
    /// The pose that fits the landmarks.
    #[must_use]
    pub fn from_landmarks(landmarks: &Landmarks) -> Self {
        let (right, left, nose) = (landmarks[36], landmarks[45], landmarks[30]);
        let axis = left - right;
        let apart = axis.norm().max(1e-3);
        let (across, down) = (axis * (1.0 / apart), Point::new(-axis.y, axis.x) * (1.0 / apart));
        let offset = nose - (right + left) * 0.5;
        let x = (offset.x * across.x + offset.y * across.y) / apart;
        let y = (offset.x * down.x + offset.y * down.y) / apart;
        let yaw = (x * CORNERS_APART / NOSE_FORWARD).atan();
        // The corners' distance shrinks with the cosine of the yaw; the terms of `below` and `forward` are combined
        // into one cosine.
        let radius = NOSE_BELOW.hypot(NOSE_FORWARD);
        let lean = (NOSE_FORWARD / NOSE_BELOW).atan();
        let lowered = lean - (y * CORNERS_APART * yaw.cos() / radius).clamp(-1.0, 1.0).acos();
        Self { yaw: yaw.to_degrees(), pitch: -lowered.to_degrees(), roll: axis.y.atan2(axis.x).to_degrees() }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::geometry::LANDMARKS;

    /// The generic head under parallel projection, turned by yaw, then pitch, in degrees.
    fn head(yaw: f32, pitch: f32) -> Landmarks {
        let (yaw, pitch) = (yaw.to_radians(), pitch.to_radians());
        let see = |x: f32, y: f32, z: f32| {
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            Point::new(300.0 + x / 4.0, 200.0 + (y * pitch.cos() - z * pitch.sin()) / 4.0)
        };
        let mut landmarks = [Point::default(); LANDMARKS];
        landmarks[36] = see(-225.0, 0.0, 0.0);
        landmarks[45] = see(225.0, 0.0, 0.0);
        landmarks[30] = see(0.0, NOSE_BELOW, NOSE_FORWARD);
        landmarks
    }

    #[rstest]
    #[case(0.0, 0.0)]
    #[case(25.0, 0.0)]
    #[case(-25.0, 0.0)]
    #[case(0.0, 20.0)]
    #[case(0.0, -15.0)]
    fn the_angles_of_the_generic_head_come_back(#[case] yaw: f32, #[case] pitch: f32) {
        let pose = Pose::from_landmarks(&head(yaw, pitch));
        assert!((pose.yaw - yaw).abs() < 1.0, "{pose:?}");
        assert!((pose.pitch - pitch).abs() < 1.0, "{pose:?}");
        assert!(pose.roll.abs() < 0.1);
    }
}
