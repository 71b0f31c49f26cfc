//! The arithmetic of a person's own figures. It is pure, and everything that shows or tells figures uses it, so that no
//! two of them disagree: report, letter, insights, questions and the MCP server.
//!
//! - [`hours`]: minutes summed by local clock hour; sums, rates and coverage over days
//! - [`week`]: ISO weeks and periods of days
//! - [`setup`]: what measured: the machine, its camera, the detector, glasses
//! - [`mod@compare`]: two periods compared in what is comparable, with an interval, or "cannot tell"
//! - [`insights`]: the last seven days against the 28 before them
//! - [`letter`]: one week in words and figures
//! - [`page`]: the letter as text, Markdown and HTML
//! - [`told`]: figures as they are told to a language model: with their units, and "unknown" where there are none
//! - [`ask`]: a question to a language model, and its answer without the numbers that it made up

pub mod ask;
pub mod compare;
pub mod hours;
pub mod insights;
pub mod letter;
pub mod page;
pub mod setup;
pub mod told;
pub mod week;

pub use self::{
    compare::{Comparison, Verdict, compare},
    hours::{Hours, Part, Piece, Sum, Unit},
    insights::Insights,
    letter::Letter,
    setup::{Setup, Setups},
    week::{Period, Week},
};
