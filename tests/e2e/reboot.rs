//! After a reboot nothing runs, and what was wanted is still known.

use forge_tests::{Running, World, wait_until};

const TWO: &str = "dev:
  - {name: db, command: nasty forever}
  - {name: api, command: nasty forever, depends_on: [db]}
  - {name: mail, command: nasty forever}
";

/// `db` and `api` ran when the machine went down; `mail` had been stopped.
fn rebooted() -> World {
    let world = World::with(TWO);
    world.start();
    world.forge(["stop", "mail"]).run().ok();
    world.reboot();
    world
}

fn statuses(world: &World) -> Vec<String> {
    ["db", "api", "mail"].map(|name| world.process(name)["status"].as_str().unwrap_or("?").to_owned()).into()
}

/// `forge serve`, once it answers.
fn serve(world: &World) -> Running {
    let served = world.forge(["serve"]).spawn();
    wait_until("it serves", || {
        assert!(served.is_alive(), "{}", served.stderr());
        world.supervisor().is_some_and(|supervisor| supervisor.pid == served.pid())
    });
    served
}

#[test]
fn what_ran_before_a_reboot_is_begun_again_where_the_settings_say_so() {
    let world = rebooted();
    world.settings("restore: true\n");
    let _served = serve(&world);
    world.wait_status("api", "running");
    assert_eq!(statuses(&world), ["running", "running", "stopped"], "what the user had stopped stays so");
    assert_eq!(world.process("api")["restarts"], 0, "no crash, no restart: {:#}", world.process("api"));
    assert!(
        !world.state().join("runs/00000000-0000-0000-0000-000000000000").exists(),
        "its run folders are over"
    );
}

#[test]
fn serve_brings_nothing_back_after_a_reboot_unless_told_to() {
    let world = rebooted();
    let _served = serve(&world);
    assert_eq!(statuses(&world), ["stopped"; 3], "not asked for");
    world.start();
    assert_eq!(statuses(&world), ["running"; 3], "and nothing stands in the way of a start");
}

#[test]
fn a_background_supervisor_brings_nothing_back_after_a_reboot_whatever_the_settings_say() {
    let world = rebooted();
    world.settings("restore: true\n");
    assert_eq!(statuses(&world), ["stopped"; 3], "`forge status` starts one, and only looks");
}

#[test]
fn commands_that_changed_meanwhile_are_not_run_by_a_reboot() {
    let world = rebooted();
    world.settings("restore: true\n");
    world.configure(&TWO.replace("nasty forever, depends_on", "nasty touch pulled forever, depends_on"));
    let _served = serve(&world);
    assert_eq!(statuses(&world), ["stopped"; 3], "nobody has looked at these");
    assert!(!world.path("pulled").exists(), "it did not run");
}
