//! Whether a recording shows a living person: it answers its challenge, shows one face throughout, runs on without a cut
//! or a repeated picture, and moves like a head where it moves enough to tell.
//!
//! The limits are measured: docs/liveness.md.

use blink_proto::faces::{ClipFace, ClipReport, Encoding, LEAST_FPS};

use super::challenge::{Answer, Challenge};
use crate::attendance::record::words;

words! {
    /// What a mark must prove.
    Mode {
        /// A recording whose blinks answer a challenge.
        Challenge = "challenge",
        /// Any recording with a blink; for demonstrations.
        Blink = "blink",
        /// Nothing: a picture is enough.
        Off = "off",
    }
}

words! {
    /// Why a mark was refused.
    Reason {
        NoFace = "no_face",
        SeveralFaces = "several_faces",
        TooDark = "too_dark",
        NotRecognized = "not_recognized",
        Ambiguous = "ambiguous",
        StillPicture = "still_picture",
        NoBlink = "no_blink",
        WrongBlinks = "wrong_blinks",
        OffCue = "off_cue",
        FaceChanged = "face_changed",
        Flat = "flat",
        Cut = "cut",
        TooFewFrames = "too_few_frames",
        ChallengeUsed = "challenge_used",
        ChallengeExpired = "challenge_expired",
    }
}

/// Faces that are turned less than this far from each other are compared. The encodings of one face spread up to 0.72
/// over all poses, and up to 0.34 over like ones.
const LIKE_POSE_DEGREES: f32 = 10.0;

/// Two like poses at a greater distance are of two people.
const FACE_CHANGED_BEYOND: f32 = 0.45;

/// A picture that stands still for longer, but for noise, is held: a living face did for at most 450 ms.
pub const LONGEST_REPEAT_MS: u32 = 750;

/// More pictures than this that were shown before, of 100, make a recording that goes round. Of living people's at most
/// 2.8 do.
pub const MOST_RETURNED_PERCENT: u64 = 5;

/// Longest time without a measurable face: a blink, and the exchange of a face, could happen in it unseen.
const LONGEST_GAP_MS: u32 = 500;

/// Faces that are turned no farther than this are compared with the enrolled ones, where there are any.
const FRONTAL_DEGREES: f32 = 15.0;

/// The mean of a recording's faces, of those that look into the camera where some do.
#[must_use]
pub fn face_of(clip: &ClipReport) -> Option<Encoding> {
    let frontal = clip.faces.iter().filter(|face| face.yaw.abs() <= FRONTAL_DEGREES).map(|face| &face.encoding);
    Encoding::mean(frontal).or_else(|| Encoding::mean(clip.faces.iter().map(|face| &face.encoding)))
}

/// Judges a recording.
///
/// # Errors
/// The first reason for which it proves nothing.
pub fn judge(mode: Mode, clip: &ClipReport, challenge: Option<&Challenge>) -> Result<(), Reason> {
    if mode == Mode::Off {
        return Ok(());
    }
    if clip.fps < LEAST_FPS {
        return Err(Reason::TooFewFrames);
    }
    let challenge = match mode {
        Mode::Challenge => Some(challenge.ok_or(Reason::ChallengeExpired)?),
        Mode::Blink | Mode::Off => None,
    };
    let end_ms = clip.first_ms.saturating_add(clip.duration_ms);
    if challenge.is_some_and(|challenge| end_ms < challenge.needed_ms()) {
        return Err(Reason::TooFewFrames);
    }
    runs_on(clip)?;
    one_face(&clip.faces)?;
    if challenge.is_some() && clip.longest_gap_ms > LONGEST_GAP_MS {
        return Err(Reason::TooFewFrames);
    }
    if clip.solidity.is_some_and(|solidity| solidity.is_flat()) {
        return Err(Reason::Flat);
    }
    let starts: Vec<u32> = clip.blinks.iter().map(|blink| blink.start_ms).collect();
    let answer = challenge.map_or_else(
        || if starts.is_empty() { Answer::NoBlink } else { Answer::Right },
        |challenge| challenge.judge(&starts),
    );
    match answer {
        Answer::Right => Ok(()),
        Answer::NoBlink => Err(Reason::NoBlink),
        Answer::WrongNumber => Err(Reason::WrongBlinks),
        Answer::OffCue => Err(Reason::OffCue),
    }
}

fn runs_on(clip: &ClipReport) -> Result<(), Reason> {
    let returned = u64::from(clip.returned_frames) * 100 > u64::from(clip.frames) * MOST_RETURNED_PERCENT;
    let whole = clip.cuts_ms.is_empty() && clip.longest_repeat_ms <= LONGEST_REPEAT_MS && !returned;
    if whole { Ok(()) } else { Err(Reason::Cut) }
}

