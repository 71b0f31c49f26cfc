//! The codes of problems: all that blinkd and its tools put into [`super::Problem::code`].
//!
//! Programs decide by these codes, never by a message. Codes that are not listed here come from a server, and are
//! passed on.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $word;)*

        /// All codes.
        pub const ALL: &[&str] = &[$($word),*];
    };
}

// Starting, stopping, the profile and its settings.
codes! {
    /// Wrong usage of the command line.
    USAGE = "usage";
    /// Neither `HOME` nor the XDG variables are set.
    NO_HOME = "no_home";
    /// A setting or the settings file is wrong.
    CONFIG_INVALID = "config_invalid";
    /// There is no setting of that name.
    CONFIG_UNKNOWN_KEY = "config_unknown_key";
    /// The settings file cannot be read.
    CONFIG_UNREADABLE = "config_unreadable";
    /// The settings file cannot be written.
    CONFIG_UNWRITABLE = "config_unwritable";
    /// Another daemon of the profile is running.
    ALREADY_RUNNING = "already_running";
    /// The data folder cannot be used.
    DATA_FOLDER = "data_folder";
    /// The socket cannot be created.
    SOCKET = "socket";
    /// The socket's path is too long.
    SOCKET_PATH = "socket_path";
    /// The system cannot start a thread.
    THREADS = "threads";
    /// The daemon is stopping.
    STOPPING = "stopping";
    /// A defect of the program itself.
    INTERNAL = "internal";
    /// A failure to read or write that has no more specific code.
    IO = "io";
    /// The result cannot be written to standard output.
    OUTPUT = "output";
    /// A file that was asked for cannot be written.
    UNWRITABLE = "unwritable";
    /// The models cannot be downloaded.
    FETCH_FAILED = "fetch_failed";
    /// The file of true blinks cannot be used.
    BAD_TRUTH = "bad_truth";
    /// `doctor` found a problem.
    PROBLEMS = "problems";

    /// The two sides of the socket have no protocol in common.
    PROTOCOL = "protocol";
    /// A frame is not part of the protocol.
    BAD_FRAME = "bad_frame";
    /// The client did not read its events in time.
    SLOW_CLIENT = "slow_client";
    /// Too many clients are connected.
    BUSY = "busy";
    /// The request is unknown to this daemon.
    UNKNOWN_REQUEST = "unknown_request";
    /// An answer is too large for a frame, or a minute too large for a server.
    TOO_LARGE = "too_large";

    /// Another version of the consent text was shown.
    CONSENT_VERSION = "consent_version";
    /// The request needs consent.
    NO_CONSENT = "no_consent";
    /// The account's server knows of a withdrawal, but has not said when it was made.
    WITHDRAWAL_UNDATED = "withdrawal_undated";
    /// The account's server accepts nothing, because consent was withdrawn there.
    CONSENT_WITHDRAWN = "consent_withdrawn";
    /// The end of a pause is in the past.
    PAUSE_OVER = "pause_over";
    /// The clock was set back into a minute that is already counted.
    CLOCK_BEHIND = "clock_behind";

    /// There is no camera.
    NO_CAMERA = "no_camera";
    /// Another program holds the camera.
    CAMERA_BUSY = "camera_busy";
    /// The source stopped giving frames.
    SOURCE_FAILED = "source_failed";
    /// The source gives no frames.
    NO_FRAMES = "no_frames";
    /// A file is at its end.
    END_OF_FILE = "end_of_file";
    /// No single face could be followed for long enough to be enrolled.
    NO_SINGLE_FACE = "no_single_face";

    /// The disk is full.
    DISK_FULL = "disk_full";
    /// The store cannot be used.
    STORE_FAILED = "store_failed";
    /// A later version wrote the store.
    STORE_NEWER = "store_newer";
    /// The store was damaged and rebuilt.
    STORE_REBUILT = "store_rebuilt";
    /// Nothing was erased.
    NOTHING_ERASED = "nothing_erased";
    /// Something that should be erased is left.
    NOT_ERASED = "not_erased";
    /// The call carries more minutes than allowed.
    TOO_MANY = "too_many";

    /// Nobody is signed in, or the session has ended.
    NOT_SIGNED_IN = "not_signed_in";
    /// The keyring that holds the tokens cannot be used now.
    KEYRING_LOCKED = "keyring_locked";
    /// The file that holds the tokens cannot be read.
    TOKENS_UNREADABLE = "tokens_unreadable";
    /// The account has as many devices as its server allows.
    TOO_MANY_DEVICES = "too_many_devices";
    /// The account is erased already, or the password is wrong.
    ACCOUNT_GONE = "account_gone";
    /// The account's password is wrong.
    WRONG_PASSWORD = "wrong_password";
    /// The server requires the password, or a new sign-in.
    FRESH_SIGN_IN_REQUIRED = "fresh_sign_in_required";
    /// The sign-in was refused in the browser.
    ACCESS_DENIED = "access_denied";
    /// The code of a sign-in through the browser has expired.
    DEVICE_CODE_EXPIRED = "device_code_expired";
    /// A newer code has replaced this one.
    DEVICE_CODE_REPLACED = "device_code_replaced";
    /// No sign-in through the browser is under way.
    NO_DEVICE_CODE = "no_device_code";

    /// The text is no server's address.
    BAD_SERVER = "bad_server";
    /// The address would send everything unencrypted.
    INSECURE_SERVER = "insecure_server";
    /// The `ca_file` cannot be used.
    BAD_CA_FILE = "bad_ca_file";
    /// The server cannot be reached.
    SERVER_UNREACHABLE = "server_unreachable";
    /// The server does not answer in time.
    SERVER_TIMEOUT = "server_timeout";
    /// The secure connection failed.
    TLS_FAILED = "tls_failed";
    /// A web page came instead of the server's answer.
    WEB_PAGE = "web_page";
    /// The server redirects to another address.
    REDIRECTED = "redirected";
    /// The answer is not one of cloud-api.
    WRONG_SERVER = "wrong_server";
    /// The server is older than what was asked of it.
    SERVER_OLDER = "server_older";

    /// No program could open the address or file.
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
