use super::*;

const MB: u64 = 1_000_000;

/// What begins (`+kind`) and ends (`-kind`), with the second in which it does.
fn news(seconds: u64, limits: &Alerts, moment: impl Fn(u64) -> Moment) -> Vec<(u64, String)> {
    let mut watch = Watch::default();
    let mut told = Vec::new();
    for second in 0..seconds {
        let moment = Moment { at: Duration::from_secs(second), ..moment(second) };
        for news in watch.step(&moment, limits) {
            let word = match news {
                News::Begins(alert) => format!("+{}", alert.kind),
                News::Ends(kind) => format!("-{kind}"),
            };
            told.push((second, word));
        }
    }
    told
}

fn words_of(told: &[(u64, String)]) -> Vec<&str> {
    told.iter().map(|(_, word)| word.as_str()).collect()
}

fn memory(of: impl Fn(u64) -> u64) -> Vec<(u64, String)> {
    news(3_600, &Alerts::default(), |second| Moment { memory_bytes: Some(of(second)), ..Moment::default() })
}

#[test]
fn memory_that_grows_and_stays_is_told_once() {
    let leak = memory(|second| 100 * MB + second * MB / 8);
    assert_eq!(words_of(&leak), ["+memory_growth"], "75 MB in 10 minutes, for an hour: {leak:?}");
    assert!((300..=720).contains(&leak[0].0), "as soon as it has grown that much: {leak:?}");
    let stops = memory(|second| 100 * MB + second.min(1_200) * MB / 8);
    assert_eq!(words_of(&stops), ["+memory_growth", "-memory_growth"], "it grows no more: {stops:?}");
    let restarts = memory(|second| if second < 1_500 { 100 * MB + second * MB / 8 } else { 90 * MB });
    assert_eq!(words_of(&restarts), ["+memory_growth", "-memory_growth"], "it came back: {restarts:?}");
}

#[test]
fn growth_by_just_as_much_in_the_window_is_told() {
    // 5 MB a minute, of a process that is much smaller than ten times as much.
    let leak = memory(|second| 100 * MB + second * 5 * MB / 60 + MB);
    assert_eq!(words_of(&leak), ["+memory_growth"], "50 MB in 10 minutes: {leak:?}");
    let less = memory(|second| 100 * MB + second * 4 * MB / 60);
    assert_eq!(words_of(&less), [""; 0], "40 MB in 10 minutes: {less:?}");
    let step = memory(|second| if second < 1_500 { 100 * MB } else { 148 * MB });
    assert_eq!(words_of(&step), [""; 0], "48 MB at once are 48 MB: {step:?}");
}

#[test]
fn memory_that_comes_back_or_is_only_warming_up_is_no_alarm() {
    for (what, of) in [
        ("steady", (|_| 400 * MB) as fn(u64) -> u64),
        ("a collector's saw-tooth", |second| 100 * MB + second % 90 * 2 * MB),
        ("one with long teeth", |second| 100 * MB + second % 110 * 5 * MB),
        ("the start", |second| 50 * MB + second.min(100) * 4 * MB),
        (
            "a build that needs much for a minute",
            |second| if second % 900 > 840 { 900 * MB } else { 200 * MB },
        ),
        ("little, slowly", |second| 100 * MB + second * MB / 20),
        ("little of much", |second| 4_000 * MB + second * MB / 8),
        ("less and less", |second| 900 * MB - second * MB / 8),
    ] {
        assert_eq!(memory(of), [], "{what}");
    }
}

#[test]
fn a_leak_under_a_saw_tooth_is_seen() {
    let told = memory(|second| 100 * MB + second % 60 * 3 * MB + second * MB / 8);
    assert_eq!(words_of(&told), ["+memory_growth"], "{told:?}");
}

