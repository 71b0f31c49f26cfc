//! A private desktop without a screen: an X server in memory, a session bus, a window manager, a panel that hosts tray
//! icons (StatusNotifier) and a notification service. The real ones, from Debian's packages.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{Ended, Profile, Program, skipped, until};

/// How long a part may take to be there; the machine may be busy.
const PART_LIMIT: Duration = Duration::from_secs(30);
/// What it is made of.
const PARTS: [&str; 11] = [
    "Xvfb",
    "dbus-daemon",
    "xfwm4",
    "xfce4-panel",
    "xfconf-query",
    "dunst",
    "dunstctl",
    "gdbus",
    "import",
    "display",
    "xdotool",
];
/// What is set in the panel: one row at the top with nothing but the tray.
const PANEL: [&[&str]; 7] = [
    &["/configver", "-n", "-t", "int", "-s", "2"],
    &["/panels", "-n", "-a", "-t", "int", "-s", "1"],
    &["/panels/panel-1/position", "-n", "-t", "string", "-s", "p=6;x=0;y=0"],
    &["/panels/panel-1/length", "-n", "-t", "uint", "-s", "100"],
    &["/panels/panel-1/size", "-n", "-t", "uint", "-s", "32"],
    &["/panels/panel-1/plugin-ids", "-n", "-a", "-t", "int", "-s", "1"],
    &["/plugins/plugin-1", "-n", "-t", "string", "-s", "systray"],
];

/// A line of a menu, as the panel gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuLine {
    /// What a click names.
    pub id: i64,
    /// What it says.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether it is checked.
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
    /// Starts one, or says what is missing and returns `None`.
    ///
    /// # Panics
    ///
    /// When a part does not start although it is installed.
    #[must_use]
    pub fn start() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let absent = PARTS.iter().find(|part| !env::split_paths(&path).any(|folder| folder.join(part).is_file()));
        if let Some(absent) = absent {
            skipped(&format!("there is no {absent} for a desktop; `packaging/bootstrap.sh test` installs it"));
            return None;
        }
        let home = Profile::new();
        let (bus, address) = start_bus(&home);
        let mut x = home.plain("Xvfb");
        x.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
        let x = Program::start(&mut x, home.path());
        let number = until("the X server", PART_LIMIT, || {
            Some(x.stdout().trim().to_owned()).filter(|number| !number.is_empty())
        });
        let mut desktop = Self { panel: None, rest: vec![bus, x], display: format!(":{number}"), address, home };
        for part in ["xfwm4", "dunst"] {
            let started = desktop.part(part, &[]);
            desktop.rest.push(started);
        }
        for setting in PANEL {
            let _ = desktop.run("xfconf-query", &[&["-c", "xfce4-panel", "-p"], setting].concat());
        }
        desktop.start_panel();
        until("the notification service", PART_LIMIT, || {
            (desktop.run("dunstctl", &["is-paused"]).trim() == "false").then_some(())
        });
        Some(desktop)
    }

    /// Makes `command` a program of this desktop.
    pub fn show(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("XDG_CURRENT_DESKTOP", "XFCE");
    }

    fn part(&self, name: &str, args: &[&str]) -> Program {
        let mut command = self.home.plain(name);
        self.show(command.args(args));
        Program::start(&mut command, self.home.path())
    }

    /// Runs a program of the desktop to its end and returns what it printed.
    #[must_use]
    pub fn run(&self, name: &str, args: &[&str]) -> String {
        let mut command = self.home.plain(name);
        self.show(command.args(args));
        Ended::of(&mut command, "").stdout
    }

    /// Starts the panel and waits until it takes icons.
    pub fn start_panel(&mut self) {
        self.panel = Some(self.part("xfce4-panel", &["--disable-wm-check"]));
        until("the panel", PART_LIMIT, || {
            let ping = ["--method", "org.freedesktop.DBus.Peer.Ping"];
            let watcher = ["--dest", "org.kde.StatusNotifierWatcher", "--object-path", "/StatusNotifierWatcher"];
            let call = [&["call", "--session"], &watcher[..], &ping[..]].concat();
            (self.run("gdbus", &call).trim() == "()").then_some(())
        });
    }

    /// Kills the panel as a crash would.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn kill_panel(&mut self) {
        self.panel.take().expect("a panel runs").kill();
        // What it started to draw the tray is killed with it.
        let _ = self.run("pkill", &["-KILL", "-f", &format!("wrapper-2.0.*{}", self.display)]);
        until("the panel's end", PART_LIMIT, || self.icons().is_empty().then_some(()));
    }

    /// The bus names of the icons in the panel.
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

    /// The bus name of the one icon, once it is there.
    #[must_use]
    pub fn icon(&self) -> String {
        until("the icon in the panel", PART_LIMIT, || self.icons().into_iter().next())
    }

    /// The lines of the menu of the icon `name`, separators left out.
    #[must_use]
    pub fn menu(&self, name: &str) -> Vec<MenuLine> {
        let method = "com.canonical.dbusmenu.GetLayout";
        let printed = self.call(name, &[method, "0", "--", "-1", "[]"]);
        // GVariant's text form: <(5, {'label': <'Quit'>, ..}, @av [])>
        let lines = printed.split("<(").skip(1).filter_map(|part| {
            let id = part.split(',').next()?.trim().parse().ok()?;
            let label = part.split_once("'label': <'")?.1.split_once("'>")?.0.replace("__", "_");
            let enabled = !part.contains("'enabled': <false>");
            let checked = part.contains("'toggle-state': <1>");
            Some(MenuLine { id, label, enabled, checked })
        });
        lines.collect()
    }

    /// Clicks the line that says `label` in the menu of the icon `name`.
    ///
    /// # Panics
    ///
    /// When there is none, or it cannot be clicked.
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

    /// The left button on the icon `name`.
    pub fn activate(&self, name: &str) {
        let to = ["call", "--session", "--dest", name, "--object-path", "/StatusNotifierItem", "--method"];
        let _ = self.run("gdbus", &[&to[..], &["org.kde.StatusNotifierItem.Activate", "0", "0"]].concat());
    }

    /// The titles of the notifications so far, oldest first: those on the screen and those that are gone.
    ///
    /// # Panics
    ///
    /// When the service does not tell.
    #[must_use]
    pub fn notifications(&self) -> Vec<String> {
        // What is still shown is not in the history.
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

    /// A window that fills the screen, until it is dropped.
    #[must_use]
    pub fn full_screen_window(&self) -> Program {
        let window = self.part("display", &["-title", "full", "-size", "640x360", "xc:navy"]);
        until("a window that fills the screen", PART_LIMIT, || {
            let _ = self
                .run("xdotool", &["search", "--name", "full", "windowactivate", "windowstate", "--add", "FULLSCREEN"]);
            let active = self.run("xdotool", &["getactivewindow", "getwindowgeometry"]);
            active.contains("1280x720").then_some(())
        });
        window
    }

    /// Writes a picture of the whole screen.
    pub fn screenshot(&self, file: &Path) {
        let file = file.to_str().expect("test files have plain names");
        let _ = self.run("import", &["-window", "root", file]);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // The panel draws through helpers of its own; they end with the X server, and the bus ends what it started.
        self.panel.take();
        while let Some(part) = self.rest.pop() {
            drop(part);
        }
    }
}

/// A session bus, and its address.
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
