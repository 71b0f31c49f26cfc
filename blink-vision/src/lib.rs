//! A frame becomes landmarks, becomes an eye aspect ratio (EAR), becomes blinks.
//!
//! The logic is pure and compiles alone:
//!
//! - [`source`]: [`SourceSpec`], the words after `--source`
//! - [`container`]: what a video file's own structure says of it
//! - [`stillness`]: pictures that stand still are of nobody
//! - [`predictor`]: [`predictor::Predictor`], the 68-point landmark model; [`geometry`], [`pose`]: what landmarks mean
//! - [`eye_patch`], [`closure`], [`smooth`], [`dip`]: from an eye to how far its lids are down, to closings and openings
//! - [`blinks`]: [`blinks::BlinkDetector`], which makes [`Event`]s of them; [`frame_rate`]
//! - [`schedule`]: when the synthetic face blinks
//! - [`score`]: found blinks against annotated ones
//! - [`owner`]: who is the person, among several faces
//! - [`models`]: where model files are looked for, and whether they are whole
//!
//! OpenCV and dlib sit behind the `native` feature:
//!
//! - `native`: frame sources, the face detector, and the pipeline that puts all of it together

#![warn(missing_docs)]

pub mod blinks;
pub mod closure;
pub mod container;
pub mod dip;
pub mod event;
pub mod eye_patch;
pub mod frame_rate;
pub mod geometry;
pub mod models;
pub mod owner;
pub mod pose;
pub mod predictor;
pub mod schedule;
pub mod score;
pub mod smooth;
pub mod source;
pub mod stillness;

pub use event::{Blink, Event, FaceSight, FrameReport, Reading};
pub use source::SourceSpec;
#[cfg(feature = "native")]
pub mod native;
