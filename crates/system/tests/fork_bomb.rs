//! Processes that multiply faster than one can look.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};

#[test]
fn a_bounded_fork_bomb_ends_while_it_still_grows() {
    let ground = Ground::held();
    // 2^8 shells at most, of which each starts two more in sessions of their own.
    let root = ground.spawn(
        "cat >bomb <<'END'
trap '' TERM
if [ $1 -gt 0 ]; then
  setsid sh ./bomb $(($1 - 1)) &
  sh ./bomb $(($1 - 1)) &
fi
sleep 300
END
sh ./bomb 7",
    );
    let mut tree = ground.tree(&root);
    until("it has grown", || tree.members().unwrap().len() >= 30);

    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
