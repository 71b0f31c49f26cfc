//! A recording: blinks by the daemon's own detector, the face at several moments, and what the pictures say about
//! themselves.

use std::time::Duration;

use blink_proto::faces::{
    ClipBlink, ClipFace, ClipReport, FrameMark, LEAST_FPS, MAX_FRAMES, MAX_RECORDING_BYTES, MAX_RECORDING_MS,
    PictureFault,
};
use blink_vision::{
    Event, FaceSight,
    geometry::Similarity,
    native::{Detector, Frame, SourceError},
    pose::Pose,
};
use opencv::{
    core::{Mat, MatTraitConst, Rect, Size},
    imgproc,
};

use crate::{Refusal, models::Models, picture, quality, scene::Scene, solid::Solid, still, video};

/// Larger pictures are made smaller to this before anything else.
const SIDE: i32 = 960;
/// The face is encoded so often at first, and so often after the first seconds.
const ENCODE_EVERY_MS: [u32; 2] = [500, 1_000];
const OFTEN_UNTIL_MS: u32 = 4_000;
/// The part of the picture in which a face is encoded, in faces.
const ENCODED_FACES: f32 = 2.2;
/// How often further faces are looked for, and how often they must be seen.
const OTHERS_EVERY_MS: u32 = 1_000;
const OTHERS_FROM: u32 = 2;
/// The fewest pictures of a recording: half a second of them.
const LEAST_FRAMES: u32 = 8;

/// Reads a recording in frames, which follow each other in `bytes`.
///
/// # Errors
/// A fault of the recording, or OpenCV's.
pub fn of_frames(models: &mut Models, frames: &[FrameMark], bytes: &[u8]) -> Result<ClipReport, Refusal> {
    if frames.len() > MAX_FRAMES || bytes.len() > MAX_RECORDING_BYTES {
        return Err(PictureFault::TooLarge.into());
    }
    if frames.windows(2).any(|pair| pair[1].at_ms <= pair[0].at_ms) {
        return Err(PictureFault::BadTimes.into());
    }
    let mut clip = Clip::new(models);
    let mut rest = bytes;
    for frame in frames {
        let (bytes, after) =
            rest.split_at_checked(frame.bytes as usize).ok_or(Refusal::Job("the bytes are too few"))?;
        rest = after;
        let picture = picture::decode(bytes, picture::FRAME_PIXELS)?;
        clip.push(frame.at_ms, picture)?;
    }
    if !rest.is_empty() {
        return Err(Refusal::Job("there are more bytes than frames"));
    }
    clip.finish()
}

/// Reads a video.
///
/// # Errors
/// A fault of the recording, or OpenCV's.
pub fn of_video(models: &mut Models, bytes: &[u8]) -> Result<ClipReport, Refusal> {
    let mut video = video::open(bytes)?;
    let mut clip = Clip::new(models);
    loop {
        let (at, colour) = match video.read_colour() {
            Ok(read) => read,
            Err(SourceError::EndOfFile) => break,
            Err(error) => return Err(error.into()),
        };
        let at_ms = u32::try_from(at.as_millis()).map_err(|_| PictureFault::BadTimes)?;
        // A picture may be larger than the file said.
        if u64::from(colour.cols().unsigned_abs()) * u64::from(colour.rows().unsigned_abs()) > picture::FRAME_PIXELS {
            return Err(PictureFault::TooLarge.into());
        }
        clip.push(at_ms, colour.try_clone()?)?;
    }
    clip.finish()
}

/// A recording as it is read.
pub struct Clip<'m> {
    models: &'m mut Models,
    scene: Scene,
    solid: Solid,
    size: Option<Size>,
    frames: u32,
    first_ms: u32,
    last_ms: u32,
    /// Frames with several faces.
    with_several: u32,
    /// How often further faces were looked for and found, and when last.
    others: u32,
    looked_ms: Option<u32>,
    /// Whether the face was lost, or never seen, since it was last encoded.
    lost: bool,
    encoded_ms: Option<u32>,
    faces: Vec<ClipFace>,
    /// When the face should have been encoded once more, and was not.
    unseen_ms: Vec<u32>,
    blinks: Vec<ClipBlink>,
    /// The observed spans.
    observed: Vec<[Duration; 2]>,
    /// Why no face was found in the first picture.
    without: Option<PictureFault>,
}

