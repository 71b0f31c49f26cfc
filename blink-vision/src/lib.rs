//! From a frame to landmarks, to the eye aspect ratio (EAR), to blinks.
//!
//! The logic is pure and compiles alone:
//!
//! - [`source`]: [`SourceSpec`], the value of `--source`
//! - [`container`]: orientation and completeness of a video file, from its own structure
//! - [`stillness`]: recognises frozen pictures, which show nobody
//! - [`predictor`]: [`predictor::Predictor`], the 68-point landmark model; [`geometry`], [`pose`]: what landmarks mean
//! - [`eye_patch`], [`lid`]: the picture of an eye, and how far it is open
//! - [`closure`], [`smooth`], [`dip`], [`evidence`]: the closure of the lids, its closings and openings, and which count
//! - [`hint`]: what the person can do so that their eyes are seen better
//! - [`blinks`]: [`blinks::BlinkDetector`], which turns them into [`Event`]s; [`frame_rate`]
//! - [`schedule`]: when the synthetic face blinks
//! - [`score`]: compares found blinks with annotated ones
//! - [`owner`]: recognises the person among several faces
//! - [`models`]: which model files there are, and their verification
//!
//! OpenCV and dlib are behind the `native` feature:
//!
//! - `native`: frame sources, the face detector, and the pipeline that combines everything

#![warn(missing_docs)]

pub mod blinks;
pub mod closure;
pub mod container;
pub mod dip;
pub mod event;
pub mod evidence;
pub mod eye_patch;
pub mod frame_rate;
pub mod geometry;
pub mod hint;
pub mod lid;
pub mod models;
pub mod owner;
pub mod pose;
pub mod predictor;
pub mod schedule;
pub mod score;
pub mod smooth;
pub mod source;
mod split_mix;
pub mod stillness;

pub use event::{Blink, Event, FaceSight, FrameReport, Reading, Wink};
pub use hint::Hint;
pub use source::SourceSpec;
#[cfg(feature = "native")]
pub mod native;

/// The version of the detector: a change after which the same footage may give other counts has another one.
pub const DETECTOR: &str = "1";
