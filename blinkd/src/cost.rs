//! CPU use and memory of the daemon, and the machine's power where it can be read.
//!
//! - [`Meter`] measures
//! - [`Governor`] keeps the CPU use under a limit
//! - [`Profile`]: whether to observe all the time, or to sample while on battery

mod governor;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::status::Cost;

pub(crate) use governor::Governor;

/// The CPU use is measured over at least this long.
const WINDOW: Duration = Duration::from_secs(3);

/// The setting `cost.profile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Samples while the machine runs on battery, else observes all the time.
    #[default]
    Auto,
    Normal,
    Battery,
}

impl Profile {
    /// Whether to sample instead of observing all the time.
    #[must_use]
    pub fn samples(self, on_battery: bool) -> bool {
        match self {
            Self::Auto => on_battery,
            Self::Normal => false,
            Self::Battery => true,
        }
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Normal => "normal",
            Self::Battery => "battery",
        })
    }
}

impl std::str::FromStr for Profile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "auto" => Ok(Self::Auto),
            "normal" => Ok(Self::Normal),
            "battery" => Ok(Self::Battery),
            _ => Err("it must be auto, normal or battery"),
        }
    }
}

/// Returns the CPU time of all threads of this process.
pub(crate) type CpuTime = Box<dyn Fn() -> Duration + Send>;

/// Measures on request. It never fails; what cannot be read is left out.
pub struct Meter {
    cpu_time: CpuTime,
    since: Option<(Duration, Duration)>,
    /// Whether the CPU use was measured since it was last taken.
    fresh: bool,
    energy: Option<(Duration, u64)>,
    sys: PathBuf,
    on_battery: bool,
    cost: Cost,
}

impl Default for Meter {
    fn default() -> Self {
        Self::from_sources(Box::new(cpu_time), "/sys/class".into())
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("sys", &self.sys).field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Meter {
    /// A meter that reads the CPU time from `cpu_time` and the machine's power from the folder `sys` (`/sys/class`).
    #[must_use]
    pub fn from_sources(cpu_time: CpuTime, sys: PathBuf) -> Self {
        let on_battery = on_battery(&sys.join("power_supply"));
        Self { cpu_time, since: None, fresh: false, energy: None, sys, on_battery, cost: Cost::default() }
    }

    /// Measures again at the monotonic time `mono`, if the window has passed.
    pub fn refresh(&mut self, mono: Duration) {
        match self.since {
            Some((then, _)) if mono.saturating_sub(then) < WINDOW => return,
            Some((then, cpu_then)) => {
                let (wall, cpu) = (mono.saturating_sub(then), (self.cpu_time)().saturating_sub(cpu_then));
                self.cost.cpu_percent = tenth(100.0 * cpu.as_secs_f64() / wall.as_secs_f64());
                self.fresh = true;
            }
            None => {}
        }
        self.since = Some((mono, (self.cpu_time)()));
        self.cost.rss_bytes = resident_bytes().unwrap_or(0);
        self.on_battery = on_battery(&self.sys.join("power_supply"));
        self.cost.power_watts = battery_watts(&self.sys.join("power_supply")).or_else(|| self.rapl_watts(mono));
    }

    #[must_use]
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// The CPU use in per cent of one core, once after each measurement.
    pub fn measured(&mut self) -> Option<f64> {
        std::mem::take(&mut self.fresh).then_some(self.cost.cpu_percent)
    }

    #[must_use]
    pub fn on_battery(&self) -> bool {
        self.on_battery
    }

    /// Power in watts from the energy counters of the processor packages (RAPL), which usually only root may read.
    #[expect(clippy::cast_precision_loss, reason = "microjoules of some seconds fit a double exactly")]
    fn rapl_watts(&mut self, mono: Duration) -> Option<f64> {
        let packages = entries(&self.sys.join("powercap"));
        let package = |path: &&PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("intel-rapl:") && name.matches(':').count() == 1)
        };
        let readings = packages.iter().filter(package).map(|path| number(&path.join("energy_uj")));
        let energy = readings.sum::<Option<u64>>().filter(|energy| *energy > 0)?;
        let (then, before) = self.energy.replace((mono, energy))?;
        let seconds = mono.saturating_sub(then).as_secs_f64();
        // A counter that wrapped around gives no value this time.
        let joules = energy.checked_sub(before)? as f64 / 1e6;
        (seconds > 0.0).then(|| tenth(joules / seconds))
    }
}

/// Power drawn from the batteries in watts; `None` where none is discharging or none reports it.
#[expect(clippy::cast_precision_loss, reason = "microwatts of a machine fit a double exactly")]
fn battery_watts(folder: &Path) -> Option<f64> {
    let draw = |supply: &PathBuf| {
        let discharging = fs::read_to_string(supply.join("status")).ok()?.trim() == "Discharging";
        if !discharging {
            return None;
        }
        number(&supply.join("power_now")).map(|uw| uw as f64 / 1e6).or_else(|| {
            let (ua, uv) = (number(&supply.join("current_now"))?, number(&supply.join("voltage_now"))?);
            Some(ua as f64 * uv as f64 / 1e12)
        })
    };
    let draws: Vec<f64> = entries(folder).iter().filter(|supply| !is_of_a_device(supply)).filter_map(draw).collect();
    (!draws.is_empty()).then(|| tenth(draws.iter().sum()))
}