/// Compares the face at every two moments with like poses.
fn one_face(faces: &[ClipFace]) -> Result<(), Reason> {
    let like = |a: &ClipFace, b: &ClipFace| {
        (a.yaw - b.yaw).abs() < LIKE_POSE_DEGREES && (a.pitch - b.pitch).abs() < LIKE_POSE_DEGREES
    };
    let changed = faces.iter().enumerate().any(|(n, a)| {
        faces[n + 1..].iter().any(|b| like(a, b) && a.encoding.distance(&b.encoding) > FACE_CHANGED_BEYOND)
    });
    if changed { Err(Reason::FaceChanged) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use blink_proto::faces::{ClipBlink, ENCODING_LENGTH, Solidity};
    use rstest::rstest;

    use super::*;

    fn face(at_ms: u32, first: f32) -> ClipFace {
        let mut values = vec![0.0; ENCODING_LENGTH];
        values[0] = first;
        ClipFace { at_ms, yaw: 0.0, pitch: 0.0, face_px: 180.0, encoding: Encoding::new(values).unwrap() }
    }

    fn blinks(starts: &[u32]) -> Vec<ClipBlink> {
        let blink = |start: &u32| ClipBlink { start_ms: *start, end_ms: start + 300, width_ms: 180, depth: 0.9 };
        starts.iter().map(blink).collect()
    }

    /// A recording that answers [`challenge`].
    fn right() -> ClipReport {
        ClipReport {
            width: 640,
            height: 480,
            frames: 300,
            first_ms: 0,
            duration_ms: 10_000,
            fps: 30.0,
            observed_ms: 10_000,
            longest_gap_ms: 34,
            blinks: blinks(&[2_400, 5_400]),
            faces: vec![face(0, 0.0), face(5_000, 0.3), face(9_000, 0.1)],
            cuts_ms: Vec::new(),
            repeated_frames: 3,
            longest_repeat_ms: 66,
            returned_frames: 0,
            solidity: Some(Solidity { frames: 40, motion: 0.2, residual: 0.06 }),
        }
    }

    fn challenge() -> Challenge {
        Challenge { cues_ms: vec![2_000, 5_000] }
    }

    #[rstest]
    #[case(|_: &mut ClipReport| {}, None)]
    #[case(|clip: &mut ClipReport| clip.fps = 14.4, Some(Reason::TooFewFrames))]
    #[case(|clip: &mut ClipReport| clip.duration_ms = 6_499, Some(Reason::TooFewFrames))]
    #[case(|clip: &mut ClipReport| clip.longest_gap_ms = 501, Some(Reason::TooFewFrames))]
    #[case(|clip: &mut ClipReport| clip.cuts_ms = vec![3_000], Some(Reason::Cut))]
    #[case(|clip: &mut ClipReport| clip.longest_repeat_ms = 751, Some(Reason::Cut))]
    #[case(|clip: &mut ClipReport| clip.returned_frames = 16, Some(Reason::Cut))]
    #[case(|clip: &mut ClipReport| clip.returned_frames = 15, None)]
    #[case(|clip: &mut ClipReport| clip.faces[2] = face(9_000, 0.5), Some(Reason::FaceChanged))]
    #[case(|clip: &mut ClipReport| { clip.faces[2] = face(9_000, 0.5); clip.faces[2].yaw = 30.0 }, None)]
    #[case(|clip: &mut ClipReport| clip.solidity = Some(Solidity { frames: 40, motion: 0.2, residual: 0.029 }), Some(Reason::Flat))]
    #[case(|clip: &mut ClipReport| clip.solidity = None, None)]
    #[case(|clip: &mut ClipReport| clip.blinks.clear(), Some(Reason::NoBlink))]
    #[case(|clip: &mut ClipReport| clip.blinks = blinks(&[2_400]), Some(Reason::WrongBlinks))]
    #[case(|clip: &mut ClipReport| clip.blinks = blinks(&[2_400, 8_000]), Some(Reason::OffCue))]
    #[case(|clip: &mut ClipReport| clip.blinks = blinks(&[2_400, 5_400, 8_000]), None)]
    #[case(|clip: &mut ClipReport| clip.blinks = blinks(&[2_400, 5_400, 8_000, 9_000]), Some(Reason::WrongBlinks))]
    fn each_fault_has_its_reason(#[case] spoil: impl Fn(&mut ClipReport), #[case] reason: Option<Reason>) {
        let mut clip = right();
        spoil(&mut clip);
        assert_eq!(judge(Mode::Challenge, &clip, Some(&challenge())).err(), reason);
    }

    #[test]
    fn a_recordings_face_is_the_mean_of_those_that_look_into_the_camera() {
        let mut clip = right();
        clip.faces = vec![face(0, 0.0), face(1, 0.5), face(2, 9.0)];
        clip.faces[2].yaw = 40.0;
        assert_eq!(face_of(&clip).unwrap().values()[0], 0.25);
        clip.faces.drain(..2);
        assert_eq!(face_of(&clip).unwrap().values()[0], 9.0);
        clip.faces.clear();
        assert_eq!(face_of(&clip), None);
    }

    #[test]
    fn what_is_asked_for_depends_on_the_mode() {
        let mut clip = right();
        assert_eq!(judge(Mode::Challenge, &clip, None), Err(Reason::ChallengeExpired));
        clip.blinks = blinks(&[9_000]);
        assert_eq!(judge(Mode::Blink, &clip, None), Ok(()));
        clip.blinks.clear();
        assert_eq!(judge(Mode::Blink, &clip, None), Err(Reason::NoBlink));
        assert_eq!(judge(Mode::Off, &clip, None), Ok(()));
    }
}
