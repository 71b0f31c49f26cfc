//! A private desktop without a screen: an X server in memory, a session bus, a window manager, a panel that hosts tray
//! icons (StatusNotifier) and a notification service. They are the real programs from Debian's packages.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{Ended, Profile, Program, skipped, until};

/// How long a part may take to start on a busy machine.
const PART_LIMIT: Duration = Duration::from_secs(30);
/// The programs that the desktop consists of.
const PARTS: [&str; 16] = [
    "Xvfb",
    "dbus-daemon",
    "dbus-monitor",
    "xfwm4",
    "xfce4-panel",
    "xfconf-query",
    "dunst",
    "dunstctl",
    "gdbus",
    "import",
    "xdotool",
    "xterm",
    "pipewire",
    "wireplumber",
    "pw-record",
    "gst-launch-1.0",
];
/// The chooser of the notification service's actions: it takes the action whose label is in the file `press`.
const CHOOSE: &str = "#!/bin/sh\nexec grep -m1 -F -f \"$HOME/press\"\n";
/// The browser and the editor: they record in the file `opened` what they should open.
const OPEN: &str = "#!/bin/sh\nprintf '%s\\n' \"$1\" >>\"$(dirname \"$0\")/opened\"\n";
/// The terminal. It is the first one that blinkd looks for, so the test does not depend on the machine's preference.
const TERMINAL: &str = "#!/bin/sh\nexec xterm -e \"$@\"\n";
/// A screen to share, as a compositor offers it through the portal.
const SHARED: &str = "videotestsrc is-live=true ! video/x-raw,format=BGRx,width=320,height=240,framerate=30/1 ! \
                      pipewiresink mode=provide stream-properties=p,media.class=Video/Source,node.name=shared-screen";
/// The panel's settings: one row at the top with only the tray.
const PANEL: [&[&str]; 7] = [
    &["/configver", "-n", "-t", "int", "-s", "2"],
    &["/panels", "-n", "-a", "-t", "int", "-s", "1"],
    &["/panels/panel-1/position", "-n", "-t", "string", "-s", "p=6;x=0;y=0"],
    &["/panels/panel-1/length", "-n", "-t", "uint", "-s", "100"],
    &["/panels/panel-1/size", "-n", "-t", "uint", "-s", "32"],
    &["/panels/panel-1/plugin-ids", "-n", "-a", "-t", "int", "-s", "1"],
    &["/plugins/plugin-1", "-n", "-t", "string", "-s", "systray"],
];

/// A line of a menu, as the panel receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuLine {
    /// The id that a click names.
    pub id: i64,
    pub label: String,
    pub enabled: bool,
    pub checked: bool,
}

/// A running desktop. Dropping it ends all of it.
#[derive(Debug)]
pub struct Desktop {
    panel: Option<Program>,
    rest: Vec<Program>,
    display: String,
    address: String,
    home: Profile,
}