impl<'m> Clip<'m> {
    /// A recording without any pictures.
    pub fn new(models: &'m mut Models) -> Self {
        Self {
            models,
            scene: Scene::default(),
            solid: Solid::default(),
            size: None,
            frames: 0,
            first_ms: 0,
            last_ms: 0,
            with_several: 0,
            others: 0,
            looked_ms: None,
            lost: true,
            encoded_ms: None,
            faces: Vec::new(),
            unseen_ms: Vec::new(),
            blinks: Vec::new(),
            observed: Vec::new(),
            without: None,
        }
    }

    /// Takes the next picture, 8-bit BGR.
    ///
    /// # Errors
    /// When it is a strip, not as large as the others or not later, or there are too many.
    pub fn push(&mut self, at_ms: u32, picture: Mat) -> Result<(), Refusal> {
        let size = picture.size()?;
        picture::check_shape([size.width, size.height].map(i32::unsigned_abs))?;
        if *self.size.get_or_insert(size) != size {
            return Err(PictureFault::SizesDiffer.into());
        }
        if self.frames == 0 {
            self.first_ms = at_ms;
        } else if at_ms <= self.last_ms {
            return Err(PictureFault::BadTimes.into());
        }
        if self.frames as usize >= MAX_FRAMES || at_ms - self.first_ms > MAX_RECORDING_MS {
            return Err(PictureFault::TooLarge.into());
        }
        let picture = picture::at_most(picture, SIDE)?;
        let grey = picture::grey(&picture)?;
        let frame =
            Frame { index: u64::from(self.frames), timestamp: Duration::from_millis(u64::from(at_ms)), grey: &grey };
        let report = self.models.pipeline.process(&frame)?;
        self.take_events();
        let face = self
            .models
            .pipeline
            .followed_face()
            .filter(|_| matches!(report.sight, FaceSight::Measurable | FaceSight::Turned) && !report.stands_still);
        self.scene.push(at_ms, &grey, face)?;
        if report.sight == FaceSight::Measurable
            && let Some(landmarks) = self.models.pipeline.landmarks()
        {
            self.solid.push(at_ms, landmarks);
        }
        match face {
            Some(face) => {
                self.look_for_others(at_ms, &grey, &face)?;
                self.encode(at_ms, &picture, &face)?;
            }
            None if report.sight == FaceSight::Several => self.with_several += 1,
            None if self.without.is_none() => self.without = Some(quality::no_face(&grey)?),
            None => {}
        }
        self.lost |= face.is_none();
        self.frames += 1;
        self.last_ms = at_ms;
        Ok(())
    }

    fn take_events(&mut self) {
        for event in self.models.pipeline.drain_events() {
            match event {
                Event::Blink(blink) => self.blinks.push(ClipBlink {
                    start_ms: ms(blink.start),
                    end_ms: ms(blink.end),
                    width_ms: ms(blink.width),
                    depth: blink.depth,
                }),
                Event::Observed { from, to, .. } => self.observed.push([from, to]),
                Event::Wink(_) => {}
            }
        }
    }

    /// Now and then, whether there is another face of about the same size.
    fn look_for_others(&mut self, at_ms: u32, grey: &Mat, face: &Similarity) -> Result<(), Refusal> {
        if self.looked_ms.is_some_and(|last| at_ms - last < OTHERS_EVERY_MS) {
            return Ok(());
        }
        self.looked_ms = Some(at_ms);
        let whole = Rect::new(0, 0, grey.cols(), grey.rows());
        let least = still::SECOND_FACE_FROM * face.scale();
        let scale = Detector::scale_for(grey, least.into());
        let found = self.models.detector.detect(grey, whole, scale)?;
        let large = found.iter().filter(|other| other.scale() >= least);
        self.others += u32::from(large.count() > 1);
        Ok(())
    }

