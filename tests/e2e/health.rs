//! Health checks, with real sockets.

use forge_tests::{World, wait_until};

#[test]
fn a_check_that_fails_later_is_shown_and_ends_nothing() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: api
    command: nasty listen {port} --http 200 --flip 3
    port: {port}
    health_check: {{http: 'http://127.0.0.1:{port}/health', interval: 20ms, retries: 2, start_period: 0s}}
  - {{name: web, command: nasty forever, depends_on: [api]}}
"
    ));
    world.forge(["start", "-d"]).run().ok();
    let api = world.wait_process("api", "unhealthy", |api| api["health"]["state"] == "unhealthy");
    assert!(api["health"]["message"].as_str().is_some_and(|text| text.contains("503")), "{api:#}");
    assert!(world.pid("api").is_alive(), "it is not ended");
    assert_eq!(world.process("api")["restarts"], 0, "nor restarted");
    let status = world.status();
    assert!(
        status["warnings"].as_array().is_some_and(|all| all.iter().any(|one| one["process"] == "api")),
        "{status:#}"
    );
}

#[test]
fn a_command_that_exits_0_is_a_check() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty sleep 100 touch up forever, health_check: test -e up}\n",
    );
    world.start();
    assert_eq!(world.process("a")["health"]["state"], "healthy", "after it came up");
}

#[test]
fn a_line_of_its_output_is_a_check() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty print 'compiling 10%' wait-for go print 'compiled in 3 s' forever
    health_check: {log: 'compiled in \\d+'}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_line("a", "compiling 10%");
    assert_eq!(world.process("a")["ready"], false, "not that line");
    world.write("go", "");
    world.wait_process("a", "ready", |a| a["ready"] == true);
}

#[test]
fn a_tcp_address_is_a_check() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: a, command: nasty listen {port} --after 100, health_check: 'tcp://localhost:{port}'}}\n"
    ));
    world.start();
    assert_eq!(world.process("a")["health"]["state"], "healthy", "it listens");
}

#[test]
fn a_server_that_listens_on_all_addresses_or_on_ipv6_alone_is_found() {
    for address in ["0.0.0.0", "::1", "::"] {
        let world = World::new();
        let port = world.free_port();
        world.configure(&format!(
            "dev:
  - name: a
    command: 'nasty listen {port} --bind {address} --http 200'
    port: {port}
    health_check: http://localhost:{port}/
"
        ));
        world.start();
        assert_eq!(world.process("a")["ports"], serde_json::json!([port]), "on {address}");
    }
}

#[test]
fn fault_15_an_endpoint_that_hangs_or_trickles_is_unhealthy_and_holds_nobody_up() {
    let world = World::new();
    let [hang, trickle, good] = [world.free_port(), world.free_port(), world.free_port()];
    let check = "interval: 50ms, timeout: 100ms, retries: 2, start_period: 100ms";
    world.configure(&format!(
        "dev:
  - name: hang
    command: nasty listen {hang} --http hang
    health_check: {{http: 'http://127.0.0.1:{hang}/', {check}}}
  - name: trickle
    command: nasty listen {trickle} --http trickle
    health_check: {{http: 'http://127.0.0.1:{trickle}/', {check}}}
  - name: good
    command: nasty listen {good} --http 200
    health_check: {{http: 'http://127.0.0.1:{good}/', interval: 50ms}}
"
    ));
    world.forge(["start", "-d"]).run().ok();
    for name in ["hang", "trickle"] {
        let process = world.wait_process(name, "unhealthy", |one| one["health"]["state"] == "unhealthy");
        assert_eq!(process["ready"], false, "{process:#}");
    }
    world.wait_process("good", "healthy", |one| one["health"]["state"] == "healthy");
    world.forge(["stop"]).run().ok();
}

#[test]
fn failures_in_the_start_period_do_not_count() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: slow
    command: nasty listen {port} --http 503 --flip 8
    health_check:
      {{http: 'http://127.0.0.1:{port}/', interval: 20ms, start_interval: 20ms, retries: 2, start_period: 5m}}
"
    ));
    world.start();
    assert_eq!(world.process("slow")["health"]["state"], "healthy", "it was given its time");
}

#[test]
fn fault_14_a_port_taken_between_check_and_start_is_told_with_the_programs_own_words() {
    // The port is free when Forge looks, and taken when the program binds it.
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: web, command: nasty touch checked wait-for go listen {port}, port: {port}, auto_restart: false}}
"
    ));
    let start = world.forge(["start"]).spawn();
    wait_until("the check is over", || world.path("checked").exists());
    let _thief = std::net::TcpListener::bind(("127.0.0.1", port)).expect("nobody else has it");
    world.write("go", "");
    let outcome = start.wait();
    outcome.code(1).says("web").says(&format!("port {port}"));
    assert_eq!(world.process("web")["ready"], false, "the thief's listening is not ours");
}

#[test]
fn a_check_that_passes_outranks_a_port_that_nobody_holds() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: a, command: nasty print hello forever, port: {port}, health_check: {{log: hello}}}}\n"
    ));
    world.start();
    assert_eq!(world.process("a")["ready"], true, "by its check");
}