impl Desktop {
    /// Starts a desktop; if a program is missing, returns `None` after saying which.
    #[must_use]
    pub fn start() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let absent = PARTS.iter().find(|part| !env::split_paths(&path).any(|folder| folder.join(part).is_file()));
        if let Some(absent) = absent {
            skipped(&format!("there is no {absent} for a desktop; `packaging/bootstrap.sh test` installs it"));
            return None;
        }
        let home = Profile::new();
        fs::create_dir(home.path().join("bin")).expect("the folder is ours");
        write_script(&home.path().join("bin/xdg-open"), OPEN);
        write_script(&home.path().join("bin/xdg-terminal-exec"), TERMINAL);
        let (bus, address) = start_bus(&home);
        let mut x = home.plain("Xvfb");
        x.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
        let x = Program::start(&mut x, home.path());
        let number = until("the X server", PART_LIMIT, || {
            Some(x.stdout().trim().to_owned()).filter(|number| !number.is_empty())
        });
        let mut desktop = Self { panel: None, rest: vec![bus, x], display: format!(":{number}"), address, home };
        desktop.start_part("xfwm4", &[]);
        desktop.start_notifications();
        for setting in PANEL {
            let _ = desktop.run("xfconf-query", &[&["-c", "xfce4-panel", "-p"], setting].concat());
        }
        desktop.start_panel();
        until("the notification service", PART_LIMIT, || {
            (desktop.run("dunstctl", &["is-paused"]).trim() == "false").then_some(())
        });
        Some(desktop)
    }

    /// Makes `command` run on this desktop.
    pub fn show(&self, command: &mut Command) {
        let system = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.home.path().join("bin")].into_iter().chain(env::split_paths(&system)));
        command
            .env("PATH", path.expect("there are no odd folders on the path"))
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("PIPEWIRE_RUNTIME_DIR", self.home.path().join("run"))
            .env("XDG_CURRENT_DESKTOP", "XFCE");
    }

    pub(crate) fn part(&self, name: &str, args: &[&str]) -> Program {
        let mut command = self.home.plain(name);
        self.show(command.args(args));
        Program::start(&mut command, self.home.path())
    }

    fn start_part(&mut self, name: &str, args: &[&str]) {
        let started = self.part(name, args);
        self.rest.push(started);
    }

    fn start_notifications(&mut self) {
        let folder = self.home.path().join("config/dunst");
        let choose = folder.join("choose");
        fs::create_dir(&folder).expect("the folder is ours");
        write_script(&choose, CHOOSE);
        let settings = format!("[global]\ndmenu = {}\nwidth = (0, 440)\n", choose.display());
        fs::write(folder.join("dunstrc"), settings).expect("the folder is ours");
        self.start_part("dunst", &[]);
    }

    /// Runs a program of the desktop to its end; returns its standard output.
    #[must_use]
    pub fn run(&self, name: &str, args: &[&str]) -> String {
        let mut command = self.home.plain(name);
        self.show(command.args(args));
        Ended::of(&mut command, "").stdout
    }

    /// Starts the panel and waits until it accepts icons.
    pub fn start_panel(&mut self) {
        self.panel = Some(self.part("xfce4-panel", &["--disable-wm-check"]));
        until("the panel", PART_LIMIT, || {
            let ping = ["--method", "org.freedesktop.DBus.Peer.Ping"];
            let watcher = ["--dest", "org.kde.StatusNotifierWatcher", "--object-path", "/StatusNotifierWatcher"];
            let call = [&["call", "--session"], &watcher[..], &ping[..]].concat();
            (self.run("gdbus", &call).trim() == "()").then_some(())
        });
    }

    /// Kills the panel, as a crash would.
    pub fn kill_panel(&mut self) {
        self.panel.take().expect("a panel runs").kill();
        // The panel's helper that draws the tray is killed with it.
        let _ = self.run("pkill", &["-KILL", "-f", &format!("wrapper-2.0.*{}", self.display)]);
        until("the panel's end", PART_LIMIT, || self.icons().is_empty().then_some(()));
    }

    /// The D-Bus names of the icons in the panel.
    #[must_use]
    pub fn icons(&self) -> Vec<String> {
        let args = [
            "call",
            "--session",
            "--dest",
            "org.kde.StatusNotifierWatcher",
            "--object-path",
            "/StatusNotifierWatcher",
            "--method",
            "org.freedesktop.DBus.Properties.Get",
            "org.kde.StatusNotifierWatcher",
            "RegisteredStatusNotifierItems",
        ];
        let printed = self.run("gdbus", &args);
        let items = printed.split('\'').filter(|word| word.contains("StatusNotifierItem"));
        items.map(|item| item.split('/').next().unwrap_or(item).to_owned()).collect()
    }

    /// Waits for the one icon; returns its D-Bus name.
    #[must_use]
    pub fn icon(&self) -> String {
        until("the icon in the panel", PART_LIMIT, || self.icons().into_iter().next())
    }

    /// The lines of the menu of the icon `name`, without separators.
    #[must_use]
    pub fn menu(&self, name: &str) -> Vec<MenuLine> {
        let method = "com.canonical.dbusmenu.GetLayout";
        let printed = self.call(name, &[method, "0", "--", "-1", "[]"]);
        // The output is in GVariant's text form: <(5, {'label': <'Quit'>, ..}, @av [])>
        let lines = printed.split("<(").skip(1).filter_map(|part| {
            let id = part.split(',').next()?.trim().parse().ok()?;
            let label = part.split_once("'label': <'")?.1.split_once("'>")?.0.replace("__", "_");
            let enabled = !part.contains("'enabled': <false>");
            let checked = part.contains("'toggle-state': <1>");
            Some(MenuLine { id, label, enabled, checked })
        });
        lines.collect()
    }

    /// Clicks the line `label` in the menu of the icon `name`. Panics when there is no such line or it is disabled.
    pub fn click(&self, name: &str, label: &str) {
        let menu = self.menu(name);
        let line = menu.iter().find(|line| line.label == label);
        let line = line.filter(|line| line.enabled).unwrap_or_else(|| panic!("no {label:?} to click in {menu:#?}"));
        let id = line.id.to_string();
        let _ = self.call(name, &["com.canonical.dbusmenu.Event", &id, "clicked", "<0>", "0"]);
    }

    fn call(&self, name: &str, method: &[&str]) -> String {
        let to = ["call", "--session", "--dest", name, "--object-path", "/MenuBar", "--method"];
        self.run("gdbus", &[&to[..], method].concat())
    }

    /// A property of the icon `name`, as gdbus prints it.
    #[must_use]
    pub fn property(&self, name: &str, property: &str) -> String {
        let to = ["call", "--session", "--dest", name, "--object-path", "/StatusNotifierItem", "--method"];
        let get = ["org.freedesktop.DBus.Properties.Get", "org.kde.StatusNotifierItem", property];
        self.run("gdbus", &[&to[..], &get].concat())
    }

    /// Clicks the icon `name` with the left button.
    pub fn activate(&self, name: &str) {
        let to = ["call", "--session", "--dest", name, "--object-path", "/StatusNotifierItem", "--method"];
        let _ = self.run("gdbus", &[&to[..], &["org.kde.StatusNotifierItem.Activate", "0", "0"]].concat());
    }

    /// The titles of all notifications so far, oldest first, whether still shown or not.
    #[must_use]
    pub fn notifications(&self) -> Vec<String> {
        // The history does not contain notifications that are still shown, so they are closed first.
        let _ = self.run("dunstctl", &["close-all"]);
        let history: Value = serde_json::from_str(&self.run("dunstctl", &["history"])).expect("dunstctl prints JSON");
        let entries =
            history["data"].as_array().into_iter().flatten().flat_map(|list| list.as_array().into_iter().flatten());
        let mut titles: Vec<_> = entries
            .filter_map(|entry| Some((entry["id"]["data"].as_i64()?, entry["summary"]["data"].as_str()?.to_owned())))
            .collect();
        titles.sort();
        titles.into_iter().map(|(_, title)| title).collect()
    }

    /// Presses the button `label` of the notification that is shown.
    pub fn press(&self, label: &str) {
        fs::write(self.home.path().join("press"), label).expect("the folder is ours");
        let _ = self.run("dunstctl", &["context"]);
    }

    /// The addresses and files that were opened.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        let opened = fs::read_to_string(self.home.path().join("bin/opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// Types `text` and Enter into the active window.
    pub fn type_line(&self, text: &str) {
        let _ = self.run("xdotool", &["type", "--delay", "20", text]);
        let _ = self.run("xdotool", &["key", "Return"]);
    }

    /// Starts PipeWire, with a silent microphone and a screen to share.
    pub fn start_streams(&mut self) {
        for part in ["pipewire", "wireplumber"] {
            self.start_part(part, &[]);
        }
        until("PipeWire's session", PART_LIMIT, || self.run("pw-dump", &[]).contains("WirePlumber").then_some(()));
        let microphone = "{ factory.name=support.null-audio-sink node.name=microphone \
                          media.class=Audio/Source/Virtual object.linger=true audio.position=[FL FR] }";
        let _ = self.run("pw-cli", &["create-node", "adapter", microphone]);
        self.start_part("gst-launch-1.0", &SHARED.split(' ').collect::<Vec<_>>());
        for node in ["microphone", "shared-screen"] {
            until(node, PART_LIMIT, || self.stream(|props| props["node.name"] == node));
        }
    }

    /// Records from the microphone, as a call does, until the program is dropped.
    #[must_use]
    pub fn record_sound(&self) -> Program {
        let recorder = self.part("pw-record", &["--target", "microphone", "sound.wav"]);
        until("a stream of sound", PART_LIMIT, || self.stream(|props| props["media.class"] == "Stream/Input/Audio"));
        recorder
    }

    /// Receives the shared screen, as a call does, until the program is dropped.
    #[must_use]
    pub fn share_screen(&self) -> Program {
        let id = until("a screen to share", PART_LIMIT, || self.stream(|props| props["node.name"] == "shared-screen"));
        let source = format!("path={id}");
        let format = "video/x-raw,format=BGRx,width=320,height=240,framerate=30/1";
        let viewer = self.part("gst-launch-1.0", &["pipewiresrc", &source, "!", format, "!", "fakesink"]);
        until("a stream of pictures", PART_LIMIT, || self.stream(|props| props["media.class"] == "Stream/Input/Video"));
        viewer
    }

    /// The id of the PipeWire node whose properties `wanted` accepts; a stream must be running.
    fn stream(&self, wanted: impl Fn(&Value) -> bool) -> Option<u64> {
        let objects: Value = serde_json::from_str(&self.run("pw-dump", &[])).unwrap_or_default();
        let node = objects.as_array()?.iter().find(|object| wanted(&object["info"]["props"]))?.clone();
        let is_stream = node["info"]["props"]["media.class"].as_str()?.starts_with("Stream/");
        (!is_stream || node["info"]["state"] == "running").then(|| node["id"].as_u64())?
    }

    /// Whether a terminal is on the screen; if so, it gets the keyboard focus.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        let found = self.run("xdotool", &["search", "--onlyvisible", "--class", "XTerm"]);
        let Some(window) = found.lines().next() else { return false };
        let _ = self.run("xdotool", &["windowactivate", "--sync", window]);
        true
    }

    /// A full-screen window that stays until it is dropped.
    #[must_use]
    pub fn full_screen_window(&self) -> Program {
        let window = self.part("xterm", &["-fullscreen", "-T", "full", "-e", "sleep", "600"]);
        until("a window that fills the screen", PART_LIMIT, || {
            let active = self.run("xdotool", &["getactivewindow", "getwindowname", "getwindowgeometry"]);
            (active.starts_with("full") && active.contains("1280x720")).then_some(())
        });
        window
    }

    /// Saves a screenshot for the documents, if `WAW_SCREENSHOTS` names a folder.
    pub fn picture(&self, name: &str) {
        if let Some(folder) = env::var_os("WAW_SCREENSHOTS") {
            let file = Path::new(&folder).join(format!("{name}.png"));
            let _ = self.run("import", &["-window", "root", &file.to_string_lossy()]);
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // The panel's helpers end with the X server, and the bus ends what it started.
        self.panel.take();
        while let Some(part) = self.rest.pop() {
            drop(part);
        }
    }
}

fn write_script(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("the file is ours");
}

/// Starts a session bus; returns it with its address.
fn start_bus(home: &Profile) -> (Program, String) {
    let mut command = home.plain("dbus-daemon");
    command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).stdin(Stdio::null());
    let bus = Program::start(&mut command, home.path());
    let address = until("the session bus", PART_LIMIT, || {
        let address = fs::read_to_string(home.path().join("dbus-daemon.0.out")).ok()?;
        address.ends_with('\n').then(|| address.trim().to_owned())
    });
    (bus, address)
}
