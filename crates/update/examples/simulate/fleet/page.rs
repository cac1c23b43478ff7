//! The page docs/scale.md, from the figures of a run.

use std::fmt::Write as _;

use super::figures::{Figures, Reach, WaveFigure};
use super::script::{DAY, HOUR, WEEK};

/// Whether a wave is within 4 standard errors and 0.2 percentage points of what was asked. A wave of all has no standard error: what is
/// missing there is under way.
pub(crate) fn is_met(wave: &WaveFigure) -> bool {
    let is_all = wave.asked == 10_000;
    (is_all || wave.off().abs() <= 4.0 * wave.standard_error()) && wave.off().abs() <= 0.2
}

/// The page.
pub(crate) fn page(figures: &Figures) -> String {
    let mut out = String::new();
    let parts = [
        introduction(figures),
        load(figures),
        waves(figures),
        spread(&figures.spread),
        recall(figures),
        outage(figures),
        assumptions(),
    ];
    for part in parts {
        // Writing to a text can't fail.
        let _ = writeln!(out, "{part}");
    }
    out.trim_end().to_owned() + "\n"
}

fn introduction(figures: &Figures) -> String {
    let requests: u64 = figures.load.requests.iter().map(|found| u64::from(*found)).sum();
    let downloads: u64 = figures.load.downloads.iter().map(|found| u64::from(*found)).sum();
    let bytes: u64 = figures.load.bytes.iter().sum();
    format!(
        "# A week of {} computers\n\n\
         Written by `cargo xtask simulate` (seed {}); a small share of it is a test. What decides is the code of the engine: the\n\
         selection with real indexes, waves and orders, the planner, the times between checks and between tries. Network, clocks and the hours at\n\
         which people have their computers on are simulated, second by second. A check every 5 minutes, as usual.\n\n\
         In the week: {} small requests, {} downloads, {} TB.\n",
        thousands(figures.clients.into()),
        figures.seed,
        thousands(requests),
        thousands(downloads),
        one_digit(bytes as f64 / 1e12),
    )
}

fn load(figures: &Figures) -> String {
    let mut out = String::from(
        "## Load on the CDN\n\n\
         | day (UTC) | requests/s, mean | requests/s, busiest second | downloads/s, busiest | Gbit/s, mean | Gbit/s, busiest second |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for day in 0..7 {
        let span = (day * DAY) as usize..((day + 1) * DAY) as usize;
        let requests = &figures.load.requests[span.clone()];
        let downloads = &figures.load.downloads[span.clone()];
        let bits: Vec<f64> = figures.load.bytes[span]
            .iter()
            .map(|bytes| *bytes as f64 * 8.0 / 1e9)
            .collect();
        let mean = requests.iter().map(|found| f64::from(*found)).sum::<f64>() / f64::from(DAY);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            weekday(day * DAY),
            thousands(mean as u64),
            thousands(requests.iter().copied().max().unwrap_or(0).into()),
            thousands(downloads.iter().copied().max().unwrap_or(0).into()),
            two_digits(bits.iter().sum::<f64>() / f64::from(DAY)),
            one_digit(bits.iter().copied().fold(0.0, f64::max)),
        );
    }
    let hourly: Vec<f64> = figures
        .load
        .requests
        .chunks(HOUR as usize)
        .map(|hour| hour.iter().map(|found| f64::from(*found)).sum::<f64>() / f64::from(HOUR))
        .collect();
    let traffic: Vec<f64> = figures
        .load
        .bytes
        .chunks(HOUR as usize)
        .map(|hour| hour.iter().map(|bytes| *bytes as f64).sum::<f64>() * 8.0 / 1e9 / f64::from(HOUR))
        .collect();
    let _ = writeln!(
        out,
        "\nHour by hour, Monday to Sunday:\n\n```text\nrequests/s  {}\nGbit/s      {}\n            \
         Monday      Tuesday     Wednesday   Thursday    Friday      Saturday    Sunday\n```\n",
        bars(&hourly),
        bars(&traffic),
    );
    out + "A check that finds nothing new is two requests and 369 bytes of body. Each publication and each order has everybody read four more small files\n\
           once: that makes the busiest seconds, three times the usual for one interval. What makes the peaks of traffic is the moment at which a wave opens: all\n\
           who belong to it and are on come within one interval. A wave of a tenth is a tenth of that.\n"
}

fn waves(figures: &Figures) -> String {
    let mut out = String::from(
        "## Who got what, wave by wave\n\n\
         Of the computers that looked while the wave was open: how many got the release, beside what was asked. Counted five minutes before the next\n\
         wave begins, since clocks that are ahead belong to it by then.\n\n\
         | release | wave from | asked | looked | got it | off by (points) | 4 standard errors |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for wave in &figures.waves {
        let _ = writeln!(
            out,
            "| {} | {} | {} % | {} | {:.3} % | {:+.3} | {:.3} |",
            wave.version,
            moment(wave.from),
            f64::from(wave.asked) / 100.0,
            thousands(wave.looked.into()),
            wave.percent(),
            wave.off(),
            4.0 * wave.standard_error(),
        );
    }
    let met = figures.waves.iter().filter(|wave| is_met(wave)).count();
    let _ = writeln!(
        out,
        "\n{met} of {} within 4 standard errors and 0.2 percentage points.",
        figures.waves.len()
    );
    out + "A wave of all has no standard error; what is missing there had a download broken off just then, or looked last with a clock that is behind.\n"
}

