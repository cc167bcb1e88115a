//! A series in words: what somebody who looked at the graph would say of it.

use crate::view::words;

/// Samples below which nothing is said.
const LEAST: usize = 10;
/// Percent of a core: less than this is noise.
const CPU_NOISE: f64 = 2.0;
/// Bytes: a page here and there.
const MEMORY_NOISE: f64 = 1e6;

/// The average of what could be measured; `None` if nothing could.
pub(crate) fn average(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    mean(&known)
}

/// CPU over time, in percent of a core: `idle`, `steady`, `spike to 45%`, `occasional spikes to 45%`, `rising`,
/// `falling`, `varying`. Empty while too little is known.
pub(crate) fn cpu(values: &[Option<f64>]) -> String {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let Some(average) = mean(&known).filter(|_| known.len() >= LEAST) else { return String::new() };
    let highest = known.iter().copied().fold(0.0, f64::max);
    if highest < 1.0 {
        return "idle".to_owned();
    }
    let spread = known.iter().map(|value| (value - average).abs()).sum::<f64>() / count(known.len());
    if let Some(spikes) = spikes(&known, highest) {
        let top = words::whole_percent(highest);
        return if spikes == 1 { format!("spike to {top}") } else { format!("occasional spikes to {top}") };
    }
    let [first, middle, last] = thirds(&known);
    let step = CPU_NOISE.max(average * 0.25);
    if last - first > step && middle >= first && middle <= last {
        return "rising".to_owned();
    }
    if first - last > step && middle <= first && middle >= last {
        return "falling".to_owned();
    }
    if spread <= CPU_NOISE.max(average * 0.2) { "steady".to_owned() } else { "varying".to_owned() }
}

/// How often it was far above what is usual, if that was seldom enough to be called a spike.
fn spikes(known: &[f64], highest: f64) -> Option<usize> {
    let usual = median(known);
    if highest < usual * 2.0 || highest - usual < 5.0 * CPU_NOISE {
        return None;
    }
    let line = f64::midpoint(usual, highest);
    let above: Vec<bool> = known.iter().map(|value| *value > line).collect();
    let share = count(above.iter().filter(|above| **above).count()) / count(known.len());
    let begins =
        above.iter().zip(std::iter::once(&false).chain(&above)).filter(|(now, before)| **now && !**before);
    (share <= 0.2).then(|| begins.count())
}

/// Memory over time, in bytes: `stable`, `growing slowly`, `growing fast (+12 MB/min)`, `shrinking`, `varying`. Empty
/// while too little is known. `seconds` lie between the first and the last value.
pub(crate) fn memory(values: &[Option<f64>], seconds: f64) -> String {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    if known.len() < LEAST || seconds <= 0.0 {
        return String::new();
    }
    let [first, middle, last] = thirds(&known);
    let noise = MEMORY_NOISE.max(first * 0.02);
    let grown = last - first;
    // Between the middles of the first third and of the last one.
    let minutes = seconds * 2.0 / 3.0 / 60.0;
    if grown > noise && middle >= first && middle <= last {
        let rate = grown / minutes;
        return if rate > (last * 0.05).max(5e6) {
            format!("growing fast (+{}/min)", words::bytes_of(rate))
        } else {
            "growing slowly".to_owned()
        };
    }
    if -grown > noise && middle <= first && middle >= last {
        return "shrinking".to_owned();
    }
    let (low, high) =
        known.iter().fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
    if high - low > (high * 0.1).max(noise) { "varying".to_owned() } else { "stable".to_owned() }
}

/// The medians of the first, the middle and the last third.
fn thirds(known: &[f64]) -> [f64; 3] {
    let third = known.len() / 3;
    [&known[..third], &known[third..known.len() - third], &known[known.len() - third..]].map(median)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred samples")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
        values.into_iter().map(Some).collect()
    }

    fn with_spikes(base: f64, at: &[usize], top: f64) -> Vec<Option<f64>> {
        series((0..60).map(|index| if at.contains(&index) { top } else { base }))
    }

    #[test]
    fn cpu_in_words() {
        let ramp =
            |from: f64, to: f64| series((0..60).map(move |step| from + (to - from) * f64::from(step) / 59.0));
        for (values, text) in [
            (series([]), ""),
            (series([50.0; 9]), ""),
            (vec![None; 60], ""),
            (series([0.2; 60]), "idle"),
            (series([2.5; 60]), "steady"),
            (series([95.0; 60]), "steady"),
            (with_spikes(5.0, &[30, 31, 32], 45.2), "spike to 45%"),
            (with_spikes(0.1, &[10, 30, 50], 12.0), "occasional spikes to 12%"),
            (with_spikes(2.0, &[10], 4.0), "steady"),
            (ramp(5.0, 60.0), "rising"),
            (ramp(60.0, 5.0), "falling"),
            (series((0..60).map(|step| if step % 2 == 0 { 10.0 } else { 60.0 })), "varying"),
        ] {
            assert_eq!(cpu(&values), text, "{values:?}");
        }
    }

    #[test]
    fn memory_in_words() {
        let ramp =
            |from: f64, to: f64| series((0..60).map(move |step| from + (to - from) * f64::from(step) / 59.0));
        for (values, seconds, text) in [
            (series([]), 0.0, ""),
            (series([45e6; 9]), 9.0, ""),
            (series([45e6; 60]), 60.0, "stable"),
            (ramp(45e6, 45.3e6), 60.0, "stable"),
            (ramp(371e6, 421e6), 600.0, "growing slowly"),
            (ramp(100e6, 160e6), 60.0, "growing fast (+61 MB/min)"),
            (ramp(160e6, 100e6), 60.0, "shrinking"),
            // A collector's saw-tooth comes back each time.
            (series((0..60).map(|step| 100e6 + 5e6 * f64::from(step % 10))), 60.0, "varying"),
        ] {
            assert_eq!(memory(&values, seconds), text, "{values:?}");
        }
    }
}
