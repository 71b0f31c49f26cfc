//! What the daemon costs: its CPU share, its memory, and the machine's power where it tells.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::status::Cost;

/// The share is taken over at least so long.
const WINDOW: Duration = Duration::from_secs(3);

/// Measures on request; it never fails, it only knows less.
#[derive(Debug)]
pub struct Meter {
    since: Option<(Duration, Duration)>,
    energy: Option<(Duration, u64)>,
    sys: PathBuf,
    cost: Cost,
}

impl Default for Meter {
    fn default() -> Self {
        Self { since: None, energy: None, sys: "/sys/class".into(), cost: Cost::default() }
    }
}

impl Meter {
    /// Measures again if enough time has passed since it last did; `mono` is the clock.
    pub fn refresh(&mut self, mono: Duration) {
        match self.since {
            Some((then, _)) if mono.saturating_sub(then) < WINDOW => return,
            Some((then, cpu_then)) => {
                let (wall, cpu) = (mono.saturating_sub(then), cpu_time().saturating_sub(cpu_then));
                self.cost.cpu_percent = tenth(100.0 * cpu.as_secs_f64() / wall.as_secs_f64());
            }
            None => {}
        }
        self.since = Some((mono, cpu_time()));
        self.cost.rss_bytes = resident_bytes().unwrap_or(0);
        self.cost.power_watts = battery_watts(&self.sys.join("power_supply")).or_else(|| self.rapl_watts(mono));
    }

    /// What was measured last.
    #[must_use]
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// Power from the energy counters of the processor packages, which mostly only root may read.
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
        // A counter that wrapped around says nothing this time.
        let joules = energy.checked_sub(before)? as f64 / 1e6;
        (seconds > 0.0).then(|| tenth(joules / seconds))
    }
}

/// Power drawn from the batteries; `None` where none is discharging or none tells.
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
    let draws: Vec<f64> = entries(folder).iter().filter_map(draw).collect();
    (!draws.is_empty()).then(|| tenth(draws.iter().sum()))
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

/// CPU time of all threads of this process.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    Duration::ZERO
}

/// Resident memory, from `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn energy_counters_tell_the_power_after_two_readings() {
        let folder = tempfile::tempdir().unwrap();
        let counter = folder.path().join("powercap/intel-rapl:0/energy_uj");
        fs::create_dir_all(counter.parent().unwrap()).unwrap();
        let mut meter = Meter { sys: folder.path().into(), ..Meter::default() };
        for (second, energy, watts) in [(0, 1_000_000u64, None), (5, 51_000_000, Some(10.0)), (10, 7, None)] {
            fs::write(&counter, energy.to_string()).unwrap();
            meter.refresh(Duration::from_secs(second));
            assert_eq!(meter.cost().power_watts, watts);
        }
    }
}
