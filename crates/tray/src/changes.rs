//! From one menu to the next, item by item: a menu that is rebuilt closes under the user's hand.

use crate::menu::{Item, Kind};

/// One step. `parent` is a submenu's id, `None` the menu itself; a position counts after all steps before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Label { id: String, label: String },
    Enabled { id: String, enabled: bool },
    Checked { id: String, checked: bool },
    Remove { parent: Option<String>, position: usize },
    Insert { parent: Option<String>, position: usize, item: Item },
}

/// The steps that make `new` of `old`, none if they are the same.
pub fn changes(old: &[Item], new: &[Item]) -> Vec<Change> {
    let mut changes = Vec::new();
    level(None, old, new, &mut changes);
    changes
}

fn level(parent: Option<&str>, old: &[Item], new: &[Item], changes: &mut Vec<Change>) {
    let parent_id = || parent.map(str::to_owned);
    let mut present: Vec<&Item> = old.iter().collect();
    for position in (0..present.len()).rev() {
        if !new.iter().any(|item| is_same(item, present[position])) {
            present.remove(position);
            changes.push(Change::Remove { parent: parent_id(), position });
        }
    }
    for (position, item) in new.iter().enumerate() {
        match present[position.min(present.len())..].iter().position(|old| is_same(old, item)) {
            Some(0) => update(present[position], item, changes),
            found => {
                if let Some(behind) = found {
                    present.remove(position + behind);
                    changes.push(Change::Remove { parent: parent_id(), position: position + behind });
                }
                present.insert(position, item);
                changes.push(Change::Insert { parent: parent_id(), position, item: item.clone() });
            }
        }
    }
}

/// Whether one can become the other in place.
fn is_same(one: &Item, other: &Item) -> bool {
    one.id == other.id && std::mem::discriminant(&one.kind) == std::mem::discriminant(&other.kind)
}

fn update(old: &Item, new: &Item, changes: &mut Vec<Change>) {
    let id = || new.id.clone();
    if old.label != new.label {
        changes.push(Change::Label { id: id(), label: new.label.clone() });
    }
    match (&old.kind, &new.kind) {
        (Kind::Button { enabled: before, .. }, Kind::Button { enabled, .. }) if before != enabled => {
            changes.push(Change::Enabled { id: id(), enabled: *enabled });
        }
        (Kind::Check { checked: before, .. }, Kind::Check { checked, .. }) if before != checked => {
            changes.push(Change::Checked { id: id(), checked: *checked });
        }
        (Kind::Submenu(before), Kind::Submenu(items)) => level(Some(&new.id), before, items, changes),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::Act;

    fn button(id: &str, label: &str, enabled: bool) -> Item {
        Item { id: id.to_owned(), label: label.to_owned(), kind: Kind::Button { enabled, act: Act::Quit } }
    }

    fn submenu(id: &str, items: Vec<Item>) -> Item {
        Item { id: id.to_owned(), label: id.to_owned(), kind: Kind::Submenu(items) }
    }

    fn heading(id: &str) -> Item {
        Item { id: id.to_owned(), label: id.to_owned(), kind: Kind::Heading }
    }

    fn check(checked: bool) -> Item {
        Item { id: "login".to_owned(), label: String::new(), kind: Kind::Check { checked, act: Act::Quit } }
    }

    fn below<'a>(items: &'a mut Vec<Item>, parent: Option<&str>) -> &'a mut Vec<Item> {
        let Some(parent) = parent else { return items };
        items
            .iter_mut()
            .find_map(|item| match &mut item.kind {
                Kind::Submenu(below) if item.id == parent => Some(below),
                _ => None,
            })
            .expect("a submenu of that id")
    }

    fn find<'a>(items: &'a mut [Item], id: &str) -> Option<&'a mut Item> {
        items.iter_mut().find_map(|item| match item {
            Item { id: own, .. } if own == id => Some(item),
            Item { kind: Kind::Submenu(items), .. } => find(items, id),
            _ => None,
        })
    }

    /// What a toolkit makes of the steps.
    fn applied(mut items: Vec<Item>, changes: Vec<Change>) -> Vec<Item> {
        for change in changes {
            match change {
                Change::Label { id, label } => find(&mut items, &id).expect("an item").label = label,
                Change::Enabled { id, enabled: now } => match &mut find(&mut items, &id).expect("one").kind {
                    Kind::Button { enabled, .. } => *enabled = now,
                    other => panic!("{other:?} is no button"),
                },
                Change::Checked { id, checked: now } => match &mut find(&mut items, &id).expect("one").kind {
                    Kind::Check { checked, .. } => *checked = now,
                    other => panic!("{other:?} is no check item"),
                },
                Change::Remove { parent, position } => {
                    below(&mut items, parent.as_deref()).remove(position);
                }
                Change::Insert { parent, position, item } => {
                    below(&mut items, parent.as_deref()).insert(position, item);
                }
            }
        }
        items
    }

    #[test]
    fn the_steps_lead_from_each_menu_to_each_other() {
        let menus = [
            vec![],
            vec![heading("a"), button("b", "Stop", true), check(true)],
            vec![heading("b"), button("a", "Stop", true), check(false)],
            vec![button("b", "Stop", false), heading("a")],
            vec![submenu("s", vec![button("x", "X", true), button("y", "Y", true)]), button("b", "B", true)],
            vec![
                button("b", "B", true),
                submenu("s", vec![button("y", "Y!", false), button("z", "Z", true)]),
            ],
            vec![submenu("t", vec![]), submenu("s", vec![heading("x")]), check(true)],
        ];
        for (from, old) in menus.iter().enumerate() {
            for (to, new) in menus.iter().enumerate() {
                let steps = changes(old, new);
                assert_eq!(steps.is_empty(), from == to, "menu {from} to {to}: {steps:?}");
                assert_eq!(&applied(old.clone(), steps), new, "menu {from} to {to}");
            }
        }
    }

    #[test]
    fn a_new_state_moves_nothing() {
        let menu = |label: &str, enabled| {
            vec![
                heading("a"),
                submenu("dev", vec![button("start", label, enabled), button("stop", "S", true)]),
            ]
        };
        assert_eq!(
            changes(&menu("Start dev", true), &menu("Start dev", false)),
            [Change::Enabled { id: "start".to_owned(), enabled: false }],
            "one item"
        );
        assert_eq!(
            changes(&menu("old", true), &menu("new", true)),
            [Change::Label { id: "start".to_owned(), label: "new".to_owned() }],
            "one item"
        );
    }

    #[test]
    fn what_comes_on_top_leaves_the_rest_alone() {
        let rest = [heading("a"), submenu("s", vec![button("x", "X", true)]), check(true)];
        let with = [vec![button("notice", "api crashed", true)], rest.to_vec()].concat();
        assert_eq!(changes(&rest, &with).len(), 1, "one insertion");
        assert_eq!(changes(&with, &rest), [Change::Remove { parent: None, position: 0 }], "and one removal");
    }
}