#[test]
fn the_window_and_the_growth_are_the_users() {
    let limits =
        Alerts { memory_growth: 5 * MB, memory_window: Duration::from_secs(20), ..Alerts::default() };
    let told =
        news(40, &limits, |second| Moment { memory_bytes: Some(10 * MB + second * MB), ..Moment::default() });
    assert_eq!(words_of(&told), ["+memory_growth"], "{told:?}");
    assert!(told[0].0 <= 20, "within the window: {told:?}");
}

#[test]
fn the_words_say_how_much_and_since_when() {
    let mut watch = Watch::default();
    for second in 0..900 {
        let memory_bytes = Some(100 * MB + second * MB / 8);
        let moment = Moment { at: Duration::from_secs(second), memory_bytes, ..Moment::default() };
        watch.step(&moment, &Alerts::default());
    }
    let alert = &watch.alerts()[0];
    assert!(alert.summary.starts_with('+') && alert.summary.ends_with(" MB in 10 min"), "{alert:?}");
    assert!(alert.text.starts_with("memory +") && alert.text.ends_with("(possible leak?)"), "{alert:?}");
}

fn cpu(of: impl Fn(u64) -> f64) -> Vec<(u64, String)> {
    news(600, &Alerts::default(), |second| Moment { cpu_percent: Some(of(second)), ..Moment::default() })
}

#[test]
fn a_core_that_is_busy_for_a_minute_is_told() {
    for (what, of, expected) in [
        ("busy", (|_| 99.0) as fn(u64) -> f64, &["+cpu"][..]),
        ("four cores", |_| 380.0, &["+cpu"]),
        (
            "with a look in which others had it",
            |second| if second % 20 == 0 { 60.0 } else { 99.0 },
            &["+cpu"],
        ),
        ("for two minutes", |second| if second < 120 { 99.0 } else { 3.0 }, &["+cpu", "-cpu"]),
        ("swaying around the threshold", |second| if second % 200 < 120 { 99.0 } else { 88.0 }, &["+cpu"]),
        ("for half a minute", |second| if second % 90 < 30 { 100.0 } else { 5.0 }, &[]),
        ("less", |_| 89.0, &[]),
        ("idle", |_| 0.0, &[]),
    ] {
        assert_eq!(words_of(&cpu(of)), expected, "{what}");
    }
    let when = cpu(|_| 99.0)[0].0;
    assert!((57..=61).contains(&when), "after a minute: {when}");
}

#[test]
fn descriptors_near_their_limit_are_told_until_they_are_well_below_it() {
    let told = |opens: &[u32]| {
        let told = news(opens.len() as u64, &Alerts::default(), |second| Moment {
            fullest: Some(OpenFiles { pid: 7, open: opens[second as usize], limit: 100 }),
            ..Moment::default()
        });
        told.into_iter().map(|(second, word)| format!("{second}{word}")).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&[10, 79, 80, 75, 90, 71, 69, 80]),
        ["2+open_files", "6-open_files", "7+open_files"],
        "swaying"
    );
    assert_eq!(told(&[0, 50, 79]), [""; 0], "few");
}