/// Whether only batteries power the machine.
fn on_battery(folder: &Path) -> bool {
    let (mut battery, mut discharging, mut outlet, mut plugged) = (false, false, false, false);
    for supply in entries(folder).iter().filter(|supply| !is_of_a_device(supply)) {
        if word(&supply.join("type")).as_deref() == Some("Battery") {
            battery = true;
            discharging |= word(&supply.join("status")).as_deref() == Some("Discharging");
        } else if let Some(online) = number(&supply.join("online")) {
            outlet = true;
            plugged |= online > 0;
        }
    }
    battery && !plugged && (discharging || outlet)
}

/// Whether the supply belongs to a peripheral: mice and headsets have batteries too.
fn is_of_a_device(supply: &Path) -> bool {
    word(&supply.join("scope")).as_deref() == Some("Device")
}

fn word(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// CPU time of this process so far, user and system; nothing where the system does not tell.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Duration {
    Duration::ZERO
}

/// Resident memory in bytes, from `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn it_measures_this_process() {
        let mut meter = Meter::default();
        meter.refresh(Duration::ZERO);
        let start = cpu_time();
        let mut x = 1u64;
        while cpu_time() - start < Duration::from_millis(30) {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        meter.refresh(Duration::from_secs(3));
        let cost = meter.cost();
        assert!(cost.cpu_percent >= 1.0, "{cost:?}");
        assert!(cost.rss_bytes > 1 << 20, "{cost:?}");
    }

    #[test]
    fn a_discharging_battery_tells_the_power() {
        let folder = tempfile::tempdir().unwrap();
        let supplies = folder.path().join("power_supply");
        let put = |name: &str, text: &str| {
            let path = supplies.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("AC/online", "0\n");
        put("BAT0/status", "Charging\n");
        put("BAT0/power_now", "9000000\n");
        assert_eq!(battery_watts(&supplies), None);
        put("BAT0/status", "Discharging\n");
        put("BAT1/status", "Discharging\n");
        put("BAT1/current_now", "500000\n");
        put("BAT1/voltage_now", "12000000\n");
        assert_eq!(battery_watts(&supplies), Some(15.0));
    }

    #[rstest]
    #[case::a_desktop(&[], false)]
    #[case::plugged_in(&[("AC/online", "1"), ("BAT0/type", "Battery"), ("BAT0/status", "Not charging")], false)]
    #[case::unplugged(&[("AC/online", "0"), ("BAT0/type", "Battery"), ("BAT0/status", "Discharging")], true)]
    #[case::no_word_of_an_outlet(&[("BAT0/type", "Battery"), ("BAT0/status", "Discharging")], true)]
    #[case::a_battery_that_does_not_know(&[("AC/online", "0"), ("BAT0/type", "Battery"), ("BAT0/status", "Unknown")], true)]
    #[case::one_of_two_outlets(
        &[("AC/online", "0"), ("usb/online", "1"), ("BAT0/type", "Battery"), ("BAT0/status", "Discharging")], false
    )]
    #[case::a_mouse(&[("m/type", "Battery"), ("m/scope", "Device"), ("m/status", "Discharging")], false)]
    fn whether_it_runs_on_battery_is_told(#[case] supplies: &[(&str, &str)], #[case] want: bool) {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in supplies {
            let path = folder.path().join("power_supply").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{value}\n")).unwrap();
        }
        let mut meter = Meter::from_sources(Box::new(cpu_time), folder.path().into());
        assert_eq!(meter.on_battery(), want);
        meter.refresh(Duration::ZERO);
        assert_eq!(meter.on_battery(), want);
    }

    #[test]
    fn a_mouse_draws_nothing_from_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let mouse = folder.path().join("hidpp_battery_0");
        fs::create_dir_all(&mouse).unwrap();
        for (name, value) in [("scope", "Device"), ("status", "Discharging"), ("power_now", "9000000")] {
            fs::write(mouse.join(name), value).unwrap();
        }
        assert_eq!(battery_watts(folder.path()), None);
    }

    #[test]
    fn energy_counters_tell_the_power_after_two_readings() {
        let folder = tempfile::tempdir().unwrap();
        let counter = folder.path().join("powercap/intel-rapl:0/energy_uj");
        fs::create_dir_all(counter.parent().unwrap()).unwrap();
        let mut meter = Meter::from_sources(Box::new(cpu_time), folder.path().into());
        for (second, energy, watts) in [(0, 1_000_000u64, None), (5, 51_000_000, Some(10.0)), (10, 7, None)] {
            fs::write(&counter, energy.to_string()).unwrap();
            meter.refresh(Duration::from_secs(second));
            assert_eq!(meter.cost().power_watts, watts);
        }
    }
}
