//! The codes of problems: every word that blinkd and the tools beside it put into [`super::Problem::code`].
//!
//! A program decides by these and never by a message. A code that is not here comes from a server, and is passed on.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $word;)*

        /// All of them.
        pub const ALL: &[&str] = &[$($word),*];
    };
}

// Starting, stopping, the profile and its settings.
codes! {
    /// Wrong usage of the command line.
    USAGE = "usage";
    /// Neither `HOME` nor the XDG variables are set.
    NO_HOME = "no_home";
    /// The settings are wrong.
    CONFIG_INVALID = "config_invalid";
    /// There is no setting of that name.
    CONFIG_UNKNOWN_KEY = "config_unknown_key";
    /// The settings cannot be read.
    CONFIG_UNREADABLE = "config_unreadable";
    /// The settings cannot be written.
    CONFIG_UNWRITABLE = "config_unwritable";
    /// Another daemon of the profile runs.
    ALREADY_RUNNING = "already_running";
    /// The data folder cannot be used.
    DATA_FOLDER = "data_folder";
    /// The socket cannot be made.
    SOCKET = "socket";
    /// The socket's path is too long.
    SOCKET_PATH = "socket_path";
    /// The system lets no thread start.
    THREADS = "threads";
    /// The daemon is stopping.
    STOPPING = "stopping";
    /// A mistake of the program's own.
    INTERNAL = "internal";
    /// A failure to read or write that has no better name.
    IO = "io";
    /// `doctor` found something.
    PROBLEMS = "problems";

    /// The two sides of the socket have no protocol in common.
    PROTOCOL = "protocol";
    /// A frame is none of the protocol.
    BAD_FRAME = "bad_frame";
    /// Events were not read in time.
    SLOW_CLIENT = "slow_client";
    /// Too many clients are connected.
    BUSY = "busy";
    /// A request that this daemon does not know.
    UNKNOWN_REQUEST = "unknown_request";
    /// An answer is too large for a frame, or a minute for a server.
    TOO_LARGE = "too_large";

    /// Another version of the consent text was shown.
    CONSENT_VERSION = "consent_version";
    /// Nothing is done without consent.
    NO_CONSENT = "no_consent";
    /// The account's server knows of a withdrawal and has not said since when.
    WITHDRAWAL_UNDATED = "withdrawal_undated";
    /// The account's server takes nothing, since consent was withdrawn there.
    CONSENT_WITHDRAWN = "consent_withdrawn";
    /// The end of a pause lies in the past.
    PAUSE_OVER = "pause_over";
    /// The clock was set back into a minute that is counted already.
    CLOCK_BEHIND = "clock_behind";

    /// There is no camera.
    NO_CAMERA = "no_camera";
    /// Another program has the camera.
    CAMERA_BUSY = "camera_busy";
    /// The source stopped giving pictures.
    SOURCE_FAILED = "source_failed";
    /// The source gives no frames.
    NO_FRAMES = "no_frames";
    /// A file is at its end.
    END_OF_FILE = "end_of_file";
    /// No single face could be followed for long enough.
    NO_SINGLE_FACE = "no_single_face";

    /// The disk is full.
    DISK_FULL = "disk_full";
    /// The store cannot be used.
    STORE_FAILED = "store_failed";
    /// A later version wrote the store.
    STORE_NEWER = "store_newer";
    /// The store was damaged and made anew.
    STORE_REBUILT = "store_rebuilt";
    /// Nothing was erased.
    NOTHING_ERASED = "nothing_erased";
    /// Something is left of what is to be erased.
    NOT_ERASED = "not_erased";
    /// More minutes than one call takes.
    TOO_MANY = "too_many";

    /// Nobody is signed in, or the session has ended.
    NOT_SIGNED_IN = "not_signed_in";
    /// The keyring that holds the sign-in cannot be used now.
    KEYRING_LOCKED = "keyring_locked";
    /// The file that holds the sign-in cannot be read.
    TOKENS_UNREADABLE = "tokens_unreadable";
    /// The account is erased already, or the password is wrong.
    ACCOUNT_GONE = "account_gone";
    /// The account's password is another.
    WRONG_PASSWORD = "wrong_password";
    /// The server wants the password, or a new sign-in, first.
    FRESH_SIGN_IN_REQUIRED = "fresh_sign_in_required";
    /// The sign-in was refused in the browser.
    ACCESS_DENIED = "access_denied";
    /// The time of the browser's code is over.
    DEVICE_CODE_EXPIRED = "device_code_expired";
    /// A newer code takes the place of this one.
    DEVICE_CODE_REPLACED = "device_code_replaced";
    /// No sign-in through the browser is under way.
    NO_DEVICE_CODE = "no_device_code";

    /// That is no server's address.
    BAD_SERVER = "bad_server";
    /// The address would send everything unencrypted.
    INSECURE_SERVER = "insecure_server";
    /// The file with a private authority cannot be used.
    BAD_CA_FILE = "bad_ca_file";
    /// The server cannot be reached.
    SERVER_UNREACHABLE = "server_unreachable";
    /// The server does not answer in time.
    SERVER_TIMEOUT = "server_timeout";
    /// The secure connection failed.
    TLS_FAILED = "tls_failed";
    /// A page for people came instead of an answer.
    WEB_PAGE = "web_page";
    /// The server sends us elsewhere.
    REDIRECTED = "redirected";
    /// The answer makes no sense.
    WRONG_SERVER = "wrong_server";

    /// No program opens that.
    NOTHING_OPENS = "nothing_opens";
    /// No terminal could be opened.
    NO_TERMINAL = "no_terminal";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_is_a_word_of_its_own() {
        assert_eq!(ALL.iter().collect::<BTreeSet<_>>().len(), ALL.len());
        for code in ALL {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()), "{code}");
        }
    }
}