    /// Encodes the face at its first picture, after it was lost and may have been exchanged, and now and then. Where there
    /// were too many of these, that is a cut: what follows is nobody's known face.
    fn encode(&mut self, at_ms: u32, picture: &Mat, face: &Similarity) -> Result<(), Refusal> {
        let every = ENCODE_EVERY_MS[usize::from(at_ms.saturating_sub(self.first_ms) >= OFTEN_UNTIL_MS)];
        if !self.lost && self.encoded_ms.is_some_and(|last| at_ms - last < every) {
            return Ok(());
        }
        if self.faces.len() >= ClipReport::MAX_FACES {
            self.unseen_ms.push(at_ms);
            return Ok(());
        }
        // Until there is an encoding, it is tried in each picture.
        let Some(area) = still::around(picture, face, ENCODED_FACES) else { return Ok(()) };
        let mut rgb = Mat::default();
        imgproc::cvt_color_def(&picture.roi(area)?, &mut rgb, imgproc::COLOR_BGR2RGB)?;
        let corner = blink_vision::geometry::Point::new(area.x as f32, area.y as f32);
        let inside = Similarity { origin: face.origin - corner, ..*face };
        let pose = self.models.pipeline.landmarks().map(Pose::from_landmarks).unwrap_or_default();
        let Some(encoding) = self.models.encoder.encode(&rgb, &[inside])?.pop() else { return Ok(()) };
        let face_px = face.scale() * self.size.map_or(1.0, |size| size.width as f32 / picture.cols() as f32);
        self.faces.push(ClipFace { at_ms, yaw: pose.yaw, pitch: pose.pitch, face_px, encoding });
        (self.lost, self.encoded_ms) = (false, Some(at_ms));
        Ok(())
    }

    /// What was found.
    ///
    /// # Errors
    /// When it shows no face, or several, or too little.
    pub fn finish(mut self) -> Result<ClipReport, Refusal> {
        self.models.pipeline.finish();
        self.take_events();
        let duration_ms = self.last_ms - self.first_ms;
        let fps =
            if duration_ms > 0 { 1_000.0 * (self.frames.saturating_sub(1)) as f32 / duration_ms as f32 } else { 0.0 };
        if self.frames < LEAST_FRAMES || fps < LEAST_FPS {
            return Err(PictureFault::TooFewFrames.into());
        }
        if self.others >= OTHERS_FROM || self.with_several > self.frames / 2 {
            return Err(PictureFault::SeveralFaces.into());
        }
        if self.faces.is_empty() {
            return Err(self.without.unwrap_or(PictureFault::NoFace).into());
        }
        let scene = self.scene.finish();
        let mut cuts_ms = [scene.cuts_ms, std::mem::take(&mut self.unseen_ms)].concat();
        cuts_ms.sort_unstable();
        cuts_ms.dedup();
        let size = self.size.unwrap_or_default();
        let observed: Duration = self.observed.iter().map(|[from, to]| *to - *from).sum();
        Ok(ClipReport {
            width: size.width.unsigned_abs(),
            height: size.height.unsigned_abs(),
            frames: self.frames,
            first_ms: self.first_ms,
            duration_ms,
            fps,
            observed_ms: ms(observed),
            longest_gap_ms: self.longest_gap_ms(),
            blinks: self.blinks,
            faces: self.faces,
            cuts_ms,
            repeated_frames: scene.repeated_frames,
            longest_repeat_ms: scene.longest_repeat_ms,
            returned_frames: scene.returned_frames,
            solidity: self.solid.finish(),
        })
    }

    /// The longest time that is not observed.
    fn longest_gap_ms(&self) -> u32 {
        let mut spans = self.observed.clone();
        spans.sort();
        let (mut until, mut longest) = (self.first_ms, 0);
        for [from, to] in spans {
            longest = longest.max(ms(from).saturating_sub(until));
            until = until.max(ms(to));
        }
        longest.max(self.last_ms.saturating_sub(until))
    }
}

fn ms(t: Duration) -> u32 {
    u32::try_from(t.as_millis()).unwrap_or(u32::MAX)
}
