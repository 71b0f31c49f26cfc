//! Takes the terminal over, and restores it at the end, on an error, on a signal, and on a panic.

use std::{
    io::{self, Stdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::{Hide, Show},
        event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
        execute,
        terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
    },
};
use tokio::sync::mpsc;

/// How often the thread that reads keys checks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the person's key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Leave,
    /// Pause or resume.
    Pause,
    /// Anything else, such as a resized window: draw again.
    Other,
}

pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    keys: mpsc::Receiver<Key>,
    wanted: Arc<AtomicBool>,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let taken = execute!(io::stdout(), EnterAlternateScreen, Hide)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        let terminal = match taken {
            Ok(terminal) => terminal,
            Err(error) => {
                give_back();
                return Err(error);
            }
        };
        let (send, keys) = mpsc::channel(16);
        let wanted = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&wanted);
        // Reading keys blocks, so a thread does it. It ends within one check after the screen.
        thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&send, &still)).inspect_err(|_| {
            give_back();
        })?;
        Ok(Self { terminal, keys, wanted })
    }

    pub(super) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).map(|_| ())
    }

    pub(super) async fn key(&mut self) -> Key {
        // Without the reading thread the terminal is gone.
        self.keys.recv().await.unwrap_or(Key::Leave)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
        give_back();
    }
}

fn give_back() {
    // If the terminal is gone, there is nothing to restore.
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = terminal::disable_raw_mode();
}

fn read_keys(keys: &mpsc::Sender<Key>, wanted: &AtomicBool) {
    while wanted.load(Ordering::Relaxed) {
        let key = match event::poll(LOOK_EVERY) {
            Ok(false) => continue,
            Ok(true) => event::read().map(|event| key_of(&event)),
            Err(error) => Err(error),
        };
        let Ok(key) = key else { return };
        if keys.blocking_send(key).is_err() {
            return;
        }
    }
}

fn key_of(event: &Event) -> Key {
    let Event::Key(key) = event else { return Key::Other };
    if key.kind == KeyEventKind::Release {
        return Key::Other;
    }
    match key.code {
        KeyCode::Esc | KeyCode::Char('q' | 'Q') => Key::Leave,
        KeyCode::Char('c' | 'C') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Leave,
        KeyCode::Char('p' | 'P') => Key::Pause,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(KeyCode::Char('q'), KeyModifiers::NONE, Key::Leave)]
    #[case(KeyCode::Esc, KeyModifiers::NONE, Key::Leave)]
    #[case(KeyCode::Char('c'), KeyModifiers::CONTROL, Key::Leave)]
    #[case(KeyCode::Char('c'), KeyModifiers::NONE, Key::Other)]
    #[case(KeyCode::Char('p'), KeyModifiers::NONE, Key::Pause)]
    fn keys_mean_what_the_screen_says(#[case] code: KeyCode, #[case] modifiers: KeyModifiers, #[case] key: Key) {
        assert_eq!(key_of(&Event::Key(KeyEvent::new(code, modifiers))), key);
        assert_eq!(key_of(&Event::Resize(10, 10)), Key::Other);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_panic_gives_the_screen_back() {
        // The variable is set for the child process, which runs this test on a terminal of its own.
        let panics = "PANIC_ON_THE_SCREEN";
        if std::env::var_os(panics).is_some() {
            let mut screen = Screen::take().unwrap();
            screen.draw(|_| panic!("a defect")).unwrap();
            return;
        }
        let me = std::env::current_exe().unwrap();
        let run = format!(
            "stty rows 24 cols 80; {} --exact cmd::live::screen::tests::a_panic_gives_the_screen_back --nocapture",
            me.display()
        );
        let mut script = std::process::Command::new("script");
        let ran = script.args(["-qefc", &run, "/dev/null"]).env(panics, "1").output().unwrap();
        let seen = String::from_utf8_lossy(&ran.stdout);
        let (taken, given_back) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
        assert!(seen.contains("a defect") && seen.contains("FAILED"), "{seen:?}");
        assert!(seen.find(taken).unwrap() < seen.rfind(given_back).unwrap(), "{seen:?}");
        assert!(seen[seen.rfind(given_back).unwrap()..].contains("\u{1b}[?25h"), "{seen:?}");
    }
}
