//! The server's rules, from its own sources.

#[path = "../../../src/attendance/challenge.rs"]
pub mod challenge;
#[path = "../../../src/attendance/gallery.rs"]
pub mod gallery;
#[path = "../../../src/attendance/liveness.rs"]
pub mod liveness;
/// What those need of the records.
pub mod record {
    macro_rules! words {
        ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal,)* }) => {
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $name { $($(#[$of])* $word,)* }
            impl $name {
                pub const fn as_str(self) -> &'static str {
                    match self { $(Self::$word => $text,)* }
                }
            }
        };
    }
    pub(crate) use words;
}