fn spread(spread: &[Reach]) -> String {
    let mut out = String::from(
        "## How a release spreads\n\nHow many of all computers have it, those included that are off:\n\n| at (UTC) |",
    );
    for reach in spread {
        let _ = write!(out, " {} |", reach.version);
    }
    out.push_str("\n| --- |");
    out.push_str(&" ---: |".repeat(spread.len()));
    out.push('\n');
    for hour in (10..WEEK / HOUR).step_by(6) {
        let _ = write!(out, "| {} |", moment(hour * HOUR));
        for reach in spread {
            let _ = write!(out, " {:.2} % |", reach.hourly[hour as usize]);
        }
        out.push('\n');
    }
    out
}

fn recall(figures: &Figures) -> String {
    let recall = &figures.recall;
    let away = |place: usize| match recall.away[place] {
        Some(seconds) => hours(seconds),
        None => "not in this week".to_owned(),
    };
    format!(
        "## A hold, and a recall\n\n\
         1.2.0 loses notes. Thursday at 12:00 it is held, at 15:00 recalled to 1.1.0. Who had it and is on goes back at the next check, from what is\n\
         on the disk; whoever has the lid shut does it when it is opened.\n\n\
         | | |\n| --- | ---: |\n\
         | had it when it was held | {} |\n\
         | got it after that (download or quiet moment under way) | {} |\n\
         | the last of them, after the hold | {} s |\n\
         | had it when it was recalled | {} |\n\
         | a half were away from it after | {} |\n\
         | nine of ten | {} |\n\
         | 99 of a hundred | {} |\n\
         | still have it on Sunday at midnight: not on since | {} |\n",
        thousands(recall.had_at_hold.into()),
        thousands(recall.installed_after_hold.into()),
        recall.last_after,
        thousands(recall.had_when_recalled.into()),
        away(0),
        away(1),
        away(2),
        thousands(recall.left_at_end.into()),
    )
}

fn outage(figures: &Figures) -> String {
    let outage = &figures.outage;
    let line = |name: &str, (mean, peak): (f64, u32)| {
        format!(
            "| {name} | {} | {} |\n",
            thousands(mean as u64),
            thousands(peak.into())
        )
    };
    let mut out = String::from(
        "## An hour without answers\n\n\
         Friday from 18:00 to 19:00 UTC the CDN answers nothing but 503. Each check tries three times; after one that failed the next comes later, up to an\n\
         hour, with a jitter of a tenth.\n\n\
         | | requests/s, mean | busiest second |\n| --- | ---: | ---: |\n",
    );
    out.push_str(&line("the hour before", outage.before));
    out.push_str(&line("the hour without answers", outage.during));
    out.push_str(&line("the first 10 minutes after it", outage.after));
    out.push_str(&line("the hour after it", outage.hour_after));
    let ratio = f64::from(outage.hour_after.1) / f64::from(outage.before.1.max(1));
    let _ = writeln!(
        out,
        "| the rest of the week, busiest second | | {} |\n\nThe busiest second after it is {ratio:.2} times that before it: nobody comes back in a herd.",
        thousands(outage.usual_peak.into())
    );
    out
}

fn assumptions() -> String {
    "## What is assumed\n\n\
     - Computers: 35 % in offices (weekdays, about 9 hours), 40 % at home (evenings, weekends), 15 % on laps with the lid shut in between, 10 % always on; over\n\
       twelve time zones as people are. Half of them start the application when they are on again, and it checks at once; the others wake with it, and check within a\n\
       minute and a half.\n\
     - Lines of 1, 2, 4, 8, 16 and 32 Mbit/s, each as frequent. One download of 200 breaks off in the middle and is resumed.\n\
     - Sizes: those of `ruff` for Linux in [benchmarks/delta.md](benchmarks/delta.md): 9.9 MB packed, 1.71 MB for a patch from the version before.\n\
     - One clock of a hundred is up to five minutes ahead, another up to an hour behind.\n\
     - One subject, the executable. Whoever waits for a quiet moment waits 20 s to 5 minutes.\n\
     - While the CDN fails nobody's circuit breaker opens: that would spare it requests.\n\
     - A publication adds four small files to the next check: snapshot, two roles, and the index, whose size is that of the index here.\n"
        .to_owned()
}

fn weekday(second: u32) -> &'static str {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    DAYS[(second / DAY) as usize % 7]
}

fn moment(second: u32) -> String {
    format!("{} {:02}:00", weekday(second), second % DAY / HOUR)
}

fn hours(seconds: u32) -> String {
    match seconds {
        0..600 => format!("{seconds} s"),
        600..7_200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", f64::from(seconds) / 3_600.0),
    }
}

fn one_digit(number: f64) -> String {
    format!("{number:.1}")
}

fn two_digits(number: f64) -> String {
    format!("{number:.2}")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A line of bars, one for two hours.
fn bars(hourly: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = hourly.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    hourly
        .chunks(2)
        .map(|pair| {
            let value = pair.iter().sum::<f64>() / pair.len() as f64;
            BARS[((value / most * 7.99) as usize).min(7)]
        })
        .collect()
}