#[test]
fn a_log_that_grows_by_a_gigabyte_in_an_hour_is_told() {
    let log = |rate: fn(u64) -> u64| {
        let told = news(8_000, &Alerts::default(), |second| Moment {
            log_bytes: second.is_multiple_of(60).then(|| rate(second)),
            ..Moment::default()
        });
        words_of(&told).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(log(|second| second * 400_000), ["+log_growth"], "24 MB a minute");
    assert_eq!(log(|second| second * 100_000), [""; 0], "360 MB an hour");
    assert_eq!(log(|second| second.min(3_000) * 400_000), ["+log_growth", "-log_growth"], "it has stopped");
}

#[test]
fn a_log_grows_over_the_runs_that_write_it() {
    let limits = Alerts::default();
    let (mut watch, mut told) = (Watch::default(), Vec::new());
    for second in 0..6_000 {
        // One that crashes every ten minutes.
        if second % 600 == 599 {
            watch.begin_run();
        }
        let log_bytes = (second % 10 == 0).then_some(second * 400_000);
        let at = Duration::from_secs(second);
        told.extend(watch.step(&Moment { at, log_bytes, ..Moment::default() }, &limits));
    }
    assert!(matches!(&told[..], [News::Begins(Alert { kind: LOG_GROWTH, .. })]), "once: {told:?}");
}

#[test]
fn errors_are_told_when_there_are_many_more_than_usual() {
    let errors = |of: fn(u64) -> u64| {
        let told = news(1_800, &Alerts::default(), |second| Moment {
            errors: Some(of(second)),
            ..Moment::default()
        });
        words_of(&told).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(errors(|_| 0), [""; 0], "none");
    assert_eq!(errors(|second| u64::from(second % 30 == 0)), [""; 0], "two a minute");
    let jump = |second| if (900..1_000).contains(&second) { 1 } else { u64::from(second % 60 == 0) };
    assert_eq!(
        errors(jump),
        ["+error_rate", "-error_rate"],
        "one a minute, then one a second, then as before"
    );
    let burst = |second| u64::from((900..908).contains(&second));
    assert_eq!(errors(burst), [""; 0], "eight are few");
}

#[test]
fn what_is_not_told_is_no_alarm() {
    assert_eq!(news(2_000, &Alerts::default(), |_| Moment::default()), [], "nothing could be measured");
}

#[test]
fn a_hog_is_one_until_it_takes_much_less() {
    let machine = |cpu_percent| Machine {
        cpu_percent: Some(90.0),
        cores: 8,
        memory_used_bytes: 0,
        memory_total_bytes: 16 << 30,
        hogs: vec![Hog { pid: 5, name: "node".to_owned(), processes: 1, cpu_percent, memory_bytes: 0 }],
    };
    let limits = Alerts::default();
    for (cpu, told, is_one) in
        [(400.0, false, true), (390.0, false, false), (390.0, true, true), (290.0, true, false)]
    {
        let told = if told { vec![Some(5)] } else { Vec::new() };
        assert_eq!(!super::hogs(&machine(cpu), &limits, &told).is_empty(), is_one, "{cpu} %, {told:?}");
    }
}

#[test]
fn hogs_are_named_by_what_they_take() {
    let hog = |name: &str, cpu_percent, gigabytes: u64| Hog {
        pid: 123,
        name: name.to_owned(),
        processes: 1,
        cpu_percent,
        memory_bytes: gigabytes << 30,
    };
    let told = |hogs: &[Hog], cores, limits: &Alerts| -> Vec<String> {
        let machine = Machine {
            cpu_percent: Some(90.0),
            cores,
            memory_used_bytes: 15 << 30,
            memory_total_bytes: 16 << 30,
            hogs: hogs.to_vec(),
        };
        super::hogs(&machine, limits, &[]).into_iter().map(|alert| alert.text).collect()
    };
    let usual = Alerts::default();
    let all = [hog("cc1plus", 390.0, 1), hog("firefox", 20.0, 9), hog("sh", 95.0, 0), hog("both", 400.0, 8)];
    assert_eq!(
        told(&all, 8, &usual),
        [
            "firefox (PID 123), not Forge's, uses 9.7 GB",
            "both (PID 123), not Forge's, uses 400 % CPU and 8.6 GB"
        ],
        "half of eight cores, or four tenths of the memory"
    );
    let one = ["cc1plus (PID 123), not Forge's, uses 390 % CPU"];
    assert_eq!(told(&all[..1], 4, &usual), one, "of four cores");
    assert_eq!(told(&all[..1], 8, &Alerts { hog_cpu: 40, ..usual.clone() }), one, "as one likes");
    assert_eq!(told(&all[1..2], 8, &Alerts { hog_memory: 70, ..usual.clone() }), [""; 0], "of memory too");
    let many = Hog { processes: 12, ..hog("chrome", 900.0, 1) };
    assert_eq!(
        told(&[many], 8, &usual),
        ["chrome (PID 123 and 11 more), not Forge's, uses 900 % CPU"],
        "a program of many processes is one"
    );
}
